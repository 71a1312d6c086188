"""Values that belong to a run because its objects made them: a container's own name, a certificate, its thumbprint.

A script that uses one of them later had it in a way that leaves no call (or from the control); the port asks the object for
it by CertEnroll's members. Knows neither scripts nor languages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Final

from certenroll import com
from certenroll.com import ComObject
from certenroll.encodings import encode_text
from certenroll.enrollments import IX509Enrollment
from certenroll.enums import EncodingType
from certenroll.errors import ComError
from certenroll.private_keys import IX509PrivateKey
from xenroll_compat.porting.model import VALUE, Call, Literal, Name, New, Step

_CONTAINER: Final = "ContainerName"
_SHORTEST: Final = 8
_DIGITS: Final = 40  # of a thumbprint
_HEX: Final = EncodingType.XCN_CRYPT_STRING_HEXRAW
_BINARY: Final = EncodingType.XCN_CRYPT_STRING_BINARY
_TEXTS: Final = (
    EncodingType.XCN_CRYPT_STRING_BASE64,
    EncodingType.XCN_CRYPT_STRING_BASE64HEADER,
    EncodingType.XCN_CRYPT_STRING_HEX,
    _HEX,
)


class MadeValues:
    """What the objects of one run made.

    Args:
        add: takes the steps that read a value in the port.
        placeholder: makes a name of a kind and words.
    """

    def __init__(self, add: Callable[[Step], None], placeholder: Callable[[str, str], str]) -> None:
        self._add = add
        self._placeholder = placeholder
        self._keys: list[tuple[IX509PrivateKey, str]] = []
        self._enrollments: list[tuple[IX509Enrollment, str]] = []
        self._given: set[tuple[int, Any]] = set()  # keys that were given the names of their containers
        self._found: dict[str | bytes, str] = {}

    def note_containers(self, calls: Iterable[com.Call]) -> None:
        """Which keys were given the names of their containers, in all of a run's calls."""
        for call in calls:
            if call.member == _CONTAINER and call.kind == "put" and isinstance(call.target, IX509PrivateKey):
                self._given.update((id(call.target), value) for value in call.arguments)

    def note_object(self, target: ComObject, name: str) -> None:
        """An object that the port has from here on."""
        if isinstance(target, IX509PrivateKey):
            self._keys.append((target, name))
        elif isinstance(target, IX509Enrollment):
            self._enrollments.append((target, name))

    def name_of(self, value: str | bytes) -> str:
        """The name of such a value, whose steps are added where it is met first; "" for any other value."""
        if len(value) < _SHORTEST:
            return ""
        known = self._found.get(value)
        if known is None:
            known = self._container(value) or self._certificate(value) or self._thumbprint(value)
            if known:
                self._found[value] = known
        return known

    def _container(self, value: str | bytes) -> str:
        for key, name in self._keys:
            if _container_of(key) == value and (id(key), value) not in self._given:
                return self._read(name, key, _CONTAINER, "get", (), "container_name")
        return ""

    def _certificate(self, value: str | bytes) -> str:
        for enrollment, name in self._enrollments:
            installed = _installed(enrollment)
            encoding = _encoding_of(installed, value) if installed else None
            if encoding is not None:
                return self._read(name, enrollment, "Certificate", "call", (Literal(encoding),), "certificate")
        return ""

    def _thumbprint(self, value: str | bytes) -> str:
        digits = "".join(value.split()).replace(":", "").upper() if isinstance(value, str) else ""
        if len(digits) != _DIGITS:
            return ""
        for enrollment, _ in self._enrollments:
            installed = _installed(enrollment)
            if installed and hashlib.sha1(installed, usedforsecurity=False).hexdigest().upper() == digits:
                return self._hashed(self.name_of(installed))
        return ""

    def _hashed(self, certificate: str) -> str:
        """The steps by which CertEnroll tells the thumbprint of a certificate."""
        name = self._placeholder("object", "sha1_hash")
        self._add(New(name, "X509Enrollment.CCertPropertySHA1Hash"))
        given = (Literal(False), Literal(_BINARY), Name(certificate))
        self._add(Call(name, "ICertPropertySHA1Hash", "InitializeFromCertificate", "call", given))
        result = self._placeholder("value", "thumbprint")
        self._add(Call(name, "ICertPropertySHA1Hash", "SHA1Hash", "call", (Literal(_HEX),), result, gives=VALUE))
        return result

    def _read(
        self, target: str, owner: ComObject, member: str, kind: str, arguments: tuple[Literal, ...], words: str
    ) -> str:
        result = self._placeholder("value", words)
        self._add(Call(target, type(owner).__name__, member, kind, arguments, result, gives=VALUE))
        return result


def _container_of(key: IX509PrivateKey) -> str:
    try:
        return key.provider_info().container
    except ComError:
        return ""


def _installed(enrollment: IX509Enrollment) -> bytes:
    """DER of the certificate that an enrollment installed, or b"" for none."""
    found = enrollment.installation_result
    return (found.certificate or b"") if found is not None else b""


def _encoding_of(der: bytes, value: str | bytes) -> EncodingType | None:
    """How a value spells a certificate; None where it does not."""
    if isinstance(value, bytes):
        return _BINARY if value == der else None
    plain = "".join(value.split())
    return next((one for one in _TEXTS if "".join(str(encode_text(der, one)).split()) == plain), None)
