"""IX509SignatureInformation: how a request is signed, and the signer that does it.

The one place where a hash name that scripts still use (SHA-1, MD5) becomes what is really signed: SHA-256, with a
warning, unless the profile says ``legacy_hashes = true``. Source: the nf-certenroll-ix509signatureinformation-* pages.
"""

from __future__ import annotations

import logging
from typing import Final

from certenroll.asn1 import algorithms
from certenroll.com import ComObject
from certenroll.encodings import decode_text, encode_text
from certenroll.enums import EncodingType
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, object_id
from keystores.base import PrivateKey

log = logging.getLogger(__name__)

SHA256: Final = "2.16.840.1.101.3.4.2.1"
RSA: Final = "1.2.840.113549.1.1.1"
BASE64: Final = EncodingType.XCN_CRYPT_STRING_BASE64
_LEGACY: Final = frozenset({"md5", "sha1"})


class IX509SignatureInformation(ComObject):
    """Hash, public key algorithm and form of a signature."""

    def __init__(self) -> None:
        self._hash: IObjectId | None = None
        self._public_key_algorithm: IObjectId | None = None
        self._parameters = b""
        self._alternate: bool | None = None
        self._null_signed = False

    @property
    def HashAlgorithm(self) -> IObjectId:
        """The hash, as it was set; SHA-256 where it was not."""
        return self._hash or object_id(SHA256)

    @HashAlgorithm.setter
    def HashAlgorithm(self, pValue: IObjectId) -> None:
        self._hash = pValue

    @property
    def PublicKeyAlgorithm(self) -> IObjectId:
        """The algorithm of the signing key; RSA where nothing is known yet."""
        return self._public_key_algorithm or object_id(RSA)

    @PublicKeyAlgorithm.setter
    def PublicKeyAlgorithm(self, pValue: IObjectId) -> None:
        self._public_key_algorithm = pValue

    def Parameters(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The parameters of the signature algorithm. Raises CERTSRV_E_PROPERTY_EMPTY where none were set."""
        if not self._parameters:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no signature parameters were set")
        return encode_text(self._parameters, Encoding)

    def SetParameters(self, Encoding: EncodingType, Value: str | bytes) -> None:
        """Sets the parameters of the signature algorithm."""
        self._parameters = decode_text(Value, Encoding)

    @property
    def AlternateSignatureAlgorithm(self) -> bool:
        """Whether the discrete form is used: RSASSA-PSS, or ECDSA with the hash in its parameters."""
        return bool(self._alternate)

    @AlternateSignatureAlgorithm.setter
    def AlternateSignatureAlgorithm(self, Value: bool) -> None:
        self._alternate = Value

    @property
    def AlternateSignatureAlgorithmSet(self) -> bool:
        """Whether AlternateSignatureAlgorithm was set."""
        return self._alternate is not None

    @property
    def NullSigned(self) -> bool:
        """Whether the signature is a bare hash."""
        return self._null_signed

    @NullSigned.setter
    def NullSigned(self, Value: bool) -> None:
        self._null_signed = Value

    def GetSignatureAlgorithm(self, Pkcs7Signature: bool, SignatureKey: bool) -> IObjectId:
        """The object id of the signature algorithm.

        Args:
            Pkcs7Signature: True for a signer of a PKCS#7 message, where the key's own algorithm stands.
            SignatureKey: True where the key only signs; it changes nothing for RSA and ECDSA.

        Raises:
            ComError: NTE_BAD_ALGID where the hash has no such signature.
        """
        if Pkcs7Signature and not self.AlternateSignatureAlgorithm:
            return self.PublicKeyAlgorithm
        family = "rsa" if self.PublicKeyAlgorithm.Value == RSA else "ecdsa"
        name = algorithms.hash_algorithm(self.HashAlgorithm.Value).name
        return object_id(algorithms.signature_oid(family, name, discrete=self.AlternateSignatureAlgorithm))

    def SetDefaultValues(self) -> None:
        """Sets what was left open: SHA-256, RSA, the combined form."""
        self._hash = self._hash or object_id(SHA256)
        self._public_key_algorithm = self._public_key_algorithm or object_id(RSA)

    def signer_for(self, key: PrivateKey, *, legacy_hashes: bool) -> algorithms.SignFunction:
        """What signs with ``key`` as this object says.

        Args:
            key: the private key, wherever it is.
            legacy_hashes: whether SHA-1 and MD5 are signed as they were asked for.
        """
        name = algorithms.hash_algorithm(self.HashAlgorithm.Value).name
        if name in _LEGACY and not legacy_hashes:
            log.warning("%s was asked for; the request is signed with SHA-256 (legacy_hashes is off)", name.upper())
            name = "sha256"
        scheme = algorithms.SignatureScheme(name, pss=self.AlternateSignatureAlgorithm)
        return algorithms.signer(key, scheme)
