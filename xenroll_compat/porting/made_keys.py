"""The keys that a run made, and what was asked of each, as plain texts that two runs can be compared by.

Read from the private keys of a recording, as they are when it is over. Knows neither ports nor how a run is verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from certenroll import com
from certenroll.errors import ComError
from certenroll.private_keys import IX509PrivateKey
from certenroll.stores.properties import KeyProviderInfo
from xenroll_compat.porting.recording import Entry

# What is compared, as Microsoft spells it, and how it is told.
COMPARED: Final = {
    "Length": "length",
    "KeySpec": "key specification",
    "ExportPolicy": "export policy",
    "KeyProtection": "protection",
    "MachineContext": "context",
    "ProviderName": "provider",
}


def keys_met(entries: tuple[Entry, ...]) -> Iterator[tuple[IX509PrivateKey, KeyProviderInfo]]:
    """The private keys of a run that are there, made or opened, each once."""
    for key in _objects(entries):
        info = _info(key)
        if info is not None:
            yield key, info


def settings_of(entries: tuple[Entry, ...]) -> list[dict[str, str]]:
    """What was asked of each key that a run made, in the order in which it met them.

    A container's name counts where the run gave it: another is new in each run.
    """
    opened = _keys(entries, _opens)
    named = _keys(entries, _names)
    made = [(key, info) for key, info in keys_met(entries) if id(key) not in opened]
    return [_settings(key, info) | ({"container": info.container} if id(key) in named else {}) for key, info in made]


def _settings(key: IX509PrivateKey, info: KeyProviderInfo) -> dict[str, str]:
    return {"place": info.store} | {told: _read(key, name) for name, told in COMPARED.items()}


def _opens(call: com.Call) -> bool:
    """Whether a call has a key opened that is there already."""
    return call.member == "Open" or ((call.member, call.kind) == ("Existing", "put") and bool(call.arguments[0]))


def _names(call: com.Call) -> bool:
    """Whether a call gives a key the name of its container."""
    return (call.member, call.kind) == ("ContainerName", "put") and bool(call.arguments[0])


def _read(key: IX509PrivateKey, name: str) -> str:
    try:
        value = getattr(key, name)
    except ComError:
        return "(not told)"
    return str(int(value)) if isinstance(value, int) else str(value)


def _objects(entries: tuple[Entry, ...]) -> list[IX509PrivateKey]:
    found: dict[int, IX509PrivateKey] = {}
    for entry in _all(entries):
        target = entry.call.target
        if isinstance(target, IX509PrivateKey):
            found.setdefault(id(target), target)
    return list(found.values())


def _keys(entries: tuple[Entry, ...], fits: Callable[[com.Call], bool]) -> set[int]:
    """The identities of the private keys that had such a call, which succeeded."""
    calls = (entry.call for entry in _all(entries))
    return {id(call.target) for call in calls if isinstance(call.target, IX509PrivateKey) and not call.error and fits(call)}


def _all(entries: tuple[Entry, ...]) -> Iterator[Entry]:
    """The calls of a run, those within a call before it, in the order in which they ended."""
    for entry in entries:
        yield from _all(entry.inner)
        yield entry


def _info(key: IX509PrivateKey) -> KeyProviderInfo | None:
    try:
        return key.provider_info()
    except ComError:
        return None
