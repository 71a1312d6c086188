"""Runs a Python port in a process of its own, on whatever profile the environment names, and tells what it asked for.

``python -m xenroll_compat.porting.trial PORT RESULT`` reads {"secrets": {prompt: value}} from stdin, runs the port, deletes
the keys that it made, and writes {"requests": [hex, ...], "keys": [{setting: value}, ...], "error": text} to RESULT.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import runpy
import sys
from pathlib import Path

from certenroll import com, facade
from certenroll.enums import X509CertificateEnrollmentContext as Context
from certenroll.errors import ComError
from keystores.errors import KeyStoreError, NoSuchKey
from xenroll_compat.porting.made_keys import keys_met, settings_of
from xenroll_compat.porting.recording import Recorder, requests_of

Key = tuple[str, str]


def main(arguments: list[str]) -> int:
    """Runs a port. The result is written whatever happens to it."""
    port, result = map(Path, arguments)
    secrets: dict[str, str] = json.load(sys.stdin)["secrets"]
    getpass.getpass = lambda prompt="", stream=None: secrets.get(str(prompt), "")
    before = {context: keys_of(context) for context in _contexts(port.read_text("utf-8"))}
    recorder = Recorder()
    told: dict[str, object] = {"requests": [], "keys": [], "error": ""}
    try:
        with com.observe(recorder), contextlib.redirect_stdout(sys.stderr):
            runpy.run_path(str(port), run_name="__main__")
    except (ComError, KeyStoreError, OSError, SystemExit) as failure:
        told["error"] = str(failure)
    finally:
        told["requests"] = [request.hex() for request in requests_of(recorder.entries)]
        told["keys"] = settings_of(recorder.entries)
        _delete_new(recorder, before)
        result.write_text(json.dumps(told), "utf-8")
    return 0


def _delete_new(recorder: Recorder, before: dict[Context, set[Key]]) -> None:
    """Deletes the keys that a port made; ``before`` has those that were there already."""
    for key, info in list(keys_met(recorder.entries)):
        context = Context.ContextMachine if key.MachineContext else Context.ContextUser
        if (info.store, info.container) not in before.get(context, set()):
            with contextlib.suppress(NoSuchKey):
                facade.delete_key(info.store, info.container, context=context)


def keys_of(context: int) -> set[Key]:
    """The keys that are there: the key store and the container of each."""
    return {(entry.info.store, entry.info.container) for report in facade.key_reports(context) for entry in report.keys}


def _contexts(text: str) -> tuple[Context, ...]:
    machine = "ContextMachine" in text or "MachineContext = True" in text
    return (Context.ContextUser, Context.ContextMachine) if machine else (Context.ContextUser,)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
