"""A JScript engine with an ``out`` that collects what a script shows, and objects of a host's own for it to work on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from certenroll.com import ComObject
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.jscript import engine
from xenroll_compat.hosts.problems import Place, ScriptFailure, ScriptStopped
from xenroll_compat.hosts.settings import Limits, RunSettings

PLACE = Place("script.js", 1, 1)
LIMITS = Limits(memory=64 << 20)


class Box(ComObject):
    """Keeps values under keys, gives back what it is given, calls what it is given, and ends the run."""

    _default_ = "Item"
    _parameterized_ = frozenset({"environment"})

    def __init__(self) -> None:
        self._things: dict[Any, Any] = {}

    def Item(self, key: object) -> object:
        return self._things[key]

    def SetItem(self, key: object, value: object) -> None:
        self._things[key] = value

    def Echo(self, value: object) -> object:
        self._things["seen"] = value
        return value

    def Run(self, function: Any, argument: object = None) -> object:
        return function(argument)

    def Environment(self, name: object = "PROCESS") -> object:
        return f"of {name}"

    def Quit(self, code: int = 0) -> None:
        raise SystemExit(code)

    def Fault(self) -> None:
        raise ValueError("a fault of ours")

    def TimeIsUp(self) -> None:
        raise ScriptStopped("it ran for too long", "--time-limit")

    def Refuse(self) -> None:
        raise ComError(HRESULT.NTE_EXISTS, "the container exists", source="Box")

    @property
    def Bytes(self) -> object:
        return b"\x01\x02\xff"

    @property
    def Rows(self) -> object:
        return [["a", "b"], ["c", "d"], ["e", "f"]]

    @property
    def Moment(self) -> object:
        return datetime(2003, 4, 5, 6, 7, 8, tzinfo=UTC)

    @property
    def Large(self) -> object:
        return 0xFFFFFFFF


class Form(ComObject):
    """Has the members that somebody put there."""

    def __init__(self, **fields: Any) -> None:
        self._fields = fields

    def _dynamic_get(self, name: str) -> Any:
        return self._fields.get(name, automation.MISSING)

    def _dynamic_put(self, name: str, value: Any) -> None:
        self._fields[name] = value


class Run:
    """One engine. Called with a script, it gives what the script handed to ``out``, one tuple a call."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.engine = engine(Environment(RunSettings(limits=limits)))
        self.box = Box()
        self.shown: list[Any] = []
        self.engine.define("out", lambda *values: self.shown.append(values if len(values) != 1 else values[0]))
        self.engine.define("box", self.box)

    def __call__(self, source: str, place: Place = PLACE) -> list[Any]:
        self.shown.clear()
        self.engine.execute(source, place)
        return list(self.shown)

    def failure(self, source: str, place: Place = PLACE) -> ScriptFailure:
        """The error by which a script must end."""
        with pytest.raises(ScriptFailure) as caught:
            self(source, place)
        return caught.value
