"""What a script's runs come to: a right end, or the reason why not.

A right end: every run ended without an error that nothing handled, each request that was made is one that OpenSSL verifies,
and where a request or an answer was tried, one of them came through. Knows nothing of how runs are made.
"""

from __future__ import annotations

import base64
import binascii
import re
import subprocess
from dataclasses import dataclass
from typing import Final

from tests.public_scripts.finding import NotRun, Script
from tests.public_scripts.trial import Outcome

RIGHT: Final = "right end"
_ARMOR: Final = re.compile(r"-----[^-]+-----")
_JQUERY: Final = re.compile(r"\$\s*\(|\bjQuery\b")
_WORK: Final = re.compile(r"\.\s*(create(?:File)?PKCS10|createRequest|acceptPKCS7|InstallPKCS7|InstallResponse)\b", re.I)
_FAILURE: Final = re.compile(r"^(?:.*/)?([^/\n]*\(\d+, \d+\) .*)$", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """What is told of a script.

    Attributes:
        name: the script.
        end: "right end", "not run" or "no right end".
        reason: why not; "" for a right end.
        runs: how many runs there were.
        requests: how many requests came out.
        answers: how many answers were taken.
        notes: calls that failed and were handled by the script, and what of the control's work it names and never came to.
    """

    name: str
    end: str
    reason: str = ""
    runs: int = 0
    requests: int = 0
    answers: int = 0
    notes: tuple[str, ...] = ()


def not_run(what: NotRun) -> Verdict:
    """The verdict of what is no script."""
    return Verdict(what.name, "not run", what.reason)


def judge(script: Script, runs: list[Outcome]) -> Verdict:
    """The verdict of a script's runs."""
    calls = [call for run in runs for call in run.calls]
    problems = [problem for run in runs if (problem := _problem(run, script))]
    made = [call for call in calls if call["what"] in ("request", "file") and not call["error"]]
    taken = [call for call in calls if call["what"] == "answer" and not call["error"]]
    problems = problems or [*_fruitless(calls, ("request", "file")), *_fruitless(calls, ("answer",))]
    failed = dict.fromkeys(f"{call['call']}: {call['error']}" for call in calls if call["error"])
    notes = [*failed, *_not_called(script, calls)]
    reason = (script.given.reason or problems[0]) if problems else ""
    if problems and script.given.reason:
        reason = f"{script.given.reason} [{problems[0]}]"
    end = "no right end" if problems else RIGHT
    return Verdict(script.name, end, reason, len(runs), len(made), len(taken), tuple(notes))


def _not_called(script: Script, calls: list[dict[str, str]]) -> list[str]:
    """What a script names of the control's work, where it came to none of it."""
    named = {found.lower(): found for text in script.texts.values() for found in _WORK.findall(text)}
    return [f"not called: {', '.join(named.values())}"] if named and not any(call["what"] for call in calls) else []


def _problem(run: Outcome, script: Script) -> str:
    """What went wrong in a run, or ""."""
    at = f"{' '.join(run.events)}: " if run.events else ""
    if run.code != 0:
        text = "".join(script.texts.values())
        failures = _FAILURE.findall(run.told)
        told = failures[0] if failures else (run.told.strip().splitlines() or [""])[-1]
        if "'$'" in told or "jQuery" in told or ("Object expected" in told and _JQUERY.search(text)):
            return f"needs jQuery: {told}"
        return f"{at}{told}" if told else f"{at}the script ended itself with {run.code}"
    for call in run.calls:
        if call["what"] == "request" and not call["error"] and not _is_request(call["request"]):
            return f"{at}{call['call']} gave what OpenSSL does not verify"
        if call["what"] == "file" and not call["error"] and not _is_file(run, call["file"]):
            return f"{at}{call['call']} wrote what OpenSSL does not verify"
    return ""


def _fruitless(calls: list[dict[str, str]], kinds: tuple[str, ...]) -> list[str]:
    tried = [call for call in calls if call["what"] in kinds]
    if not tried or not all(call["error"] for call in tried):
        return []
    return [f"{tried[-1]['call']}: {tried[-1]['error']}"]


def _is_file(run: Outcome, name: str) -> bool:
    path = run.folder / name.replace("\\", "/").rpartition("/")[2]
    return path.is_file() and _is_request(path.read_text(encoding="latin-1"))


def _is_request(text: str) -> bool:
    """Whether OpenSSL reads a text as a PKCS #10 and finds its signature good, or as a CMS message (a CMC request)."""
    try:
        der = base64.b64decode(_ARMOR.sub("", text), validate=False)
    except binascii.Error:
        return False
    if _openssl(der, "req", "-inform", "DER", "-verify", "-noout"):
        return True
    return _openssl(der, "cms", "-inform", "DER", "-cmsout", "-print", "-noout")


def _openssl(der: bytes, *arguments: str) -> bool:
    done = subprocess.run(["openssl", *arguments], input=der, capture_output=True, timeout=30, check=False)
    return done.returncode == 0 and b"failure" not in done.stderr.lower()
