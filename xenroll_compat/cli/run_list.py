"""xenroll run --list: what of a page a user can name on the command line."""

from __future__ import annotations

import sys
from pathlib import Path

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat.cli.endings import exit_code_of
from xenroll_compat.cli.output import show_rows, write
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.limits import supervised
from xenroll_compat.hosts.settings import RunSettings


def show_page(path: Path, settings: RunSettings, is_page: bool) -> int:
    """Lists a page's fields, buttons, handlers and procedures.

    Raises:
        ComError: E_INVALIDARG where the script is no page.
        OSError: it is not there.
    """
    if not is_page:
        raise ComError(HRESULT.E_INVALIDARG, f"{path.name} is no page: --list is for pages", source="xenroll")
    with path.open("rb"):
        return supervised(settings.limits, path.name, lambda: exit_code_of(lambda: _show(path, settings)))


def _show(path: Path, settings: RunSettings) -> int:
    from xenroll_compat.hosts.objects import register
    from xenroll_compat.hosts.pages import describe_page

    environment = Environment(settings, sys.stdout)
    register(environment)
    facts = describe_page(path, environment)
    fields = [
        {"field": one.name, "form": one.form, "kind": one.kind, "value": one.value, "choices": one.choices}
        for one in facts.fields
    ]
    buttons = [{"button": name, "caption": caption} for name, caption in facts.buttons]
    show_rows(fields, ("field", "form", "kind", "value", "choices"), as_json=False, empty="no field")
    show_rows(buttons, ("button", "caption"), as_json=False, empty="no button")
    for title, names in (("handler", facts.handlers), ("procedure", facts.procedures)):
        for name in names:
            write(f"{title}: {name}")
    return 0
