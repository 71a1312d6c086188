"""JScript: the language of .js files and of script elements, on the JavaScript engine QuickJS.

    machine.py       one global namespace for a run: the protocol of ``hosts.engine``
    bridge.py        what scripts ask of automation objects, and what passes between the two languages
    values.py        values as the primitives that the engine passes
    prelude.js       the other end of the bridge, written with what primordials.js took before any script
    language.js      what JScript has beside ECMAScript, and what it does otherwise
    errors.py        the engine's errors as JScript's numbers and sentences
    places.py        the texts of a run: which line of which file an error's line is
    stack.py         how much of the process's stack a script may take
    source.py        what a text of 2003 needs before an ECMAScript parser takes it (tokens.py, conditional.py)

Knows no page and no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xenroll_compat.hosts.engine import Engine
    from xenroll_compat.hosts.environment import Environment


def engine(environment: Environment) -> Engine:
    """A JScript engine with nothing in its namespace but the language.

    Args:
        environment: the surroundings of the run: what creates objects, and the limits.

    Raises:
        ComError: REGDB_E_CLASSNOTREG where the package quickjs-ng is not installed.
    """
    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT

    try:
        from xenroll_compat.hosts.jscript.machine import JScriptEngine
    except ModuleNotFoundError as error:
        if error.name != "_quickjs":
            raise
        text = "JScript needs the package quickjs-ng: pip install 'xenroll[scripts]'"
        raise ComError(HRESULT.REGDB_E_CLASSNOTREG, text) from error
    return JScriptEngine(environment)
