"""A profile of its own with a local CA, and the walk that every script makes: request, CA, answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certenroll.ca.base import Submission
from certenroll.ca.local import LocalCA
from certenroll.engine.submission import response_of
from certenroll.errors import ComError
from certenroll.hresults import signed
from keystores.base import KeyAlgorithm
from xenroll_compat import Dispatch


@pytest.fixture(autouse=True)
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the profile."""
    for name in ("XENROLL_KEY_LOCATION", "XENROLL_PKCS11_TOKEN", "XENROLL_PKCS11_MODULE", "TPM2TOOLS_TCTI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "profile"))
    return tmp_path / "profile"


@pytest.fixture
def ca(tmp_path: Path) -> LocalCA:
    """A CA with a root above it, which the profile does not know."""
    return LocalCA.create(tmp_path / "ca", "Test CA", algorithm=KeyAlgorithm.EC, bits=256, two_tier=True)


@pytest.fixture
def control() -> Any:
    """A control whose keys may be exported."""
    made = Dispatch("CEnroll.CEnroll.2")
    made.GenKeyFlags = 2048 << 16 | 1
    return made


def answer_of(ca: LocalCA, request: bytes) -> bytes:
    """The CA's PKCS #7 for a request in DER."""
    answer = ca.submit(Submission(request, {}, requester="TEST\\user"))
    assert answer.certificate is not None, answer.message
    return response_of(answer)


def refused(code: int, call: Callable[..., object], *arguments: object) -> ComError:
    """The error of a call that must fail with ``code``."""
    with pytest.raises(ComError) as caught:
        call(*arguments)
    assert caught.value.hresult == signed(code), str(caught.value)
    return caught.value
