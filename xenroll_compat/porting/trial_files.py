"""The files of a run for a trial of its port: copies of those that were opened as stores, as they were then, and new places.

The trial reads and writes in a folder of its own, and the user's files stay as the run left them. Knows neither ports nor
stores.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from certenroll import com
from xenroll_compat.porting.members import FILES

OPEN_STORE: Final = "open_store"
_FILE: Final = "file"


class FilesBefore:
    """An observer that copies the file of each file store when a run opens it for the first time.

    Args:
        folder: where the copies go; it need not be there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder
        self._seen: dict[str, Path] = {}

    def __call__(self, call: com.Call) -> None:
        """Takes one call. A store is written when an answer is installed, which comes after it was opened."""
        named = dict(call.named)
        given = (*call.arguments, *((named["name"],) if "name" in named else ()))
        if call.kind == "facade" and call.member == OPEN_STORE and file_position(call.member, given) is not None:
            self._copy(str(given[1]))

    def place_of(self, name: str) -> str:
        """Where the trial has the file of a name, in a folder that is there; the file itself is where it was copied."""
        source = self._seen.get(name) or Path(name).resolve()
        place = self._folder / hashlib.sha256(bytes(source)).hexdigest()[:16] / source.name  # the name says its kind
        place.parent.mkdir(parents=True, exist_ok=True)
        return str(place)

    def _copy(self, name: str) -> None:
        if name in self._seen or "\0" in name:
            return
        source = self._seen[name] = Path(name).resolve()
        place = Path(self.place_of(name))
        if source.is_file() and not place.exists():
            shutil.copyfile(source, place)


def file_position(function: str, arguments: Sequence[Any]) -> int | None:
    """Which argument of a function of the facade is the name of a file that it opens or writes; None for none."""
    if function != OPEN_STORE:
        return FILES.get(function)
    return 1 if len(arguments) > 1 and str(arguments[0]).lower() == _FILE else None
