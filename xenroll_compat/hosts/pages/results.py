"""What came of a page: what it wrote, what it sent and where it went; and what a page has that a user can name.

Values only. A page has no network: a form that is submitted and an address that is opened are noted here instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from xenroll_compat.hosts.problems import ScriptFailure


@dataclass(frozen=True)
class Submission:
    """A form that would have been sent.

    Attributes:
        form: its id or name.
        action: the address, as the page gives it.
        method: "GET" or "POST".
        fields: names and values in the order of the page; a name may come again.
        target: the frame or window for the answer.
    """

    form: str
    action: str
    method: str
    fields: tuple[tuple[str, str], ...]
    target: str = ""

    def value(self, name: str) -> str:
        """The value of a field without regard to case, or "" where none is sent."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), "")

    def __str__(self) -> str:
        heading = f"[form {self.form or '(no name)'}: {self.method} {self.action or '(this page)'}]"
        return "\n".join([heading, *(f"  {name} = {value}".replace("\r\n", "\n").rstrip() for name, value in self.fields)])


@dataclass(frozen=True)
class PageResult:
    """What a page or a Windows Script File did.

    Attributes:
        output: for an ASP page what a browser would get; else the page as it stood at the end.
        submissions: the forms that it submitted, in order.
        navigations: the addresses that it opened, in order.
        headers: what an ASP page adds to its answer (Content-Type, Location, Set-Cookie, ...), in order.
        notes: what was left out of the run, for the user.
    """

    output: str = ""
    submissions: tuple[Submission, ...] = ()
    navigations: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


class PageFailure(ScriptFailure):
    """The first error of a page that none of its scripts handled; the rest of the page ran, as in a browser.

    Attributes:
        result: what the page did nevertheless.
        others: the errors that came after.
    """

    def __init__(self, failures: list[ScriptFailure], result: PageResult) -> None:
        first = failures[0]
        super().__init__(first.number, first.description, first.source, first.place)
        self.result = result
        self.others = tuple(failures[1:])


@dataclass(frozen=True)
class PageField:
    """A field that a user can fill in.

    Attributes:
        name: its name, or its id where it has no name.
        form: the id or name of its form.
        kind: "text", "hidden", "checkbox", "select-one", "textarea", ...
        value: what stands in it.
        choices: the texts of a list, or the values of radio buttons.
    """

    name: str
    form: str
    kind: str
    value: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class PageFacts:
    """What of a page can be named on the command line.

    Attributes:
        fields: the fields of its forms.
        buttons: names (or ids, or captions) and captions of its buttons.
        handlers: the events that have a handler: "button1.onclick", "window.onload".
        procedures: the functions and subs of its scripts.
    """

    fields: tuple[PageField, ...] = ()
    buttons: tuple[tuple[str, str], ...] = ()
    handlers: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
