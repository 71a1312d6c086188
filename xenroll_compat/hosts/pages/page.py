"""One page in its window: it is read, its scripts run where they stand, and what its elements ask for is done here.

An error that a script does not handle ends that script, not the page: it is noted, as Internet Explorer shows it and goes
on. Knows nothing of files' kinds or of what a user wants filled in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any, Final
from urllib.parse import unquote

from certenroll.com import ComObject
from certenroll.errors import ComError
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.automation import MISSING
from xenroll_compat.hosts.dialogs import Dialogs
from xenroll_compat.hosts.engine import LANGUAGES, Engine
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.pages.browser import Location
from xenroll_compat.hosts.pages.controls import Control
from xenroll_compat.hosts.pages.document import Document
from xenroll_compat.hosts.pages.events import Events
from xenroll_compat.hosts.pages.forms import KINDS, Form, ObjectElement
from xenroll_compat.hosts.pages.html import Builder, PageReader, Reactions, Script, class_of
from xenroll_compat.hosts.pages.nodes import Element
from xenroll_compat.hosts.pages.results import PageFailure, PageResult, Submission
from xenroll_compat.hosts.pages.scripts import JSCRIPT, Scripts
from xenroll_compat.hosts.pages.sources import Sources
from xenroll_compat.hosts.pages.timers import Timers
from xenroll_compat.hosts.pages.window import Window
from xenroll_compat.hosts.pages.written import Written
from xenroll_compat.hosts.problems import Place, ScriptFailure

_SCRIPT_ADDRESS: Final = re.compile(r"\s*(javascript|jscript|vbscript):", re.IGNORECASE)
_STARTERS: Final = """
function Option(text, value, ordinary, selected) {
  function given(part) { return part === undefined ? "" : String(part); }
  return pageOption(given(text), given(value), !!ordinary, !!selected);
}
function Image() { return document.createElement("img"); }
"""


class Page:
    """A page. It is the ``Host`` of its elements, its document, its window and its events."""

    def __init__(self, environment: Environment, sources: Sources, file: str, address: str) -> None:
        self._environment: Final = environment
        self._sources: Final = sources
        self._file: Final = file
        self.failures: Final[list[ScriptFailure]] = []
        self.submissions: Final[list[Submission]] = []
        self.navigations: Final[list[str]] = []
        self.notes: Final[list[str]] = []
        self.timers: Final = Timers()
        self._writers: Final[list[PageReader | None]] = [None]  # for the page, and for each script that is running
        self._written: Final = Written(environment.output)
        self._in_onerror = False
        self._context: Final = copy_context()  # the run's own: which files it may have, and no call under way
        self.location: Final = Location(address, self.follow)
        self.document: Final = Document(self)
        self.window: Final = Window(self, Dialogs(environment), environment.settings.windows)
        self.scripts: Final = Scripts(environment, self.name_for_scripts)
        self.events: Final = Events(self, self.scripts, file)
        self.scripts.define("window", self.window)
        self.scripts.define("document", self.document)
        self.scripts.define("navigator", automation.get(self.window, "navigator"))
        self.scripts.when_begun(self._begin)
        open_elements = [self.document._root, self.document._body]
        self._builder: Final = Builder(Reactions(self.make, self._opened, self._script_read), open_elements, file)

    # --- reading

    def load(self, text: str) -> None:
        """Reads the page to its end; each script runs when its end is read."""
        reader = PageReader(self._builder)
        reader.feed(text)
        reader.finish()
        self._builder.begin_again()
        self.document._state = "complete"

    def read_only(self, text: str) -> list[Script]:
        """Reads the page and runs nothing; gives its scripts, those in files too."""
        found: list[Script] = []
        document = self.document
        reactions = Reactions(self.make, script=lambda _element, script: found.append(script))
        reader = PageReader(Builder(reactions, [document._root, document._body], self._file))
        reader.feed(text)
        reader.finish()
        return [self._with_source(script) for script in found if script.engine is not None]

    def make(self, tag: str, attributes: dict[str, str]) -> Element:
        """A new element of a kind."""
        return KINDS.get(tag, Element)(self, tag, attributes)

    def fill(self, parent: Element, markup: str) -> None:
        """Puts the elements of a markup text behind an element's children; its scripts do not run."""
        self.document.fill_with(parent, markup, self._opened)

    def write(self, markup: str) -> None:
        """Puts markup where the page is being read, or at its end; its text goes to the output too."""
        writer = self._writers[-1] or PageReader(self._builder, self._written)
        self._writers[-1] = writer
        writer.feed(markup)

    def _opened(self, element: Element) -> None:
        """An element stands in the page: an OBJECT gets its object, a META may name the language."""
        if isinstance(element, ObjectElement):
            self.control(element)
        elif element._tag == "meta" and element.attribute_of("http-equiv").lower() == "content-script-type":
            self.scripts.default = LANGUAGES.get(element.attribute_of("content").strip().lower(), self.scripts.default)

    def _script_read(self, _element: Element, script: Script) -> None:
        if script.server:
            return
        if script.engine is None:
            self.note(f"a script in {script.language} did not run: there is no such language here")
            return
        self.scripts.default = self.scripts.default or script.engine
        if script.target:
            self.events.add_script_for(script)
        else:
            self._writers.append(None)
            self.guarded(partial(self._run_script, script))
            self._writers.pop()
            self._written.end_line()

    def _run_script(self, script: Script) -> None:
        script = self._with_source(script)
        self.scripts.execute(script.code, script.language, script.place)

    def _with_source(self, script: Script) -> Script:
        """The script with the text of the file that it names; one without text where that may not be had."""
        if not script.source:
            return script
        try:
            return script.with_code(*self._sources.read(script.source))
        except (ComError, OSError) as error:
            self.note(f"the script {script.source} did not run: {getattr(error, 'detail', '') or error}")
            return script.with_code("", script.source)

    # --- what scripts name without saying where

    def name_for_scripts(self, name: str) -> Any:
        """An element, a member of the window, or while an event is handled what is near its element; else MISSING."""
        near = self._near(name.lower())
        if near is not MISSING:
            return near
        found = self._element_of(name)
        return self.window.member_for_scripts(name) if found is None else self.scriptable(found)

    def global_value(self, name: str) -> Any:
        """``window.name`` for what is no member of the window: an element or a global of the scripts, or MISSING."""
        found = self._element_of(name)
        return self.scripts.value(name) if found is None else self.scriptable(found)

    def put_global(self, name: str, value: Any) -> None:
        """Sets a global of the scripts."""
        self.scripts.put(name, value)

    def _element_of(self, name: str) -> Element | None:
        """The element of an id or name; the fields of a form have only their ids here, as in Internet Explorer."""
        wanted = name.lower()
        found = [element for element in self.document._root.descend_all() if wanted in element.names_of()]
        for element in found:
            in_form = isinstance(element, Control) and element.owner_form() is not None
            if not in_form or element.attribute_of("id").lower() == wanted:
                return element
        return None

    def _near(self, name: str) -> Any:
        scope = self.events.under_way[-1].scope if self.events.under_way else []
        if len(scope) < 2 or name not in {"form", "submit", "reset"}:
            return MISSING
        return scope[1] if name == "form" else automation.bound(scope[1], name)

    def _begin(self, engine: Engine) -> None:
        engine.put("location", self.location)
        if engine.language == JSCRIPT:
            engine.define("pageOption", self._new_option)
            engine.execute(_STARTERS, Place(self._file))
        else:
            for name in ("name", "status", "defaultStatus"):  # what a script sets without window. before it
                engine.put(name, "")

    def _new_option(self, text: str, value: str, ordinary: bool, selected: bool) -> Any:
        made: Any = self.make("option", {"value": value, **({"selected": ""} if ordinary else {})})
        made.text = text
        made.selected = selected or ordinary
        return made

    # --- running

    def guarded(self, action: Callable[[], Any]) -> Any:
        """Runs a script's code, as a call that nothing else makes; an error that it does not handle is noted.

        Returns:
            the result, or None after an error.

        Raises:
            ScriptStopped: a limit.
        """
        result = None
        try:
            result = self._context.copy().run(action)  # also where a call of the script's had the event happen
        except ScriptFailure as failure:
            self._failed(failure)
        self._look_at_location()
        return result

    def fire(self, target: ComObject, event: str) -> bool:
        """Runs the handlers of an event. Gives False where one of them forbade what follows."""
        return self.events.fire(target, event)

    @property
    def event(self) -> Any:
        """The event that is happening, or None."""
        return self.events.under_way[-1].event if self.events.under_way else None

    @property
    def caller(self) -> str:
        """The language of the code that runs now; JScript where none does."""
        return self.scripts.caller or JSCRIPT

    def run_text(self, code: str, language: str, what: str = "execScript") -> None:
        """Runs a text as a script; its lines are counted for themselves, ``what`` says whose they are."""
        self.scripts.execute(code, language, Place(f"{self._file}: {what}", 1, 1))

    def run_timers(self) -> None:
        """Runs what was put off, in the order of its times, until a form is submitted or an address opened."""
        while (timer := self.timers.next()) is not None:
            code, language = timer.code, timer.language
            text = partial(self.run_text, str(code), language, "a timer's text")
            self.guarded(partial(self.scripts.running_function, code, code) if callable(code) else text)
        if self.timers.is_exhausted:
            self.note(f"timers ran {self.timers.runs} times; what they would do after that is left out")
            self.timers.clear()
        self._written.end_line()

    def _failed(self, failure: ScriptFailure) -> None:
        """Notes an error, unless window.onerror says that it is dealt with."""
        handler = automation.get(self.window, "onerror") if "onerror" in self.window._extra else None
        if callable(handler) and not self._in_onerror:
            self._in_onerror = True
            told = self.guarded(partial(handler, failure.description, self._file, failure.place.line))
            self._in_onerror = False
            if told is True:
                return
        self.failures.append(failure)

    def _look_at_location(self) -> None:
        """``location = address`` sets a global of the engine: it is an address to open."""
        for engine in self.scripts.in_use():
            found = engine.get("location")
            if found is not self.location:
                engine.put("location", self.location)
                if isinstance(found, str):
                    self.follow(found)

    # --- what elements ask for

    def follow(self, address: str) -> None:
        """Opens an address: notes it, or runs what a ``javascript:`` address holds."""
        script = _SCRIPT_ADDRESS.match(address)
        if script is not None:
            code = unquote(address[script.end() :])
            self.guarded(partial(self.run_text, code, script.group(1).lower(), "an address"))
        elif not address.strip().startswith("#"):
            self.navigations.append(address)
            self.timers.clear()

    def send(self, form: Element) -> None:
        """Submits a form: notes its fields."""
        if not isinstance(form, Form):
            return
        submission = form.as_submission()
        if _SCRIPT_ADDRESS.match(submission.action):
            self.follow(submission.action)
            return
        self.submissions.append(submission)
        self.timers.clear()

    def control(self, element: Element) -> Any:
        """The automation object of an OBJECT element, or None where it names none or one that cannot be made."""
        identifier = class_of(element._attributes)
        known = element.__dict__.get("_made")
        if known is None or known[0] != identifier:
            known = (identifier, self._create(identifier) if identifier else None)
            element.__dict__["_made"] = known
        return known[1]

    def scriptable(self, element: Element) -> Any:
        """What scripts get for an element: the automation object of an OBJECT element, else the element."""
        if not isinstance(element, ObjectElement):
            return element
        made = self.control(element)
        return element if made is None else made

    def _create(self, identifier: str) -> Any:
        try:
            return self._environment.create(identifier)
        except ComError as error:
            self.note(f"an OBJECT element has no object: {error.detail or error.strerror}")
            return None

    # --- the end

    def note(self, text: str) -> None:
        """Tells the user what was left out."""
        self.notes.append(text)

    def result(self) -> PageResult:
        """What the page did. Raises PageFailure where an error was not handled."""
        markup = self.document._root.whole_markup()
        result = PageResult(markup, tuple(self.submissions), tuple(self.navigations), (), tuple(self.notes))
        if self.failures:
            raise PageFailure(self.failures, result)
        return result
