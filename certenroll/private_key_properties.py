"""What an IX509PrivateKey is told before its key is there: provider, container, algorithm, uses, and the order they make.

Some properties set others to match (provider, type, legacy, key spec, usage): the setters do it as Microsoft's pages say.
Knows no key store. Source: the nf-certenroll-ix509privatekey-get_* and ix509privatekey2-get_* pages.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from certenroll.com import ComObject, stored
from certenroll.encodings import decode_text, encode_text
from certenroll.engine.key_creation import KeyOrder
from certenroll.enums import (
    AlgorithmFlags,
    EncodingType,
    X509HardwareKeyUsageFlags,
    X509KeyParametersExportType,
    X509KeySpec,
    X509PrivateKeyExportFlags,
    X509PrivateKeyProtection,
    X509PrivateKeyUsageFlags,
    X509ProviderType,
)
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, object_id
from keystores.base import Secret, StoredKey
from keystores.errors import KeyStoreError
from keystores.providers import Provider, find_provider

if TYPE_CHECKING:
    from certenroll.providers import ICspInformations, ICspStatus
    from certenroll.stores.properties import KeyProviderInfo

RSA: Final = "1.2.840.113549.1.1.1"
BASE64: Final = EncodingType.XCN_CRYPT_STRING_BASE64
_OPEN: Final = "_opened_key"
_USAGES: Final = {
    X509KeySpec.XCN_AT_SIGNATURE: X509PrivateKeyUsageFlags.XCN_NCRYPT_ALLOW_SIGNING_FLAG,
    X509KeySpec.XCN_AT_KEYEXCHANGE: X509PrivateKeyUsageFlags.XCN_NCRYPT_ALLOW_DECRYPT_FLAG
    | X509PrivateKeyUsageFlags.XCN_NCRYPT_ALLOW_KEY_AGREEMENT_FLAG,
}

# The properties that a template fixes, and where they are kept.
_OF_TEMPLATE: Final = {
    "ProviderName": "_provider",
    "Algorithm": "_algorithm",
    "Length": "_length",
    "KeySpec": "_key_spec",
    "KeyUsage": "_usage",
    "ExportPolicy": "_export",
    "SecurityDescriptor": "_descriptor",
    "KeyProtection": "_protection",
}
_OF_ALGORITHM: Final = frozenset({"_length", "_usage", "_key_spec"})  # of a template's RSA key they say nothing of a curve
_OF_PROVIDER: Final = frozenset({"_provider", "_provider_type", "_legacy"})


def _known_provider(name: str) -> Provider | None:
    """The provider of that name; None for one that is not known, which is refused when a key is made."""
    try:
        return find_provider(name)
    except KeyStoreError:
        return None


class PrivateKeyProperties(ComObject):
    """The properties of a private key; those that are sealed once a key is open say WIN32_ALREADY_INITIALIZED."""

    def __init__(self) -> None:
        self._opened_key: StoredKey | None = None
        self._provider_info: KeyProviderInfo | None = None
        self._pin: Secret | None = None
        self._csp_informations: ICspInformations | None = None
        self._csp_status: ICspStatus | None = None
        self._parameters = b""
        self._was_there = False
        self._template: dict[str, Any] = {}  # what a template says of what was not set: attribute -> value

    ContainerName = stored("str", "_container", "", "The container; empty has a GUID made.", until=_OPEN)
    ContainerNamePrefix = stored("str", "_prefix", "lp-", "What a generated container name begins with.", until=_OPEN)
    ReaderName = stored("str", "_reader", "", "The card reader; the profile's URI chooses the token.", until=_OPEN)
    Length = stored("int", "_length", 0, "Bits; 0 is the provider's default.", until=_OPEN)
    ExportPolicy = stored(
        "X509PrivateKeyExportFlags", "_export", X509PrivateKeyExportFlags(0), "Whether the key may be exported.", until=_OPEN
    )
    KeyUsage = stored("X509PrivateKeyUsageFlags", "_usage", X509PrivateKeyUsageFlags(0), "Its uses.", until=_OPEN)
    KeyProtection = stored(
        "X509PrivateKeyProtection", "_protection", X509PrivateKeyProtection(0), "Kept; a PIN protects.", until=_OPEN
    )
    MachineContext = stored("bool", "_machine", False, "Whether the key is the machine's.", until=_OPEN)
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

    @property
    def ProviderName(self) -> str:
        """The provider: as set, and once the key is there the one that holds it."""
        return self._provider_info.provider_name if self._provider_info is not None else self._asked_provider()

    @ProviderName.setter
    def ProviderName(self, Value: str) -> None:
        self._unsealed()
        self._provider = Value
        known = _known_provider(Value)
        if known is not None:
            self._provider_type = X509ProviderType(known.type)
            self._legacy = known.legacy
            self.KeySpec = X509KeySpec.XCN_AT_SIGNATURE if known.legacy else X509KeySpec.XCN_AT_NONE

    @property
    def ProviderType(self) -> X509ProviderType:
        """The CSP's type; XCN_PROV_NONE is a KSP. Setting it sets LegacyCsp and KeySpec to match."""
        return X509ProviderType(self._kept("_provider_type", 0))

    @ProviderType.setter
    def ProviderType(self, Value: X509ProviderType) -> None:
        self._unsealed()
        self._provider_type = Value
        self._match_spec(legacy=Value != X509ProviderType.XCN_PROV_NONE)

    @property
    def LegacyCsp(self) -> bool:
        """Whether the provider is a CSP and not a KSP. Setting it sets ProviderType and KeySpec to match."""
        return bool(self._kept("_legacy", False))

    @LegacyCsp.setter
    def LegacyCsp(self, Value: bool) -> None:
        self._unsealed()
        kind = self.ProviderType or X509ProviderType.XCN_PROV_RSA_FULL
        self._provider_type = kind if Value else X509ProviderType.XCN_PROV_NONE
        self._match_spec(legacy=Value)

    @property
    def KeySpec(self) -> X509KeySpec:
        """Exchange, signature or neither (a KSP's key). Setting it sets KeyUsage to match."""
        return X509KeySpec(self._kept("_key_spec", 0))

    @KeySpec.setter
    def KeySpec(self, Value: X509KeySpec) -> None:
        self._unsealed()
        self._key_spec = Value
        if Value in _USAGES:
            self.__dict__.pop("_usage", None)  # it follows from the key spec, as long as that stays

    @property
    def Algorithm(self) -> IObjectId:
        """The public key algorithm: RSA, ECDSA_P256 and its like by their curves' object ids."""
        return self._kept("_algorithm", None) or object_id(RSA)

    @Algorithm.setter
    def Algorithm(self, pValue: IObjectId) -> None:
        self._unsealed()
        self._algorithm = pValue

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
        self._unsealed()
        self._csp_informations = pValue

    @property
    def CspStatus(self) -> ICspStatus:
        """The provider and algorithm that were chosen. Raises CERTSRV_E_PROPERTY_EMPTY where none were."""
        if self._csp_status is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no provider status was set")
        return self._csp_status

    @CspStatus.setter
    def CspStatus(self, pValue: ICspStatus) -> None:
        self._unsealed()
        self._csp_status = pValue
        self.ProviderName = pValue.CspInformation.Name
        if pValue.key_spec():
            self.KeySpec = X509KeySpec(pValue.key_spec())
        algorithm = pValue.chosen_algorithm()
        if algorithm is not None:
            self.Algorithm = algorithm.GetAlgorithmOid(0, AlgorithmFlags.AlgorithmFlagsNone)

    @property
    def Existing(self) -> bool:
        """Whether the key is expected to be there; once it has been made, imported or opened, it is."""
        return bool(self.__dict__.get("_existing", False)) or self.Opened

    @Existing.setter
    def Existing(self, Value: bool) -> None:
        self._unsealed()
        self._existing = Value

    @property
    def Pin(self) -> str:
        """The PIN of the key or the card; can only be written."""
        raise ComError(HRESULT.DISP_E_MEMBERNOTFOUND, "a PIN can only be written")

    @Pin.setter
    def Pin(self, Value: str) -> None:
        self._unsealed()
        self._pin = Secret(Value)

    @property
    def Opened(self) -> bool:
        """Whether a key is in hand."""
        return self._opened_key is not None

    def AlgorithmParameters(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The curve's parameters, as set. Raises CERTSRV_E_PROPERTY_EMPTY where none were."""
        if not self._parameters:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no parameters were set")
        return encode_text(self._parameters, Encoding)

    def SetAlgorithmParameters(self, Encoding: EncodingType, Value: str | bytes) -> None:
        """Sets the parameters of the algorithm."""
        self._unsealed()
        self._parameters = decode_text(Value, Encoding)

    def pin_secret(self) -> Secret | None:
        """The PIN that was set, or None."""
        return self._pin

    @property
    def was_there(self) -> bool:
        """Whether the key was there before this object: it was opened or imported, or is expected to be there."""
        return self._was_there or (bool(self.__dict__.get("_existing", False)))

    def take_template(self, says: Mapping[str, Any]) -> None:
        """Takes what a template says of a key that is still to be made; what a script sets, sooner or later, is above it.

        Args:
            says: by property; one that is missing is left open.
        """
        self._template = {_OF_TEMPLATE[name]: value for name, value in says.items()}
        provider = _known_provider(says.get("ProviderName", ""))
        if provider is not None:
            self._template |= {"_provider_type": X509ProviderType(provider.type), "_legacy": provider.legacy}
            self._template.setdefault("_key_spec", X509KeySpec.XCN_AT_SIGNATURE)

    def _kept(self, attribute: str, default: Any) -> Any:
        """What the script set, else what follows from that, else what the template says, else the default."""
        if attribute in self.__dict__:
            return self.__dict__[attribute]
        if attribute == "_usage" and self.KeySpec in _USAGES:
            return _USAGES[self.KeySpec]
        if attribute in _OF_ALGORITHM and not self._is_of_templates_kind():
            return default
        if attribute == "_key_spec" and not self.LegacyCsp:  # a key spec is for CSPs
            return default
        if attribute in _OF_PROVIDER and _OF_PROVIDER & self.__dict__.keys():
            return default
        return self._template.get(attribute, default)

    def _is_of_templates_kind(self) -> bool:
        own = self.__dict__.get("_algorithm")
        wanted = self._template.get("_algorithm")
        return own is None or own.Value == (wanted.Value if wanted is not None else RSA)

    def _unsealed(self) -> None:
        if self._opened_key is not None:
            raise ComError(HRESULT.WIN32_ALREADY_INITIALIZED, "this can no longer be set: the key is open")

    def _match_spec(self, *, legacy: bool) -> None:
        self._legacy = legacy
        if not legacy:
            self.KeySpec = X509KeySpec.XCN_AT_NONE
        elif self.KeySpec == X509KeySpec.XCN_AT_NONE:
            self.KeySpec = X509KeySpec.XCN_AT_SIGNATURE

    def _container_name(self) -> str:
        return str(self.ContainerName)

    def _asked_provider(self) -> str:
        asked = self.__dict__.get("_provider", "") if self.was_there else self._kept("_provider", "")
        return str(asked)

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
            usage=0 if self.KeySpec == X509KeySpec.XCN_AT_KEYEXCHANGE else self.KeyUsage,  # CSPs sign with such keys too
            export_policy=self.ExportPolicy,
            export_waived="_export" not in self.__dict__,  # a template's wish, which a device need not keep
            pin=self._pin,
        )
