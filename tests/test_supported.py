"""docs/supported.md says what is here and what is not, and neither more nor less than the code."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

import pytest

import certenroll
import xenroll_compat
from certenroll.registry import MODULES

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "supported.md").read_text(encoding="utf-8")


def interfaces(text: str) -> set[str]:
    return set(re.findall(r"`(I\w+)`", text))


HERE = interfaces(PAGE[PAGE.index("## CertEnroll") : PAGE.index("Not here:")])
NOT_HERE = interfaces(PAGE[PAGE.index("Not here:") : PAGE.index("Formats:")])
WITHOUT_EFFECT = [
    (row[0], member)
    for line in PAGE[PAGE.index("## Accepted, without effect") :].splitlines()
    if len(row := re.findall(r"`(\w+)`", line)) > 1
    for member in row[1:]
]


def test_every_interface_that_is_here_stands_in_the_table() -> None:
    assert set(MODULES) == HERE


@pytest.mark.parametrize("interface", sorted(NOT_HERE))
def test_what_is_said_not_to_be_here_is_not(interface: str) -> None:
    assert not hasattr(certenroll, interface)


def another(value: str | bool | int) -> object:
    """A value of the same type that is not ``value``."""
    if isinstance(value, str):
        return f"{value}x"
    if isinstance(value, Enum):
        return next(one for one in type(value) if one != value)
    return not value if isinstance(value, bool) else value + 1


@pytest.mark.parametrize(("interface", "member"), WITHOUT_EFFECT)
def test_a_member_without_effect_is_read_back_as_it_was_set(interface: str, member: str) -> None:
    found = certenroll.IX509CertificateRequestPkcs10 if interface == "IX509CertificateRequest" else None
    made = (found or getattr(certenroll, interface, None) or getattr(xenroll_compat, interface))()
    if interface == "IX509CertificateRequest":
        made.Initialize(certenroll.X509CertificateEnrollmentContext.ContextUser)
    before = getattr(made, member)
    setattr(made, member, another(before))
    assert getattr(made, member) == another(before) != before
