"""The attributes whose values have members of their own: client, provider, system version, extensions, archived keys.

Each object keeps the DER of its value and reads its members from it. Knows no requests.

Source: the nf-certenroll-ix509attribute* pages; where they are silent, docs/analysis/attributes.md.
"""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING, Final

from certenroll.asn1 import attributes, der
from certenroll.asn1.der import Attribute, DecodeError
from certenroll.attributes import ICryptAttribute, IX509Attribute
from certenroll.encodings import decode_text, encode_text
from certenroll.engine.client_identity import OS_VERSION, client_identity
from certenroll.enums import EncodingType, RequestClientInfoClientId, X509KeySpec
from certenroll.errors import ComError
from certenroll.extension_types import extension_from
from certenroll.extensions import BASE64, IX509Extensions
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, object_id
from keystores.base import KeyAlgorithm

if TYPE_CHECKING:
    from certenroll.private_keys import IX509PrivateKey

_STORES: Final = ("MY", "REQUEST", "CA", "ROOT")
_SHA1_SIZE: Final = 20
_LONGEST_NAME: Final = 21  # a serial number of 20 octets and its sign; whatever is longer is a certificate
_BINARY: Final = EncodingType.XCN_CRYPT_STRING_BINARY
_EFFECTIVE_BITS: Final = {attributes.TRIPLE_DES: 168}  # of 192: each octet of a DES key has a parity bit


class _TypedAttribute(IX509Attribute):
    """A value of one attribute, which can be initialized from its DER."""

    def InitializeDecode(self, Encoding: EncodingType, strEncodedData: str | bytes) -> None:
        """Takes the DER of the attribute's value.

        Args:
            Encoding: how the text holds it.
            strEncodedData: the value.

        Raises:
            ComError: a CRYPT_E_ASN1_* code where it is no value of this attribute, WIN32_ALREADY_INITIALIZED on the
                second time.
        """
        self._take_value(decode_text(strEncodedData, Encoding))

    def _take_value(self, value: bytes) -> None:
        self._take(self._oid_, value)


class IX509AttributeExtensions(_TypedAttribute):
    """The extensions that a request asks for."""

    _oid_ = attributes.EXTENSION_REQUEST

    def InitializeEncode(self, pExtensions: IX509Extensions) -> None:
        """Takes the extensions, in their order. Raises ComError WIN32_ALREADY_INITIALIZED on the second time."""
        self._take_value(der.encode_extensions(one.to_extension() for one in pExtensions))

    @property
    def X509Extensions(self) -> IX509Extensions:
        """The extensions, in a collection of their own. Raises ComError OLE_E_BLANK."""
        return IX509Extensions([extension_from(one) for one in der.decode_extensions(self.value_bytes())])

    def _identifiers(self) -> tuple[str, ...]:
        return (attributes.EXTENSION_REQUEST, attributes.CERT_EXTENSIONS)

    def _check(self, value: bytes) -> None:
        der.decode_extensions(value)


class IX509AttributeClientId(_TypedAttribute):
    """Which program made the request, for whom and where."""

    _oid_ = attributes.CLIENT_INFO

    def InitializeEncode(
        self, ClientId: int, strMachineDnsName: str = "", strUserSamName: str = "", strProcessName: str = ""
    ) -> None:
        """Takes the facts; what is left empty comes from this machine.

        Args:
            ClientId: a RequestClientInfoClientId, or a number of one's own above ClientIdUserStart.
            strMachineDnsName: DNS name of the machine.
            strUserSamName: ``DOMAIN\\user``.
            strProcessName: name of the program.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time.
        """
        here = client_identity()
        info = attributes.ClientInfo(
            ClientId, strMachineDnsName or here.machine, strUserSamName or here.user, strProcessName or here.process
        )
        self._take_value(attributes.encode_client_info(info))

    @property
    def ClientId(self) -> int:
        """A RequestClientInfoClientId, or the number that stands in its place. Raises ComError OLE_E_BLANK."""
        number = self._info().client_id
        known = {one.value: one for one in RequestClientInfoClientId}
        return known.get(number, number)

    @property
    def MachineDnsName(self) -> str:
        """DNS name of the machine. Raises ComError OLE_E_BLANK."""
        return self._info().machine

    @property
    def UserSamName(self) -> str:
        """The user, ``DOMAIN\\user``. Raises ComError OLE_E_BLANK."""
        return self._info().user

    @property
    def ProcessName(self) -> str:
        """Name of the program. Raises ComError OLE_E_BLANK."""
        return self._info().process

    def _info(self) -> attributes.ClientInfo:
        return attributes.decode_client_info(self.value_bytes())

    def _check(self, value: bytes) -> None:
        attributes.decode_client_info(value)


class IX509AttributeCspProvider(_TypedAttribute):
    """The provider that made the key."""

    _oid_ = attributes.CSP_PROVIDER

    def InitializeEncode(
        self, KeySpec: X509KeySpec, strProviderName: str, Encoding: EncodingType, strSignature: str | bytes
    ) -> None:
        """Takes the facts.

        Args:
            KeySpec: what the provider has the key for.
            strProviderName: the provider's name.
            Encoding: how the text holds the signature.
            strSignature: the provider's signature, in practice empty.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time.
        """
        signature = decode_text(strSignature, Encoding) if strSignature else b""
        self._take_value(attributes.encode_csp_provider(attributes.CspProvider(KeySpec, strProviderName, signature)))

    @property
    def KeySpec(self) -> int:
        """An X509KeySpec, or the number that stands in its place. Raises ComError OLE_E_BLANK."""
        number = self._provider().key_spec
        return {one.value: one for one in X509KeySpec}.get(number, number)

    @property
    def ProviderName(self) -> str:
        """The provider's name. Raises ComError OLE_E_BLANK."""
        return self._provider().provider

    def Signature(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The provider's signature. Raises ComError OLE_E_BLANK."""
        return encode_text(self._provider().signature, Encoding)

    def _provider(self) -> attributes.CspProvider:
        return attributes.decode_csp_provider(self.value_bytes())

    def _check(self, value: bytes) -> None:
        attributes.decode_csp_provider(value)


class IX509AttributeOSVersion(_TypedAttribute):
    """The version of the operating system."""

    _oid_ = attributes.OS_VERSION

    def InitializeEncode(self, strOSVersion: str = "") -> None:
        """Takes the version ("major.minor.build.platform"), or where it is empty the one that requests have by default.

        Raises:
            ComError: CRYPT_E_INVALID_IA5_STRING where it is not ASCII, WIN32_ALREADY_INITIALIZED on the second time.
        """
        self._take_value(attributes.encode_os_version(strOSVersion or OS_VERSION))

    @property
    def OSVersion(self) -> str:
        """The version. Raises ComError OLE_E_BLANK."""
        return attributes.decode_os_version(self.value_bytes())

    def _check(self, value: bytes) -> None:
        attributes.decode_os_version(value)


class IX509AttributeRenewalCertificate(_TypedAttribute):
    """The certificate that a request renews."""

    _oid_ = attributes.RENEWAL_CERTIFICATE

    def InitializeEncode(self, Encoding: EncodingType, strCert: str | bytes) -> None:
        """Takes the certificate.

        Args:
            Encoding: how the text holds it.
            strCert: its DER; or as XCN_CRYPT_STRING_HEXRAW the thumbprint or serial number of one in the user's stores.

        Raises:
            ComError: CRYPT_E_NOT_FOUND where no store has it, a CRYPT_E_ASN1_* code where it is no certificate,
                WIN32_ALREADY_INITIALIZED on the second time.
        """
        self._take_value(_certificate(strCert, Encoding))

    def RenewalCertificate(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """DER of the certificate. Raises ComError OLE_E_BLANK."""
        return encode_text(self.value_bytes(), Encoding)

    def _check(self, value: bytes) -> None:
        attributes.check_certificate(value)


class IX509AttributeArchiveKey(_TypedAttribute):
    """A private key, encrypted for the CA that keeps a copy of it."""

    _oid_ = attributes.ARCHIVED_KEY

    def InitializeEncode(
        self,
        pKey: IX509PrivateKey,
        Encoding: EncodingType,
        strCAXCert: str | bytes,
        pAlgorithm: IObjectId | None,
        EncryptionStrength: int,
    ) -> None:
        """Exports a private key and encrypts it.

        Args:
            pKey: the key, opened or created, which its store lets be exported.
            Encoding: how the text holds the certificate.
            strCAXCert: DER of the CA's exchange certificate; or, as XCN_CRYPT_STRING_HEXRAW, its thumbprint or serial
                number in the user's stores.
            pAlgorithm: the cipher: AES in CBC mode, or where None, Triple DES.
            EncryptionStrength: not used; the cipher says it.

        Raises:
            ComError: what exporting the key raises, NTE_BAD_ALGID for another cipher or a certificate without an RSA
                key, a CRYPT_E_ASN1_* code where it is no certificate, WIN32_ALREADY_INITIALIZED on the second time.
        """
        cipher = attributes.TRIPLE_DES if pAlgorithm is None else pAlgorithm.dotted_value()
        certificate = _certificate(strCAXCert, Encoding)
        self._take_value(attributes.encode_archived_key(_key_blob(pKey), certificate, cipher, os.urandom))

    def EncryptedKeyBlob(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The encrypted key, which is the attribute's whole value. Raises ComError OLE_E_BLANK."""
        return encode_text(self.value_bytes(), Encoding)

    @property
    def EncryptionAlgorithm(self) -> IObjectId:
        """The cipher that the key is encrypted with. Raises ComError OLE_E_BLANK."""
        return object_id(attributes.decode_archived_key(self.value_bytes()))

    @property
    def EncryptionStrength(self) -> int:
        """The length of that cipher's key in bits, 0 for a cipher that is not known. Raises ComError OLE_E_BLANK."""
        cipher = attributes.decode_archived_key(self.value_bytes())
        size, _ = attributes.ARCHIVAL_CIPHERS.get(cipher, (0, 0))
        return _EFFECTIVE_BITS.get(cipher, 8 * size)

    def _check(self, value: bytes) -> None:
        attributes.decode_archived_key(value)


class IX509AttributeArchiveKeyHash(_TypedAttribute):
    """The hash of an encrypted private key."""

    _oid_ = attributes.ARCHIVED_KEY_HASH

    def InitializeEncodeFromEncryptedKeyBlob(self, Encoding: EncodingType, strEncryptedKeyBlob: str | bytes) -> None:
        """Takes the SHA-1 hash of an encrypted key, what IX509AttributeArchiveKey.EncryptedKeyBlob gives.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time.
        """
        digest = attributes.archived_key_digest(decode_text(strEncryptedKeyBlob, Encoding))
        self._take_value(attributes.encode_archived_key_hash(digest))

    def EncryptedKeyHashBlob(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The hash, 20 octets. Raises ComError OLE_E_BLANK."""
        return encode_text(attributes.decode_archived_key_hash(self.value_bytes()), Encoding)

    def _check(self, value: bytes) -> None:
        attributes.decode_archived_key_hash(value)


def _certificate(text: str | bytes, encoding: EncodingType) -> bytes:
    """The certificate that an argument holds or, as hexadecimal digits, names by its thumbprint or serial number."""
    data = decode_text(text, encoding)
    if encoding != EncodingType.XCN_CRYPT_STRING_HEXRAW or len(data) > _LONGEST_NAME:
        return data
    from certenroll.engine.opening import open_workspace

    certificates = open_workspace().certificates
    by_thumbprint = (certificates.get(store, data) for store in _STORES if len(data) == _SHA1_SIZE)
    serial = int.from_bytes(data, "big")
    by_serial = (one for store in _STORES for one in certificates.list(store) if one.serial == serial)
    found = next((one for one in chain(by_thumbprint, by_serial) if one is not None), None)
    if found is None:
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"no store has a certificate with thumbprint or serial {data.hex()}")
    return found.der


def _key_blob(source: IX509PrivateKey) -> bytes:
    """A private key as Windows archives it: a CryptoAPI PRIVATEKEYBLOB, or an ECC private key blob (MS-WCCE 2.2.2.9)."""
    is_rsa = source.stored_key().info.algorithm is KeyAlgorithm.RSA
    return decode_text(source.Export("CAPIPRIVATEBLOB" if is_rsa else "ECCPRIVATEBLOB", _BINARY), _BINARY)


_KINDS: Final[tuple[type[_TypedAttribute], ...]] = (
    IX509AttributeExtensions,
    IX509AttributeClientId,
    IX509AttributeCspProvider,
    IX509AttributeOSVersion,
    IX509AttributeRenewalCertificate,
    IX509AttributeArchiveKey,
    IX509AttributeArchiveKeyHash,
)
TYPES: Final[dict[str, type[IX509Attribute]]] = {
    attributes.CERT_EXTENSIONS: IX509AttributeExtensions,
    **{kind._oid_: kind for kind in _KINDS},
}


def crypt_attribute_from(attribute: Attribute) -> ICryptAttribute:
    """The object for an attribute of a request, its values as objects of their own kind."""
    made = ICryptAttribute()
    made._oid.set(attribute.oid)
    for value in attribute.values:
        made._values.Add(attribute_from(attribute.oid, value))
    return made


def attribute_from(oid: str, value: bytes) -> IX509Attribute:
    """The object for one value of an attribute.

    Returns:
        An object of the attribute's own kind; a general one where the kind is not known or the value is not what the
        kind has.
    """
    made = TYPES.get(oid, IX509Attribute)()
    try:
        made._take(oid, value)
    except DecodeError:
        made = IX509Attribute()
        made._content.set((oid, value))
    return made
