"""The three key stores, so that one test runs over all of them: software in a folder, a real swtpm, a real SoftHSM."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from keystores.base import KeyAlgorithm, KeyStore, KeyTemplate, Scope, StoredKey
from keystores.software import SoftwareKeyStore


def _software(folder: Path) -> Iterator[KeyStore]:
    yield SoftwareKeyStore(folder / "software", Scope.USER)


def _tpm(folder: Path) -> Iterator[KeyStore]:
    from keystores.tpm import TpmKeyStore
    from tests.support.swtpm import SwTpm

    with SwTpm() as tpm, TpmKeyStore(folder / "tpm", Scope.USER, tpm.tcti) as store:
        yield store


def _smartcard(folder: Path) -> Iterator[KeyStore]:
    from keystores.smartcard import SmartCardKeyStore
    from tests.support.softhsm import SoftToken

    with SoftToken() as token:
        # The PIN comes from the environment that the token has set, as it does for a user.
        from keystores.pins import from_environment

        yield SmartCardKeyStore(Scope.USER, token.module, token.uri, from_environment(), folder / "locks")


_MAKERS = {"software": _software, "tpm": _tpm, "smartcard": _smartcard}


@pytest.fixture(scope="module", params=list(_MAKERS))
def key_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyStore]:
    """Each key store in turn, one device for a whole file of tests."""
    yield from _MAKERS[request.param](tmp_path_factory.mktemp("keys"))


@pytest.fixture
def container() -> str:
    """A container's name that nobody has used."""
    return f"test {uuid4()}"


@pytest.fixture(scope="module")
def rsa_key(key_store: KeyStore) -> StoredKey:
    """An RSA key of 2048 bits that no test changes."""
    return key_store.create("an RSA key", KeyTemplate(KeyAlgorithm.RSA, 2048))


@pytest.fixture(scope="module")
def ec_key(key_store: KeyStore) -> StoredKey:
    """A P-256 key that no test changes."""
    return key_store.create("a P-256 key", KeyTemplate(KeyAlgorithm.EC, 256))
