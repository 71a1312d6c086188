"""The table of what replaces each member of the control: it is whole, and names what CertEnroll has."""

from __future__ import annotations

import functools
import json
import re
from typing import Any

import pytest

from tests.support.shared import shared_path
from xenroll_compat.porting.replacements import FAMILIES, TWINS, members, replacement
from xenroll_compat.twins import METHODS, PROPERTIES


@functools.cache
def interfaces() -> dict[str, dict[str, Any]]:
    facts: dict[str, Any] = json.loads(shared_path("reference", "surface.json").read_text(encoding="utf-8"))
    return dict(facts["interfaces"])


def bare(function: str) -> str:
    """The member that a function is of: a property's without get_ or put_."""
    return function[4:] if function[:4] in ("get_", "put_") else function


def offered(name: str) -> set[str]:
    """The members of an interface, of those that it extends, and of its later versions."""
    known = interfaces()
    found: set[str] = set()
    for other, facts in known.items():
        if re.fullmatch(rf"{name}(V?[0-9]+)?", other):
            found |= {bare(member["name"]) for member in facts["members"]}
    above = known[name]["extends"]
    return found | (offered(above) if above in known else set())


def test_the_table_has_every_member_of_the_control_and_key_location() -> None:
    control = {
        bare(member["name"])
        for facts in interfaces().values()
        if facts["library"] == "xenroll"
        for member in facts["members"]
    }
    assert set(members()) == control | {"KeyLocation"}
    assert len(members()) == len(set(members()))


@pytest.mark.parametrize("member", [member for family in FAMILIES.values() for member in family if member != "KeyLocation"])
def test_a_replacement_is_a_member_of_certenroll_or_there_is_a_reason(member: str) -> None:
    found = replacement(member)
    if not found.replacement:
        assert found.note
    for name in found.replacement.split(", ") if found.replacement else []:
        interface, _, wanted = name.partition(".")
        assert interfaces()[interface]["library"] == "certenroll"
        assert not wanted or wanted in offered(interface), name


@pytest.mark.parametrize(
    "member", ["SPCFileName", "WriteCertToUserDS", "MyStoreName", "enumContainers", "DeleteRequestCert"]
)
def test_what_microsofts_pages_have_no_mapping_for_has_none(member: str) -> None:
    assert replacement(member).replacement == ""


def test_a_twin_has_the_replacement_of_the_member_that_it_is_a_twin_of() -> None:
    for twin, base in TWINS.items():
        assert replacement(twin).member == twin
        assert (replacement(twin).replacement, replacement(twin).note) == (
            replacement(base).replacement,
            replacement(base).note,
        )
    control = {name: found.base for name, found in METHODS.items()} | PROPERTIES
    assert {name: TWINS[name] for name in control} == control


def test_a_member_is_found_in_any_case_and_one_that_is_none_is_not() -> None:
    assert replacement("CREATEpkcs10").member == "createPKCS10"
    assert replacement("providername").replacement == "IX509PrivateKey.ProviderName"
    with pytest.raises(KeyError):
        replacement("createPKCS11")
