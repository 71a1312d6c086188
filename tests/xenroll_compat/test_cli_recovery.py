"""xenroll ca recovery-agent and recover: an archived key comes back as a PFX, by the agent's key alone."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Policy
from keystores.base import KeyAlgorithm
from tests.stores.pki import NOW, make
from tests.support.ca_messages import archiving, submitted
from tests.support.cli import Cli
from tests.support.cmc_messages import AGENT_KEY, EC_KEY, RSA_KEY

PASSWORD = "password-of-the-pfx"


@pytest.fixture
def xenroll(tmp_path: Path) -> Cli:
    for name, key in (("agent.key", AGENT_KEY), ("other.key", RSA_KEY)):
        (tmp_path / name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "password").write_text(PASSWORD + "\n")
    (tmp_path / "password").chmod(0o600)
    days = (datetime.now(UTC) - NOW).days
    agent = make("agent", private=AGENT_KEY, ca=False, days=(-1, days + 100))
    (tmp_path / "agent.crt").write_bytes(x509.load_der_x509_certificate(agent.der).public_bytes(Encoding.PEM))
    return Cli(tmp_path / "home", tmp_path)


def test_an_archived_key_is_recovered_into_a_pfx(xenroll: Cli) -> None:
    policy = Policy(templates={"Archive": {"archive_key": True}})
    xenroll.home.mkdir(mode=0o700, exist_ok=True)
    ca = LocalCA.create(xenroll.home / "ca", "CA", host="h", algorithm=KeyAlgorithm.EC, bits=256, policy=policy)
    assert xenroll.json("ca", "recovery-agent", "agent.crt")["agents"] == 1
    answer = submitted(ca, archiving(EC_KEY, ca.exchange_certificate()), CertificateTemplate="Archive")
    recover = ("ca", "recover", answer.request_id, "--out", "key.pfx", "--password-file", "password", "--agent-key")
    xenroll(*recover, "other.key", code=1)
    assert not (xenroll.folder / "key.pfx").exists()
    done = xenroll(*recover, "agent.key")
    assert PASSWORD not in done.stdout + done.stderr
    path = xenroll.folder / "key.pfx"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    opened = pkcs12.load_pkcs12(path.read_bytes(), PASSWORD.encode())
    assert opened.key is not None
    assert opened.key.public_key() == EC_KEY.public_key()
    assert opened.cert is not None
    xenroll(*recover, "agent.key", code=1)  # never over a file that is there
