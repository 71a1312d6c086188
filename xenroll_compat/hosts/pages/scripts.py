"""The script languages of one page: an engine of each that it uses, with one set of names between them.

A name that an engine does not have is asked of the page (elements, the window's members) and then of the other engines, so
a VBScript procedure is there for JScript and the other way round. Knows no elements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat.hosts.automation import MISSING
from xenroll_compat.hosts.engine import LANGUAGES, Engine
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.jscript import engine as jscript_engine
from xenroll_compat.hosts.problems import Place
from xenroll_compat.hosts.vbscript import engine as vbscript_engine

JSCRIPT, VBSCRIPT = "jscript", "vbscript"
_ENGINES: Final[dict[str, Callable[[Environment], Engine]]] = {JSCRIPT: jscript_engine, VBSCRIPT: vbscript_engine}


class Scripts:
    """The engines of one run.

    Attributes:
        default: the language of code that names none; a page sets it by what it says first.
    """

    def __init__(self, environment: Environment, names: Callable[[str], Any] | None = None) -> None:
        """``names`` answers for what no engine has."""
        self._environment: Final = environment
        self._names: Final = names
        self._engines: Final[dict[str, Engine]] = {}
        self._defined: Final[dict[str, Any]] = {}
        self._begun: Final[list[Callable[[Engine], None]]] = []
        self.default = ""
        self._callers: Final[list[str]] = []

    def define(self, name: str, value: Any) -> None:
        """Gives every engine a name, those that come later too."""
        self._defined[name] = value
        for engine in self._engines.values():
            engine.define(name, value)

    def when_begun(self, prepare: Callable[[Engine], None]) -> None:
        """Has each engine prepared when it is first used."""
        self._begun.append(prepare)

    def engine(self, language: str = "") -> Engine:
        """The engine of a language as pages name it; "" for the page's own. Raises ComError CO_E_CLASSSTRING for none."""
        named = language.strip().lower() or self.default or JSCRIPT
        key = LANGUAGES.get(named)
        if key is None:
            raise ComError(HRESULT.CO_E_CLASSSTRING, f"there is no script language {language!r} here", source="Page")
        self.default = self.default or key
        if key not in self._engines:
            made = _ENGINES[key](self._environment)
            self._engines[key] = made
            for name, value in self._defined.items():
                made.define(name, value)
            made.resolve_missing_with(partial(self._missing, made))
            for prepare in self._begun:
                prepare(made)
        return self._engines[key]

    def in_use(self) -> Sequence[Engine]:
        """The engines that have run something, in the order of their first use."""
        return tuple(self._engines.values())

    def is_begun(self, language: str) -> bool:
        """Whether a language's engine has been used."""
        return language in self._engines

    def owner_of(self, name: str) -> Engine | None:
        """The engine that has a global of a name, or None."""
        return next((engine for engine in self._engines.values() if engine.has(name)), None)

    def value(self, name: str) -> Any:
        """A global of any engine, or MISSING."""
        owner = self.owner_of(name)
        return MISSING if owner is None else owner.get(name)

    def put(self, name: str, value: Any) -> None:
        """Sets a global: in the engine that has it, else in the page's own language."""
        owner = self.owner_of(name) or self.engine()
        owner.put(name, value)

    def execute(self, code: str, language: str, place: Place) -> None:
        """Runs statements. Raises as ``Engine.execute``."""
        engine = self.engine(language)
        self.running(engine.language, partial(engine.execute, code, place))

    @property
    def caller(self) -> str:
        """The language whose code runs now; "" where none does."""
        return self._callers[-1] if self._callers else ""

    def running(self, language: str, action: Callable[[], Any]) -> Any:
        """Does what runs code of a language, which is ``caller`` meanwhile."""
        self._callers.append(language)
        try:
            return action()
        finally:
            self._callers.pop()

    def running_function(self, function: Any, action: Callable[[], Any]) -> Any:
        """The same for what calls a function that a script gave."""
        return self.running(JSCRIPT if hasattr(function, "call_on") else VBSCRIPT, action)

    def _missing(self, asking: Engine, name: str) -> Any:
        found = self._names(name) if self._names is not None else MISSING
        if found is not MISSING:
            return found
        for engine in self._engines.values():
            if engine is not asking and engine.has(name):
                return engine.get(name)
        return MISSING
