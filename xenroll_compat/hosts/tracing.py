"""A trace: each public call of a run with its arguments, its result or error and its time, as text or as JSON lines.

In text a call stands above the calls that it made, indented by depth, once the script's own call is over; JSON lines come as
the calls end, inner ones first. Values are shortened, and what ``masking`` names is masked. Changes nothing of a run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final, TextIO

from certenroll.com import Call, ComObject, observe
from certenroll.variants import Vacant
from xenroll_compat.hosts.automation import type_name
from xenroll_compat.hosts.masking import MASK, RESULT, Masking
from xenroll_compat.hosts.output import Flushing, Output

FORMS: Final = ("text", "json")
_LONGEST: Final = 72  # characters of a text that are shown
_BYTES: Final = 16
_ITEMS: Final = 8


class Tracer:
    """An observer that writes what it is told."""

    def __init__(self, output: Flushing, form: str = "text", secrets: tuple[str, ...] = ()) -> None:
        """``form`` is "text" or "json"; ``secrets`` are texts that are masked wherever they come."""
        self._output, self._is_json = output, form == "json"
        self._masking = Masking(secrets)
        self._numbers: dict[int, tuple[object, str]] = {}  # an object is kept, so that its identity is not used again
        self._counts: dict[str, int] = {}
        self._waiting: dict[int, list[str]] = {}  # depth -> the lines of calls that are over, while an outer one is not

    def __call__(self, call: Call) -> None:
        """Takes one call."""
        secret = self._masking.positions(call)
        told = {
            "depth": call.depth,
            "object": self._object(call.target) if call.target is not None else "facade",
            "member": call.member,
            "kind": call.kind,
            "arguments": [self._shown(value, at in secret) for at, value in enumerate(call.arguments)],
            **({"named": self._named(call)} if call.named else {}),
            **self._outcome(call, RESULT in secret),
            "milliseconds": round(call.seconds * 1000, 3),
        }
        if self._is_json:
            self._output.write(json.dumps(told, ensure_ascii=False) + "\n")
            return
        lines = [_line(told), *self._waiting.pop(call.depth + 1, [])]
        if call.depth:
            self._waiting.setdefault(call.depth, []).extend(lines)
        else:
            self._output.write("".join(lines))

    def close(self) -> None:
        """Writes the calls whose outer ones never ended."""
        for depth in sorted(self._waiting):
            self._output.write("".join(self._waiting.pop(depth)))
        self._output.flush()

    def _named(self, call: Call) -> dict[str, Any]:
        return {name: self._shown(value, self._masking.named(name)) for name, value in call.named}

    def _outcome(self, call: Call, is_secret: bool) -> dict[str, Any]:
        if call.error is not None:
            detail = self._cleaned(call.error.detail)
            return {"error": call.error.code_name, **({"detail": detail} if detail else {})}
        if call.kind == "put" or (call.result is None and call.kind == "call"):
            return {}
        return {"result": self._shown(call.result, is_secret)}

    def _object(self, target: object) -> str:
        found = self._numbers.get(id(target))
        if found is None:
            told = type_name(target)
            name = type(target).__name__ if told == "Object" else told
            self._counts[name] = self._counts.get(name, 0) + 1
            found = self._numbers[id(target)] = (target, f"{name}#{self._counts[name]}")
        return found[1]

    def _shown(self, value: Any, is_secret: bool) -> Any:
        """A value as JSON has it: texts and numbers as they are, anything else as an object with one name."""
        if is_secret and value not in (None, ""):
            return MASK
        if isinstance(value, str):
            text = self._cleaned(value)
            return text if len(text) <= _LONGEST else {"text": text[:_LONGEST], "length": len(text)}
        if isinstance(value, (list, tuple)):
            items = [self._shown(one, False) for one in value[:_ITEMS]]
            return items if len(value) <= _ITEMS else {"items": items, "length": len(value)}
        if isinstance(value, (bytes, bytearray)) and self._masking.hides(bytes(value)):
            return MASK
        return {"object": self._object(value)} if isinstance(value, ComObject) else _plain(value)

    def _cleaned(self, text: str) -> str:
        cleaned = self._masking.clean(text)
        return MASK if self._masking.hides(cleaned) else cleaned


def _plain(value: Any) -> Any:
    """A value that is no text and no object, for JSON; of a class that is not automation's, its name alone."""
    if isinstance(value, Vacant):
        return {"object": value.value}
    if value is None:
        return {"object": "Nothing"}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": value[:_BYTES].hex(), "length": len(value)}
    if isinstance(value, Enum):
        return {"name": value.name or "", "value": value.value}
    if isinstance(value, datetime):
        return {"time": value.isoformat(sep=" ")}
    return value if isinstance(value, (bool, int, float)) else {"object": type(value).__name__}


def _as_text(shown: Any) -> str:
    """What ``_shown`` gives, as a line of text has it."""
    if isinstance(shown, list):
        return f"[{', '.join(map(_as_text, shown))}]"
    if isinstance(shown, dict):
        (name, begin), *_ = shown.items()
        return _WRITTEN[name](begin, shown)
    return MASK if shown == MASK else json.dumps(shown, ensure_ascii=False)


# The first name of what is no plain value -> how it is written.
_WRITTEN: Final[dict[str, Callable[[Any, dict[str, Any]], str]]] = {
    "object": lambda begin, _: str(begin),
    "time": lambda begin, _: str(begin),
    "name": lambda begin, all_: f"{begin} ({all_['value']})" if begin else str(all_["value"]),
    "text": lambda begin, all_: f"{_as_text(begin)}... ({all_['length']})",
    "items": lambda begin, all_: f"{_as_text(begin)}... ({all_['length']})",
    "bytes": lambda begin, all_: f"{begin}{'...' if all_['length'] > _BYTES else ''} ({all_['length']} bytes)",
}


def _line(told: dict[str, Any]) -> str:
    named = [f"{name}={_as_text(value)}" for name, value in told.get("named", {}).items()]
    given = ", ".join([*map(_as_text, told["arguments"]), *named])
    call = {"put": f" = {given}", "get": f"({given})" if given else ""}.get(told["kind"], f"({given})")
    detail = f": {told['detail']}" if "detail" in told else ""
    outcome = f" -> {_as_text(told['result'])}" if "result" in told else ""
    outcome = f" !! {told['error']}{detail}" if "error" in told else outcome
    return f"{'  ' * told['depth']}{told['object']}.{told['member']}{call}{outcome}  {told['milliseconds']:.3f} ms\n"


@contextmanager
def traced(form: str, file: Path | None, default: TextIO, secrets: tuple[str, ...] = ()) -> Iterator[None]:
    """Traces what is called in the block.

    Args:
        form: "text" or "json".
        file: where to write; a file that is there is replaced, and its owner alone may read it. None for ``default``.
        default: the stream where no file is named.
        secrets: texts to mask wherever they come.

    Raises:
        OSError: the file cannot be written.
    """
    if file is None:
        with _told_to(Tracer(Output(default), form, secrets)):
            yield
        return
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    os.fchmod(descriptor, 0o600)
    with (
        os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", buffering=1) as output,
        _told_to(Tracer(Output(output), form, secrets)),
    ):
        yield


@contextmanager
def _told_to(tracer: Tracer) -> Iterator[None]:
    try:
        with observe(tracer):
            yield
    finally:
        tracer.close()
