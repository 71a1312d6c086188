"""One run in a process of its own: ``python -m tests.public_scripts.child ORDER``, where ORDER is a JSON file.

The script runs as ``xenroll run`` runs it, and each of its calls that makes a request, takes an answer or fails is written
down. Knows no verdict.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from certenroll.com import Call, observe
from xenroll_compat.cli.endings import exit_code_of
from xenroll_compat.hosts.automation import type_name
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.objects import register
from xenroll_compat.hosts.pages import describe_page
from xenroll_compat.hosts.running import PAGE, kind_of, run
from xenroll_compat.hosts.settings import MEGABYTE, Limits, RunSettings

# Members whose result is a request; those that write it to a file; those that take an answer or a whole enrollment.
REQUESTS: Final = frozenset({"createpkcs10", "createrequest"})
FILES: Final = frozenset({"createfilepkcs10", "createfilerequest"})
ANSWERS: Final = frozenset(
    ["acceptpkcs7", "acceptfilepkcs7", "acceptresponse", "acceptfileresponse", "installpkcs7", "installresponse", "enroll"]
)
_SECONDS: Final = 60.0


def main(order_file: str) -> int:
    """Does what the order says; gives the script's exit code."""
    order: dict[str, Any] = json.loads(Path(order_file).read_text(encoding="utf-8"))
    script = Path(order["script"])
    settings = RunSettings(
        arguments=tuple(order["arguments"]), folder=script.parent, limits=Limits(_SECONDS, 512 * MEGABYTE, 500),
        answers=tuple(order["answers"]), inputs=tuple(order["inputs"]),
        fields=order["fields"], events=tuple(order["events"]),
    )  # fmt: skip
    if order["describe"]:
        return exit_code_of(lambda: _describe(script, settings, Path(order["record"])))
    return run(script, settings, watching=lambda: _recorded(Path(order["record"])), ending=exit_code_of)


def _describe(script: Path, settings: RunSettings, record: Path) -> int:
    facts: dict[str, Any] = {}
    if kind_of(script) == PAGE:
        environment = Environment(settings, sys.stderr)
        register(environment)
        facts = asdict(describe_page(script, environment))
    record.write_text(json.dumps(facts), encoding="utf-8")
    return 0


@contextmanager
def _recorded(path: Path) -> Iterator[None]:
    with path.open("w", encoding="utf-8") as file:

        def write(call: Call) -> None:
            told = _told(call)
            if told is not None:
                file.write(json.dumps(told) + "\n")
                file.flush()

        with observe(write):
            yield


def _told(call: Call) -> dict[str, str] | None:
    """What is written of a call, or None for one that nobody asks for."""
    member = call.member.lower()
    what = "request" if member in REQUESTS else "file" if member in FILES else "answer" if member in ANSWERS else ""
    if call.depth or call.target is None or (call.error is None and not what):
        return None
    name = f"{type_name(call.target)}.{call.member}"
    told = {"call": name, "what": what, "error": "" if call.error is None else call.error.code_name}
    if call.error is None and what == "request":
        result = call.result
        told["request"] = base64.b64encode(result).decode() if isinstance(result, bytes) else str(result)
    if call.error is None and what == "file":
        told["file"] = str(next((one for one in reversed(call.arguments) if isinstance(one, str)), ""))
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
