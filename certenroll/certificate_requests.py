"""IX509CertificateRequestCertificate: a certificate that its own key signs, or the key of another certificate here.

What is asked for is a PKCS#10 request's; here stand issuer, validity, serial number and signer. Asks no CA. Source: the
nf-certenroll-ix509certificaterequestcertificate-* pages and those of IX509CertificateRequestCertificate2.
"""

from __future__ import annotations

import secrets
from copy import copy
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from certenroll.asn1 import algorithms, der, extensions
from certenroll.asn1.certificate_building import CertificateContents, build
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.der import Extension
from certenroll.cert_property_values import days_of, moment_of
from certenroll.distinguished_names import IX500DistinguishedName, distinguished_name
from certenroll.encodings import decode_text, encode_text
from certenroll.engine.opening import open_workspace
from certenroll.enums import (
    EncodingType,
    Pkcs10AllowedSignatureTypes,
    X509CertificateEnrollmentContext,
    X509RequestInheritOptions,
    X509RequestType,
)
from certenroll.errors import ComError
from certenroll.extension_types import extension_from
from certenroll.extensions import IX509Extensions
from certenroll.hresults import HRESULT
from certenroll.inheritance import inherits_validity
from certenroll.object_ids import IObjectIds, object_id
from certenroll.pkcs10_decoding import template_in
from certenroll.pkcs10_encoding import wanted_extensions
from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10
from certenroll.public_keys import IX509PublicKey, public_key_from_spki
from certenroll.requests import BASE64

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace
    from certenroll.signer_certificates import ISignerCertificate
    from keystores.base import PrivateKey as Key

_SKEW: Final = timedelta(minutes=10)
_YEAR: Final = timedelta(days=365)


class IX509CertificateRequestCertificate(IX509CertificateRequestPkcs10):
    """A request whose encoded form is the certificate itself."""

    request_type = X509RequestType.TypeCertificate

    def __init__(self) -> None:
        super().__init__()
        self._issuer: IX500DistinguishedName | None = None
        self._not_before: datetime | None = None
        self._not_after: datetime | None = None
        self._serial = b""
        self._lifetime = _YEAR + _SKEW
        self._signer: ISignerCertificate | None = None
        self._certificate: Certificate | None = None
        self._signature_wished = self._signature  # without what the signer lent it

    def InitializeFromCertificate(
        self,
        Context: X509CertificateEnrollmentContext,
        strCertificate: str | bytes,
        Encoding: EncodingType = BASE64,
        InheritOptions: X509RequestInheritOptions = X509RequestInheritOptions.InheritDefault,
    ) -> None:
        """Makes a certificate after another; what it inherits and raises is as for a PKCS#10 request.

        With InheritValidityPeriodFlag, or by default, the new one is valid for as long as the old one was, from now on.
        """
        super().InitializeFromCertificate(Context, strCertificate, Encoding, InheritOptions)
        if inherits_validity(int(InheritOptions)):
            old = read_certificate(self._old_certificate)
            self._lifetime = old.not_after - old.not_before

    def InitializeDecode(self, strEncodedData: str | bytes, Encoding: EncodingType = BASE64) -> None:
        """Takes over a certificate that was made, for the user; or names the context for the call after it.

        Args:
            strEncodedData: the certificate, or "ContextMachine" and its like as XCN_CRYPT_STRING_BINARY.
            Encoding: how the text holds it.

        Raises:
            ComError: CRYPT_E_ASN1_* where it is no certificate, WIN32_ALREADY_INITIALIZED on the second time.
        """
        data = self.take_encoded(strEncodedData, Encoding)
        if data is None:
            return
        certificate = read_certificate(data)
        # All that may be refused is read before anything is taken over.
        public_key, asked = public_key_from_spki(certificate.public_key_info), certificate.extensions
        issuer, serial = distinguished_name(certificate.issuer), _serial_octets(certificate)
        validity, algorithm = (certificate.not_before, certificate.not_after), certificate.signature_algorithm
        read = algorithms.read_algorithm(algorithm)
        self._adopt(certificate)
        self.show_signature(read, algorithm, public_key)
        self._issuer, self._serial = issuer, serial
        self._not_before, self._not_after = validity
        self._critical = IObjectIds([object_id(one.oid) for one in asked if one.critical])
        self._template = template_in({one.oid: one.value for one in asked})
        self._given = (self._attributes, self._extensions)
        self._public_key = public_key
        self.begin_context(self._decode_context)

    def CheckSignature(
        self, AllowedSignatureTypes: Pkcs10AllowedSignatureTypes = Pkcs10AllowedSignatureTypes.AllowedKeySignature
    ) -> None:
        """Checks the certificate's signature with the key of SignerCertificate, else with its own.

        Args:
            AllowedSignatureTypes: AllowedKeySignature, AllowedNullSignature or both.

        Raises:
            ComError: CRYPT_E_NO_SIGNER before Encode, WIN32_INVALID_STATE where the signature is of a kind that is not
                allowed, NTE_BAD_SIGNATURE where it is wrong.
        """
        self._context.get()
        made = self._made()
        allowed = Pkcs10AllowedSignatureTypes
        wanted = allowed.AllowedNullSignature if made.is_null_signed else allowed.AllowedKeySignature
        if not AllowedSignatureTypes & wanted:
            raise ComError(HRESULT.WIN32_INVALID_STATE, f"the signature is a {wanted.name}, which is not allowed here")
        signer = read_certificate(self._signer.certificate_bytes()) if self._signer is not None else made
        _verify(made, signer.public_key_info)

    def CheckPublicKeySignature(self, pPublicKey: IX509PublicKey) -> None:
        """Checks the certificate's signature with a public key.

        Args:
            pPublicKey: the issuer's.

        Raises:
            ComError: OLE_E_BLANK, CRYPT_E_NO_SIGNER before Encode, WIN32_INVALID_STATE where the key object is not
                initialized, NTE_BAD_SIGNATURE where the key did not sign.
        """
        self._context.get()
        made = self._made()
        try:
            public_key = pPublicKey.spki_bytes()
        except ComError as error:
            raise ComError(HRESULT.WIN32_INVALID_STATE, "the public key object is not initialized") from error
        if made.is_null_signed:
            raise ComError(HRESULT.NTE_BAD_SIGNATURE, "no key signed the certificate")
        _verify(made, public_key)

    @property
    def Issuer(self) -> IX500DistinguishedName:
        """The issuer's name: as it was set, else Encode takes that of the signer, else the subject's.

        Raises CERTSRV_E_PROPERTY_EMPTY where there is none yet.
        """
        self._context.get()
        if self._issuer is not None:
            return self._issuer
        if self._certificate is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no issuer was set, and Encode was not called")
        return distinguished_name(self._certificate.issuer)

    @Issuer.setter
    def Issuer(self, pValue: IX500DistinguishedName) -> None:
        self._context.get()
        self.check_unsealed()
        self._issuer = pValue

    @property
    def NotBefore(self) -> object:
        """When it begins to be valid, a DATE in UTC; a datetime may be set. By default ten minutes before Encode.

        Raises CERTSRV_E_PROPERTY_EMPTY where it is not known yet, WIN32_INVALID_DATA for what is no date.
        """
        self._context.get()
        found = self._not_before or (self._certificate.not_before if self._certificate is not None else None)
        return _days(found, "NotBefore")

    @NotBefore.setter
    def NotBefore(self, Value: object) -> None:
        self._context.get()
        self.check_unsealed()
        self._not_before = _moment(Value)

    @property
    def NotAfter(self) -> object:
        """When it ceases to be valid, a DATE in UTC; a datetime may be set. By default a year and ten minutes after
        NotBefore.

        Raises CERTSRV_E_PROPERTY_EMPTY where it is not known yet, WIN32_INVALID_DATA for what is no date.
        """
        self._context.get()
        found = self._not_after or (self._certificate.not_after if self._certificate is not None else None)
        return _days(found, "NotAfter")

    @NotAfter.setter
    def NotAfter(self, Value: object) -> None:
        self._context.get()
        self.check_unsealed()
        self._not_after = _moment(Value)

    def SerialNumber(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The serial number, most significant octet first. Raises CERTSRV_E_PROPERTY_EMPTY where there is none yet."""
        self._context.get()
        found = self._serial or (_serial_octets(self._certificate) if self._certificate is not None else b"")
        if not found:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no serial number was set, and Encode was not called")
        return encode_text(found, Encoding)

    def SetSerialNumber(self, Encoding: EncodingType, Value: str | bytes) -> None:
        """Sets the serial number; by default Encode draws 16 octets by lot.

        Args:
            Encoding: how the text holds it.
            Value: the number, most significant octet first, without a sign.

        Raises:
            ComError: E_INVALIDARG for zero, nothing, or more than 20 octets.
        """
        self._context.get()
        self.check_unsealed()
        octets = decode_text(Value, Encoding)
        if not 0 < int.from_bytes(octets, "big") < 1 << 159:
            raise ComError(HRESULT.E_INVALIDARG, "a serial number is positive and has at most 20 octets", argerror=1)
        self._serial = octets

    @property
    def SignerCertificate(self) -> ISignerCertificate:
        """The certificate whose key signs. Raises CERTSRV_E_PROPERTY_EMPTY where the certificate signs itself."""
        self._context.get()
        if self._signer is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no signer certificate was set; the request's own key signs")
        return self._signer

    @SignerCertificate.setter
    def SignerCertificate(self, pValue: ISignerCertificate) -> None:
        self._context.get()
        self.check_unsealed()
        pValue.certificate_bytes()  # OLE_E_BLANK here, and not when the key is made
        self._signer = pValue
        self._signature.NullSigned = False

    def ResetForEncode(self) -> None:
        """Makes the request what it was before Encode; what Encode chose itself is forgotten.

        Raises:
            ComError: OLE_E_BLANK, WIN32_INVALID_STATE where the request is not encoded.
        """
        super().ResetForEncode()
        self._certificate = None
        self._signature = self._signature_wished

    def RawData(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The certificate. Raises OLE_E_BLANK, or CERTSRV_E_PROPERTY_EMPTY before Encode."""
        return encode_text(self.der_bytes(), Encoding, kind="certificate")

    def RawDataToBeSigned(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """What is signed. Raises CERTSRV_E_PROPERTY_EMPTY before Encode."""
        return encode_text(der.children(self.der_bytes(), der.SEQUENCE)[0], Encoding)

    def Signature(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The signature. Raises CERTSRV_E_PROPERTY_EMPTY before Encode."""
        return encode_text(_signature(self.der_bytes()), Encoding)

    # What the enrollment uses.

    def encode_pending(self) -> None:
        """Encodes as Encode does and leaves the intent of a new key open."""
        context = self._context.get()
        self.check_unsealed()
        workspace = open_workspace(context)
        self._signature_wished = self._signature
        if self._signer is not None:  # who signs next, after a reset, brings its own hash
            self._signature = copy(self._signature)
            self._signature.fill_from(self._signer.SignatureInformation)
        try:
            self._encode_signed(workspace)
        finally:
            if not self.is_encoded:
                self._signature = self._signature_wished

    def _encode_signed(self, workspace: Workspace) -> None:
        if self._public_key is None:
            self._ready_key()
        elif self._signer is None and not self._signature.NullSigned:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "there is no private key to sign with; set SignerCertificate")
        self._given = (self._attributes, self._extensions)
        try:
            self._adopt(self._sign(workspace.clock(), legacy_hashes=workspace.profile.settings.legacy_hashes))
        finally:
            if not self.is_encoded and self._private_key is not None:
                self._private_key.discard_creation()

    def _sign(self, now: datetime, *, legacy_hashes: bool) -> Certificate:
        contents = self._contents(now)
        key = self._signing_key()
        if key is None:
            scheme_algorithm, _ = algorithms.null_signature(b"")
            return read_certificate(build(contents, scheme_algorithm, lambda data: algorithms.null_signature(data)[1]))
        scheme = self._signature.signature_scheme(legacy_hashes=legacy_hashes)
        algorithm = algorithms.algorithm_identifier(key.public_key(), scheme)
        return read_certificate(build(contents, algorithm, lambda data: algorithms.sign(key, scheme, data)[1]))

    def _signing_key(self) -> Key | None:
        if self._signer is not None:
            key = self._signer.signing_key()
            self._signature.settle_for_key(self._signer.SignatureInformation.PublicKeyAlgorithm.Value)
            return key
        if self._signature.NullSigned or self._private_key is None:
            return None
        return self._private_key.stored_key().private_key

    def _contents(self, now: datetime) -> CertificateContents:
        begins = self._not_before or now.replace(microsecond=0) - _SKEW
        signer = read_certificate(self._signer.certificate_bytes()) if self._signer is not None else None
        by_default = signer.subject if signer is not None else self.subject_der()
        return CertificateContents(
            serial=int.from_bytes(self._serial, "big") or _drawn_serial(),
            issuer=self._issuer.der_bytes() if self._issuer is not None else by_default,
            subject=self.subject_der(),
            not_before=begins,
            not_after=self._not_after or begins + self._lifetime,
            public_key_info=self.spki_bytes(),
            extensions=self._all_extensions(signer),
        )

    def _all_extensions(self, signer: Certificate | None) -> tuple[Extension, ...]:
        assembly = self._assembly()
        found = wanted_extensions(assembly)
        oid = extensions.AUTHORITY_KEY_IDENTIFIER
        key_id = signer.subject_key_identifier if signer is not None else None
        unwanted = not assembly.defaults or oid in assembly.suppressed or any(one.oid == oid for one in found)
        if key_id is None or unwanted:
            return found
        value = extensions.encode_authority_key_identifier(extensions.AuthorityKeyIdentifier(key_id))
        return (*found, Extension(oid, oid in assembly.critical, value))

    def _adopt(self, certificate: Certificate) -> None:
        shown = IX509Extensions([extension_from(one) for one in certificate.extensions])
        subject, null_signed = distinguished_name(certificate.subject), certificate.is_null_signed
        self._subject, self._extensions = subject, shown
        self._signature.NullSigned = null_signed
        self._certificate = certificate
        self._encoded = certificate.der

    def _made(self) -> Certificate:
        if self._certificate is None:
            raise ComError(HRESULT.CRYPT_E_NO_SIGNER, "the certificate is not made yet; call Encode")
        return self._certificate


IX509CertificateRequestCertificate2 = IX509CertificateRequestCertificate


def _moment(value: object) -> datetime:
    return moment_of(value).replace(microsecond=0)


def _days(moment: datetime | None, what: str) -> float:
    if moment is None:
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, f"{what} was not set, and Encode was not called")
    return days_of(moment)


def _drawn_serial() -> int:
    """16 octets, the first nibble 1 to 7, as Microsoft's page of SerialNumber has it."""
    return (1 + secrets.randbelow(7)) << 124 | secrets.randbits(124)


def _serial_octets(certificate: Certificate) -> bytes:
    return certificate.serial.to_bytes(max(1, (certificate.serial.bit_length() + 8) // 8), "big", signed=True).lstrip(b"\0")


def _signature(certificate: bytes) -> bytes:
    return der.read_bit_string(der.children(certificate, der.SEQUENCE)[2])[0]


def _verify(certificate: Certificate, public_key_info: bytes) -> None:
    key = None if certificate.is_null_signed else algorithms.load_public_key(public_key_info)
    signed = der.children(certificate.der, der.SEQUENCE)[0]
    algorithms.verify(key, certificate.signature_algorithm, signed, _signature(certificate.der), allow_null=True)
