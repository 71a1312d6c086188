"""Enumerations and constants against Microsoft's names and values."""

from __future__ import annotations

import enum
import json
from typing import Any

from certenroll import enums
from certenroll.hresults import HRESULT, lookup, named, others, signed
from tests.support.shared import shared_path


def surface() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared_path("reference", "surface.json").read_text(encoding="utf-8"))
    return found


def ours() -> dict[str, type[enum.Enum]]:
    return {
        name: value
        for name, value in vars(enums).items()
        if isinstance(value, type) and issubclass(value, enum.Enum) and value.__module__ == enums.__name__
    }


def test_every_enumeration_is_there_and_no_other() -> None:
    assert set(ours()) == set(surface()["enumerations"]) - {"CERTENROLL_OBJECTID"}


def test_members_have_microsofts_names_and_values() -> None:
    wanted = surface()["enumerations"]
    for name, enumeration in ours().items():
        found = {key: member.value & 0xFFFFFFFF for key, member in enumeration.__members__.items()}
        assert found == {key: value & 0xFFFFFFFF for key, value in wanted[name].items()}, name


def test_constants_have_microsofts_values() -> None:
    for name, value in surface()["constants"].items():
        assert getattr(enums, name) & 0xFFFFFFFF == value & 0xFFFFFFFF, name


def test_result_codes_agree_with_the_published_list() -> None:
    lines = shared_path("reference", "hresults.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    published = {name: int(value, 16) for name, value, *_ in rows if value.startswith("0x")}
    assert len(published) > 300
    for code in (*HRESULT, *others().values()):
        if code.name in published:
            assert code.value == published[code.name], code.name
        assert lookup(signed(code.value)) is not None
        assert named(code.name) == code.value
        assert code.text
