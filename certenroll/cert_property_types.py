"""The twelve properties that have an interface of their own; KeyProvInfo among them leads to a private key.

Each gives one meaning to the value that ICertProperty carries, and knows no store. Source: the pages of their interfaces.
"""

from __future__ import annotations

from typing import Final

from certenroll.asn1.certificates import read_certificate
from certenroll.cert_policy_server_property import ICertPropertyEnrollmentPolicyServer
from certenroll.cert_properties import BASE64, ICertProperty, is_hex
from certenroll.cert_property_values import SHA1_HASH, days_of, moment_of
from certenroll.certificate_keys import open_private_key, private_key_object
from certenroll.encodings import decode_text, encode_text
from certenroll.engine.certificate_lookup import certificate_bytes
from certenroll.engine.client_identity import client_identity
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import utc_now
from certenroll.enums import EncodingType, X509CertificateEnrollmentContext
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.private_keys import IX509PrivateKey
from certenroll.stores import properties
from certenroll.stores.properties import Enrollment

_LONGEST_TEXT: Final = 260  # characters


def _short(text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        raise ComError(HRESULT.WIN32_FILENAME_EXCED_RANGE, f"{len(text)} characters; {_LONGEST_TEXT} are allowed")
    return text


class ICertPropertyArchived(ICertProperty):
    """Whether the certificate is archived. On a certificate the property is there, and empty, or it is not there."""

    fixed_id = properties.ARCHIVED

    def __init__(self) -> None:
        super().__init__()
        self._archived = True

    def Initialize(self, ArchivedValue: bool) -> None:
        """Takes the value. Raises WIN32_ALREADY_INITIALIZED the second time."""
        self.take_value(b"")
        self._archived = ArchivedValue

    @property
    def Archived(self) -> bool:
        """Whether the certificate is archived. Raises OLE_E_BLANK before an Initialize method."""
        self._value.get()
        return self._archived

    def value_bytes(self) -> bytes:
        """The value, which is empty. Raises OLE_E_BLANK; CERTSRV_E_PROPERTY_EMPTY for "not archived", which has none."""
        value = self.stored_value()
        if value is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "a certificate that is not archived does not have the property")
        return value

    def stored_value(self) -> bytes | None:
        """The value, or None for "not archived"; an empty value is what Windows writes too. Raises OLE_E_BLANK."""
        value = self._value.get()
        return value if self._archived else None


class ICertPropertyArchivedKeyHash(ICertProperty):
    """The hash of the encrypted private key that was archived."""

    fixed_id = properties.ARCHIVED_KEY_HASH

    def Initialize(self, Encoding: EncodingType, strArchivedKeyHashValue: str | bytes) -> None:
        """Takes the hash. Raises WIN32_ALREADY_INITIALIZED the second time."""
        self.take_value(decode_text(strArchivedKeyHashValue, Encoding))

    def ArchivedKeyHash(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The hash. Raises OLE_E_BLANK before an Initialize method."""
        return encode_text(self.value_bytes(), Encoding)


class ICertPropertyAutoEnroll(ICertProperty):
    """The template by which autoenrollment renews the certificate."""

    fixed_id = properties.AUTO_ENROLL

    def Initialize(self, strTemplateName: str) -> None:
        """Takes the template's name or object id. Raises WIN32_ALREADY_INITIALIZED the second time."""
        self.take_value(properties.encode_text(strTemplateName))

    @property
    def TemplateName(self) -> str:
        """The template's name or object id. Raises OLE_E_BLANK before an Initialize method."""
        return properties.decode_text(self.value_bytes())


class ICertPropertyBackedUp(ICertProperty):
    """Whether and when the certificate was backed up."""

    fixed_id = properties.BACKED_UP

    def InitializeFromCurrentTime(self, BackedUpValue: bool) -> None:
        """Takes the value and the time of now. Raises WIN32_ALREADY_INITIALIZED the second time."""
        self.take_value(properties.encode_backed_up(BackedUpValue, utc_now()))

    def Initialize(self, BackedUpValue: bool, Date: object) -> None:
        """Takes the value and a date.

        Args:
            BackedUpValue: whether there is a backup.
            Date: when it was made: days since 30 December 1899 as a number, or a datetime; UTC.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED the second time, WIN32_INVALID_DATA for a date that is none or is not
                between the years 1900 and 9999.
        """
        self.take_value(properties.encode_backed_up(BackedUpValue, moment_of(Date)))

    @property
    def BackedUpValue(self) -> bool:
        """Whether there is a backup. Raises OLE_E_BLANK before an Initialize method."""
        return properties.decode_backed_up(self.value_bytes())[0]

    @property
    def BackedUpTime(self) -> float:
        """When it was made: days since 30 December 1899, UTC. Raises OLE_E_BLANK before an Initialize method."""
        return days_of(properties.decode_backed_up(self.value_bytes())[1])


class ICertPropertyDescription(ICertProperty):
    """A description for the user's eyes."""

    fixed_id = properties.DESCRIPTION

    def Initialize(self, strDescription: str) -> None:
        """Takes the text.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED the second time, WIN32_FILENAME_EXCED_RANGE above 260
                characters.
        """
        self.take_value(properties.encode_text(_short(strDescription)))

    @property
    def Description(self) -> str:
        """The text. Raises OLE_E_BLANK before an Initialize method."""
        return properties.decode_text(self.value_bytes())


class ICertPropertyEnrollment(ICertProperty):
    """Which CA has the request, and under what number."""

    fixed_id = properties.ENROLLMENT

    def Initialize(self, RequestId: int, strCADnsName: str, strCAName: str, strFriendlyName: str = "") -> None:
        """Takes the values.

        Args:
            RequestId: the CA's number of the request.
            strCADnsName, strCAName: the two halves of the CA's configuration string.
            strFriendlyName: the display name of the certificate to come, or "".

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED the second time, WIN32_INVALID_DATA for a number above 31 bits.
        """
        self.take_value(properties.encode_enrollment(Enrollment(RequestId, strCADnsName, strCAName, strFriendlyName)))

    @property
    def RequestId(self) -> int:
        """The CA's number of the request. Raises OLE_E_BLANK before an Initialize method."""
        return self._enrollment().request_id

    @property
    def CADnsName(self) -> str:
        """The first half of the CA's configuration string. Raises OLE_E_BLANK before an Initialize method."""
        return self._enrollment().ca_dns_name

    @property
    def CAName(self) -> str:
        """The second half of the CA's configuration string. Raises OLE_E_BLANK before an Initialize method."""
        return self._enrollment().ca_name

    @property
    def FriendlyName(self) -> str:
        """The display name of the certificate to come, or "". Raises OLE_E_BLANK before an Initialize method."""
        return self._enrollment().friendly_name

    def _enrollment(self) -> Enrollment:
        return properties.decode_enrollment(self.value_bytes())


class ICertPropertyFriendlyName(ICertProperty):
    """The display name of the certificate."""

    fixed_id = properties.FRIENDLY_NAME

    def Initialize(self, strFriendlyName: str) -> None:
        """Takes the name.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED the second time, WIN32_FILENAME_EXCED_RANGE above 260
                characters.
        """
        self.take_value(properties.encode_text(_short(strFriendlyName)))

    @property
    def FriendlyName(self) -> str:
        """The name. Raises OLE_E_BLANK before an Initialize method."""
        return properties.decode_text(self.value_bytes())


class ICertPropertyKeyProvInfo(ICertProperty):
    """Where the private key of the certificate is."""

    fixed_id = properties.KEY_PROV_INFO

    def __init__(self) -> None:
        super().__init__()
        self._private_key: IX509PrivateKey | None = None

    def Initialize(self, pValue: IX509PrivateKey | None) -> None:
        """Takes a private key, and opens it where it is not open.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY for no key, WIN32_ALREADY_INITIALIZED the second time,
                CRYPT_E_UNEXPECTED_MSG_TYPE where the key's container is not there, and what IX509PrivateKey.Open raises.
        """
        self._blank_id()
        if pValue is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no private key was given")
        open_private_key(pValue)
        self.take_value(properties.encode_key_info(pValue.provider_info()))
        self._private_key = pValue

    @property
    def PrivateKey(self) -> IX509PrivateKey:
        """The key: the object that Initialize was given, else one that Open finds it by. Raises OLE_E_BLANK."""
        value = self.value_bytes()
        if self._private_key is None:
            self._private_key = private_key_object(properties.decode_key_info(value))
        return self._private_key


class ICertPropertyRenewal(ICertProperty):
    """The SHA-1 hash of the certificate that took this one's place."""

    fixed_id = properties.RENEWAL

    def Initialize(self, Encoding: EncodingType, strRenewalValue: str | bytes) -> None:
        """Takes the hash. Raises WIN32_ALREADY_INITIALIZED the second time, WIN32_INVALID_DATA for other than 20 octets."""
        self.take_value(decode_text(strRenewalValue, Encoding))

    def InitializeFromCertificateHash(
        self, MachineContext: bool, Encoding: EncodingType, strCertificate: str | bytes
    ) -> None:
        """Takes the hash of the new certificate, which need not be in a store where it is given whole.

        Args:
            MachineContext: whether the machine's stores are searched, and not the user's.
            Encoding: how the text holds the certificate; HEXRAW lets it be a thumbprint or a serial number.
            strCertificate: the new certificate.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED the second time, CRYPT_E_NOT_FOUND for digits that name no certificate,
                CRYPT_E_ASN1_* for what is no certificate.
        """
        contexts = X509CertificateEnrollmentContext
        workspace = open_workspace(contexts.ContextMachine if MachineContext else contexts.ContextUser)
        certificate = certificate_bytes(workspace, decode_text(strCertificate, Encoding), digits=is_hex(Encoding))
        self.take_value(read_certificate(certificate).sha1)

    def Renewal(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The hash. Raises OLE_E_BLANK before an Initialize method."""
        return encode_text(self.value_bytes(), Encoding)


class ICertPropertyRequestOriginator(ICertProperty):
    """The computer that the request came from."""

    fixed_id = properties.REQUEST_ORIGINATOR

    def Initialize(self, strRequestOriginator: str) -> None:
        """Takes the computer's DNS name. Raises WIN32_ALREADY_INITIALIZED the second time."""
        self.take_value(properties.encode_text(strRequestOriginator))

    def InitializeFromLocalRequestOriginator(self) -> None:
        """Takes the name of this computer. Raises WIN32_ALREADY_INITIALIZED the second time."""
        self.take_value(properties.encode_text(client_identity().machine))

    @property
    def RequestOriginator(self) -> str:
        """The computer's DNS name. Raises OLE_E_BLANK before an Initialize method."""
        return properties.decode_text(self.value_bytes())


class ICertPropertySHA1Hash(ICertProperty):
    """The certificate's thumbprint."""

    fixed_id = SHA1_HASH

    def Initialize(self, Encoding: EncodingType, strRenewalValue: str | bytes) -> None:
        """Takes the hash. Raises WIN32_ALREADY_INITIALIZED the second time, WIN32_INVALID_DATA for other than 20 octets."""
        self.take_value(decode_text(strRenewalValue, Encoding))

    def SHA1Hash(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The hash. Raises OLE_E_BLANK before an Initialize method."""
        return encode_text(self.value_bytes(), Encoding)


KINDS: Final[dict[int, type[ICertProperty]]] = {
    kind.fixed_id: kind
    for kind in (
        ICertPropertyArchived,
        ICertPropertyArchivedKeyHash,
        ICertPropertyAutoEnroll,
        ICertPropertyBackedUp,
        ICertPropertyDescription,
        ICertPropertyEnrollment,
        ICertPropertyEnrollmentPolicyServer,
        ICertPropertyFriendlyName,
        ICertPropertyKeyProvInfo,
        ICertPropertyRenewal,
        ICertPropertyRequestOriginator,
        ICertPropertySHA1Hash,
    )
}


def property_object(property_id: int, value: bytes) -> ICertProperty:
    """A property with its value, as the object of its kind. Raises PropertyError where the value is not of that form."""
    made = KINDS.get(property_id, ICertProperty)()
    made.PropertyId = property_id
    made.take_value(value)
    return made
