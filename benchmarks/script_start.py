"""How long a short script takes to start under xenroll run, beside its language's library alone: medians, measured in turn.

    .venv/bin/python benchmarks/script_start.py [--repeat 15] [--json]

benchmarks/README.md tells what stands on either side. Bytecode is written to a folder of the benchmark's own before the
first measurement, as an installation has it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BOUND = 1.5

VBSCRIPT = """\
Option Explicit
Dim total, names, i, line
Function Square(n)
    Square = n * n
End Function
Function Join2(list)
    Dim text, k
    For k = 0 To UBound(list)
        text = text & list(k) & ";"
    Next
    Join2 = text
End Function
total = 0
names = Array("a", "b", "c", "d")
For i = 0 To 19
    total = total + Square(i)
Next
If total <> 2470 Then Err.Raise 5
line = UCase(Join2(names))
If Len(line) <> 8 Then Err.Raise 5
"""
JSCRIPT = """\
var total = 0, names = [], i, line;
function square(n) {
    return n * n;
}
function joined(list) {
    var text = "", k;
    for (k = 0; k < list.length; k++) {
        text = text + list[k] + ";";
    }
    return text;
}
names = ["a", "b", "c", "d"];
for (i = 0; i < 20; i++) {
    total = total + square(i);
}
if (total != 2470) {
    throw new Error("total");
}
line = joined(names).toUpperCase();
if (line.length != 8) throw new Error("line");
"""
# The library, and the text run by it with nothing around it.
VBSCRIPT_ALONE = """\
import sys
from ASPPY.parser import Parser
from ASPPY.runner_vm import _build_globals_env
from ASPPY.vm.context import ExecutionContext
from ASPPY.vm.interpreter import VBInterpreter
context = ExecutionContext(None)
interpreter = context.Interpreter = VBInterpreter(context, _build_globals_env(context))
for statement in Parser(open(sys.argv[1], encoding="utf-8").read()).parse_program():
    interpreter.exec_stmt(statement)
"""
JSCRIPT_ALONE = "import sys, quickjs\nquickjs.Context().eval(open(sys.argv[1], encoding='utf-8').read())\n"


@dataclass(frozen=True)
class Row:
    """Medians in milliseconds: xenroll run, the library alone, an interpreter that does nothing."""

    script: str
    ours: float
    alone: float
    nothing: float

    @property
    def times(self) -> float:
        return self.ours / self.alone


def measured(commands: dict[str, list[str]], repeat: int, environment: dict[str, str]) -> dict[str, float]:
    """The commands in turn, so that a busy machine slows all of them."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for command in commands.values():
        subprocess.run(command, check=True, env=environment, capture_output=True)
    for _ in range(repeat):
        for name, command in commands.items():
            begin = time.perf_counter()
            subprocess.run(command, check=True, env=environment, capture_output=True)
            taken[name].append((time.perf_counter() - begin) * 1000)
    return {name: statistics.median(times) for name, times in taken.items()}


SCRIPTS = {"20 lines.vbs": (VBSCRIPT, VBSCRIPT_ALONE), "20 lines.js": (JSCRIPT, JSCRIPT_ALONE)}


def rows(folder: Path, repeat: int) -> Iterator[Row]:
    """One row for each language."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for name, (text, alone) in SCRIPTS.items():
        script = folder / name
        script.write_text(text, encoding="utf-8")
        commands = {
            "ours": [sys.executable, "-m", "xenroll_compat.cli.main", "run", str(script)],
            "alone": [sys.executable, "-c", alone, str(script)],
            "nothing": [sys.executable, "-c", "pass"],
        }
        yield Row(name, **measured(commands, repeat, environment))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=15, help="how often each is started (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = list(rows(Path(folder), chosen.repeat))
    if chosen.json:
        print(json.dumps([{**asdict(row), "times": row.times, "bound": BOUND} for row in found], indent=2))
        return
    for row in found:
        ours, alone = f"{row.ours:7.1f} ms", f"{row.alone:7.1f} ms"
        print(f"{row.script:14} {ours}   alone {alone}   x{row.times:.2f}   nothing {row.nothing:6.1f} ms")


if __name__ == "__main__":
    main()
