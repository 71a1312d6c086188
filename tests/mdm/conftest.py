"""A profile of its own for each test, and nothing of the caller's environment; devices where a test asks for them."""

from __future__ import annotations

from tests.certenroll.conftest import home
from tests.flows.conftest import profile, token, tpm, with_card, with_tpm

__all__ = ["home", "profile", "token", "tpm", "with_card", "with_tpm"]
