"""The classes that scripts create, against Microsoft's class ids and members."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from certenroll.com import ComObject
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.registry import COCLASSES, MODULES, PROG_IDS, coclass_of, create, public_class
from tests.support.shared import shared_path

PROG_ID_OF = {coclass: prog_id for prog_id, coclass in PROG_IDS.items()}


def surface(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared_path("reference", "surface.json").read_text(encoding="utf-8"))[part]
    return found


@pytest.mark.parametrize("coclass", COCLASSES)
def test_every_coclass_is_created_by_each_of_its_names(coclass: str) -> None:
    class_id, interface = COCLASSES[coclass]
    prog_id = PROG_ID_OF.get(coclass, f"X509Enrollment.{coclass}")
    names = [prog_id, prog_id.lower(), prog_id.upper(), f"{prog_id}.1", f"{prog_id}.2", class_id, f"{{{class_id.upper()}}}"]
    for name in [*names, f"clsid:{class_id}", f"  {prog_id} "]:
        made = create(name)
        assert isinstance(made, ComObject)
        assert type(made) is public_class(coclass) is public_class(interface)


def test_class_ids_are_microsofts() -> None:
    published = surface("coclasses")
    assert {name: class_id for name, (class_id, _) in COCLASSES.items()} == {name: published[name] for name in COCLASSES}


@pytest.mark.parametrize("interface", MODULES)
def test_every_interface_has_each_of_microsofts_members(interface: str) -> None:
    published = surface("interfaces")
    found = public_class(interface)
    assert found is not None
    assert issubclass(found, ComObject)
    wanted: set[str] = set()
    name: str | None = interface
    while name in published:
        wanted |= {member["name"].removeprefix("get_").removeprefix("put_") for member in published[name]["members"]}
        name = published[name]["extends"]
    assert wanted - set(found._members_.values()) == set()


@pytest.mark.parametrize("name", ["", "X509Enrollment", "X509Enrollment.CNothing", "Scripting.FileSystemObject", "{0}", "."])
def test_a_name_that_is_not_registered_is_refused(name: str) -> None:
    with pytest.raises(ComError) as caught:
        coclass_of(name)
    assert caught.value.hresult & 0xFFFFFFFF == HRESULT.CO_E_CLASSSTRING


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("certenroll.IObjectId.__name__", "IObjectId"),
        ("certenroll.CObjectId is certenroll.IObjectId", "True"),
        ("certenroll.IBinaryConverter2 is certenroll.IBinaryConverter", "True"),
        ("int(certenroll.EncodingType.XCN_CRYPT_STRING_HEX)", "4"),
        ("int(certenroll.CERTENROLL_OBJECTID.XCN_OID_RSA)", "1"),
        ("certenroll.ComError.__name__", "ComError"),
        ("hasattr(certenroll, 'INothing')", "False"),
        ("type(certenroll.Dispatch('x509enrollment.cobjectid')).__name__", "IObjectId"),
    ],
)
def test_the_package_gives_each_name_when_it_is_first_asked_for(expression: str, shown: str) -> None:
    command = [sys.executable, "-c", f"import certenroll; print({expression})"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr[-200:]) == (shown, "")


# Members of ours that scripts see: a place for the key, on the object itself.
OUR_MEMBERS = {"KeyLocation"}


@pytest.mark.parametrize("interface", MODULES)
def test_scripts_see_microsofts_members_and_no_others(interface: str) -> None:
    interfaces = surface("interfaces")
    known = set(OUR_MEMBERS)
    for facts in interfaces.values():
        for member in facts["members"]:
            kind, _, rest = member["name"].partition("_")
            known |= {rest, f"Set{rest}"} if kind in ("get", "put") and rest else {member["name"]}
    shown = set(public_class(interface)._members_.values())  # type: ignore[union-attr]
    assert shown - known == set()
