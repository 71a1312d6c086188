"""What holds for all tests: the bytecode of the processes that they start, and the files about cards.

A file about a card is skipped as a whole where the package that talks to cards is missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.requires import package

# A process that a test starts finds the bytecode that an earlier one wrote, as an installation's does.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(__file__).resolve().parents[1] / ".pytest_cache" / "bytecode"))


class _CardFile(pytest.Module):
    """A file whose import needs the package."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        package("pkcs11", "smartcard")
        return super().collect()


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    return _CardFile.from_parent(parent, path=module_path) if module_path.stem.startswith("test_smartcard") else None
