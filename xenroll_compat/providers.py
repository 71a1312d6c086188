"""What the control tells of cryptographic providers: their names, containers, key lengths and algorithms.

Asks ICspInformations; knows no key store. Source: ICEnroll::enumProviders and enumContainers, ICEnroll3::GetKeyLen,
GetSupportedKeySpec, EnumAlgs and GetAlgName, ICEnroll4::GetKeyLenEx and getProviderType.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import certenroll
from certenroll import facade
from certenroll.enums import XEKL_KEYSIZE, XEKL_KEYSIZE_DEFAULT, XEKL_KEYSPEC
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT
from xenroll_compat import defaults
from xenroll_compat.blob_properties import BlobProperties

T = TypeVar("T")

# KeySpec -> the algorithms of its keys: a CSP has one for each, a KSP has one for both.
_RSA_KEYS: Final = {
    0: ("RSA", "RSA_KEYX"),
    defaults.AT_KEYEXCHANGE: ("RSA", "RSA_KEYX"),
    defaults.AT_SIGNATURE: ("RSA", "RSA_SIGN"),
}
# What GetKeyLenEx is asked for -> the property of ICspAlgorithm.
_SIZES: Final = {
    XEKL_KEYSIZE.XEKL_KEYSIZE_MIN: "MinLength",
    XEKL_KEYSIZE.XEKL_KEYSIZE_MAX: "MaxLength",
    XEKL_KEYSIZE.XEKL_KEYSIZE_INC: "IncrementLength",
    XEKL_KEYSIZE_DEFAULT: "DefaultLength",
}


class ControlProviders(BlobProperties):
    """The methods that tell of providers."""

    def enumProviders(self, dwIndex: int, dwFlags: int) -> str:
        """The name of a provider of ProviderType.

        Args:
            dwIndex: its position, from 0.
            dwFlags: not looked at.

        Raises:
            ComError: WIN32_NO_MORE_ITEMS (0x80070103) past the last one.
        """
        found = certenroll.Dispatch("X509Enrollment.CCspInformations")
        found.AddAvailableCsps()
        return item([str(one.Name) for one in found if one.Type == self.ProviderType], dwIndex)

    def getProviderType(self, strProvName: str) -> int:
        """The type of a provider; 0 for a key storage provider. Raises ComError NTE_KEYSET_NOT_DEF."""
        return int(_information(strProvName).Type)

    def enumContainers(self, dwIndex: int) -> str:
        """The name of a container of the provider's key store (of KeyLocation's, where that is set).

        Args:
            dwIndex: its position, from 0.

        Raises:
            ComError: WIN32_NO_MORE_ITEMS past the last one, and the key store's code where it is not there.
        """
        store = facade.key_store_names(self.KeyLocation, self.ProviderName)[0]
        return item(facade.containers(store, self.enrollment_context()), dwIndex)

    def GetKeyLen(self, fMin: bool, fExchange: bool) -> int:
        """The shortest or longest key that can be had, in bits: by the provider, or by the device that KeyLocation names.

        Args:
            fMin: the shortest one, else the longest.
            fExchange: of exchange keys, else of signature keys.

        Raises:
            ComError: NTE_BAD_ALGID where the provider makes no such keys.
        """
        spec = defaults.AT_KEYEXCHANGE if fExchange else defaults.AT_SIGNATURE
        return self._length(XEKL_KEYSIZE.XEKL_KEYSIZE_MIN if fMin else XEKL_KEYSIZE.XEKL_KEYSIZE_MAX, spec)

    def GetKeyLenEx(self, lSizeSpec: int, lKeySpec: XEKL_KEYSPEC) -> int:
        """A size of the keys that can be had, in bits. Which those are, GetKeyLen says.

        Args:
            lSizeSpec: XEKL_KEYSIZE_MIN, _MAX, _INC or _DEFAULT.
            lKeySpec: XEKL_KEYSPEC_KEYX or XEKL_KEYSPEC_SIG.

        Raises:
            ComError: E_INVALIDARG for another size, NTE_BAD_ALGID where the provider makes no such keys.
        """
        if lSizeSpec not in _SIZES:
            raise BadArgument(HRESULT.E_INVALIDARG, f"no size is numbered {lSizeSpec}", argerror=0)
        return self._length(lSizeSpec, lKeySpec)

    def GetSupportedKeySpec(self) -> int:
        """The kinds of keys that the provider makes: AT_KEYEXCHANGE (1), AT_SIGNATURE (2) or both (3)."""
        return int(self.current_provider().KeySpec) or defaults.AT_KEYEXCHANGE | defaults.AT_SIGNATURE

    def EnumAlgs(self, dwIndex: int, algClass: int) -> int:
        """The ALG_ID of an algorithm of the provider.

        Args:
            dwIndex: its position, from 0.
            algClass: ALG_CLASS_HASH (0x8000), ALG_CLASS_SIGNATURE (0x2000), ...

        Raises:
            ComError: WIN32_NO_MORE_ITEMS past the last one.
        """
        names = (str(one.Name) for one in self.current_provider().CspAlgorithms)
        numbers = dict.fromkeys(defaults.ALG_IDS[name] for name in names if name in defaults.ALG_IDS)
        return item([number for number in numbers if number & defaults.ALG_CLASS_MASK == algClass], dwIndex)

    def GetAlgName(self, algID: int) -> str:
        """The provider's name of an algorithm. Raises ComError NTE_BAD_ALGID where it has none of that ALG_ID."""
        for one in self.current_provider().CspAlgorithms:
            if defaults.ALG_IDS.get(one.Name) == algID:
                return str(one.Name)
        raise ComError(HRESULT.NTE_BAD_ALGID, f"the provider has no algorithm 0x{algID & 0xFFFFFFFF:X}", argerror=0)

    def current_provider(self) -> Any:
        """The ICspInformation of ProviderName, or of the default provider of ProviderType.

        Raises ComError NTE_KEYSET_NOT_DEF or NTE_PROV_TYPE_NOT_DEF where there is none.
        """
        if self.ProviderName:
            return _information(self.ProviderName)
        found = certenroll.Dispatch("X509Enrollment.CCspInformation")
        found.InitializeFromType(self.ProviderType, object_id_of_rsa() if not self.ProviderType else None, False)
        return found

    def provider_for_key(self) -> Any:
        """The provider of the next key. Raises ComError NTE_BAD_ALGID where it makes no RSA keys of KeySpec."""
        provider = self.current_provider()
        _rsa(provider, int(self.KeySpec))
        return provider

    def _length(self, size: int, key_spec: int) -> int:
        provider = self.current_provider()
        algorithm = _rsa(provider, int(key_spec))
        holder, lengths = facade.key_holder(
            self.KeyLocation, self.ProviderName, int(self.ProviderType), self.enrollment_context()
        )
        if holder != provider.Name:
            algorithm = _rsa(_information(holder), int(key_spec))
        told = int(getattr(algorithm, _SIZES[size]))
        return _within(told, size, [one for one in lengths if one >= int(algorithm.MinLength)]) if lengths else told


def item(items: Sequence[T], index: int) -> T:
    """The item at ``index``. Raises ComError WIN32_NO_MORE_ITEMS past the last one, E_INVALIDARG before the first."""
    if index < 0:
        raise BadArgument(HRESULT.E_INVALIDARG, "an index is counted from 0", argerror=0)
    if index >= len(items):
        raise ComError(HRESULT.WIN32_NO_MORE_ITEMS, f"there are {len(items)}", argerror=0)
    return items[index]


def _within(told: int, size: int, lengths: Sequence[int]) -> int:
    """A size that a provider's table tells, as the device has it: one of its lengths; the step is the table's."""
    if size == XEKL_KEYSIZE.XEKL_KEYSIZE_INC or not lengths:
        return told
    if size == XEKL_KEYSIZE.XEKL_KEYSIZE_MIN:
        return lengths[0]
    return max((one for one in lengths if one <= told), default=lengths[0])


def object_id_of_rsa() -> Any:
    """The IObjectId of RSA."""
    found = certenroll.Dispatch("X509Enrollment.CObjectId")
    found.InitializeFromValue("1.2.840.113549.1.1.1")
    return found


def _information(name: str) -> Any:
    found = certenroll.Dispatch("X509Enrollment.CCspInformation")
    found.InitializeFromName(name)
    return found


def _rsa(provider: Any, key_spec: int) -> Any:
    """The ICspAlgorithm of the provider's RSA keys. Raises ComError NTE_BAD_ALGID where it has none."""
    for one in provider.CspAlgorithms:
        if one.Name in _RSA_KEYS[key_spec]:
            return one
    raise ComError(HRESULT.NTE_BAD_ALGID, f"{provider.Name} makes no RSA keys of key spec {key_spec}")
