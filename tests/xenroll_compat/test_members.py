"""The page of the control's members is true: who they are, their defaults, what they take and what they refuse."""

from __future__ import annotations

import base64
import functools
import inspect
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certenroll import facade
from certenroll.hresults import HRESULT
from tests.support.control_effects import EFFECTS
from tests.support.control_effects.bench import refused
from tests.support.control_effects.page import PAGE, Row, rows
from tests.support.shared import shared_path
from xenroll_compat import CEnroll
from xenroll_compat.porting.replacements import TWINS, replacement

ROWS: Final = rows()
READABLE: Final = [row for row in ROWS if row.kind == "property rw"]


@pytest.fixture(scope="module")
def material() -> dict[str, Any]:
    """What names in the table stand for: a certificate that anybody may have."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "anybody")]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + timedelta(days=1))
    der = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    text = base64.b64encode(der).decode()
    return {"DER": der, "CERTIFICATE": "".join(f"{text[at : at + 64]}\r\n" for at in range(0, len(text), 64))}


def by_name(row: Row) -> str:
    return row.member


@functools.cache
def surface() -> dict[tuple[str, str], list[dict[str, str]]]:
    """(interface, function) -> its arguments, for every function of the control's interfaces."""
    facts = json.loads(shared_path("reference", "surface.json").read_text(encoding="utf-8"))
    return {
        (name, member["name"]): member["args"]
        for name, interface in facts["interfaces"].items()
        if interface["library"] == "xenroll"
        for member in interface["members"]
    }


def test_the_page_has_every_function_of_the_control_and_no_other() -> None:
    on_page = [one for row in ROWS for one in row.functions()]
    assert set(on_page) == set(surface())
    assert len(on_page) == len(set(on_page)) == 229
    assert f"have {len(on_page)} functions" in PAGE.read_text(encoding="utf-8")
    assert f"makes {len(ROWS)} names" in PAGE.read_text(encoding="utf-8")


def test_every_member_has_an_effect_that_is_shown() -> None:
    assert set(EFFECTS) == {row.member for row in ROWS}
    assert all(row.effect for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_a_member_is_of_its_kind_with_as_many_arguments(row: Row) -> None:
    found = inspect.getattr_static(CEnroll, row.member)
    if row.is_property:
        assert isinstance(found, property)
        assert found.fset is not None
        return
    assert len(inspect.signature(found).parameters) - 1 == len(row.arguments())


@pytest.mark.parametrize("row", [row for row in ROWS if not row.is_property], ids=by_name)
def test_arguments_have_microsofts_names(row: Row) -> None:
    for (_, name), arguments in surface().items():
        if name == row.member:
            assert [one["name"] for one in arguments if one["name"] in row.arguments()] == row.arguments()


@pytest.mark.parametrize("row", READABLE, ids=by_name)
def test_a_property_reads_its_default_takes_values_and_has_its_default_again(row: Row, material: dict[str, Any]) -> None:
    control: Any = CEnroll()
    default = row.default_value()
    assert getattr(control, row.member) == default
    assert type(getattr(control, row.member)) is type(default) or isinstance(default, int)
    for value, back in row.values(material):
        setattr(control, row.member, value)
        assert getattr(control, row.member) == back != default
    control.Reset()
    assert getattr(control, row.member) == default


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_a_refusal_has_its_code_and_changes_nothing(row: Row, material: dict[str, Any]) -> None:
    assert row.refusals(material)
    for arguments, code in row.refusals(material):
        control: Any = CEnroll()
        if row.is_property:
            refused(HRESULT[code], setattr, control, row.member, *arguments)
        else:
            refused(HRESULT[code], getattr(control, row.member), *arguments)
        assert [one.member for one in READABLE if getattr(control, one.member) != one.default_value()] == []
    assert not facade.store_names()
    assert not facade.pending_requests()
    assert not facade.containers("software")


@pytest.mark.parametrize("row", [row for row in ROWS if not row.is_property], ids=by_name)
def test_an_argument_too_many_is_refused(row: Row) -> None:
    refused(HRESULT.DISP_E_BADPARAMCOUNT, getattr(CEnroll(), row.member), *[1] * (len(row.arguments()) + 1))


@pytest.mark.parametrize("row", [row for row in ROWS if row.is_property or row.takes], ids=by_name)
def test_an_object_is_refused_in_the_place_of_every_value(row: Row) -> None:
    control: Any = CEnroll()
    code = HRESULT.E_HANDLE if row.member.startswith("SetHStore") else HRESULT.DISP_E_TYPEMISMATCH
    if row.is_property:
        refused(code, setattr, control, row.member, object())
    else:
        refused(code, getattr(control, row.member), *[object() for _ in row.arguments()])


def test_a_member_that_is_not_on_the_page_is_unknown() -> None:
    refused(HRESULT.DISP_E_UNKNOWNNAME, getattr, CEnroll(), "NoSuchMember")
    assert set(dir(CEnroll())) == {row.member for row in ROWS} | {"KeyLocation"}


def test_a_number_and_a_truth_are_strings_too() -> None:
    control: Any = CEnroll()
    for value, text in ((5, "5"), (True, "True")):
        control.MyStoreName = value
        assert control.MyStoreName == text


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind == "property w"], ids=by_name)
def test_what_is_only_written_cannot_be_read(row: Row, material: dict[str, Any]) -> None:
    control: Any = CEnroll()
    for value, _ in row.values(material):
        setattr(control, row.member, value)
    refused(HRESULT.DISP_E_MEMBERNOTFOUND, getattr, control, row.member)


@pytest.mark.parametrize("row", ROWS, ids=by_name)
def test_the_page_says_what_replaces_a_member(row: Row) -> None:
    if row.member in TWINS:
        assert row.replacement == f"as {TWINS[row.member]}"
        return
    found = replacement(row.member)
    names = ", ".join(f"`{one}`" for one in found.replacement.split(", ")) if found.replacement else "none"
    separator = "; " if found.replacement else ": "
    assert row.replacement == names + (separator + found.note if found.note else "")
