"""The table of the properties with parameters is that of the type libraries."""

from __future__ import annotations

import json
from typing import Any

from tests.support.shared import shared_path
from xenroll_compat.hosts.parameterized_properties import NAMES


def members() -> list[dict[str, Any]]:
    surface = json.loads(shared_path("reference", "surface.json").read_text())
    interfaces = surface["interfaces"].values()
    return [member for each in interfaces if each["library"] == "certenroll" for member in each["members"]]


def test_the_table_has_every_property_that_takes_arguments_and_no_other() -> None:
    taking = {each["name"][4:] for each in members() if each["name"].startswith("get_") and len(each["args"]) > 1}
    assert taking == NAMES


def test_no_method_has_the_name_of_a_property_with_parameters() -> None:
    methods = {each["name"].lower() for each in members() if not each["name"].startswith(("get_", "put_"))}
    assert methods.isdisjoint(name.lower() for name in NAMES)
