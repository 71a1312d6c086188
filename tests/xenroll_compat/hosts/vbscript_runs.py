"""Runs small scripts for the tests of the VBScript engine: what they wrote, and how they ended."""

from __future__ import annotations

import io
from typing import Any

from certenroll.com import ComCollection, ComObject
from certenroll.errors import ComError
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.problems import Place
from xenroll_compat.hosts.settings import Limits, RunSettings
from xenroll_compat.hosts.vbscript import engine
from xenroll_compat.hosts.vbscript.values import to_text


class Recorder:
    """An engine whose ``Echo`` keeps what it is given, one line a call, written as CStr writes it."""

    def __init__(self, **limits: Any) -> None:
        self.environment = Environment(RunSettings(limits=Limits(**limits)), io.StringIO())
        self.engine = engine(self.environment)
        self.lines: list[str] = []
        self.engine.define("Echo", self._echo)

    def _echo(self, *values: object) -> None:
        self.lines.append(" ".join("Nothing" if value is None else to_text(value) for value in values))

    def run(self, source: str) -> list[str]:
        """Runs a script; gives the lines that it wrote in this run."""
        self.lines = []
        self.engine.execute(source, Place("script.vbs", 1, 1))
        return self.lines


def echoed(source: str, **names: object) -> list[str]:
    """The lines that a script writes, which may use ``names``."""
    recorder = Recorder()
    for name, value in names.items():
        recorder.engine.define(name, value)
    return recorder.run(source)


class Failing(ComObject):
    """An object whose member fails with the code that it is told."""

    def Fail(self, Code: int) -> None:
        """Raises ComError with that code."""
        raise ComError(Code, "as told")

    def Break(self) -> None:
        """A fault of the object's own."""
        raise RuntimeError("a fault")


class Sample(ComObject):
    """An object with one member of each kind."""

    _default_ = "Value"

    def __init__(self) -> None:
        self._value = "first"
        self._parameters: dict[int, str] = {}

    @property
    def Value(self) -> str:
        """A property, the default one."""
        return self._value

    @Value.setter
    def Value(self, value: str) -> None:
        self._value = value

    def RawData(self, Encoding: int = 1) -> str:
        """A property with a parameter that may be left out."""
        return f"raw{Encoding}"

    def Parameter(self, Index: int) -> str:
        """A property with a parameter that can be written."""
        return self._parameters.get(Index, "")

    def SetParameter(self, Index: int, value: str) -> None:
        """Its put."""
        self._parameters[Index] = value

    def Mix(self, First: int, Second: int = 5, Third: str = "") -> str:
        """A method whose second argument may be left out."""
        return f"{First},{Second},{Third}"

    def Octets(self) -> bytes:
        """Three bytes."""
        return b"\x01\x02\xff"

    def Names(self) -> list[str]:
        """A list."""
        return ["a", "b"]

    def Nothing(self) -> Sample | None:
        """No object."""
        return None

    def Itself(self) -> Sample:
        """This object."""
        return self

    def Kind(self, pVal: object) -> str:
        """How a value arrives."""
        return f"{type(pVal).__name__}:{pVal}"


class Samples(ComCollection[Sample]):
    """A collection of them."""

    _item_type_ = "Sample"
