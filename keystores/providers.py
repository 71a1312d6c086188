"""Microsoft's cryptographic providers by name: their types, where their keys live, and the keys that they make.

A table and look-ups over it. Lengths are those that Microsoft documents; ``limits`` narrows them to what is made here.
Knows no key store's code. Source: "CryptoAPI Cryptographic Service Providers" and "CNG Key Storage Providers" of the
Certificate Enrollment API, the pages of ICspInformation (KeySpec, MaxKeyContainerNameLength) and ICspAlgorithm
(MaxLength), and the provider names of wincrypt.h and ncrypt.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from keystores.base import KeyAlgorithm
from keystores.errors import KeyStoreError

PROV_NONE, RSA_FULL, RSA_SIG, DSS, MS_EXCHANGE, RSA_SCHANNEL, DSS_DH, DH_SCHANNEL, RSA_AES = 0, 1, 2, 3, 5, 12, 13, 18, 24
AT_NONE, AT_KEYEXCHANGE, AT_SIGNATURE, AT_BOTH = 0, 1, 2, 3

NTE_KEYSET_NOT_DEF: Final = 0x80090019
NTE_PROV_TYPE_NOT_DEF: Final = 0x80090017

SOFTWARE_KSP: Final = "Microsoft Software Key Storage Provider"
PLATFORM_KSP: Final = "Microsoft Platform Crypto Provider"
SMART_CARD_KSP: Final = "Microsoft Smart Card Key Storage Provider"

_CSP_CONTAINER, _CARD_CONTAINER = 261, 40
_SMALLEST_RSA, _USUAL_RSA = 1024, 2048


@dataclass(frozen=True)
class ProviderAlgorithm:
    """An algorithm whose keys a provider makes, as Microsoft documents it. Lengths are in bits.

    Attributes:
        name: Microsoft's short name ("RSA_KEYX", "ECDSA_P256").
        default, minimum, maximum, increment: the lengths.
        key_spec: the AT_* value of a CSP's key pair; AT_NONE for a KSP.
        algorithm: the family that is made for it here, or None (DSA, Diffie-Hellman).
    """

    name: str
    default: int
    minimum: int
    maximum: int
    increment: int
    key_spec: int
    algorithm: KeyAlgorithm | None

    def limits(self) -> tuple[int, int, int, int]:
        """(default, minimum, maximum, increment) of what is made here: no RSA key below 1024 bits, 2048 by default."""
        if self.algorithm is not KeyAlgorithm.RSA:
            return self.default, self.minimum, self.maximum, self.increment
        return min(_USUAL_RSA, self.maximum), max(_SMALLEST_RSA, self.minimum), self.maximum, self.increment


@dataclass(frozen=True)
class Provider:
    """A provider that scripts name.

    Attributes:
        name: as Microsoft spells it.
        type: the X509ProviderType (PROV_* value); 0 for a KSP.
        store: the key store that holds its keys: "software", "tpm" or "smartcard".
        legacy: True for a CSP of CryptoAPI, False for a KSP of CNG.
        key_spec: what its keys are for: 0 (CNG), 1 exchange, 2 signature, 3 both.
        algorithms: the keys it makes.
        max_container: the longest container name, in characters.
        listed: whether a current Windows has it; the others are known by name only.
    """

    name: str
    type: int
    store: str
    legacy: bool
    key_spec: int
    algorithms: tuple[ProviderAlgorithm, ...]
    max_container: int
    listed: bool = True

    def default_length(self, algorithm: KeyAlgorithm) -> int:
        """The length of a key of that family where the caller names none.

        Raises:
            KeyStoreError: NTE_BAD_ALGID where the provider makes no such keys.
        """
        lengths = [one.limits()[0] for one in self.algorithms if one.algorithm is algorithm]
        if not lengths:
            raise KeyStoreError(f"{self.name} makes no {algorithm.value} keys", hresult=0x80090008)
        return max(lengths) if algorithm is KeyAlgorithm.RSA else min(lengths)


def _rsa(default: int, exchange: int, signature: int, minimum: int = 384) -> tuple[ProviderAlgorithm, ...]:
    made = (("RSA_SIGN", signature, AT_SIGNATURE), ("RSA_KEYX", exchange, AT_KEYEXCHANGE))
    return tuple(ProviderAlgorithm(n, default, minimum, top, 8, spec, KeyAlgorithm.RSA) for n, top, spec in made if top)


def _dss(dh_default: int = 0, dh_maximum: int = 0) -> tuple[ProviderAlgorithm, ...]:
    signature = ProviderAlgorithm("DSA_SIGN", 1024, 512, 1024, 64, AT_SIGNATURE, None)
    names = ("DH_KEYX", "DH_EPHEM") if dh_maximum else ()
    return (signature, *(ProviderAlgorithm(n, dh_default, 512, dh_maximum, 64, AT_KEYEXCHANGE, None) for n in names))


def _ksp(rsa: tuple[int, int, int], curves: tuple[int, ...], *others: ProviderAlgorithm) -> tuple[ProviderAlgorithm, ...]:
    minimum, maximum, increment = rsa
    keys = [ProviderAlgorithm("RSA", _USUAL_RSA, minimum, maximum, increment, AT_NONE, KeyAlgorithm.RSA)]
    for family in ("ECDSA", "ECDH"):
        keys += [ProviderAlgorithm(f"{family}_P{size}", size, size, size, 0, AT_NONE, KeyAlgorithm.EC) for size in curves]
    return (*keys, *others)


_DH = ProviderAlgorithm("DH", 1024, 512, 4096, 64, AT_NONE, None)
_DSA = ProviderAlgorithm("DSA", 1024, 512, 1024, 64, AT_NONE, None)
_STRONG = _rsa(1024, 16384, 16384)
_NIST = (256, 384, 521)


def _csp(name: str, kind: int, key_spec: int, algorithms: tuple[ProviderAlgorithm, ...], listed: bool = True) -> Provider:
    return Provider(name, kind, "software", True, key_spec, algorithms, _CSP_CONTAINER, listed)


PROVIDERS: Final[tuple[Provider, ...]] = (
    _csp("Microsoft Base Cryptographic Provider v1.0", RSA_FULL, AT_BOTH, _rsa(512, 1024, 16384)),
    _csp("Microsoft Base DSS and Diffie-Hellman Cryptographic Provider", DSS_DH, AT_BOTH, _dss(512, 1024)),
    _csp("Microsoft Base DSS Cryptographic Provider", DSS, AT_SIGNATURE, _dss()),
    Provider(
        "Microsoft Base Smart Card Crypto Provider",
        RSA_FULL,
        "smartcard",
        True,
        AT_BOTH,
        _rsa(1024, 4096, 4096, 1024),
        _CARD_CONTAINER,
    ),
    _csp("Microsoft DH SChannel Cryptographic Provider", DH_SCHANNEL, AT_BOTH, _dss(512, 4096)),
    _csp("Microsoft Enhanced Cryptographic Provider v1.0", RSA_FULL, AT_BOTH, _STRONG),
    _csp("Microsoft Enhanced DSS and Diffie-Hellman Cryptographic Provider", DSS_DH, AT_BOTH, _dss(1024, 4096)),
    _csp("Microsoft Enhanced RSA and AES Cryptographic Provider", RSA_AES, AT_BOTH, _STRONG),
    _csp("Microsoft Enhanced RSA and AES Cryptographic Provider (Prototype)", RSA_AES, AT_BOTH, _STRONG, listed=False),
    _csp("Microsoft Exchange Cryptographic Provider v1.0", MS_EXCHANGE, AT_BOTH, _STRONG, listed=False),
    _csp("Microsoft RSA SChannel Cryptographic Provider", RSA_SCHANNEL, AT_KEYEXCHANGE, _rsa(1024, 16384, 0)),
    _csp("Microsoft RSA Signature Cryptographic Provider", RSA_SIG, AT_SIGNATURE, _rsa(1024, 0, 16384), listed=False),
    _csp("Microsoft Strong Cryptographic Provider", RSA_FULL, AT_BOTH, _STRONG),
    Provider(
        "Microsoft Passport Key Storage Provider",
        PROV_NONE,
        "smartcard",
        False,
        AT_NONE,
        _ksp((2048, 2048, 0), ()),
        _CARD_CONTAINER,
    ),
    Provider(PLATFORM_KSP, PROV_NONE, "tpm", False, AT_NONE, _ksp((1024, 4096, 1024), _NIST), _CSP_CONTAINER),
    Provider(SMART_CARD_KSP, PROV_NONE, "smartcard", False, AT_NONE, _ksp((512, 16384, 64), _NIST, _DH), _CARD_CONTAINER),
    Provider(SOFTWARE_KSP, PROV_NONE, "software", False, AT_NONE, _ksp((512, 16384, 64), _NIST, _DH, _DSA), _CSP_CONTAINER),
)

_BY_NAME: Final = {provider.name.lower(): provider for provider in PROVIDERS}

# What CryptGetDefaultProvider gives for a type of provider.
DEFAULTS: Final[dict[int, str]] = {
    RSA_FULL: "Microsoft Strong Cryptographic Provider",
    RSA_SIG: "Microsoft RSA Signature Cryptographic Provider",
    DSS: "Microsoft Base DSS Cryptographic Provider",
    MS_EXCHANGE: "Microsoft Exchange Cryptographic Provider v1.0",
    RSA_SCHANNEL: "Microsoft RSA SChannel Cryptographic Provider",
    DSS_DH: "Microsoft Enhanced DSS and Diffie-Hellman Cryptographic Provider",
    DH_SCHANNEL: "Microsoft DH SChannel Cryptographic Provider",
    RSA_AES: "Microsoft Enhanced RSA and AES Cryptographic Provider",
}


def find_provider(name: str) -> Provider:
    """The provider of that name, without regard to case.

    Raises:
        KeyStoreError: NTE_KEYSET_NOT_DEF where no such provider is known.
    """
    found = _BY_NAME.get(name.strip().lower())
    if found is None:
        raise KeyStoreError(f"there is no cryptographic provider {name!r}", hresult=NTE_KEYSET_NOT_DEF)
    return found


def default_provider(kind: int) -> Provider:
    """The provider that is used where only its type is named; the software KSP for type 0.

    Args:
        kind: an X509ProviderType.

    Raises:
        KeyStoreError: NTE_PROV_TYPE_NOT_DEF where Windows has no provider of that type.
    """
    name = SOFTWARE_KSP if kind == PROV_NONE else DEFAULTS.get(kind)
    if name is None:
        raise KeyStoreError(f"there is no provider of type {kind}", hresult=NTE_PROV_TYPE_NOT_DEF)
    return find_provider(name)


def listed_providers() -> tuple[Provider, ...]:
    """The providers that a current Windows lists: the CSPs, then the KSPs, each by name."""
    return tuple(provider for provider in PROVIDERS if provider.listed)


_STORE_PROVIDERS: Final = {"software": SOFTWARE_KSP, "tpm": PLATFORM_KSP, "smartcard": SMART_CARD_KSP}


def provider_of(store: str, name: str = "", kind: int = PROV_NONE) -> Provider:
    """The provider to record for a key in ``store``: the one asked for where its keys live there, else the store's KSP.

    Args:
        store: "software", "tpm" or "smartcard".
        name: the provider that was asked for, or "".
        kind: the X509ProviderType that was asked for where no name was, or 0.

    Raises:
        KeyStoreError: NTE_KEYSET_NOT_DEF or NTE_PROV_TYPE_NOT_DEF where there is no such provider.
    """
    asked = find_provider(name) if name else default_provider(kind)
    return asked if asked.store == store else find_provider(_STORE_PROVIDERS[store])
