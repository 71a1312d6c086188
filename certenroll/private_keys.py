"""IX509PrivateKey: a private key in a key store, by container.

Translates Microsoft's properties into a key template and a place to keep it; the key stores do the rest. Knows no
requests. ``KeyLocation`` is not Microsoft's: it is the KeyLocation of the ClientCertificateInstall CSP (1 TPM,
2 TPM if there is one, 3 software, 4 a named container on a smart card) on the object itself.

Source: the nf-certenroll-ix509privatekey-* and ix509privatekey2-* pages.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from certenroll.com import ComObject, stored
from certenroll.encodings import decode_text, encode_text
from certenroll.engine.key_creation import KeyOrder, PendingKey, make_key, open_key
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enums import (
    EncodingType,
    X509CertificateEnrollmentContext,
    X509HardwareKeyUsageFlags,
    X509KeyParametersExportType,
    X509KeySpec,
    X509PrivateKeyExportFlags,
    X509PrivateKeyProtection,
    X509PrivateKeyUsageFlags,
    X509PrivateKeyVerify,
    X509ProviderType,
)
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, object_id
from keystores.base import Secret, StoredKey

if TYPE_CHECKING:
    from certenroll.providers import ICspInformations, ICspStatus
    from certenroll.public_keys import IX509PublicKey
    from certenroll.stores.properties import KeyProviderInfo

RSA = "1.2.840.113549.1.1.1"
BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64
_OPEN = "_opened_key"


class IX509PrivateKey(ComObject):
    """A private key: made by Create, found by Open, used by the request that it is given to."""

    def __init__(self) -> None:
        self._opened_key: StoredKey | None = None
        self._provider_info: KeyProviderInfo | None = None
        self._pending: PendingKey | None = None
        self._pin: Secret | None = None
        self._algorithm: IObjectId | None = None
        self._csp_informations: ICspInformations | None = None
        self._csp_status: ICspStatus | None = None
        self._certificate = b""
        self._parameters = b""

    ContainerName = stored("str", "_container", "", "The container; empty has a GUID made.", until=_OPEN)
    ContainerNamePrefix = stored("str", "_prefix", "lp-", "What a generated container name begins with.", until=_OPEN)
    ReaderName = stored("str", "_reader", "", "The card reader; the profile's URI chooses the token.", until=_OPEN)
    ProviderType = stored("X509ProviderType", "_provider_type", X509ProviderType(0), "The CSP's type.", until=_OPEN)
    LegacyCsp = stored("bool", "_legacy", False, "Whether the provider is a CSP and not a KSP.", until=_OPEN)
    KeySpec = stored("X509KeySpec", "_key_spec", X509KeySpec(0), "Exchange, signature or neither (CNG).", until=_OPEN)
    Length = stored("int", "_length", 0, "Bits; 0 is the provider's default.", until=_OPEN)
    ExportPolicy = stored(
        "X509PrivateKeyExportFlags", "_export", X509PrivateKeyExportFlags(0), "Whether the key may be exported.", until=_OPEN
    )
    KeyUsage = stored("X509PrivateKeyUsageFlags", "_usage", X509PrivateKeyUsageFlags(0), "Its uses.", until=_OPEN)
    KeyProtection = stored(
        "X509PrivateKeyProtection", "_protection", X509PrivateKeyProtection(0), "Kept; a PIN protects.", until=_OPEN
    )
    MachineContext = stored("bool", "_machine", False, "Whether the key is the machine's.", until=_OPEN)
    Existing = stored("bool", "_existing", False, "Whether the container is expected to be there.", until=_OPEN)
    Silent = stored("bool", "_silent", False, "Whether anything may be asked of the user.", until=_OPEN)
    UIContextMessage = stored("str", "_ui_message", "", "The text of a dialog; kept, without effect.", until=_OPEN)
    FriendlyName = stored("str", "_friendly_name", "", "A name for the user's eyes.", until=_OPEN)
    Description = stored("str", "_description", "", "A description for the user's eyes.", until=_OPEN)
    SecurityDescriptor = stored("str", "_descriptor", "", "An SDDL string; kept: the file's mode protects a key.")
    ParentWindow = stored("int", "_parent_window", 0, "The window that a dialog would belong to; kept, without effect.")
    KeyLocation = stored("int", "_location", 0, "Not Microsoft's: 1 to 4, or 0 where nothing was said.", until=_OPEN)
    AlternateStorageLocation = stored("str", "_alternate", "", "Kept; the profile says where keys are.", until=_OPEN)
    AlgorithmName = stored("str", "_algorithm_name", "", "The CNG algorithm of the key, for attestation.", until=_OPEN)
    HardwareKeyUsage = stored(
        "X509HardwareKeyUsageFlags", "_hardware_usage", X509HardwareKeyUsageFlags(0), "Which TPM use it has.", until=_OPEN
    )
    ParametersExportType = stored(
        "X509KeyParametersExportType",
        "_parameters_type",
        X509KeyParametersExportType.XCN_CRYPT_OID_USE_CURVE_NONE,
        "How curve parameters are written; named curves are, always.",
        until=_OPEN,
    )

    def Open(self) -> None:
        """Opens the existing key of ContainerName.

        Raises:
            ComError: NTE_BAD_KEYSET where there is none, WIN32_BUSY where a key is open already, and the key store's
                own codes (SCARD_W_WRONG_CHV, TBS_E_TPM_NOT_FOUND, ...).
        """
        self._refuse_opened()
        self._take(*open_key(self._workspace(), self._order()))

    def Create(self) -> None:
        """Makes a new key pair.

        Raises:
            ComError: NTE_EXISTS where the container is there, WIN32_BUSY where a key is open already, NTE_BAD_LEN for
                a length that the provider has not, and the key store's own codes. Nothing is left behind.
        """
        self.create_pending()
        self.confirm_creation()

    def Close(self) -> None:
        """Lets go of the key; the container stays."""
        self.confirm_creation()
        self._opened_key = None

    def Delete(self) -> None:
        """Deletes the key's container. Raises NTE_BAD_KEYSET where there is none."""
        workspace = self._workspace()
        if self._opened_key is None:
            self.Open()
        info = self.stored_key().info
        workspace.key_stores.delete(info.store, info.container, pin=self._pin)
        self.Close()

    def Verify(self, VerifyType: X509PrivateKeyVerify) -> None:
        """Checks that the key is there and can be used, and leaves it closed.

        Args:
            VerifyType: VerifyNone checks nothing; the two smart card values leave a card alone.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY where neither container nor key is named; what Open raises.
        """
        if VerifyType == X509PrivateKeyVerify.VerifyNone or self._opened_key is not None:
            return
        if not self._container_name():
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no container is named")
        skip_card = VerifyType in (X509PrivateKeyVerify.VerifySmartCardNone, X509PrivateKeyVerify.VerifySmartCardSilent)
        order = self._order()
        if skip_card and "smartcard" in order.route.stores:
            return
        open_key(self._workspace(), order)

    def Import(self, strExportType: str, strEncodedKey: str | bytes, Encoding: EncodingType = BASE64) -> None:
        """Puts an existing private key into a new container.

        Args:
            strExportType: the form of the key, a name of key_blobs.FORMATS ("PKCS8_PRIVATEKEY", "RSAPRIVATEBLOB", ...).
            strEncodedKey: the key.
            Encoding: how the text holds it.

        Raises:
            ComError: NTE_BAD_TYPE for a form that is not known, NTE_BAD_DATA for a key that cannot be read, and what
                Create raises.
        """
        from certenroll.key_blobs import read_key

        self._refuse_opened()
        key = read_key(strExportType, decode_text(strEncodedKey, Encoding))
        self._take(*make_key(self._workspace(), self._order(), existing=key))
        self.confirm_creation()

    def Export(self, strExportType: str, Encoding: EncodingType = BASE64) -> str | bytes:
        """The key in the form ``strExportType``.

        Raises:
            ComError: NTE_BAD_KEY_STATE where the key may not be exported, NTE_BAD_TYPE for a form that is not known,
                CERTSRV_E_PROPERTY_EMPTY where no key is open.
        """
        from certenroll.key_blobs import is_public, write_key, write_public_key

        stored_key = self.stored_key()
        if is_public(strExportType):
            return encode_text(write_public_key(strExportType, stored_key.private_key.public_key()), Encoding)
        key = self._workspace().key_stores.export(stored_key.info.store, stored_key.info.container, pin=self._pin)
        return encode_text(write_key(strExportType, key), Encoding)

    def ExportPublicKey(self) -> IX509PublicKey:
        """The public key. Raises CERTSRV_E_PROPERTY_EMPTY where no key is open."""
        from certenroll.public_keys import public_key_from_spki

        return public_key_from_spki(self.stored_key().info.public_key)

    @property
    def CspInformations(self) -> ICspInformations:
        """The providers to choose from: those of this machine where the caller set none."""
        if self._csp_informations is None:
            from certenroll.providers import ICspInformations

            self._csp_informations = ICspInformations()
            self._csp_informations.AddAvailableCsps()
        return self._csp_informations

    @CspInformations.setter
    def CspInformations(self, pValue: ICspInformations) -> None:
        self._refuse_opened()
        self._csp_informations = pValue

    @property
    def CspStatus(self) -> ICspStatus:
        """The provider and algorithm that were chosen. Raises CERTSRV_E_PROPERTY_EMPTY where none were."""
        if self._csp_status is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no provider status was set")
        return self._csp_status

    @CspStatus.setter
    def CspStatus(self, pValue: ICspStatus) -> None:
        self._refuse_opened()
        self._csp_status = pValue
        self._provider = pValue.CspInformation.Name

    @property
    def ProviderName(self) -> str:
        """The provider: as set, and once the key is there the one that holds it."""
        return self._provider_info.provider_name if self._provider_info is not None else self._asked_provider()

    @ProviderName.setter
    def ProviderName(self, Value: str) -> None:
        self._refuse_opened()
        self._provider = Value

    @property
    def Algorithm(self) -> IObjectId:
        """The public key algorithm: RSA, ECDSA_P256 and its like by their curves' object ids."""
        return self._algorithm or object_id(RSA)

    @Algorithm.setter
    def Algorithm(self, pValue: IObjectId) -> None:
        self._refuse_opened()
        self._algorithm = pValue

    @property
    def Pin(self) -> str:
        """The PIN of the key or the card; can only be written."""
        raise ComError(HRESULT.DISP_E_MEMBERNOTFOUND, "a PIN can only be written")

    @Pin.setter
    def Pin(self, Value: str) -> None:
        self._refuse_opened()
        self._pin = Secret(Value)

    @property
    def UniqueContainerName(self) -> str:
        """Where the key is: a file's path or a PKCS#11 URI. Raises CERTSRV_E_PROPERTY_EMPTY where no key is open."""
        return self.stored_key().info.reference

    @property
    def Opened(self) -> bool:
        """Whether a key is in hand."""
        return self._opened_key is not None

    @property
    def DefaultContainer(self) -> bool:
        """Whether the key is in a provider's default container; there are none here."""
        return False

    def Certificate(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The certificate that was set for this key. Raises CERTSRV_E_PROPERTY_EMPTY where none was."""
        if not self._certificate:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no certificate was set")
        return encode_text(self._certificate, Encoding)

    def SetCertificate(self, Encoding: EncodingType, Value: str | bytes) -> None:
        """Sets the certificate of the key. Raises NTE_BAD_PUBLIC_KEY where its key is another."""
        from certenroll.asn1.certificates import read_certificate

        certificate = decode_text(Value, Encoding)
        key = self._opened_key
        if key is not None and read_certificate(certificate).public_key_info != key.info.public_key:
            raise ComError(HRESULT.NTE_BAD_PUBLIC_KEY, "the certificate has another public key")
        self._certificate = certificate

    def AlgorithmParameters(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The curve's parameters, as set. Raises CERTSRV_E_PROPERTY_EMPTY where none were."""
        if not self._parameters:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no parameters were set")
        return encode_text(self._parameters, Encoding)

    def SetAlgorithmParameters(self, Encoding: EncodingType, Value: str | bytes) -> None:
        """Sets the parameters of the algorithm."""
        self._refuse_opened()
        self._parameters = decode_text(Value, Encoding)

    # What the request and the enrollment use.

    def stored_key(self) -> StoredKey:
        """The open key. Raises CERTSRV_E_PROPERTY_EMPTY where none is open."""
        if self._opened_key is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no key is open; call Create or Open")
        return self._opened_key

    def provider_info(self) -> KeyProviderInfo:
        """Which provider and container hold the open key. Raises CERTSRV_E_PROPERTY_EMPTY where none is open."""
        if self._provider_info is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no key is open; call Create or Open")
        return self._provider_info

    def pin_secret(self) -> Secret | None:
        """The PIN that was set, or None."""
        return self._pin

    def create_pending(self) -> None:
        """Makes the key and leaves its intent open: a crash before confirm_creation deletes the key again."""
        self._refuse_opened()
        self._take(*make_key(self._workspace(), self._order()))

    def ready_pending(self) -> None:
        """Has a key in hand: the open one, the existing one, or a new one whose intent stays open."""
        if self._opened_key is not None:
            return
        if self.Existing:
            self.Open()
        else:
            self.create_pending()

    def confirm_creation(self) -> None:
        """Confirms the intent of a new key, if one is open."""
        if self._pending is not None:
            self._pending.confirm()
            self._pending = None

    def discard_creation(self) -> None:
        """Deletes a key that was just made and is not confirmed; any other key stays."""
        if self._pending is not None:
            self._pending.discard(self._pin)
            self._pending = None
            self._opened_key = None
            self._provider_info = None

    def _take(self, key: StoredKey, info: KeyProviderInfo, pending: PendingKey | None) -> None:
        if self._certificate:
            self._check_certificate(key)
        self._opened_key = key
        self._provider_info = info
        self._pending = pending
        self._container = info.container
        self._length = key.info.length

    def _check_certificate(self, key: StoredKey) -> None:
        from certenroll.asn1.certificates import read_certificate

        if read_certificate(self._certificate).public_key_info != key.info.public_key:
            raise ComError(HRESULT.NTE_BAD_PUBLIC_KEY, "the key does not fit the certificate that was set for it")

    def _refuse_opened(self) -> None:
        if self._opened_key is not None:
            raise ComError(HRESULT.WIN32_BUSY, "a key is open already; call Close first")

    def _workspace(self) -> Workspace:
        contexts = X509CertificateEnrollmentContext
        return open_workspace(contexts.ContextMachine if self.MachineContext else contexts.ContextUser)

    def _asked_provider(self) -> str:
        return str(self.__dict__.get("_provider", ""))

    def _container_name(self) -> str:
        return str(self.ContainerName)

    def _order(self) -> KeyOrder:
        return KeyOrder.from_properties(
            location=self.KeyLocation,
            provider=self._asked_provider(),
            provider_type=self.ProviderType,
            container=self._container_name(),
            generated=f"{self.ContainerNamePrefix}{uuid.uuid4()}",
            algorithm=self.Algorithm.Value,
            length=self.Length,
            key_spec=self.KeySpec,
            usage=self.KeyUsage,
            export_policy=self.ExportPolicy,
            pin=self._pin,
        )


IX509PrivateKey2 = IX509PrivateKey
