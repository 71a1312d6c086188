"""IX509SignatureInformation: how a request is signed, and the signer that does it.

The one place where a hash name that scripts still use (SHA-1, MD5) becomes what is really signed: SHA-256, with a
warning, unless the profile says ``legacy_hashes = true``. Source: the nf-certenroll-ix509signatureinformation-* pages.
"""

from __future__ import annotations

import logging
from typing import Final

from certenroll.asn1 import algorithms, der
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


def _family(public_key_algorithm: IObjectId) -> str:
    return "rsa" if public_key_algorithm.Value == RSA else "ecdsa"


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
        algorithms.hash_algorithm(pValue.Value)
        self._hash = pValue

    @property
    def PublicKeyAlgorithm(self) -> IObjectId:
        """The algorithm of the signing key; RSA where nothing is known yet."""
        return self._public_key_algorithm or object_id(RSA)

    @PublicKeyAlgorithm.setter
    def PublicKeyAlgorithm(self, pValue: IObjectId) -> None:
        self._public_key_algorithm = pValue

    def Parameters(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The parameters of the signature algorithm: those that were set, else those that a signature will have.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY where the algorithm has none.
        """
        parameters = self._parameters or self._usual_parameters()
        if not parameters:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the signature algorithm has no parameters")
        return encode_text(parameters, Encoding)

    def _usual_parameters(self) -> bytes:
        entry = algorithms.hash_algorithm(self.HashAlgorithm.Value)
        is_rsa = _family(self.PublicKeyAlgorithm) == "rsa"
        if self.AlternateSignatureAlgorithm:
            return der.children(algorithms.pss_identifier(entry))[1] if is_rsa else entry.identifier
        return der.NULL_DER if is_rsa else b""

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
            ComError: CERTSRV_E_PROPERTY_EMPTY where no hash was set, or no public key algorithm for a signature that is
                not a null one; CRYPT_E_UNKNOWN_ALGO where the two make no signature algorithm.
        """
        if self._null_signed and Pkcs7Signature:
            return object_id(algorithms.NO_SIGNATURE)
        if self._hash is None or (self._public_key_algorithm is None and not self._null_signed):
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "set HashAlgorithm and PublicKeyAlgorithm first")
        if self._null_signed:
            return self._hash
        if Pkcs7Signature:
            return self.PublicKeyAlgorithm
        family, discrete = _family(self.PublicKeyAlgorithm), self.AlternateSignatureAlgorithm
        try:
            return object_id(algorithms.signature_oid(family, self._hash.Value, discrete=discrete))
        except algorithms.UnsupportedAlgorithm as error:
            raise ComError(HRESULT.CRYPT_E_UNKNOWN_ALGO, str(error)) from None

    def SetDefaultValues(self) -> None:
        """Sets the hash to SHA-256 where none was set (Microsoft's page, of 2006, names SHA-1)."""
        self._hash = self._hash or object_id(SHA256)

    def settle_for_key(self, public_key_algorithm: str) -> None:
        """Sets what was left open, for a key of that algorithm."""
        self.SetDefaultValues()
        self._public_key_algorithm = object_id(public_key_algorithm)

    def signer_for(self, key: PrivateKey, *, legacy_hashes: bool) -> algorithms.SignFunction:
        """What signs with ``key`` as this object says.

        Args:
            key: the private key, wherever it is.
            legacy_hashes: whether SHA-1 and MD5 are signed as they were asked for.
        """
        return algorithms.signer(key, self.signature_scheme(legacy_hashes=legacy_hashes))

    def signature_scheme(self, *, legacy_hashes: bool) -> algorithms.SignatureScheme:
        """Hash and padding of what ``signer_for`` signs."""
        name = algorithms.hash_algorithm(self.HashAlgorithm.Value).name
        if name in _LEGACY and not legacy_hashes:
            log.warning("%s was asked for; the request is signed with SHA-256 (legacy_hashes is off)", name.upper())
            name = "sha256"
        return algorithms.SignatureScheme(name, pss=self.AlternateSignatureAlgorithm)

    def fill_from(self, other: IX509SignatureInformation) -> None:
        """Takes hash and form of another where none was set here."""
        self._hash = self._hash or other._hash
        if self._alternate is None:
            self._alternate = other._alternate
