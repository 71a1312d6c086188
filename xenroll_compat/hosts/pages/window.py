"""The window of a page: its boxes and prompts, its timers, and every name that scripts have without saying where.

A global variable or procedure of a script is a member of the window, and a member of the window needs no ``window.`` before
it. Knows the page through ``WindowHost``.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from certenroll.com import ComObject
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.automation import MISSING
from xenroll_compat.hosts.dialogs import Button, Dialogs
from xenroll_compat.hosts.pages.browser import History, Navigator, Screen
from xenroll_compat.hosts.pages.document import Surroundings, written_text
from xenroll_compat.hosts.pages.timers import Timers

_OK_CANCEL: Final = 1


class WindowHost(Surroundings, Protocol):
    """What a window asks of its page."""

    @property
    def timers(self) -> Timers:
        """What is put off."""

    @property
    def event(self) -> Any:
        """The event that is happening, or None."""

    def global_value(self, name: str) -> Any:
        """A global of the scripts, or MISSING."""

    def put_global(self, name: str, value: Any) -> None:
        """Sets a global of the scripts."""

    @property
    def caller(self) -> str:
        """The language of the code that runs now."""

    def run_text(self, code: str, language: str) -> None:
        """Runs a text as a script; what fails is the caller's."""


class Window(ComObject):
    """The window."""

    _type_name_ = "HTMLWindow2"

    def __init__(self, host: WindowHost, dialogs: Dialogs, windows: str) -> None:
        self._host: Final = host
        self._dialogs: Final = dialogs
        self._extra: Final[dict[str, Any]] = {
            "status": "", "defaultstatus": "", "name": "", "opener": None, "closed": False, "dialogarguments": None,
            "navigator": Navigator(windows), "screen": Screen(), "history": History(),
        }  # fmt: skip
        self._extra["clientinformation"] = self._extra["navigator"]
        self._listeners: Final[list[tuple[str, Any]]] = []

    @property
    def window(self) -> Any:
        """The window itself."""
        return self

    @property
    def self(self) -> Any:
        """The window itself."""
        return self

    @property
    def top(self) -> Any:
        """The window itself: there are no frames."""
        return self

    @property
    def parent(self) -> Any:
        """The window itself: there are no frames."""
        return self

    @property
    def document(self) -> Any:
        """The document."""
        return self._host.document

    @property
    def location(self) -> Any:
        """The address; what is put there is opened."""
        return self._host.location

    @location.setter
    def location(self, v: str) -> None:
        self._host.follow(v)

    @property
    def event(self) -> Any:
        """The event that is happening, or nothing."""
        return self._host.event

    @property
    def length(self) -> int:
        """0: there are no frames."""
        return 0

    def alert(self, message: object = "") -> None:
        """Shows a message."""
        self._dialogs.message(written_text(message))

    def confirm(self, message: object = "") -> bool:
        """Asks for OK or Cancel. Gives whether OK was pressed."""
        return self._dialogs.message(written_text(message), _OK_CANCEL) == Button.OK

    def prompt(self, message: object = "", default: object = "") -> str | None:
        """Asks for a text. Gives it, or nothing where the prompt was cancelled."""
        return self._dialogs.ask(written_text(message), default=written_text(default))

    def setTimeout(self, code: object, milliseconds: object = 0, language: str = "") -> int:
        """Has a function or a text run once, when the page has been read. Nothing waits: the order alone is kept."""
        return self._host.timers.add(code, _number(milliseconds), language or self._host.caller, again=False)

    def setInterval(self, code: object, milliseconds: object = 0, language: str = "") -> int:
        """Has a function or a text run again and again, within the page's bound."""
        return self._host.timers.add(code, _number(milliseconds), language or self._host.caller, again=True)

    def clearTimeout(self, timer: object = None) -> None:
        """Takes a timer away."""
        self._host.timers.remove(timer)

    def clearInterval(self, timer: object = None) -> None:
        """Takes a timer away."""
        self._host.timers.remove(timer)

    def execScript(self, code: str, language: str = "JScript") -> None:
        """Runs a text as a script of a language."""
        self._host.run_text(code, language)

    def open(self, url: str = "", name: object = "", features: object = "", replace: object = False) -> Any:
        """Nothing: no second window is opened. The address is noted as one that the page opens."""
        if url:
            self._host.follow(url)

    def navigate(self, url: str) -> None:
        """Opens an address."""
        self._host.follow(url)

    def showModalDialog(self, url: str, arguments: object = None, features: object = "") -> Any:
        """Nothing: no second window is opened."""

    def close(self) -> None:
        """Notes that the window is closed; its scripts run on."""
        self._extra["closed"] = True

    def print(self) -> None:
        """Nothing: there is no printer."""

    def focus(self) -> None:
        """Nothing: there is no screen."""

    def blur(self) -> None:
        """Nothing: there is no screen."""

    def scroll(self, x: object = 0, y: object = 0) -> None:
        """Nothing: there is no screen."""

    def scrollTo(self, x: object = 0, y: object = 0) -> None:
        """Nothing: there is no screen."""

    def moveTo(self, x: object = 0, y: object = 0) -> None:
        """Nothing: there is no screen."""

    def resizeTo(self, x: object = 0, y: object = 0) -> None:
        """Nothing: there is no screen."""

    def attachEvent(self, event: str, handler: object) -> bool:
        """Adds a handler ("onload")."""
        self._listeners.append((event.lower(), handler))
        return True

    def detachEvent(self, event: str, handler: object) -> None:
        """Takes a handler away."""
        if (event.lower(), handler) in self._listeners:
            self._listeners.remove((event.lower(), handler))

    def member_for_scripts(self, name: str) -> Any:
        """What a name without ``window.`` is, or MISSING: a method as a function, a property as its value."""
        if automation.kind_of(self, name) == "method":
            return automation.bound(self, name)
        if automation.kind_of(self, name) == "property":
            return automation.get(self, name)
        return self._extra.get(name.lower(), MISSING)

    def _dynamic_get(self, name: str) -> Any:
        found = self._extra.get(name.lower(), MISSING)
        if found is not MISSING:
            return found
        found = self._host.global_value(name)
        return None if found is MISSING and name.lower() == "onload" else found

    def _dynamic_put(self, name: str, value: Any) -> None:
        if name.lower() in self._extra or name.lower().startswith("on"):
            self._extra[name.lower()] = value
        else:
            self._host.put_global(name, value)




def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return 0.0
