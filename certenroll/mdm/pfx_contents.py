"""What a PFX brings, taken apart: each private key with its certificate, and the other certificates.

Knows no store and no node. ``certenroll.asn1.pfx`` opens the file and gives the first key; where there are more, their bags
are found here and opened by pyca. Source: RFC 7292 section 4; PFXImportCertStore, which imports every key of a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography import exceptions
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certenroll.asn1 import algorithms, ber, der
from certenroll.asn1.algorithms import UnsupportedAlgorithm
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.asn1.pfx import Pfx, WrongPassword, read_pfx
from certenroll.errors import ComError
from certenroll.hresults import HRESULT

_DATA: Final = "1.2.840.113549.1.7.1"
_KEY_BAG: Final = "1.2.840.113549.1.12.10.1.1"
_SHROUDED_KEY_BAG: Final = "1.2.840.113549.1.12.10.1.2"
_CONTEXT_0: Final = 0xA0


@dataclass(frozen=True)
class Identity:
    """A private key and its certificate.

    Attributes:
        certificate: the certificate.
        private_key: a pyca key.
        friendly_name: the certificate's, or "".
    """

    certificate: Certificate
    private_key: algorithms.PrivateKey = field(repr=False)
    friendly_name: str = ""


@dataclass(frozen=True)
class Contents:
    """What a PFX brings.

    Attributes:
        identities: at least one; the first is the one that Thumbprint names.
        others: the certificates without a key, in the order of the file.
    """

    identities: tuple[Identity, ...]
    others: tuple[Certificate, ...]


def read_contents(blob: bytes, passwords: Iterable[str | None]) -> Contents:
    """Opens a PFX.

    Args:
        blob: the file, in DER or BER.
        passwords: tried in this order; the file tells which is right.

    Raises:
        DecodeError: it is no PFX, or something in it is malformed.
        WrongPassword: none of the passwords opens it.
        UnsupportedAlgorithm: it is encrypted, or a key in it works, in a way that is not known here.
        ComError: NTE_NO_KEY where it has no private key, CRYPT_E_NOT_FOUND where a key has no certificate in it.
    """
    opened, password = _opened(blob, passwords)
    if opened.private_key is None:
        raise ComError(HRESULT.NTE_NO_KEY, "the PFX holds no private key")
    given = [opened.certificate, *opened.chain] if opened.certificate else opened.chain
    certificates = [read_certificate(one) for one in dict.fromkeys(given)]
    identities = tuple(_identity(key, certificates, opened) for key in _private_keys(blob, password, opened.private_key))
    taken = {one.certificate.der for one in identities}
    return Contents(identities, tuple(one for one in certificates if one.der not in taken))


def public_key_info(key: algorithms.PrivateKey) -> bytes:
    """A private key's SubjectPublicKeyInfo in DER."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _opened(blob: bytes, passwords: Iterable[str | None]) -> tuple[Pfx, str | None]:
    refused = WrongPassword("the PFX is encrypted, and there is no password")
    for password in passwords:
        try:
            return read_pfx(blob, password), password
        except WrongPassword as error:
            refused = error if password else refused
    raise refused


def _identity(key: algorithms.PrivateKey, certificates: Sequence[Certificate], opened: Pfx) -> Identity:
    """A key with its own certificate, by the public key: the one that the file names first, else the newest."""
    public = public_key_info(key)
    fitting = [one for one in certificates if one.public_key_info == public]
    if not fitting:
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, "a private key of the PFX has no certificate in it")
    named = [one for one in fitting if one.der == opened.certificate]
    own = (named or sorted(fitting, key=lambda one: one.not_before, reverse=True))[0]
    return Identity(own, key, opened.friendly_name if named else "")


# Several keys --------------------------------------------------------------------------------------------------------


def _private_keys(blob: bytes, password: str | None, first: algorithms.PrivateKey) -> list[algorithms.PrivateKey]:
    """Every private key of the file, the first first, each once."""
    bags = list(_key_bags(blob))
    found = {public_key_info(first): first}
    for kind, value in bags if len(bags) > 1 else ():
        key = _load(value, (password or "") if kind == _SHROUDED_KEY_BAG else None)
        found.setdefault(public_key_info(key), key)
    return list(found.values())


def _load(value: bytes, password: str | None) -> algorithms.PrivateKey:
    try:
        key = serialization.load_der_private_key(value, None if password is None else password.encode())
    except exceptions.UnsupportedAlgorithm as error:
        raise UnsupportedAlgorithm(f"a further private key of the PFX cannot be opened: {error}") from None
    except (TypeError, ValueError):
        raise DecodeError("a further private key of the PFX is malformed", HRESULT.CRYPT_E_ASN1_CORRUPT) from None
    if not isinstance(key, algorithms.PrivateKey):
        raise UnsupportedAlgorithm(f"a private key of a kind that is not known here: {type(key).__name__}")
    return key


def _key_bags(blob: bytes) -> Iterator[tuple[str, bytes]]:
    """(type, PKCS #8 in DER) of the key bags that lie in the open: keys are encrypted one by one, not with their safe."""
    _, authenticated = _two(ber.to_der(blob))
    for safe in _safes(_plain(authenticated)):
        for bag in der.children(safe, der.SEQUENCE):
            kind, value = _two(bag)
            if der.read_oid(kind) in (_KEY_BAG, _SHROUDED_KEY_BAG):
                yield der.read_oid(kind), der.contents(value, _CONTEXT_0)


def _safes(authenticated: bytes) -> Iterator[bytes]:
    for info in der.children(authenticated, der.SEQUENCE):
        if der.read_oid(_two(info)[0]) == _DATA:
            yield _plain(info)


def _plain(content_info: bytes) -> bytes:
    """What a ContentInfo with id-data holds, in DER."""
    _, content = _two(content_info)
    return ber.to_der(der.read_octet_string(der.contents(content, _CONTEXT_0)))


def _two(data: bytes) -> tuple[bytes, bytes]:
    """The first two elements of a SEQUENCE; what may follow them is optional in each structure here."""
    parts = der.children(data, der.SEQUENCE)
    if len(parts) < 2:
        raise DecodeError("a PFX structure that ends early", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return parts[0], parts[1]
