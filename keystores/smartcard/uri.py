"""PKCS#11 URIs (RFC 7512): which token, which object, read and written.

Knows no library and no token: it compares texts. A PIN that stands in a URI becomes a Secret at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from keystores.base import Secret
from keystores.errors import KeyStoreError
from keystores.pins import FilePin, PinSource, ValuePin
from keystores.smartcard.errors import INVALID_PARAMETER, STORE

SCHEME: Final = "pkcs11:"
_SAFE = "-._~"
# Path attributes that say which token, in the order in which they are written; "id" is bytes, all others are text.
_PATH: Final = {
    "token": "token", "manufacturer": "manufacturer", "model": "model", "serial": "serial", "slot-id": "slot_id",
    "object": "object", "id": "id", "type": "type",
}
# Path attributes that describe the library or the reader: read, and no part of the choice of a token.
_PASSED_OVER: Final = frozenset({
    "library-manufacturer", "library-description", "library-version", "slot-description", "slot-manufacturer",
})
_QUERY: Final = {
    "pin-source": "pin_source", "pin-value": "pin_value", "module-name": "module_name", "module-path": "module_path",
}


@dataclass(frozen=True)
class TokenUri:
    """A PKCS#11 URI. An attribute that is None matches anything.

    Attributes:
        token, manufacturer, model, serial, slot_id: which token.
        object, id, type: which object on it (label, CKA_ID, "private", "public" or "cert").
        pin_source: a file that holds the PIN. ``pin_value``: the PIN. Neither is ever written out again.
        module_name, module_path: which library.
    """

    token: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    slot_id: str | None = None
    object: str | None = None
    id: bytes | None = None
    type: str | None = None
    pin_source: str | None = None
    pin_value: Secret | None = field(default=None, repr=False)
    module_name: str | None = None
    module_path: str | None = None

    def selects(self, *, label: str, manufacturer: str, model: str, serial: str, slot_id: int) -> bool:
        """Whether a token with these facts is the one (or one of those) meant."""
        wanted = (self.token, self.manufacturer, self.model, self.serial, self.slot_id)
        found = (label, manufacturer, model, serial, str(slot_id))
        return all(want is None or want == have for want, have in zip(wanted, found, strict=True))

    def pins(self) -> PinSource | None:
        """The PIN that the URI itself gives, or None."""
        if self.pin_value is not None:
            return ValuePin(self.pin_value)
        if self.pin_source is not None:
            return FilePin(Path(self.pin_source.removeprefix("file:").replace("//", "/", 1)))
        return None

    def __str__(self) -> str:
        return SCHEME + ";".join(f"{name}={_escape(value)}" for name, value in self._path())

    def _path(self) -> list[tuple[str, str | bytes]]:
        pairs = [(name, getattr(self, attribute)) for name, attribute in _PATH.items()]
        return [(name, value) for name, value in pairs if value is not None]


def parse(text: str) -> TokenUri:
    """Reads a PKCS#11 URI.

    Args:
        text: ``pkcs11:token=Bank%20card;serial=...?module-path=...``. White space around it is passed over.

    Raises:
        KeyStoreError: with SCARD_E_INVALID_PARAMETER where it is no such URI, an attribute is there twice or is
            unknown (those that start with ``x-`` are passed over), or an escape is not UTF-8.
    """
    text = text.strip()
    if not text.lower().startswith(SCHEME):
        raise _refused("it does not start with pkcs11:")
    path, _, query = text[len(SCHEME):].partition("?")
    values: dict[str, object] = {}
    for part, attributes in ((path.split(";"), _PATH), (query.split("&"), _QUERY)):
        for pair in filter(None, part):
            _read(pair, attributes, values)
    if isinstance(values.get("pin_value"), str):
        values["pin_value"] = Secret(str(values["pin_value"]))
    return TokenUri(**values)  # type: ignore[arg-type]


def _read(pair: str, attributes: dict[str, str], values: dict[str, object]) -> None:
    name, equals, value = pair.partition("=")
    if name.startswith("x-") or name in _PASSED_OVER:
        return
    if not equals or name not in attributes:
        raise _refused(f"{name!r} is no attribute that can stand there")
    if attributes[name] in values:
        raise _refused(f"{name} is there twice")
    raw = unquote_to_bytes(value)
    try:
        values[attributes[name]] = raw if name == "id" else raw.decode("utf-8")
    except UnicodeDecodeError:  # the error would carry the bytes along, and they may be a PIN
        raise _refused(f"the value of {name} is not UTF-8") from None


def _escape(value: str | bytes) -> str:
    return "".join(f"%{octet:02X}" for octet in value) if isinstance(value, bytes) else quote(value, safe=_SAFE)


def _refused(why: str) -> KeyStoreError:
    return KeyStoreError(
        f"the token's PKCS#11 URI cannot be read: {why}; write it as pkcs11:token=Label;serial=Number",
        store=STORE, hresult=INVALID_PARAMETER,
    )
