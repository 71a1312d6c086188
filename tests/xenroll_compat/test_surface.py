"""The control's members against Microsoft's: names, numbers of arguments, kinds."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any

import pytest

from certenroll.hresults import HRESULT
from tests.support.shared import shared_path
from tests.xenroll_compat.conftest import refused
from xenroll_compat import CEnroll
from xenroll_compat.twins import METHODS, PROPERTIES

BLOBS_IN = {
    "pBlobPKCS7", "pblobResponse", "pblobValue", "pPrivateKeyArchiveCert", "pSignerCert", "pBlobProperty",
    "pCertExtensions", "pAttributes", "pRequest", "pSigningCertContext",
}  # fmt: skip


def members() -> Iterator[tuple[str, str, int]]:
    """(interface, member, number of arguments that go in) of every interface of the control; -1 for a property."""
    surface: dict[str, Any] = json.loads(shared_path("reference", "surface.json").read_text(encoding="utf-8"))
    for interface in ("ICEnroll", "ICEnroll2", "ICEnroll3", "ICEnroll4", "IEnroll", "IEnroll2", "IEnroll4"):
        for member in surface["interfaces"][interface]["members"]:
            name = member["name"]
            if name[:4] in ("get_", "put_"):
                yield interface, name[4:], -1
                continue
            blobs = BLOBS_IN | ({"pblobBinary"} if name == "binaryBlobToString" else set())
            pointers = [one["name"] for one in member["args"] if one["type"].startswith(("POINTER", "VoidPtr"))]
            yield interface, name, len(member["args"]) - len([one for one in pointers if one not in blobs])


def test_every_member_is_there_with_its_arguments() -> None:
    for interface, name, count in members():
        found = inspect.getattr_static(CEnroll, name, None)
        if count < 0:
            assert isinstance(found, property), f"{interface}.{name}"
        else:
            assert inspect.isfunction(found), f"{interface}.{name}"
            assert len(inspect.signature(found).parameters) - 1 == count, f"{interface}.{name}"


def test_the_control_has_no_member_that_is_not_microsofts_but_one() -> None:
    known = {name for _, name, _ in members()}
    assert set(dir(CEnroll())) - known == {"KeyLocation"}


@pytest.mark.parametrize("name", [*METHODS, *PROPERTIES, "ThumbPrintWStr", "removePendingRequestWStr"])
def test_every_twin_is_a_member_of_the_class_with_documentation(name: str) -> None:
    found = inspect.getattr_static(CEnroll, name)
    assert inspect.isfunction(found) or isinstance(found, property)
    assert found.__doc__
    if name in METHODS:
        assert METHODS[name].base in found.__doc__


def test_a_wrong_number_of_arguments_is_an_error_of_automation() -> None:
    control = CEnroll()
    refused(HRESULT.DISP_E_BADPARAMCOUNT, control.createPKCS10, "CN=x")
    refused(HRESULT.DISP_E_BADPARAMCOUNT, control.acceptPKCS7Blob)
    refused(HRESULT.DISP_E_BADPARAMCOUNT, control.Reset, 1)
