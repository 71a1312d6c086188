"""Which of a run's calls were given secrets, by the table of what no trace may show.

All calls are looked at before the first step is written: a secret is one also before the call that says so. Knows no step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from certenroll import com
from xenroll_compat.hosts.masking import RESULT, Masking
from xenroll_compat.porting import members
from xenroll_compat.porting.recording import is_legacy
from xenroll_compat.porting.secrets_known import Secrets

# A part of a member of the control's or the facade's -> what a secret that it takes is called.
_WORDS: Final = {"pfx": "password", "pair": "name_value_pair_value", "attribute": "attribute_value"}


def note_secrets(secrets: Secrets, calls: Iterable[com.Call], host: Iterable[com.Call]) -> None:
    """Notes the secrets of a run.

    Args:
        secrets: takes them.
        calls: those of the control, of CertEnroll and of its facade.
        host: those of a script host's objects, whose results are secrets too: what was typed into a password's field.
    """
    masking = Masking()
    for call in calls:
        _note_given(secrets, masking, call)
    for call in host:
        secret = masking.positions(call)
        for position, value in (*enumerate(call.arguments), (RESULT, call.result)):
            if position in secret and isinstance(value, str) and value:
                secrets.note(value, "password")


def _note_given(secrets: Secrets, masking: Masking, call: com.Call) -> None:
    secret = masking.positions(call)
    for position, value in enumerate(call.arguments):
        if position in secret:
            _note(secrets, value, _words_of(call, position))
        elif isinstance(value, str):
            secrets.note_named(value)
    for name, value in call.named:
        if masking.named(name):
            _note(secrets, value, members.snake(name))


def _note(secrets: Secrets, value: Any, about: str) -> None:
    if isinstance(value, (str, bytes)) and value:
        secrets.note(value, about)


def _words_of(call: com.Call, position: int) -> str:
    """What a secret is called: by the parameter of CertEnroll's that takes it."""
    target = call.target
    if target is None or is_legacy(target):
        return next((words for part, words in _WORDS.items() if part in call.member.lower()), "secret")
    if call.member.lower() not in type(target)._members_:
        return "secret"
    part = members.parts_of(target, call.member, call.kind)[position]
    return replace(part, owner=members.object_words(target, "")).hint
