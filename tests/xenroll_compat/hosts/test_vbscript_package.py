"""The package beneath the engine: how little of it is loaded, and what is said where it is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PREAMBLE = """
import sys
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.problems import Place
from xenroll_compat.hosts.settings import RunSettings
"""


def _python(code: str) -> str:
    command = [sys.executable, "-c", PREAMBLE + code]
    root = Path(__file__).parents[3]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=root).stdout


def test_a_script_loads_the_parser_alone_and_no_cryptography() -> None:
    source = 'For i = 1 To 3 : s = s & CStr(i) & Left("abc", i) : Next : Now'
    loaded = _python(f"""
from xenroll_compat.hosts.vbscript import engine
engine(Environment(RunSettings())).execute({source!r}, Place())
print(*sorted(name for name in sys.modules if name.startswith(("ASPPY", "cryptography", "sqlite3", "certenroll.engine"))))
""")
    assert loaded.split() == ["ASPPY", "ASPPY.ast_nodes", "ASPPY.lexer", "ASPPY.parser", "ASPPY.vb_errors"]


def test_every_function_loads_nothing_that_reaches_out() -> None:
    loaded = _python("""
from xenroll_compat.hosts.vbscript import engine
source = 'x = FormatDateTime(Now, 1) & FormatCurrency(1) & DateAdd("d", 1, Date) & Escape("a b") & IsDate("1/2/2003")'
engine(Environment(RunSettings())).execute(source, Place())
print(*sorted(name for name in sys.modules if name.startswith("ASPPY.") and not name.startswith("ASPPY.vb_")))
""")
    assert loaded.split() == ["ASPPY.ast_nodes", "ASPPY.lexer", "ASPPY.parser", "ASPPY.vm", "ASPPY.vm.values"]


def test_without_the_package_the_engine_says_what_to_install() -> None:
    told = _python("""
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat.hosts.vbscript import engine
sys.modules["ASPPY"] = None
try:
    engine(Environment(RunSettings()))
except ComError as error:
    print(error.code_name, error.detail)
""")
    assert told.startswith("REGDB_E_CLASSNOTREG")
    assert "pip install 'xenroll[scripts]'" in told
