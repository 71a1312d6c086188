"""The one view of automation objects that every language has: what a script may name, and what it may not."""

from __future__ import annotations

import pytest

from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from xenroll_compat import CEnroll
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.objects import register
from xenroll_compat.hosts.settings import RunSettings

PYTHON_NAMES = ("_matching", "_environment", "_members_", "__class__", "__dict__", "_x", "a_b", "__init__")


def objects() -> list[object]:
    environment = Environment(RunSettings())
    register(environment)
    names = ("Scripting.FileSystemObject", "Scripting.Dictionary", "WScript.Shell", "WScript.Network", "ADODB.Stream")
    return [*(environment.create(name) for name in names), environment.create("X509Enrollment.CObjectId"), CEnroll()]


@pytest.mark.parametrize("name", PYTHON_NAMES)
def test_a_name_of_python_s_own_is_neither_read_nor_written_nor_called(name: str) -> None:
    for target in objects():
        before = dict(vars(target))
        for attempt in (
            lambda one=target: automation.put(one, name, 1),
            lambda one=target: automation.put(one, name, 1, (2,)),
            lambda one=target: automation.get(one, name),
            lambda one=target: automation.get(one, name, (1,)),
        ):
            with pytest.raises(ComError) as caught:
                attempt()
            assert caught.value.hresult == signed(HRESULT.DISP_E_UNKNOWNNAME)
        assert vars(target) == before


def test_a_method_cannot_be_assigned_to() -> None:
    control = CEnroll()
    with pytest.raises(ComError) as caught:
        automation.put(control, "createPKCS10", 1)
    assert caught.value.hresult == signed(HRESULT.DISP_E_UNKNOWNNAME)
