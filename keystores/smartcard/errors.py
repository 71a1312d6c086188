"""What a PKCS#11 library answers -> the error of a key store, as one table.

Knows the names of python-pkcs11's exceptions and imports none of them before one is caught. An answer that the package
has no class for comes as its base class with the number in the text; those numbers are the second table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from keystores.errors import (
    BadKeyData,
    DeviceFailure,
    KeyStoreError,
    NoSuchKey,
    NotPermitted,
    PinBlocked,
    PinError,
    PinRequired,
    StoreFull,
    StoreUnavailable,
    UnsupportedKey,
    WrongPin,
)

STORE: Final = "smartcard"

NO_READER: Final = 0x8010002E  # SCARD_E_NO_READERS_AVAILABLE
NO_CARD: Final = 0x8010000C  # SCARD_E_NO_SMARTCARD
UNKNOWN_READER: Final = 0x80100009  # SCARD_E_UNKNOWN_READER
UNKNOWN_CARD: Final = 0x8010000D  # SCARD_E_UNKNOWN_CARD
INVALID_PARAMETER: Final = 0x80100004  # SCARD_E_INVALID_PARAMETER
NO_MEMORY: Final = 0x80100006  # SCARD_E_NO_MEMORY
SHARING_VIOLATION: Final = 0x8010000B  # SCARD_E_SHARING_VIOLATION
COMM_ERROR: Final = 0x80100013  # SCARD_F_COMM_ERROR
INTERNAL_ERROR: Final = 0x80100001  # SCARD_F_INTERNAL_ERROR
UNKNOWN_ERROR: Final = 0x80100014  # SCARD_F_UNKNOWN_ERROR
UNSUPPORTED_FEATURE: Final = 0x80100022  # SCARD_E_UNSUPPORTED_FEATURE
INVALID_CHV: Final = 0x8010002A  # SCARD_E_INVALID_CHV
READ_ONLY_CARD: Final = 0x80100034  # SCARD_E_READ_ONLY_CARD
RESET_CARD: Final = 0x80100068  # SCARD_W_RESET_CARD
REMOVED_CARD: Final = 0x80100069  # SCARD_W_REMOVED_CARD
SECURITY_VIOLATION: Final = 0x8010006A  # SCARD_W_SECURITY_VIOLATION
CANCELLED: Final = 0x8010006E  # SCARD_W_CANCELLED_BY_USER
NOT_AUTHENTICATED: Final = 0x8010006F  # SCARD_W_CARD_NOT_AUTHENTICATED
BAD_DATA: Final = 0x80090005  # NTE_BAD_DATA
BAD_SIGNATURE: Final = 0x80090006  # NTE_BAD_SIGNATURE
BAD_LENGTH: Final = 0x80090004  # NTE_BAD_LEN
BAD_ALGORITHM: Final = 0x80090008  # NTE_BAD_ALGID
BAD_TYPE: Final = 0x8009000A  # NTE_BAD_TYPE
BAD_CONTAINER: Final = 0x8009001F  # NTE_BAD_KEYSET_PARAM
DECRYPTION_FAILURE: Final = 0x8009002C  # NTE_DECRYPTION_FAILURE


@dataclass(frozen=True)
class Meaning:
    """What one answer of the library means.

    Attributes:
        error: the class of the error.
        text: what happened and what to do.
        hresult: the Windows code where it is not the class's own.
    """

    error: type[KeyStoreError]
    text: str
    hresult: int | None = None

    def raised_while(self, doing: str) -> KeyStoreError:
        """The error, saying what was being done."""
        message = f"{doing}: {self.text}"
        if issubclass(self.error, WrongPin):
            return self.error(message, store=STORE)
        return self.error(message, store=STORE, hresult=self.hresult)


_TEMPLATE = Meaning(UnsupportedKey, "the token does not take an object of this kind", UNSUPPORTED_FEATURE)
_GONE = Meaning(NoSuchKey, "the object is no longer on the token; another program may have removed it")
_DECRYPTION = Meaning(DeviceFailure, "the data cannot be decrypted with this key", DECRYPTION_FAILURE)
_WRAPPING = Meaning(UnsupportedKey, "the token does not wrap such a key", UNSUPPORTED_FEATURE)
_SEQUENCE = Meaning(DeviceFailure, "another part of this program used the library out of turn; try again", INTERNAL_ERROR)
_SESSIONS = Meaning(DeviceFailure, "the token has other sessions open; end the program that uses it", SHARING_VIOLATION)
_RESET = Meaning(DeviceFailure, "the session with the token is gone; the card was reset. Try again", RESET_CARD)
_RANDOM = Meaning(DeviceFailure, "the token has no usable random number generator", UNSUPPORTED_FEATURE)
_MECHANISM = Meaning(UnsupportedKey, "the token does not offer this algorithm", BAD_ALGORITHM)
_SIZE = Meaning(UnsupportedKey, "the token does not take keys of this size", BAD_LENGTH)
_INPUT = Meaning(UnsupportedKey, "the input is too long or of the wrong form for this key", BAD_LENGTH)
_WRONG_PIN = Meaning(WrongPin, "the PIN was refused")
_REFUSED = Meaning(DeviceFailure, "the token gave up on the request; see its own log", INTERNAL_ERROR)
_USE = Meaning(NotPermitted, "the key may not be used for this")

MEANINGS: Final[dict[str, Meaning]] = {
    "AnotherUserAlreadyLoggedIn": Meaning(
        DeviceFailure, "the security officer is logged in to the token; log out first", SHARING_VIOLATION
    ),
    "ArgumentsBad": Meaning(DeviceFailure, "the library refused its arguments", INVALID_PARAMETER),
    "AttributeReadOnly": Meaning(NotPermitted, "the token does not let this object be changed", READ_ONLY_CARD),
    "AttributeSensitive": Meaning(NotPermitted, "the private key does not leave the token"),
    "AttributeTypeInvalid": _TEMPLATE,
    "AttributeValueInvalid": _TEMPLATE,
    "DataInvalid": _INPUT,
    "DataLenRange": _INPUT,
    "DeviceError": Meaning(DeviceFailure, "the token or its reader reports a fault", COMM_ERROR),
    "DeviceMemory": Meaning(StoreFull, "the token has no room left; delete keys or certificates that are no longer used"),
    "DeviceRemoved": Meaning(StoreUnavailable, "the card was removed; put it back and try again", REMOVED_CARD),
    "DomainParamsInvalid": Meaning(UnsupportedKey, "the token does not offer this curve"),
    "EncryptedDataInvalid": _DECRYPTION,
    "EncryptedDataLenRange": _DECRYPTION,
    "ExceededMaxIterations": Meaning(DeviceFailure, "the token found no key in the tries it allows itself; try again"),
    "FunctionCancelled": Meaning(DeviceFailure, "the request was cancelled at the token", CANCELLED),
    "FunctionFailed": _REFUSED,
    "FunctionNotSupported": Meaning(UnsupportedKey, "the token's library does not do this", UNSUPPORTED_FEATURE),
    "FunctionRejected": Meaning(DeviceFailure, "the request was turned down at the token", CANCELLED),
    "GeneralError": Meaning(DeviceFailure, "the token's library failed without saying why; see its own log", UNKNOWN_ERROR),
    "HostMemory": Meaning(DeviceFailure, "the token's library ran out of memory", NO_MEMORY),
    "KeyHandleInvalid": _GONE,
    "KeyIndigestible": _WRAPPING,
    "KeyNeeded": _SEQUENCE,
    "KeyNotNeeded": _SEQUENCE,
    "KeyNotWrappable": _WRAPPING,
    "KeySizeRange": _SIZE,
    "KeyTypeInconsistent": Meaning(UnsupportedKey, "the algorithm does not belong to this type of key", BAD_TYPE),
    "KeyUnextractable": Meaning(NotPermitted, "the private key does not leave the token"),
    "MechanismInvalid": _MECHANISM,
    "MechanismParamInvalid": _MECHANISM,
    "MultipleObjectsReturned": Meaning(DeviceFailure, "several objects answer to one name; give them labels of their own"),
    "MultipleTokensReturned": Meaning(
        DeviceFailure, "several tokens answer to one name; name one by its serial number", UNKNOWN_READER
    ),
    "NoEvent": Meaning(DeviceFailure, "no card was put in or taken out"),
    "NoSuchKey": Meaning(NoSuchKey, "there is no such key on the token"),
    "NoSuchToken": Meaning(StoreUnavailable, "there is no such token; put the card in", NO_CARD),
    "ObjectHandleInvalid": _GONE,
    "OperationActive": _SEQUENCE,
    "OperationNotInitialized": _SEQUENCE,
    "PKCS11Error": _REFUSED,
    "PinExpired": Meaning(PinError, "the PIN has expired; set a new one with the card's own tool", NOT_AUTHENTICATED),
    "PinIncorrect": _WRONG_PIN,
    "PinInvalid": _WRONG_PIN,
    "PinLenRange": _WRONG_PIN,
    "PinLocked": Meaning(PinBlocked, "the PIN is blocked; unblock it with the card's PUK or through its issuer"),
    "PinTooWeak": Meaning(PinError, "the token finds the PIN too weak", INVALID_CHV),
    "PublicKeyInvalid": Meaning(BadKeyData, "the token refuses this public key"),
    "RandomNoRNG": _RANDOM,
    "RandomSeedNotSupported": _RANDOM,
    "SessionClosed": _RESET,
    "SessionCount": _SESSIONS,
    "SessionExists": _SESSIONS,
    "SessionHandleInvalid": _RESET,
    "SessionReadOnly": Meaning(NotPermitted, "the token cannot be written to", READ_ONLY_CARD),
    "SessionReadOnlyExists": _SESSIONS,
    "SessionReadWriteSOExists": _SESSIONS,
    "SignatureInvalid": Meaning(DeviceFailure, "the signature does not verify", BAD_SIGNATURE),
    "SignatureLenRange": Meaning(DeviceFailure, "the signature does not verify", BAD_SIGNATURE),
    "SlotIDInvalid": Meaning(StoreUnavailable, "the card reader is gone; connect it again", UNKNOWN_READER),
    "TemplateIncomplete": _TEMPLATE,
    "TemplateInconsistent": _TEMPLATE,
    "TokenNotPresent": Meaning(StoreUnavailable, "no card is in the reader; put it in", NO_CARD),
    "TokenNotRecognised": Meaning(StoreUnavailable, "the library does not know this card", UNKNOWN_CARD),
    "TokenWriteProtected": Meaning(NotPermitted, "the token is write-protected", READ_ONLY_CARD),
    "UnwrappingKeyHandleInvalid": _WRAPPING,
    "UnwrappingKeySizeRange": _WRAPPING,
    "UnwrappingKeyTypeInconsistent": _WRAPPING,
    "UserAlreadyLoggedIn": _SESSIONS,
    "UserNotLoggedIn": Meaning(PinRequired, "the token wants its PIN"),
    "UserPinNotInitialized": Meaning(
        PinError, "the token has no user PIN yet; set one with: pkcs11-tool --init-pin", NOT_AUTHENTICATED
    ),
    "UserTooManyTypes": _SESSIONS,
    "WrappedKeyInvalid": _WRAPPING,
    "WrappedKeyLenRange": _WRAPPING,
    "WrappingKeyHandleInvalid": _WRAPPING,
    "WrappingKeySizeRange": _WRAPPING,
    "WrappingKeyTypeInconsistent": _WRAPPING,
}

# PKCS#11's numbers (pkcs11t.h) that python-pkcs11 0.10 has no class for.
UNNAMED: Final[dict[int, Meaning]] = {
    0x1B: _USE,  # CKR_ACTION_PROHIBITED
    0x68: _USE,  # CKR_KEY_FUNCTION_NOT_PERMITTED
    0x140: Meaning(UnsupportedKey, "the token does not offer this curve"),  # CKR_CURVE_NOT_SUPPORTED
}
_NUMBER = re.compile(r"0x([0-9a-fA-F]+)")


def meaning_of(error: BaseException) -> Meaning:
    """What an exception of python-pkcs11 means. A class added after this was written means what its base class does."""
    number = _NUMBER.search(str(error)) if type(error).__name__ == "PKCS11Error" else None
    if number is not None and int(number[1], 16) in UNNAMED:
        return UNNAMED[int(number[1], 16)]
    return next(MEANINGS[base.__name__] for base in type(error).__mro__ if base.__name__ in MEANINGS)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Runs a block in which the library is called; its errors come out as those of key stores.

    Args:
        doing: what is being done ("signing with container web"), for the message. Nothing secret.

    Raises:
        KeyStoreError: as MEANINGS says.
    """
    from pkcs11.exceptions import PKCS11Error

    try:
        yield
    except PKCS11Error as error:
        raise meaning_of(error).raised_while(doing) from error
