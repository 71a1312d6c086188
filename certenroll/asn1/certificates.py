"""X.509 certificates: the facts that stores and enrollment ask for, and the unsigned certificate of a pending request.

Reads one level of structure and each fact when it is asked for; judges no chain, no date and no signature. What the
extensions mean, apart from three, is not known here.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Generic, Self, TypeVar, overload

from cryptography.hazmat import asn1

from certenroll.asn1 import algorithms, der
from certenroll.asn1.der import OID, EncodeError, Extension

T = TypeVar("T")

SUBJECT_KEY_IDENTIFIER: Final = "2.5.29.14"
BASIC_CONSTRAINTS: Final = "2.5.29.19"
AUTHORITY_KEY_IDENTIFIER: Final = "2.5.29.35"
_SUBJECT_KEY_IDENTIFIER: Final = OID(SUBJECT_KEY_IDENTIFIER)
_BASIC_CONSTRAINTS: Final = OID(BASIC_CONSTRAINTS)
_AUTHORITY_KEY_IDENTIFIER: Final = OID(AUTHORITY_KEY_IDENTIFIER)

_EXPLICIT_VERSION: Final = 0xA0
_EXPLICIT_EXTENSIONS: Final = 0xA3


@asn1.sequence
class _Extension:
    oid: der.OID
    critical: bool | None  # not DEFAULT FALSE: a written-out FALSE is against DER, and found in the wild
    value: bytes


@asn1.sequence
class _Validity:
    not_before: asn1.UTCTime | asn1.GeneralizedTime
    not_after: asn1.UTCTime | asn1.GeneralizedTime


@asn1.sequence
class _PublicKeyInfo:
    algorithm: asn1.TLV
    bits: asn1.TLV


@asn1.sequence
class _ToBeSigned:
    # [0] of an INTEGER: taken as a list of anything, so that a written-out v1 (which DER forbids) is read too.
    version: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    serial: asn1.TLV
    signature: asn1.TLV
    issuer: asn1.TLV
    validity: asn1.TLV
    subject: asn1.TLV
    public_key_info: _PublicKeyInfo
    issuer_id: Annotated[asn1.BitString | None, asn1.Implicit(1)]
    subject_id: Annotated[asn1.BitString | None, asn1.Implicit(2)]
    extensions: Annotated[list[_Extension] | None, asn1.Explicit(3)]


@asn1.sequence
class _Certificate:
    to_be_signed: _ToBeSigned
    signature_algorithm: asn1.TLV
    signature: asn1.BitString


class _Fact(Generic[T]):
    """A fact that is read when it is first asked for, and kept: cached_property without the lock of Python 3.11."""

    def __init__(self, read: "Callable[[Certificate], T]") -> None:
        self._read = read
        self.__doc__ = read.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, certificate: None, owner: type) -> Self: ...
    @overload
    def __get__(self, certificate: "Certificate", owner: type) -> T: ...
    def __get__(self, certificate: "Certificate | None", owner: type) -> T | Self:
        if certificate is None:
            return self
        found = certificate.__dict__[self._name] = self._read(certificate)
        return found


@dataclass(frozen=True)
class Certificate:
    """A certificate and its facts; ``read_certificate`` makes one.

    Two are equal where their bytes are. A fact is read when it is first asked for, and raises DecodeError where that part
    is malformed.

    Attributes:
        der: the whole certificate.
    """

    der: bytes

    @_Fact
    def _wire(self) -> _Certificate:
        return der.decode(_Certificate, self.der)

    @_Fact
    def subject(self) -> bytes:
        """The subject's Name in DER."""
        return der.element(self._wire.to_be_signed.subject)

    @_Fact
    def issuer(self) -> bytes:
        """The issuer's Name in DER."""
        return der.element(self._wire.to_be_signed.issuer)

    @_Fact
    def serial(self) -> int:
        """The serial number. Encodings with needless leading octets, which old CAs wrote, are read too."""
        return int.from_bytes(der.contents(self._wire.to_be_signed.serial, der.INTEGER), "big", signed=True)

    @_Fact
    def public_key_info(self) -> bytes:
        """The SubjectPublicKeyInfo in DER."""
        return der.encode(self._wire.to_be_signed.public_key_info)

    @_Fact
    def _validity(self) -> _Validity:
        return der.decode(_Validity, self._wire.to_be_signed.validity)

    @property
    def not_before(self) -> datetime:
        """When it begins to be valid, in UTC."""
        return self._validity.not_before.as_datetime().replace(tzinfo=UTC)

    @property
    def not_after(self) -> datetime:
        """When it ceases to be valid, in UTC."""
        return self._validity.not_after.as_datetime().replace(tzinfo=UTC)

    @_Fact
    def sha1(self) -> bytes:
        """The thumbprint that Windows shows: SHA-1 of the whole certificate."""
        return hashlib.sha1(self.der, usedforsecurity=False).digest()

    @_Fact
    def key_identifier(self) -> bytes:
        """SHA-1 of the public key's BIT STRING (RFC 5280 section 4.2.1.2, method 1), whatever the extension says."""
        return _key_identifier(self._wire.to_be_signed.public_key_info)

    @_Fact
    def extensions(self) -> tuple[Extension, ...]:
        """The extensions in the order in which they stand."""
        parts = self._wire.to_be_signed.extensions or ()
        return tuple(Extension(one.oid.dotted_string, bool(one.critical), one.value) for one in parts)

    def extension(self, oid: str) -> Extension | None:
        """The first extension of that type, or None."""
        return next((one for one in self.extensions if one.oid == oid), None)

    def _value_of(self, oid: OID) -> bytes | None:
        """The value of the first extension of that type; the others are passed over unread."""
        return next((one.value for one in self._wire.to_be_signed.extensions or () if one.oid == oid), None)

    @_Fact
    def is_ca(self) -> bool:
        """Whether basicConstraints says so. A certificate without that extension is none."""
        found = self._value_of(_BASIC_CONSTRAINTS)
        parts = der.children(found, der.SEQUENCE) if found is not None else []
        return bool(parts) and der.tag(parts[0]) == der.BOOLEAN and der.contents(parts[0]) != b"\x00"

    @_Fact
    def subject_key_identifier(self) -> bytes | None:
        """The octets of the extension, or None where it is absent."""
        found = self._value_of(_SUBJECT_KEY_IDENTIFIER)
        return der.read_octet_string(found) if found is not None else None

    @_Fact
    def authority_key_identifier(self) -> bytes | None:
        """The keyIdentifier of the extension, or None where either is absent."""
        found = self._value_of(_AUTHORITY_KEY_IDENTIFIER)
        parts = der.children(found, der.SEQUENCE) if found is not None else []
        return next((der.contents(part) for part in parts if der.tag(part) == 0x80), None)

    def check_facts(self) -> None:
        """Reads what installing asks for and ``read_certificate`` has not read. Raises DecodeError where it is malformed."""
        content = self._wire.to_be_signed
        der.contents(content.serial, der.INTEGER)
        der.read_bit_string(content.public_key_info.bits)
        _ = self._validity, self.is_ca

    @property
    def is_self_issued(self) -> bool:
        """Whether subject and issuer are the same octets."""
        return self.subject == self.issuer

    @property
    def signature_algorithm(self) -> bytes:
        """The AlgorithmIdentifier of the signature, in DER."""
        return der.element(self._wire.signature_algorithm)

    @property
    def is_null_signed(self) -> bool:
        """Whether a hash stands in the place of the signature, as in the certificate of a pending request."""
        return algorithms.read_algorithm(self.signature_algorithm).family == "null"


def read_certificate(data: bytes) -> Certificate:
    """The facts of a certificate in DER.

    Raises:
        DecodeError: the bytes are no certificate. Damage deeper inside is found when that fact is asked for.
    """
    found = Certificate(bytes(data))
    found._wire  # noqa: B018 - the frame is read now, so that garbage is refused here
    return found


def public_key_identifier(public_key_info: bytes) -> bytes:
    """SHA-1 of the BIT STRING in a SubjectPublicKeyInfo: the key identifier that Windows gives. Raises DecodeError."""
    return _key_identifier(der.decode(_PublicKeyInfo, public_key_info))


def _key_identifier(info: _PublicKeyInfo) -> bytes:
    return hashlib.sha1(der.read_bit_string(info.bits)[0], usedforsecurity=False).digest()


def time(moment: datetime) -> bytes:
    """A UTCTime up to 2049, a GeneralizedTime from then on and before 1950; seconds are the finest unit.

    Raises:
        EncodeError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise EncodeError("a time without a time zone")
    exact = moment.astimezone(UTC).replace(microsecond=0)
    return der.encode(asn1.UTCTime(exact) if 1950 <= exact.year < 2050 else asn1.GeneralizedTime(exact))


def request_certificate(
    subject: bytes,
    public_key_info: bytes,
    not_before: datetime,
    not_after: datetime,
    serial: int,
    *,
    extensions: Iterable[Extension] = (),
) -> bytes:
    """The certificate that stands for a pending request in the REQUEST store: self-issued, and signed by no key.

    Its signature algorithm is SHA-256 and its signature that hash of the certificate's content, so that a request can be
    recorded without asking a token for a signature. Other software parses it and verifies it with no key.

    Args:
        subject: the Name in DER, issuer and subject alike.
        public_key_info: the SubjectPublicKeyInfo in DER.
        not_before: with a time zone.
        not_after: with a time zone.
        serial: a positive number of at most 20 octets.
        extensions: in the order in which they shall stand; without any, the certificate is of version 1.

    Raises:
        EncodeError: a time without a time zone, a serial number out of range, an extension with a malformed type.
    """
    if not 0 < serial < 1 << 159:
        raise EncodeError("a serial number is positive and has at most 20 octets")
    extra = tuple(extensions)
    algorithm = algorithms.hash_algorithm("sha256").identifier
    content = der.sequence_of(
        (
            der.wrap(_EXPLICIT_VERSION, der.integer(2)) if extra else b"",
            der.integer(serial),
            algorithm,
            subject,
            der.sequence_of((time(not_before), time(not_after))),
            subject,
            public_key_info,
            der.wrap(_EXPLICIT_EXTENSIONS, der.encode_extensions(extra)) if extra else b"",
        )
    )
    _, digest = algorithms.null_signature(content)
    return der.sequence_of((content, algorithm, der.bit_string(digest)))
