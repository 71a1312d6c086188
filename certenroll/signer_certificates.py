"""ISignerCertificate: a certificate of MY with its private key, which signs a PKCS#7 or CMC request.

Knows where certificate and key are, and no request. Source: the nn- and nf-certenroll-isignercertificate-* and
isignercertificates-* pages, and X509PrivateKeyVerify.
"""

from __future__ import annotations

from certenroll.asn1.certificates import read_certificate
from certenroll.cert_properties import BASE64, stored_certificate
from certenroll.certificate_keys import open_private_key, private_key_object
from certenroll.com import ComCollection, ComObject, Slot, stored
from certenroll.encodings import encode_text
from certenroll.engine.certificate_lookup import key_of_certificate
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enums import EncodingType, X509CertificateEnrollmentContext, X509PrivateKeyVerify
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import object_id
from certenroll.private_keys import IX509PrivateKey
from certenroll.public_keys import public_key_from_spki
from certenroll.signatures import IX509SignatureInformation
from certenroll.stores.certificates import MY
from certenroll.stores.properties import KEY_PROV_INFO, KeyProviderInfo
from keystores.base import PrivateKey as Key
from keystores.base import Secret

_NO_CARD = (X509PrivateKeyVerify.VerifySmartCardNone, X509PrivateKeyVerify.VerifySmartCardSilent)


class ISignerCertificate(ComObject):
    """A certificate to sign with."""

    def __init__(self) -> None:
        self._certificate: Slot[bytes] = Slot("ISignerCertificate")
        self._private_key = IX509PrivateKey()
        self._signature = IX509SignatureInformation()
        self._pin: Secret | None = None
        self._key_sought_in = X509CertificateEnrollmentContext.ContextNone  # whose keys, where that was put off

    Silent = stored("bool", "_silent", False, "Whether anything may be asked of the user; no user is asked here.")
    ParentWindow = stored("int", "_parent_window", 0, "The window that a dialog would belong to; kept, without effect.")
    UIContextMessage = stored("str", "_ui_message", "", "The text that a dialog would show; kept, without effect.")

    def Initialize(
        self,
        MachineContext: bool,
        VerifyType: X509PrivateKeyVerify,
        Encoding: EncodingType,
        strCertificate: str | bytes,
    ) -> None:
        """Finds the certificate in MY (then REQUEST), and its private key.

        Args:
            MachineContext: whether the machine's stores are searched, and not the user's.
            VerifyType: whether the key is opened now. VerifyNone leaves it for the first signature; the two smart card
                values leave a card alone and open any other key.
            Encoding: how the text holds the certificate; HEXRAW lets it be a thumbprint or a serial number.
            strCertificate: the certificate.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED the second time, CRYPT_E_NOT_FOUND where the certificate is in neither
                store, CRYPT_E_UNEXPECTED_MSG_TYPE where its private key is not here, and the key store's own codes
                (SCARD_W_WRONG_CHV, TBS_E_TPM_NOT_FOUND, ...). After a failure the object is as it was.
        """
        if self._certificate.is_set:
            raise ComError(HRESULT.WIN32_ALREADY_INITIALIZED, "the signer certificate is initialized already")
        workspace, found = stored_certificate(MachineContext, Encoding, strCertificate, with_key=True)
        info = key_of_certificate(workspace, found)
        key = private_key_object(info, found.der, self._pin)
        key.Silent = self.Silent
        if _is_verified(VerifyType, info):
            open_private_key(key)
        spki = read_certificate(found.der).public_key_info
        self._signature.PublicKeyAlgorithm = public_key_from_spki(spki).Algorithm
        self._private_key = key
        self._certificate.set(found.der)

    def Certificate(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The certificate. Raises OLE_E_BLANK before Initialize."""
        return encode_text(self.certificate_bytes(), Encoding)

    @property
    def PrivateKey(self) -> IX509PrivateKey:
        """The private key; Initialize has opened it, or Open does.

        The signer of a message that was read has the key of its certificate in MY, where that is here; else the object
        stands for the certificate alone and cannot be opened. Raises OLE_E_BLANK before Initialize.
        """
        certificate = self._certificate.get()
        if self._key_sought_in != X509CertificateEnrollmentContext.ContextNone:
            found = _key_in_my(open_workspace(self._key_sought_in), certificate)
            if found is not None:
                self._private_key = private_key_object(found, certificate, self._pin)
                self._key_sought_in = X509CertificateEnrollmentContext.ContextNone
        return self._private_key

    @property
    def Pin(self) -> str:
        """The PIN of the card or the key, to be set before the key is opened; can only be written."""
        raise ComError(HRESULT.DISP_E_MEMBERNOTFOUND, "a PIN can only be written")

    @Pin.setter
    def Pin(self, Value: str) -> None:
        if self._certificate.is_set:
            self._private_key.Pin = Value
        self._pin = Secret(Value)

    @property
    def SignatureInformation(self) -> IX509SignatureInformation:
        """How the signer signs: the hash can be set, the key's algorithm is known. Raises OLE_E_BLANK before Initialize."""
        self._certificate.get()
        return self._signature

    # What the requests use.

    def certificate_bytes(self) -> bytes:
        """The certificate in DER. Raises OLE_E_BLANK before Initialize."""
        return self._certificate.get()

    def signing_key(self) -> Key:
        """The private key, wherever it is, to sign with; opened where it is not open.

        Raises:
            ComError: OLE_E_BLANK before Initialize, CRYPT_E_UNEXPECTED_MSG_TYPE where the key is gone, NTE_BAD_PUBLIC_KEY
                where another key is in its container, and the key store's own codes.
        """
        key = self.PrivateKey
        if self._key_sought_in != X509CertificateEnrollmentContext.ContextNone:
            raise ComError(HRESULT.CRYPT_E_UNEXPECTED_MSG_TYPE, "the signer's certificate is not in MY with its private key")
        open_private_key(key)
        return key.stored_key().private_key


class ISignerCertificates(ComCollection[ISignerCertificate]):
    """The certificates that sign a request."""

    _item_type_ = "ISignerCertificate"

    def Find(self, pSignerCert: ISignerCertificate) -> int:
        """The index of the first item with the same certificate.

        Raises:
            ComError: CRYPT_E_NOT_FOUND where there is none, OLE_E_BLANK where ``pSignerCert`` is not initialized.
        """
        wanted = pSignerCert.certificate_bytes()
        for index, item in enumerate(self._items):
            if item.certificate_bytes() == wanted:
                return index
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, "none of the signer certificates is this one")


def signer_from(
    certificate: bytes, hash_algorithm: str, context: X509CertificateEnrollmentContext, *, alternate: bool = False
) -> ISignerCertificate:
    """The signer of a message that was read: what its signature tells; its private key is looked for when it is asked for.

    Args:
        certificate: in DER.
        hash_algorithm: the dotted OID of the hash.
        context: in whose MY the private key may be.
        alternate: whether the signature has the discrete form.
    """
    made = ISignerCertificate()
    made._certificate.set(certificate)
    made._private_key.SetCertificate(EncodingType.XCN_CRYPT_STRING_BINARY, certificate)
    made._signature.HashAlgorithm = object_id(hash_algorithm)
    made._signature.AlternateSignatureAlgorithm = alternate
    made._key_sought_in = context
    spki = read_certificate(certificate).public_key_info
    made._signature.PublicKeyAlgorithm = public_key_from_spki(spki).Algorithm
    return made


def _key_in_my(workspace: Workspace, certificate: bytes) -> KeyProviderInfo | None:
    found = workspace.certificates.get(MY, read_certificate(certificate).sha1)
    return key_of_certificate(workspace, found) if found is not None and KEY_PROV_INFO in found.properties else None


def _is_verified(wanted: X509PrivateKeyVerify, info: KeyProviderInfo) -> bool:
    if wanted == X509PrivateKeyVerify.VerifyNone:
        return False
    return not (info.store == "smartcard" and wanted in _NO_CARD)
