"""The program that initialises a token: reads {library, label, pin, so_pin} as JSON on its standard input, prints {serial}.

Runs on its own, with the standard library alone, and calls the C interface of PKCS#11 (v2.40, sections 5.4 to 5.6) where
python-pkcs11 has none: C_InitToken and C_InitPIN. It takes the first slot whose token is not initialised.
"""

import ctypes
import json
import sys

CKF_TOKEN_INITIALIZED = 0x400
CKF_RW_SERIAL_SESSION = 0x2 | 0x4
CKU_SO = 0
_ULONG = ctypes.c_ulong


class TokenInfo(ctypes.Structure):
    """CK_TOKEN_INFO."""

    _fields_ = [
        ("label", ctypes.c_char * 32),
        ("manufacturer", ctypes.c_char * 32),
        ("model", ctypes.c_char * 16),
        ("serial", ctypes.c_char * 16),
        ("flags", _ULONG),
        ("counts", _ULONG * 10),
        ("versions", ctypes.c_ubyte * 4),
        ("time", ctypes.c_char * 16),
    ]


class Refusal(Exception):
    """The library answered a call with an error."""


class Library:
    """A PKCS#11 library whose functions raise Refusal.

    Args:
        path: its file.
    """

    def __init__(self, path: str) -> None:
        self._library = ctypes.CDLL(path)

    def call(self, name: str, *arguments: object) -> None:
        """Calls a function; text goes with its length behind it."""
        answer: int = getattr(self._library, name)(*arguments)
        if answer:
            raise Refusal(f"{name} answered 0x{answer & 0xFFFFFFFF:X}")

    def slots(self) -> list[int]:
        """The numbers of all slots."""
        count = _ULONG()
        self.call("C_GetSlotList", 0, None, ctypes.byref(count))
        numbers = (_ULONG * count.value)()
        self.call("C_GetSlotList", 0, numbers, ctypes.byref(count))
        return list(numbers)

    def token(self, slot: int) -> TokenInfo:
        """The facts about the token in a slot."""
        info = TokenInfo()
        self.call("C_GetTokenInfo", _ULONG(slot), ctypes.byref(info))
        return info


def make(request: dict[str, str]) -> str:
    """Initialises a token and gives its serial number."""
    library = Library(request["library"])
    library.call("C_Initialize", None)
    try:
        free = [slot for slot in library.slots() if not library.token(slot).flags & CKF_TOKEN_INITIALIZED]
        if not free:
            raise Refusal("no slot has a token that is not initialised yet")
        so_pin, pin = request["so_pin"].encode(), request["pin"].encode()
        label = request["label"].encode().ljust(32)
        library.call("C_InitToken", _ULONG(free[0]), so_pin, _ULONG(len(so_pin)), label)
        _set_pin(library, free[0], so_pin, pin)
        return str(library.token(free[0]).serial, "ascii").strip()
    finally:
        library.call("C_Finalize", None)


def _set_pin(library: Library, slot: int, so_pin: bytes, pin: bytes) -> None:
    session = _ULONG()
    library.call("C_OpenSession", _ULONG(slot), _ULONG(CKF_RW_SERIAL_SESSION), None, None, ctypes.byref(session))
    library.call("C_Login", session, _ULONG(CKU_SO), so_pin, _ULONG(len(so_pin)))
    library.call("C_InitPIN", session, pin, _ULONG(len(pin)))
    library.call("C_Logout", session)
    library.call("C_CloseSession", session)


def main() -> int:
    """Does what standard input asks for; 1 where the library refuses or cannot be loaded."""
    try:
        json.dump({"serial": make(json.load(sys.stdin))}, sys.stdout)
    except (Refusal, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
