"""Which key stores a key may go to, for every location, environment and provider."""

from __future__ import annotations

import itertools
import json

import pytest

from keystores.base import KeyAlgorithm, KeyLocation
from keystores.errors import KeyStoreError
from keystores.providers import (
    PROVIDERS,
    default_provider,
    find_provider,
    listed_providers,
    provider_of,
)
from keystores.routing import STORES, Route, key_location, location_from, location_of, route
from tests.support.shared import shared_path

PROVIDER_STORES = {
    "Microsoft Base Cryptographic Provider v1.0": "software",
    "Microsoft Enhanced Cryptographic Provider v1.0": "software",
    "Microsoft Strong Cryptographic Provider": "software",
    "Microsoft RSA SChannel Cryptographic Provider": "software",
    "Microsoft RSA Signature Cryptographic Provider": "software",
    "Microsoft Enhanced RSA and AES Cryptographic Provider": "software",
    "Microsoft Enhanced RSA and AES Cryptographic Provider (Prototype)": "software",
    "Microsoft Base DSS Cryptographic Provider": "software",
    "Microsoft Base DSS and Diffie-Hellman Cryptographic Provider": "software",
    "Microsoft Enhanced DSS and Diffie-Hellman Cryptographic Provider": "software",
    "Microsoft DH SChannel Cryptographic Provider": "software",
    "Microsoft Exchange Cryptographic Provider v1.0": "software",
    "Microsoft Software Key Storage Provider": "software",
    "Microsoft Platform Crypto Provider": "tpm",
    "Microsoft Base Smart Card Crypto Provider": "smartcard",
    "Microsoft Smart Card Key Storage Provider": "smartcard",
    "Microsoft Passport Key Storage Provider": "smartcard",
}


@pytest.mark.parametrize(
    ("location", "stores"),
    [(1, ("tpm",)), (2, ("tpm", "software")), (3, ("software",)), (4, ("smartcard",))],
)
def test_an_explicit_location_decides_before_all_else(location: int, stores: tuple[str, ...]) -> None:
    asked = KeyLocation(location)
    for environment, provider in itertools.product([None, *KeyLocation], [None, *PROVIDER_STORES, "no such provider"]):
        found = route(asked, environment, provider)
        assert (found.location, found.stores) == (asked, stores)


@pytest.mark.parametrize("environment", list(KeyLocation))
def test_the_environment_decides_before_a_provider_s_name(environment: KeyLocation) -> None:
    found = route(None, environment, "Microsoft Platform Crypto Provider")
    assert (found.location, found.stores) == (environment, STORES[environment])
    assert "XENROLL_KEY_LOCATION" in found.reason


@pytest.mark.parametrize("name", list(PROVIDER_STORES))
def test_a_provider_s_name_decides_where_no_location_does(name: str) -> None:
    assert route(None, None, name) == Route(None, (PROVIDER_STORES[name],), f"provider {name}")


@pytest.mark.parametrize("name", [None, ""])
def test_software_is_the_answer_where_nothing_was_asked(name: str | None) -> None:
    assert route(None, None, name).stores == ("software",)


def test_a_named_container_must_be_named_only_where_the_caller_speaks_of_locations() -> None:
    assert route(KeyLocation.NAMED_CONTAINER, None, None).container_required
    assert not route(None, KeyLocation.NAMED_CONTAINER, None).container_required
    assert not route(None, None, "Microsoft Base Smart Card Crypto Provider").container_required


def test_an_unknown_provider_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyStoreError, match="Acme CSP") as caught:
        route(None, None, "Acme CSP")
    assert caught.value.hresult == 0x80090019


def test_provider_names_are_found_without_regard_to_case() -> None:
    assert find_provider("MICROSOFT base smart card CRYPTO provider").store == "smartcard"


def test_the_table_has_exactly_the_providers_of_microsoft() -> None:
    assert {provider.name: provider.store for provider in PROVIDERS} == PROVIDER_STORES


def test_provider_types_are_those_of_the_enumeration() -> None:
    known = json.loads(shared_path("reference", "surface.json").read_text())["enumerations"]["X509ProviderType"].values()
    assert all(provider.type in known for provider in PROVIDERS)
    assert {provider.name for provider in PROVIDERS if provider.type == 0} == {p.name for p in PROVIDERS if not p.legacy}


@pytest.mark.parametrize("kind", [1, 2, 3, 5, 12, 13, 18, 24])
def test_a_provider_type_has_a_default_of_that_type(kind: int) -> None:
    assert default_provider(kind).type == kind


def test_a_type_without_a_provider_is_an_error() -> None:
    with pytest.raises(KeyStoreError) as caught:
        default_provider(20)
    assert caught.value.hresult == 0x80090017


def test_the_listed_providers_leave_out_what_current_windows_lacks() -> None:
    names = [provider.name for provider in listed_providers()]
    assert "Microsoft Enhanced RSA and AES Cryptographic Provider" in names
    assert not any("Prototype" in name for name in names)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_lengths_that_are_made_are_sane(provider: object) -> None:
    assert hasattr(provider, "algorithms")
    for algorithm in provider.algorithms:
        default, minimum, maximum, increment = algorithm.limits()
        assert minimum <= default <= maximum
        assert increment == 0 or (maximum - minimum) % increment == 0
        if algorithm.algorithm is KeyAlgorithm.RSA:
            assert minimum >= 1024


def test_the_default_rsa_key_has_2048_bits_with_every_provider_that_makes_one() -> None:
    makers = [p for p in PROVIDERS if any(a.algorithm is KeyAlgorithm.RSA for a in p.algorithms)]
    assert {provider.default_length(KeyAlgorithm.RSA) for provider in makers} == {2048}


def test_a_provider_without_the_algorithm_has_no_default_length() -> None:
    with pytest.raises(KeyStoreError) as caught:
        find_provider("Microsoft Base DSS Cryptographic Provider").default_length(KeyAlgorithm.RSA)
    assert caught.value.hresult == 0x80090008


@pytest.mark.parametrize(
    ("store", "name", "recorded"),
    [
        ("software", "Microsoft Strong Cryptographic Provider", "Microsoft Strong Cryptographic Provider"),
        ("tpm", "Microsoft Strong Cryptographic Provider", "Microsoft Platform Crypto Provider"),
        ("smartcard", "", "Microsoft Smart Card Key Storage Provider"),
        ("software", "", "Microsoft Software Key Storage Provider"),
    ],
)
def test_the_provider_that_is_recorded_is_the_asked_one_only_where_its_keys_live(
    store: str, name: str, recorded: str
) -> None:
    assert provider_of(store, name).name == recorded


@pytest.mark.parametrize(("text", "location"), [("1", 1), (" 2 ", 2), ("3", 3), ("4", 4)])
def test_the_environment_s_location_is_a_number(text: str, location: int) -> None:
    assert location_from({"XENROLL_KEY_LOCATION": text}) == KeyLocation(location)


@pytest.mark.parametrize("environ", [{}, {"XENROLL_KEY_LOCATION": ""}, {"XENROLL_KEY_LOCATION": "  "}])
def test_an_environment_without_a_location_asks_for_nothing(environ: dict[str, str]) -> None:
    assert location_from(environ) is None


@pytest.mark.parametrize("text", ["0", "5", "-1", "tpm", "1.0", "0x1"])
def test_a_location_that_is_none_is_an_error_that_lists_them(text: str) -> None:
    with pytest.raises(KeyStoreError, match=r"1 \(TPM\)") as caught:
        location_from({"XENROLL_KEY_LOCATION": text})
    assert caught.value.hresult == 0x80070057


def test_a_location_is_a_number_of_the_table() -> None:
    assert key_location(4) is KeyLocation.NAMED_CONTAINER
    with pytest.raises(KeyStoreError):
        key_location(7)


@pytest.mark.parametrize(
    ("store", "asked", "used"),
    [
        ("tpm", 1, 1),
        ("tpm", 2, 2),
        ("software", 2, 3),
        ("software", 3, 3),
        ("smartcard", 4, 4),
        ("tpm", None, 1),
        ("software", None, 3),
        ("smartcard", None, 4),
    ],
)
def test_the_location_that_is_recorded_says_where_the_key_is(store: str, asked: int | None, used: int) -> None:
    assert location_of(store, KeyLocation(asked) if asked else None) == KeyLocation(used)
