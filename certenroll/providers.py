"""ICspInformation and ICspInformations: what the cryptographic providers are and which of them are here.

Answers from the table of ``keystores.providers``; asks no device. Algorithms stand in ``csp_algorithms``, statuses in
``provider_statuses``; both are exported from here. Where Microsoft's pages are silent, docs/analysis/providers.md says
what was chosen. Source: the nf-certenroll-icsp* pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from certenroll.com import ComCollection, ComObject, Slot
from certenroll.csp_algorithms import ICspAlgorithm, ICspAlgorithms, fitting_algorithms, named
from certenroll.enums import AlgorithmOperationFlags, X509KeySpec, X509ProviderType
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, IObjectIds, object_id
from certenroll.provider_algorithms import CIPHER, HASH, algorithms_of
from certenroll.provider_statuses import ICspStatus, ICspStatuses, make_status, statuses_for
from keystores.access import installed
from keystores.providers import Provider, default_provider, find_provider, listed_providers

__all__ = [
    "ICspAlgorithm",
    "ICspAlgorithms",
    "ICspInformation",
    "ICspInformations",
    "ICspStatus",
    "ICspStatuses",
    "statuses_for",
]

_CSP_VERSION, _KSP_VERSION = 0x200, 0x10000
_MACHINE_DESCRIPTOR: Final = "D:P(A;;GA;;;SY)(A;;GA;;;BA)"
_USER_DESCRIPTOR: Final = "D:P(A;;GA;;;SY)(A;;GA;;;OW)"


class ICspInformation(ComObject):
    """What a provider is."""

    def __init__(self) -> None:
        self._provider: Slot[Provider] = Slot("the provider")
        self._algorithms: ICspAlgorithms | None = None

    def InitializeFromName(self, strName: str) -> None:
        """Takes a provider by name, without regard to case.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, NTE_KEYSET_NOT_DEF where there is none of that name.
        """
        self._provider.set(find_provider(strName))

    def InitializeFromType(self, Type: X509ProviderType, pAlgorithm: IObjectId | None, MachineContext: bool) -> None:
        """Takes the default provider of a type.

        Args:
            Type: a CSP type; XCN_PROV_NONE for the default KSP.
            pAlgorithm: an algorithm that the provider must have; needed with XCN_PROV_NONE.
            MachineContext: whose default; both contexts have the same.

        Raises:
            ComError: E_INVALIDARG where neither is given, NTE_PROV_TYPE_NOT_DEF for a type without a provider,
                NTE_BAD_ALGID where the provider lacks the algorithm, WIN32_ALREADY_INITIALIZED on the second time.
        """
        if Type == X509ProviderType.XCN_PROV_NONE and pAlgorithm is None:
            raise BadArgument(HRESULT.E_INVALIDARG, "a provider type or an algorithm is needed", argerror=0)
        provider = default_provider(Type)
        oids = {oid for one in algorithms_of(provider) for oid in one.oids.values()}
        if pAlgorithm is not None and pAlgorithm.Value not in oids:
            raise ComError(HRESULT.NTE_BAD_ALGID, f"{provider.name} has no algorithm {pAlgorithm.Value}")
        self._provider.set(provider)

    def GetDefaultSecurityDescriptor(self, MachineContext: bool) -> str:
        """The SDDL that a key gets. What protects a software key here is its file's mode.

        Raises:
            ComError: OLE_E_BLANK, and NTE_NOT_FOUND where keys live in a device, which knows no descriptors.
        """
        if self._provider.get().store != "software":
            raise ComError(HRESULT.NTE_NOT_FOUND, "a device keeps no security descriptors")
        return _MACHINE_DESCRIPTOR if MachineContext else _USER_DESCRIPTOR

    def GetCspStatusFromOperations(self, pAlgorithm: IObjectId | None, Operations: AlgorithmOperationFlags) -> ICspStatus:
        """The status of the first algorithm that fits.

        Args:
            pAlgorithm: the algorithm's object id, or None for any.
            Operations: what it must do; the preference flags pick among those that fit.

        Raises:
            ComError: OLE_E_BLANK, E_INVALIDARG where a preference is asked of ciphers or hashes,
                CERTSRV_E_PROPERTY_EMPTY where nothing fits.
        """
        found = fitting_algorithms(self.algorithm_items(), pAlgorithm.Value if pAlgorithm is not None else None, Operations)
        if not found:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, f"{self.Name} has no algorithm that does this")
        return make_status(self, found[0])

    @property
    def CspAlgorithms(self) -> ICspAlgorithms:
        """The algorithms of the provider: its keys first. Raises OLE_E_BLANK."""
        if self._algorithms is None:
            self._algorithms = ICspAlgorithms([ICspAlgorithm(one) for one in algorithms_of(self._provider.get())])
        return self._algorithms

    @property
    def Name(self) -> str:
        """The provider's name. Raises OLE_E_BLANK."""
        return self._provider.get().name

    @property
    def Type(self) -> X509ProviderType:
        """The CSP type; XCN_PROV_NONE for a KSP. Raises OLE_E_BLANK."""
        return X509ProviderType(self._provider.get().type)

    @property
    def Version(self) -> int:
        """The version: 0x200 (2.0) of a CSP, 0x10000 (1.0) of a KSP. Raises OLE_E_BLANK."""
        return _CSP_VERSION if self._provider.get().legacy else _KSP_VERSION

    @property
    def KeySpec(self) -> int:
        """What keys are for: 0 for a KSP, else 1 (exchange), 2 (signature) or 3 (both). Raises OLE_E_BLANK."""
        return self._provider.get().key_spec

    @property
    def LegacyCsp(self) -> bool:
        """Whether it is a CSP of CryptoAPI and not a KSP of CNG. Raises OLE_E_BLANK."""
        return self._provider.get().legacy

    @property
    def MaxKeyContainerNameLength(self) -> int:
        """The longest container name, in characters. Raises OLE_E_BLANK."""
        return self._provider.get().max_container

    @property
    def HasHardwareRandomNumberGenerator(self) -> bool:
        """Whether random bytes come from hardware: they do in a TPM. Raises OLE_E_BLANK."""
        return self._provider.get().store == "tpm"

    @property
    def IsHardwareDevice(self) -> bool:
        """Whether keys live in a device. Raises OLE_E_BLANK."""
        return self._provider.get().store != "software"

    @property
    def IsRemovable(self) -> bool:
        """Whether the device can be pulled out. Raises OLE_E_BLANK."""
        return self._provider.get().store == "smartcard"

    @property
    def IsSmartCard(self) -> bool:
        """Whether the device is a smart card. Raises OLE_E_BLANK."""
        return self._provider.get().store == "smartcard"

    @property
    def IsSoftwareDevice(self) -> bool:
        """Whether keys live in files. Raises OLE_E_BLANK."""
        return self._provider.get().store == "software"

    @property
    def Valid(self) -> bool:
        """Whether what the provider needs is installed; a card or a TPM need not be there. Raises OLE_E_BLANK."""
        return installed(self._provider.get().store)

    def algorithm_items(self) -> Sequence[ICspAlgorithm]:
        """The items of CspAlgorithms. Raises OLE_E_BLANK."""
        return list(self.CspAlgorithms)


class ICspInformations(ComCollection[ICspInformation]):
    """A collection of providers."""

    _item_type_ = "ICspInformation"

    def AddAvailableCsps(self) -> None:
        """Adds the providers of this machine, CSPs before KSPs. Raises WIN32_INVALID_OPERATION where it is not empty."""
        if self._items:
            raise ComError(HRESULT.WIN32_INVALID_OPERATION, "the collection is not empty; call Clear first")
        self._items.extend(_available())

    def ItemByName(self, strName: str) -> ICspInformation:
        """The provider of that name, without regard to case. Raises WIN32_NOT_FOUND."""
        return named(self._items, strName, lambda item: item.Name)

    def GetCspStatusFromProviderName(self, strProviderName: str, LegacyKeySpec: X509KeySpec) -> ICspStatus:
        """The status of a provider of the collection.

        Args:
            strProviderName: the provider's name, or "algorithm, provider".
            LegacyKeySpec: what a CSP's key is for; looked at where no algorithm is named.

        Raises:
            ComError: WIN32_NOT_FOUND where the collection has no such provider, or it no such algorithm.
        """
        algorithm, comma, provider = strProviderName.partition(",")
        information = self.ItemByName(provider.strip() if comma else strProviderName.strip())
        if comma:
            return make_status(information, information.CspAlgorithms.ItemByName(algorithm.strip()))
        keys = [item for item in information.algorithm_items() if item.Operations not in (CIPHER, HASH)]
        if information.LegacyCsp:
            keys = [item for item in keys if item.algorithm_facts().key_spec == LegacyKeySpec]
        if not keys:
            raise ComError(HRESULT.WIN32_NOT_FOUND, f"{information.Name} has no algorithm for key spec {int(LegacyKeySpec)}")
        return make_status(information, keys[0])

    def GetCspStatusesFromOperations(
        self, Operations: AlgorithmOperationFlags, pCspInformation: ICspInformation | None
    ) -> ICspStatuses:
        """The statuses of every algorithm that fits, numbered in order.

        Args:
            Operations: what an algorithm must do; the preference flags order those that fit.
            pCspInformation: one provider, or None for all of the collection.

        Raises:
            ComError: E_INVALIDARG where a preference is asked of ciphers or hashes.
        """
        providers = self._items if pCspInformation is None else [pCspInformation]
        statuses = ICspStatuses()
        for provider in providers:
            for item in fitting_algorithms(provider.algorithm_items(), None, Operations):
                statuses.Add(make_status(provider, item, statuses.Count))
        return statuses

    def GetEncryptionCspAlgorithms(self, pCspInformation: ICspInformation | None) -> ICspAlgorithms:
        """The ciphers of a provider, or of all providers of this machine where None is given; each name once."""
        found: dict[str, ICspAlgorithm] = {}
        for item in _of_kind(pCspInformation, CIPHER):
            found.setdefault(item.Name, item)
        return ICspAlgorithms(list(found.values()))

    def GetHashAlgorithms(self, pCspInformation: ICspInformation | None) -> IObjectIds:
        """The object ids of the hashes of a provider, or of all of this machine where None is given; each once."""
        hashes = _of_kind(pCspInformation, HASH)
        oids = dict.fromkeys(oid for item in hashes for oid in item.algorithm_facts().oids.values())
        return IObjectIds([object_id(oid) for oid in oids])


def information(name: str) -> ICspInformation:
    """An initialized ICspInformation. Raises ComError NTE_KEYSET_NOT_DEF."""
    made = ICspInformation()
    made.InitializeFromName(name)
    return made


def _available() -> list[ICspInformation]:
    return [information(provider.name) for provider in listed_providers() if installed(provider.store)]


def _of_kind(provider: ICspInformation | None, kind: AlgorithmOperationFlags) -> Iterable[ICspAlgorithm]:
    providers = _available() if provider is None else [provider]
    return (item for one in providers for item in one.algorithm_items() if item.Operations == kind and item.Valid)
