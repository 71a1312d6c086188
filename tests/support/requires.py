"""What a test needs of the machine. Under XENROLL_REQUIRE=tpm,smartcard,judges a missing piece fails instead of skipping."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest


def missing(capability: str, what: str) -> None:
    """Skips the calling test for want of ``what``, or fails it where XENROLL_REQUIRE names ``capability``."""
    if capability in os.environ.get("XENROLL_REQUIRE", "").split(","):
        pytest.fail(f"{capability} is required here, and {what} is missing", pytrace=False)
    pytest.skip(f"{what} is not installed")


def program(name: str, capability: str = "judges") -> str:
    """The path of a program; skips or fails the calling test where it is not installed."""
    path = shutil.which(name)
    if path is None:
        missing(capability, name)
    return str(path)


def package(name: str, capability: str) -> None:
    """Skips or fails the calling test, or the file that is being collected, where a Python package is not installed."""
    if importlib.util.find_spec(name) is None:
        missing(capability, f"the package {name}")
