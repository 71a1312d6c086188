"""IX509PublicKey: a public key with its algorithm, as it stands in requests and certificates.

Knows SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) and how key identifiers are computed; nothing of private keys.
Source: the nf-certenroll-ix509publickey-* pages and KeyIdentifierHashAlgorithm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from certenroll.asn1 import der
from certenroll.com import ComObject, Slot
from certenroll.encodings import decode_text, encode_text
from certenroll.enums import EncodingType, KeyIdentifierHashAlgorithm
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, object_id

BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64
_RSA_KEYS: Final = ("1.2.840.113549.1.1.1",)


@dataclass(frozen=True)
class _KeyInfo:
    """A SubjectPublicKeyInfo in its parts: whole, algorithm, parameters (DER or b""), the BIT STRING and its octets."""

    spki: bytes
    algorithm: str
    parameters: bytes
    bit_string: bytes
    key: bytes


# SHA-1 is what these identifiers are made of (RFC 5280 section 4.2.1.2); no signature rests on it.
_IDENTIFIERS: Final[dict[KeyIdentifierHashAlgorithm, Callable[[_KeyInfo], bytes]]] = {
    KeyIdentifierHashAlgorithm.SKIHashDefault: lambda info: hashlib.sha1(info.key, usedforsecurity=False).digest(),
    KeyIdentifierHashAlgorithm.SKIHashSha1: lambda info: hashlib.sha1(info.key, usedforsecurity=False).digest(),
    KeyIdentifierHashAlgorithm.SKIHashCapiSha1: lambda info: hashlib.sha1(info.bit_string, usedforsecurity=False).digest(),
    KeyIdentifierHashAlgorithm.SKIHashSha256: lambda info: hashlib.sha256(info.bit_string).digest(),
    KeyIdentifierHashAlgorithm.SKIHashHPKP: lambda info: hashlib.sha256(info.spki).digest(),
}


class IX509PublicKey(ComObject):
    """A public key. Initialized once."""

    def __init__(self) -> None:
        self._info: Slot[_KeyInfo] = Slot("the public key")

    def Initialize(
        self,
        pObjectId: IObjectId,
        strEncodedKey: str | bytes,
        strEncodedParameters: str | bytes,
        Encoding: EncodingType = BASE64,
    ) -> None:
        """Takes an algorithm, the key and its parameters.

        Args:
            pObjectId: the algorithm of the key.
            strEncodedKey: the octets of the key: for RSA the DER RSAPublicKey, for EC the point.
            strEncodedParameters: the DER of the algorithm's parameters; "" for none, which for RSA means NULL.
            Encoding: how both texts hold their bytes.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for an empty key, CRYPT_E_ASN1_* where the
                parameters are no DER element, WIN32_INVALID_DATA where a text is not of its encoding.
        """
        key = decode_text(strEncodedKey, Encoding)
        if not key:
            raise BadArgument(HRESULT.E_INVALIDARG, "the key is empty", argerror=1)
        parameters = decode_text(strEncodedParameters, Encoding) if strEncodedParameters else b""
        if not parameters and pObjectId.Value in _RSA_KEYS:
            parameters = der.NULL_DER  # RSA keys have them, and Windows adds them too
        if parameters:
            der.contents(parameters)
        algorithm = der.sequence_of((der.oid(pObjectId.Value), parameters))
        self._info.set(_parse(der.sequence_of((algorithm, der.bit_string(key)))))

    def InitializeFromEncodedPublicKeyInfo(
        self, strEncodedPublicKeyInfo: str | bytes, Encoding: EncodingType = BASE64
    ) -> None:
        """Takes a DER SubjectPublicKeyInfo.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, CRYPT_E_ASN1_* where the bytes are no
                SubjectPublicKeyInfo, WIN32_INVALID_DATA where the text is not of its encoding.
        """
        self._info.set(_parse(decode_text(strEncodedPublicKeyInfo, Encoding)))

    @property
    def Algorithm(self) -> IObjectId:
        """The algorithm of the key: RSA, or for every curve id-ecPublicKey. Raises OLE_E_BLANK."""
        return object_id(self._info.get().algorithm)

    @property
    def Length(self) -> int:
        """The length in bits: of the modulus, of the curve; of the key's octets where the algorithm is not known."""
        return _length(self._info.get())

    def EncodedKey(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The octets of the key, without the BIT STRING around them. Raises OLE_E_BLANK."""
        return encode_text(self._info.get().key, Encoding)

    def EncodedParameters(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The DER of the algorithm's parameters: NULL for RSA, the curve's object id for EC.

        Raises:
            ComError: OLE_E_BLANK, and CERTSRV_E_PROPERTY_EMPTY where the algorithm has none.
        """
        parameters = self._info.get().parameters
        if not parameters:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the algorithm of this key has no parameters")
        return encode_text(parameters, Encoding)

    def ComputeKeyIdentifier(
        self, Algorithm: KeyIdentifierHashAlgorithm, Encoding: EncodingType = BASE64
    ) -> str | bytes:
        """An identifier of the key.

        Args:
            Algorithm: SKIHashDefault and SKIHashSha1 hash the key's octets with SHA-1 (RFC 5280's method 1),
                SKIHashCapiSha1 the whole BIT STRING element with SHA-1, SKIHashSha256 the same with SHA-256,
                SKIHashHPKP the whole SubjectPublicKeyInfo with SHA-256 (RFC 7469).
            Encoding: how to write the identifier.

        Raises:
            ComError: OLE_E_BLANK, and E_INVALIDARG for another algorithm.
        """
        return encode_text(_IDENTIFIERS[Algorithm](self._info.get()), Encoding)

    def spki_bytes(self) -> bytes:
        """The DER SubjectPublicKeyInfo. Raises OLE_E_BLANK."""
        return self._info.get().spki


def public_key_from_spki(spki: bytes) -> IX509PublicKey:
    """An initialized IX509PublicKey from a DER SubjectPublicKeyInfo. Raises ComError with CRYPT_E_ASN1_*."""
    made = IX509PublicKey()
    made.InitializeFromEncodedPublicKeyInfo(spki, EncodingType.XCN_CRYPT_STRING_BINARY)
    return made


def _parse(spki: bytes) -> _KeyInfo:
    parts = der.children(spki, der.SEQUENCE)
    if len(parts) != 2:
        raise der.DecodeError(f"a SubjectPublicKeyInfo has two parts, this has {len(parts)}")
    algorithm = der.children(parts[0], der.SEQUENCE)
    if not 1 <= len(algorithm) <= 2:
        raise der.DecodeError(f"an AlgorithmIdentifier has one part or two, this has {len(algorithm)}")
    key, unused = der.read_bit_string(parts[1])
    if unused or not key:
        raise der.DecodeError("the key is not made of whole octets", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return _KeyInfo(spki, der.read_oid(algorithm[0]), b"".join(algorithm[1:]), parts[1], key)


def _length(info: _KeyInfo) -> int:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        size = getattr(load_der_public_key(info.spki), "key_size", None)
    except (ValueError, UnsupportedAlgorithm):
        size = None
    return size if isinstance(size, int) else len(info.key) * 8
