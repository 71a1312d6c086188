"""IX509PrivateKey: a private key in a key store, by container.

``private_key_properties`` holds what a script set; the key stores do the work. Knows no requests. ``KeyLocation`` is not
Microsoft's: it is the KeyLocation of the ClientCertificateInstall CSP (1 TPM, 2 TPM if there is one, 3 software, 4 a named
container on a smart card) on the object itself.

Source: the nf-certenroll-ix509privatekey-* and ix509privatekey2-* pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from certenroll.encodings import decode_text, encode_text
from certenroll.engine.key_creation import PendingKey, make_key, open_key
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enums import EncodingType, X509CertificateEnrollmentContext, X509PrivateKeyVerify
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.private_key_properties import BASE64, PrivateKeyProperties
from keystores.base import StoredKey

if TYPE_CHECKING:
    from certenroll.public_keys import IX509PublicKey
    from certenroll.stores.properties import KeyProviderInfo


class IX509PrivateKey(PrivateKeyProperties):
    """A private key: made by Create, found by Open, used by the request that it is given to."""

    def __init__(self) -> None:
        super().__init__()
        self._pending: PendingKey | None = None
        self._certificate = b""

    def Open(self) -> None:
        """Opens the existing key of ContainerName.

        Raises:
            ComError: NTE_BAD_KEYSET where there is none, WIN32_BUSY where a key is open already, and the key store's
                own codes (SCARD_W_WRONG_CHV, TBS_E_TPM_NOT_FOUND, ...).
        """
        self._refuse_opened()
        self._take(*open_key(self._workspace(), self._order()))
        self._was_there = True

    def Create(self) -> None:
        """Makes a new key pair.

        Raises:
            ComError: WIN32_BUSY where a key is open already, WIN32_FILE_EXISTS where Existing says that the key is
                there, NTE_EXISTS where its container is, NTE_BAD_LEN for a length that the provider has not, and the
                key store's own codes. Nothing is left behind.
        """
        self.create_pending()
        self.confirm_creation()

    def Close(self) -> None:
        """Lets go of the key; the container stays."""
        self.confirm_creation()
        self._opened_key = None

    def Delete(self) -> None:
        """Deletes the key's container.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY where neither a container nor an open key says which, NTE_BAD_KEYSET where
                there is no such container.
        """
        workspace = self._workspace()
        if self._opened_key is None:
            self._require_container()
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
        self._require_container()
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
            ComError: WIN32_FILE_READ_ONLY where a key is open already, WIN32_CALL_NOT_IMPLEMENTED for a form that a CSP
                has not, NTE_BAD_TYPE for one that nobody has, NTE_BAD_DATA for a key that cannot be read, and what
                Create raises.
        """
        from certenroll.key_blobs import read_key

        if self._opened_key is not None:
            raise ComError(HRESULT.WIN32_FILE_READ_ONLY, "a key is open already; call Close first")
        key = read_key(strExportType, decode_text(strEncodedKey, Encoding), legacy=self.LegacyCsp)
        self._take(*make_key(self._workspace(), self._order(), existing=key))
        self._was_there = True
        self.confirm_creation()

    def Export(self, strExportType: str, Encoding: EncodingType = BASE64) -> str | bytes:
        """The key in the form ``strExportType``.

        Raises:
            ComError: NTE_BAD_KEY_STATE where the key may not be exported, WIN32_CALL_NOT_IMPLEMENTED for a form that a
                CSP has not, NTE_BAD_TYPE for one that nobody has, CERTSRV_E_PROPERTY_EMPTY where no key is open.
        """
        from certenroll.key_blobs import check_form, is_public, write_key, write_public_key

        stored_key = self.stored_key()
        if is_public(strExportType):
            public_key = stored_key.private_key.public_key()
            return encode_text(write_public_key(strExportType, public_key, legacy=self.LegacyCsp), Encoding)
        check_form(strExportType, legacy=self.LegacyCsp)
        key = self._workspace().key_stores.export(stored_key.info.store, stored_key.info.container, pin=self._pin)
        return encode_text(write_key(strExportType, key, legacy=self.LegacyCsp), Encoding)

    def ExportPublicKey(self) -> IX509PublicKey:
        """The public key. Raises CERTSRV_E_PROPERTY_EMPTY where no key is open."""
        from certenroll.public_keys import public_key_from_spki

        return public_key_from_spki(self.stored_key().info.public_key)

    @property
    def UniqueContainerName(self) -> str:
        """Where the key is: a file's path or a PKCS#11 URI. Raises CERTSRV_E_PROPERTY_EMPTY where no key is open."""
        return self.stored_key().info.reference

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

    def is_on_smart_card(self) -> bool:
        """Whether the key is on a smart card, or would be made on one."""
        if self._provider_info is not None:
            return self._provider_info.store == "smartcard"
        return "smartcard" in self._order().route.stores

    def create_pending(self) -> None:
        """Makes the key and leaves its intent open: a crash before confirm_creation deletes the key again."""
        self._refuse_opened()
        if self.Existing:
            raise ComError(HRESULT.WIN32_FILE_EXISTS, "Existing says that the key is there already; call Open")
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

    def _require_container(self) -> None:
        if not self._container_name():
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no container is named and no key is open")

    def _refuse_opened(self) -> None:
        if self._opened_key is not None:
            raise ComError(HRESULT.WIN32_BUSY, "a key is open already; call Close first")

    def _workspace(self) -> Workspace:
        contexts = X509CertificateEnrollmentContext
        return open_workspace(contexts.ContextMachine if self.MachineContext else contexts.ContextUser)


IX509PrivateKey2 = IX509PrivateKey
