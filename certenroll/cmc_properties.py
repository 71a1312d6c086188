"""What a CMC request object holds besides the request inside: attributes, extensions, pairs, transaction, key archival.

Knows no keys, templates and encoding; ``cmc_templates`` derives from it. Source: the property pages of
IX509CertificateRequestCmc.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from certenroll.asn1.attributes import ARCHIVAL_CIPHERS, TRIPLE_DES
from certenroll.attributes import ICryptAttributes
from certenroll.encodings import decode_text, encode_text
from certenroll.engine.certificate_lookup import certificate_bytes
from certenroll.engine.opening import open_workspace
from certenroll.enums import EncodingType
from certenroll.errors import ComError
from certenroll.extensions import IX509Extensions
from certenroll.hresults import HRESULT
from certenroll.name_value_pairs import IX509NameValuePairs
from certenroll.object_ids import IObjectId, IObjectIds, object_id
from certenroll.pkcs7_requests import IX509CertificateRequestPkcs7
from certenroll.pkcs10_properties import BASIC_CONSTRAINTS, KEY_USAGE
from certenroll.requests import BASE64, once_initialized
from certenroll.signatures import IX509SignatureInformation
from certenroll.signer_certificates import ISignerCertificate, ISignerCertificates

TRIPLE_DES_BITS: Final = 168


class CmcProperties(IX509CertificateRequestPkcs7):
    """The part of a CMC request that has nothing to do with keys and bytes."""

    def __init__(self) -> None:
        super().__init__()
        self._template = ""
        self._attributes = ICryptAttributes()
        self._extensions = IX509Extensions()
        self._pairs = IX509NameValuePairs()
        self._given = (self._attributes, self._extensions, self._pairs)  # the caller's own, for ResetForEncode
        self._critical = IObjectIds([object_id(oid) for oid in (KEY_USAGE, BASIC_CONSTRAINTS)])
        self._suppressed = IObjectIds()
        self._signers = ISignerCertificates()
        self._transaction: int | None = None
        self._nonce = b""
        self._exchange_certificate = b""
        self._cipher = TRIPLE_DES
        self._key_hash = b""

    ArchivePrivateKey = once_initialized(
        "bool", "_archive_key", False, "Whether the private key goes to the CA, encrypted for KeyArchivalCertificate."
    )

    @property
    def NullSigned(self) -> bool:
        """Whether a hash stands in the place of the primary signature."""
        self._context.get()
        return self._signature.NullSigned

    @property
    def CryptAttributes(self) -> ICryptAttributes:
        """The attributes beside the inner request: the caller's and, once it is encoded, all that there are."""
        self._context.get()
        return self._attributes

    @property
    def X509Extensions(self) -> IX509Extensions:
        """The extensions beside the inner request: the caller's and, once it is encoded, all that there are."""
        self._context.get()
        return self._extensions

    @property
    def NameValuePairs(self) -> IX509NameValuePairs:
        """Names and values for the CA; once it is encoded, RequesterName is among them where there is one."""
        self._context.get()
        return self._pairs

    @property
    def CriticalExtensions(self) -> IObjectIds:
        """The object ids of the extensions that are marked critical."""
        self._context.get()
        return self._critical

    @property
    def SuppressOids(self) -> IObjectIds:
        """The object ids of the defaults that stay out; client information is the only one."""
        self._context.get()
        return self._suppressed

    @property
    def SignatureInformation(self) -> IX509SignatureInformation:
        """How the primary signature is made."""
        self._context.get()
        return self._signature

    @property
    def SignerCertificates(self) -> ISignerCertificates:
        """The certificates whose keys sign besides the request's own key."""
        self._context.get()
        return self._signers

    @property
    def SignerCertificate(self) -> ISignerCertificate:
        """The first of SignerCertificates; setting it takes the place of the one that was set before, or goes first.

        Raises CERTSRV_E_PROPERTY_EMPTY where there is none.
        """
        self._context.get()
        if not self._signers:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request has no signer certificate")
        return self._signers[0]

    @SignerCertificate.setter
    def SignerCertificate(self, pValue: ISignerCertificate) -> None:
        self._context.get()
        self.check_unsealed()
        pValue.certificate_bytes()
        others = [one for one in self._signers if one is not self._signer]
        self._signer = pValue
        self._signers.Clear()
        for one in (pValue, *others):
            self._signers.Add(one)

    def signers_given(self) -> Sequence[ISignerCertificate]:
        """The signer certificates that were set."""
        return tuple(self._signers)

    @property
    def TransactionId(self) -> int:
        """The number of the transaction, which the CA's response repeats. Raises CERTSRV_E_PROPERTY_EMPTY for none."""
        self._context.get()
        if self._transaction is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request has no transaction id")
        return self._transaction

    @TransactionId.setter
    def TransactionId(self, Value: int) -> None:
        self._context.get()
        self.check_unsealed()
        self._transaction = Value

    def SenderNonce(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The octets that the CA's response repeats. Raises CERTSRV_E_PROPERTY_EMPTY for none."""
        self._context.get()
        if not self._nonce:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request has no sender nonce")
        return encode_text(self._nonce, Encoding)

    def SetSenderNonce(self, Encoding: EncodingType, Value: str | bytes) -> None:
        """Sets the octets that the CA's response shall repeat."""
        self._context.get()
        self.check_unsealed()
        self._nonce = decode_text(Value, Encoding)

    def KeyArchivalCertificate(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The CA's exchange certificate. Raises CERTSRV_E_PROPERTY_EMPTY where none was set; a request has it not in it."""
        self._context.get()
        if not self._exchange_certificate:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no key archival certificate was set")
        return encode_text(self._exchange_certificate, Encoding)

    def SetKeyArchivalCertificate(self, Encoding: EncodingType, Value: str | bytes) -> None:
        """Sets the CA's exchange certificate, for which the private key is encrypted.

        Args:
            Encoding: how the text holds it; HEXRAW lets it be the thumbprint or serial number of one in the stores.
            Value: the certificate, whose key is an RSA key.

        Raises:
            ComError: CRYPT_E_ASN1_* where it is no certificate, CRYPT_E_NOT_FOUND where digits name none.
        """
        context = self._context.get()
        self.check_unsealed()
        digits = Encoding == EncodingType.XCN_CRYPT_STRING_HEXRAW
        self._exchange_certificate = certificate_bytes(open_workspace(context), decode_text(Value, Encoding), digits=digits)

    @property
    def EncryptionAlgorithm(self) -> IObjectId:
        """The cipher for an archived key: Triple DES where none was set."""
        self._context.get()
        return object_id(self._cipher)

    @EncryptionAlgorithm.setter
    def EncryptionAlgorithm(self, pValue: IObjectId) -> None:
        self._context.get()
        self.check_unsealed()
        if pValue.dotted_value() not in ARCHIVAL_CIPHERS:
            raise ComError(HRESULT.NTE_BAD_ALGID, f"no archived key is encrypted with {pValue.dotted_value()}")
        self._cipher = pValue.dotted_value()

    @property
    def EncryptionStrength(self) -> int:
        """The length of the cipher's key in bits; the cipher says it, and setting another one is NTE_BAD_LEN."""
        self._context.get()
        return TRIPLE_DES_BITS if self._cipher == TRIPLE_DES else 8 * ARCHIVAL_CIPHERS[self._cipher][0]

    @EncryptionStrength.setter
    def EncryptionStrength(self, Value: int) -> None:
        if Value not in (0, self.EncryptionStrength):
            raise ComError(HRESULT.NTE_BAD_LEN, f"the cipher's key has {self.EncryptionStrength} bits")
        self.check_unsealed()

    def EncryptedKeyHash(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """SHA-1 of the encrypted key, once it is encoded. Raises CERTSRV_E_PROPERTY_EMPTY where no key is archived."""
        self._context.get()
        if not self._key_hash:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no private key was encrypted for a CA yet")
        return encode_text(self._key_hash, Encoding)
