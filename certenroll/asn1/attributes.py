"""The values of the attributes that Microsoft puts into requests: bytes to plain values or frozen dataclasses, and back.

Knows one value at a time; its place in a SET of values is ``der.Attribute``'s. Knows no request and no machine.
The value of EXTENSION_REQUEST and of CERT_EXTENSIONS is ``der.encode_extensions``.

Sources: MS-WCCE 2.2.2.7 (the certificate request attributes), RFC 2985 section 5.4, and the requests that Microsoft's
"encoded ASN.1" pages print.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from certenroll.asn1 import der, enveloped
from certenroll.asn1.algorithms import UnsupportedAlgorithm
from certenroll.asn1.content_ciphers import CIPHERS
from certenroll.asn1.der import DecodeError, EncodeError
from certenroll.hresults import HRESULT

OS_VERSION: Final = "1.3.6.1.4.1.311.13.2.3"
NAME_VALUE_PAIR: Final = "1.3.6.1.4.1.311.13.2.1"
CSP_PROVIDER: Final = "1.3.6.1.4.1.311.13.2.2"
RENEWAL_CERTIFICATE: Final = "1.3.6.1.4.1.311.13.1"
CLIENT_INFO: Final = "1.3.6.1.4.1.311.21.20"
ARCHIVED_KEY: Final = "1.3.6.1.4.1.311.21.13"
ARCHIVED_KEY_HASH: Final = "1.3.6.1.4.1.311.21.21"
EXTENSION_REQUEST: Final = "1.2.840.113549.1.9.14"
CERT_EXTENSIONS: Final = "1.3.6.1.4.1.311.2.1.14"  # what Xenroll wrote in EXTENSION_REQUEST's place
CHALLENGE_PASSWORD: Final = "1.2.840.113549.1.9.7"  # noqa: S105 -- an object identifier

TRIPLE_DES: Final = CIPHERS["des-ede3-cbc"].oid

PRINTABLE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")


# The operating system ------------------------------------------------------------------------------------------------


def encode_os_version(version: str) -> bytes:
    """The IA5String of an operating system's version, "major.minor.build.platform". Raises EncodeError."""
    return der.ia5_string(version)


def decode_os_version(data: bytes) -> str:
    """Reads an operating system's version, a string of any type. Raises DecodeError."""
    return der.read_string(data)


# Names and values ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NameValuePair:
    """One ENROLLMENT_NAME_VALUE_PAIR, for example CertificateTemplate and User."""

    name: str
    value: str


def encode_name_value_pair(pair: NameValuePair) -> bytes:
    """DER of a pair: two BMPStrings. Raises EncodeError."""
    return der.sequence_of((der.bmp_string(pair.name), der.bmp_string(pair.value)))


def decode_name_value_pair(data: bytes) -> NameValuePair:
    """Reads a pair; its strings may be of any type. Raises DecodeError."""
    name, value = _parts(data, 2)
    return NameValuePair(der.read_string(name), der.read_string(value))


# The client ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Who made a request.

    Attributes:
        client_id: a RequestClientInfoClientId.
        machine: DNS name of the machine.
        user: ``DOMAIN\\user``.
        process: name of the program.
    """

    client_id: int
    machine: str
    user: str
    process: str


def encode_client_info(info: ClientInfo) -> bytes:
    """DER of the client's facts: an INTEGER and three UTF8Strings. Raises EncodeError."""
    texts = (der.utf8_string(text) for text in (info.machine, info.user, info.process))
    return der.sequence_of((der.integer(int(info.client_id)), *texts))


def decode_client_info(data: bytes) -> ClientInfo:
    """Reads the client's facts. Raises DecodeError."""
    client_id, *texts = _parts(data, 4)
    return ClientInfo(der.read_integer(client_id), *(der.read_string(text) for text in texts))


# The provider --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CspProvider:
    """The provider that made the key.

    Attributes:
        key_spec: an X509KeySpec: 0 for a provider without key specifications, 1 exchange, 2 signature.
        provider: its name.
        signature: the octets of its signature; Windows 2000 filled in zeros, every later version leaves it empty.
        unused: how many bits of the last octet do not count.
    """

    key_spec: int
    provider: str
    signature: bytes = b""
    unused: int = 0


def encode_csp_provider(value: CspProvider) -> bytes:
    """DER of a provider: INTEGER, BMPString, BIT STRING. Raises EncodeError."""
    signature = der.bit_string(value.signature, value.unused)
    return der.sequence_of((der.integer(int(value.key_spec)), der.bmp_string(value.provider), signature))


def decode_csp_provider(data: bytes) -> CspProvider:
    """Reads a provider. Raises DecodeError."""
    key_spec, provider, signature = _parts(data, 3)
    return CspProvider(der.read_integer(key_spec), der.read_string(provider), *der.read_bit_string(signature))


# The certificate to be renewed ---------------------------------------------------------------------------------------


def check_certificate(data: bytes) -> bytes:
    """``data``, which must have the shape of a certificate; what it says is not judged here.

    Raises:
        DecodeError: it is no SEQUENCE of a SEQUENCE, a SEQUENCE and a BIT STRING.
    """
    tags = [der.tag(part) for part in _parts(data, 3)]
    if tags != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        raise DecodeError("the data is no certificate")
    return data


# Key archival --------------------------------------------------------------------------------------------------------


def archived_key_digest(value: bytes) -> bytes:
    """SHA-1 of an archived key's whole value, which is what ARCHIVED_KEY_HASH holds in its OCTET STRING."""
    return hashlib.sha1(value, usedforsecurity=False).digest()


def encode_archived_key_hash(digest: bytes) -> bytes:
    """The OCTET STRING of an archived key's hash."""
    return der.octet_string(digest)


def decode_archived_key_hash(data: bytes) -> bytes:
    """Reads an archived key's hash. Raises DecodeError."""
    return der.read_octet_string(data)


ARCHIVAL_CIPHERS: Final = {one.oid: (one.key_size, one.block) for one in CIPHERS.values() if one.name != "des-cbc"}
"""Algorithm of an archived key -> (octets of its key, octets of its block)."""

_CIPHER_NAMES: Final = {one.oid: one.name for one in CIPHERS.values() if one.oid in ARCHIVAL_CIPHERS}


def encode_archived_key(blob: bytes, recipient: bytes, algorithm: str, random: Callable[[int], bytes]) -> bytes:
    """A private key, encrypted for a CA: a ContentInfo with EnvelopedData version 0.

    Args:
        blob: the private key, a CryptoAPI PRIVATEKEYBLOB or an ECC private key blob (MS-WCCE 2.2.2.9).
        recipient: DER of the CA's exchange certificate, whose key is an RSA key.
        algorithm: OID of the content's cipher, one of ARCHIVAL_CIPHERS.
        random: gives as many random octets as it is asked for.

    Raises:
        EncodeError: NTE_BAD_ALGID for another algorithm, or a certificate without an RSA key.
        DecodeError: ``recipient`` is no certificate.
    """
    if algorithm not in ARCHIVAL_CIPHERS:
        raise EncodeError(f"an archived key is not encrypted with {algorithm}", HRESULT.NTE_BAD_ALGID)
    try:
        return enveloped.seal(blob, [recipient], _CIPHER_NAMES[algorithm], random=random)
    except UnsupportedAlgorithm:
        text = "a key is archived for a CA exchange certificate with an RSA key"
        raise EncodeError(text, HRESULT.NTE_BAD_ALGID) from None


def decode_archived_key(data: bytes) -> str:
    """The OID of the algorithm that an archived key is encrypted with.

    Args:
        data: the attribute's value: a ContentInfo with EnvelopedData, in DER or BER. It is not decrypted.

    Raises:
        DecodeError: it is nothing of the kind.
    """
    return enveloped.decode(data).cipher


# The challenge password ----------------------------------------------------------------------------------------------


def encode_challenge_password(password: str) -> bytes:
    """A challenge password: a PrintableString where it can be one, else a UTF8String. Raises EncodeError where empty."""
    if not password:
        raise EncodeError("a challenge password has at least one character", HRESULT.E_INVALIDARG)
    if PRINTABLE.issuperset(password):
        return der.wrap(der.PRINTABLE_STRING, password.encode("ascii"))
    return der.utf8_string(password)


def decode_challenge_password(data: bytes) -> str:
    """Reads a challenge password, a string of any type. Raises DecodeError."""
    return der.read_string(data)


def _parts(data: bytes, count: int) -> list[bytes]:
    parts = der.children(data, der.SEQUENCE)
    if len(parts) != count:
        raise DecodeError(f"{count} parts belong here, not {len(parts)}", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return parts
