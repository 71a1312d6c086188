"""A card that is full when one wants it to be: SoftHSM behind a library of our own, which is compiled for the test."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support.requires import program
from tests.support.softhsm import SoftToken

_SOURCE: Final = Path(__file__).with_suffix(".c")


class FullCard:
    """The switch of the card: full or not."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def fill(self) -> None:
        """Has every new key refused for want of room, from now on."""
        self._patch.setenv("FULL_CARD", "1")


@contextmanager
def full_card(folder: Path) -> Iterator[FullCard]:
    """A new token for as long as the block lasts, not full yet; its library is compiled into ``folder``."""
    library = folder / "full_card.so"
    command = [program("cc", "smartcard"), "-shared", "-fPIC", "-Wall", "-Werror", "-o", str(library), str(_SOURCE), "-ldl"]
    subprocess.run(command, check=True, timeout=60)
    with SoftToken() as token, pytest.MonkeyPatch.context() as patch:
        behind = shutil.copyfile(token.module, folder / "softhsm.so")  # a library of its own: this process may use SoftHSM
        patch.setenv("FULL_CARD_LIBRARY", str(behind))
        patch.setenv("XENROLL_PKCS11_MODULE", str(library))
        yield FullCard(patch)
