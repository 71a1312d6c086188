"""Which key stores a new key may go to: one pure function over tables.

What decides, the first that says anything: the KeyLocation of the object, XENROLL_KEY_LOCATION, the provider's name,
software. Knows no key store's code, no device and no environment: all of it is handed in.

Source: KeyLocation and ContainerName of the ClientCertificateInstall CSP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from keystores.base import KeyLocation
from keystores.errors import KeyStoreError
from keystores.providers import find_provider

LOCATION_VARIABLE: Final = "XENROLL_KEY_LOCATION"
_INVALID = 0x80070057  # E_INVALIDARG

STORES: Final[dict[KeyLocation, tuple[str, ...]]] = {
    KeyLocation.TPM_REQUIRED: ("tpm",),
    KeyLocation.TPM_PREFERRED: ("tpm", "software"),
    KeyLocation.SOFTWARE: ("software",),
    KeyLocation.NAMED_CONTAINER: ("smartcard",),
}

# The key store that a key ended in -> the location to record for it.
_ENDED: Final[dict[str, KeyLocation]] = {
    "tpm": KeyLocation.TPM_REQUIRED,
    "software": KeyLocation.SOFTWARE,
    "smartcard": KeyLocation.NAMED_CONTAINER,
}


@dataclass(frozen=True)
class Route:
    """Where a new key may go.

    Attributes:
        location: the KeyLocation that was asked for, or None where a provider's name or nothing decided.
        stores: the key stores to try, in order.
        reason: what decided, in words.
        container_required: whether the caller must name the container; elsewhere a GUID is made.
        export_waived: whether a device takes a key that is asked for as exportable as one that is not: where the
            environment led here and not the script, or where a template alone asks for it.
    """

    location: KeyLocation | None
    stores: tuple[str, ...]
    reason: str
    container_required: bool = False
    export_waived: bool = False


def route(location: KeyLocation | None, environment: KeyLocation | None, provider_name: str | None) -> Route:
    """The route of a new key.

    Args:
        location: the KeyLocation of the object, or None.
        environment: that of the environment (``location_from``), or None.
        provider_name: the provider that the script names; None and "" are no name.

    Raises:
        KeyStoreError: NTE_KEYSET_NOT_DEF where the provider's name decides and is unknown.
    """
    if location is not None:
        required = location is KeyLocation.NAMED_CONTAINER
        return Route(location, STORES[location], f"KeyLocation {location.value}", required)
    if environment is not None:
        return Route(environment, STORES[environment], f"{LOCATION_VARIABLE}={environment.value}", export_waived=True)
    if provider_name:
        provider = find_provider(provider_name)
        return Route(None, (provider.store,), f"provider {provider.name}")
    return Route(None, ("software",), "nothing was asked for")


def location_from(environ: Mapping[str, str]) -> KeyLocation | None:
    """The KeyLocation that an environment asks for, or None where XENROLL_KEY_LOCATION is unset or empty.

    Raises:
        KeyStoreError: E_INVALIDARG where it is no number from 1 to 4.
    """
    text = environ.get(LOCATION_VARIABLE, "").strip()
    return key_location(text, LOCATION_VARIABLE) if text else None


def key_location(value: int | str, what: str = "KeyLocation") -> KeyLocation:
    """``value`` as a KeyLocation.

    Args:
        value: a number from 1 to 4, or its text.
        what: where it was found, for the error.

    Raises:
        KeyStoreError: E_INVALIDARG where it is no such number.
    """
    try:
        return KeyLocation(int(value))
    except ValueError:
        raise KeyStoreError(
            f"{what} is {value!r}; it is 1 (TPM), 2 (TPM if there is one), 3 (software) or 4 (named container)",
            hresult=_INVALID,
        ) from None


def location_of(store: str, asked: KeyLocation | None) -> KeyLocation:
    """The KeyLocation to record for a key that ended in ``store``: a preferred TPM stays a preferred one."""
    if store == "tpm" and asked is KeyLocation.TPM_PREFERRED:
        return asked
    return _ENDED[store]
