"""Test data that is kept outside the project: tests that use it skip, saying so, where it is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[3] / "shared"


def shared_path(*parts: str) -> Path:
    """The path of a shared file or folder; skips the calling test where it is absent."""
    path = _SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the test data {'/'.join(parts)} is not beside this checkout")
    return path
