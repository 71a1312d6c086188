"""What holds for all tests: a file about a card is skipped as a whole where the package that talks to cards is missing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.requires import package


class _CardFile(pytest.Module):
    """A file whose import needs the package."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        package("pkcs11", "smartcard")
        return super().collect()


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    return _CardFile.from_parent(parent, path=module_path) if module_path.stem.startswith("test_smartcard") else None
