"""Events: which handlers a page has for one, in which order they run, and what they forbid.

A handler is a function that a script put on an element (``b.onclick = f``), the text of an attribute (``onclick="f()"``), a
script FOR an element and EVENT, a VBScript procedure called by element and event (``Sub b_OnClick``), or one that was
attached. A click goes from its element to those around it and to the document. Knows what a handler is, not what it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol

from certenroll.com import ComObject
from xenroll_compat.hosts.automation import MISSING
from xenroll_compat.hosts.pages.browser import Event
from xenroll_compat.hosts.pages.html import Script
from xenroll_compat.hosts.pages.nodes import Element
from xenroll_compat.hosts.pages.scripts import JSCRIPT, VBSCRIPT, Scripts
from xenroll_compat.hosts.problems import Place

BUBBLING: Final = frozenset(
    ["onclick", "ondblclick", "onmousedown", "onmouseup", "onmouseover", "onmouseout", "onkeydown", "onkeypress", "onkeyup"]
)
_PARAMETERS: Final = re.compile(r"\s*([\w]+)\s*(?:\(([^)]*)\))?")
_THIS: Final = "page_element"


@dataclass
class Happening:
    """An event under way: what it is, where it began, and what its handlers said of it."""

    event: Event
    scope: list[Any] = field(default_factory=list)
    allowed: bool = True


class EventHost(Protocol):
    """What events need of a page."""

    @property
    def document(self) -> ComObject:
        """The document."""

    @property
    def window(self) -> ComObject:
        """The window."""

    def guarded(self, action: Callable[[], Any]) -> Any:
        """Runs a script's code; what it does not handle is noted. Gives the result, or None after an error."""


class Events:
    """The events of one page.

    Attributes:
        under_way: those that are happening, the innermost last.
    """

    def __init__(self, host: EventHost, scripts: Scripts, file: str) -> None:
        self._host: Final = host
        self._scripts: Final = scripts
        self._file: Final = file
        self._for: Final[list[Script]] = []
        self._compiled: Final[dict[tuple[str, str, tuple[str, ...], Place], Callable[..., Any]]] = {}
        self.under_way: Final[list[Happening]] = []

    def add_script_for(self, script: Script) -> None:
        """Notes a script FOR an element."""
        self._for.append(script)

    def fire(self, target: ComObject, name: str) -> bool:
        """Runs the handlers of an event. Gives False where one of them forbade what follows."""
        happening = Happening(Event(name, target))
        self.under_way.append(happening)
        try:
            for current in self._path(target, name):
                happening.scope = _scope(current)
                for run in self.handlers(current, name):
                    if self._host.guarded(run) is False:
                        happening.allowed = False
                if happening.event.is_stopped():
                    break
        finally:
            self.under_way.pop()
        return happening.allowed and not happening.event.is_cancelled()

    def handlers(self, target: ComObject, name: str) -> list[Callable[[], Any]]:
        """What runs for an event at one element, in order."""
        called = self.called_of(target)
        text = self._attribute(target, name)
        found: list[Callable[[], Any]] = [
            self._of_script(script, target)
            for script in self._for if script.target.lower() in called and _event_of(script) == name
        ]  # fmt: skip
        found += self._by_convention(called, name, text)
        assigned = self._assigned(target, name)
        if assigned is not None:
            found.append(partial(self._scripts.running_function, assigned, partial(_call, assigned, target)))
        elif text:
            found.append(self._of_text(text, target, name))
        found += [self._attached(handler) for kind, handler in getattr(target, "_listeners", ()) if kind == name]
        return found

    def called_of(self, target: ComObject) -> tuple[str, ...]:
        """What names of procedures call an element: id and name, or "window" and "document"."""
        if isinstance(target, Element):
            own = tuple(dict.fromkeys(target.names_of()))
            return (*own, "body") if target._tag == "body" else own
        return ("window",) if target is self._host.window else ("document",)

    def _path(self, target: ComObject, name: str) -> Iterator[ComObject]:
        yield target
        if name not in BUBBLING or not isinstance(target, Element):
            return
        around = target._parent
        while around is not None:
            yield around
            around = around._parent
        yield self._host.document

    def _by_convention(self, called: Sequence[str], name: str, text: str) -> Iterator[Callable[[], Any]]:
        """VBScript's procedures of the name; one that the attribute's text calls itself does not run twice."""
        if not self._scripts.is_begun(VBSCRIPT):
            return
        engine = self._scripts.engine(VBSCRIPT)
        for each in called:
            procedure = f"{each}_{name}"
            if procedure not in text.lower() and engine.has(procedure):
                yield partial(self._scripts.running, VBSCRIPT, partial(engine.call, procedure))

    def _assigned(self, target: ComObject, name: str) -> Any:
        kept = getattr(target, "_extra", {}).get(name)
        if kept is None and target is self._host.window:  # ``onload = f`` and ``function onload()``
            kept = self._scripts.value(name)
        return kept if callable(kept) and kept is not MISSING else None

    def _attribute(self, target: ComObject, name: str) -> str:
        if target is self._host.window and name in {"onload", "onunload", "onbeforeunload"}:
            target = getattr(self._host.document, "body")  # noqa: B009  a script-visible name
        elif isinstance(target, Element) and target._tag == "body" and name in {"onload", "onunload"}:
            return ""
        return target.attribute_of(name) if isinstance(target, Element) else ""

    def _of_text(self, text: str, target: ComObject, name: str) -> Callable[[], Any]:
        element = target if isinstance(target, Element) else getattr(self._host.document, "body")  # noqa: B009
        code, language = text, element.attribute_of("language").lower()
        prefix = re.match(r"\s*(javascript|jscript|vbscript|vbs)\s*:", text, re.IGNORECASE)
        if prefix is not None:
            code, language = text[prefix.end() :], prefix.group(1).lower()
        place = Place(self._file, element._line, 0)
        return lambda: self._compile(code, language, (), place)(target, ())

    def _of_script(self, script: Script, target: ComObject) -> Callable[[], Any]:
        match = _PARAMETERS.match(script.event)
        names = [name.strip() for name in (match.group(2) or "" if match else "").split(",") if name.strip()]
        values = tuple(None for _ in names)
        return lambda: self._compile(script.code, script.language, tuple(names), script.place)(target, values)

    def _compile(self, code: str, language: str, names: tuple[str, ...], place: Place) -> Callable[..., Any]:
        key = (code, language, names, place)
        if key not in self._compiled:
            self._compiled[key] = self._compiled_now(*key)
        return self._compiled[key]

    def _compiled_now(self, code: str, language: str, names: tuple[str, ...], place: Place) -> Callable[..., Any]:
        """A function of the element and the arguments: the element is JScript's ``this`` and VBScript's ``Me``."""
        engine = self._scripts.engine(language)
        if engine.language != JSCRIPT:
            plain = engine.handler(code, ("Me", *names), place)
            return lambda target, arguments: self._scripts.running(VBSCRIPT, partial(plain, target, *arguments))
        listed = ", ".join(names)
        bound = f"return (function ({listed}) {{{code}\n}}).apply({_THIS}, [{listed}]);"
        wrapped = engine.handler(bound, (_THIS, *names), place)
        return lambda target, arguments: self._scripts.running(JSCRIPT, partial(wrapped, target, *arguments))

    def _attached(self, handler: Any) -> Callable[[], Any]:
        return lambda: self._scripts.running_function(handler, partial(handler, self.under_way[-1].event))


def _event_of(script: Script) -> str:
    """The event of a script FOR an element, as ``onclick``."""
    match = _PARAMETERS.match(script.event)
    name = match.group(1).lower() if match else ""
    return name if name.startswith("on") else f"on{name}"


def _call(function: Any, this: ComObject) -> Any:
    call_on = getattr(function, "call_on", None)  # a function of JScript's has a ``this``
    return call_on(this) if call_on is not None else function()


def _scope(target: ComObject) -> list[Any]:
    """Where a handler's names are looked for before the page: the element, then the form that it is in."""
    if not isinstance(target, Element):
        return []
    form = getattr(target, "owner_form", lambda: None)()
    return [target] if form is None else [target, form]
