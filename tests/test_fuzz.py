"""Damaged messages of every format, through every public reader: a typed error or a right result, and no stranger installed.

The ordinary run takes a sample; `pytest -m exhaustive tests/test_fuzz.py` takes every truncation and every flipped bit of
the golden messages, shared out over the processors, and prints how many there were.
"""

from __future__ import annotations

import base64
import multiprocessing
import os
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.stores.pki import key, make
from tests.support.ca_messages import around, cmc, pkcs10_of
from tests.support.cmc_messages import EC_KEY, THE_AGENT
from tests.support.foreign_judges import bouncy_castle_answers
from tests.support.fuzzed_installs import FuzzedProfile
from tests.support.fuzzing import REQUESTS, RESPONSE, Job, Tally, run
from tests.support.shared import shared_path

WINDOWS = {
    "pkcs--10-encoded-asn-1": "Pkcs10",
    "pkcs--7-renewal-encoded-asn-1": "Pkcs7",
    "pkcs--7-eobo-encoded-asn-1": "Pkcs7",
    "cmc-encoded-asn-1": "Cmc",
    "cmc--renewal-encoded-asn-1": "Cmc",
    "cmc-eobo-encoded-asn-1": "Cmc",
    "cmc-key-archival-encoded-asn-1": "Cmc",
}
PASSWORDS = {"test-BER.p12": "12345", "v3-certs-RC2.p12": "v3-certs", "v3-certs-TDES.p12": "v3-certs"}
SLOW = {"test-BER.p12", "a PFX"}  # a key is derived from the password each time
EVERY_READER = (*REQUESTS, RESPONSE)
AT_LEAST = 200_000
PARTS = 8  # into how many jobs a message is split


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a new profile; no TPM and no card."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XENROLL_HOME", str(folder))
    monkeypatch.setenv("XENROLL_TPM_TCTI", f"swtpm:path={tmp_path}/no-tpm")
    return folder


def windows_requests() -> list[Job]:
    """The seven signed requests of Microsoft's documentation: all bits by their own reader."""
    folder = shared_path("vectors", "msdocs-requests")
    return [Job(name, (folder / f"{name}.der").read_bytes(), (kind,), 8) for name, kind in WINDOWS.items()]


def made_here() -> list[Job]:
    """Formats of which Microsoft shows no sample: a certificate that signed itself, a request inside a request."""
    inner = cmc(EC_KEY, pkcs10_of(EC_KEY))
    nested = around(inner, THE_AGENT)
    return [Job("certificate", make("itself").der, ("Certificate",), 8), Job("nested", nested, ("Cmc",), 8)]


def foreign_messages() -> list[Job]:
    """Requests of other clients, SCEP messages, BER and PFX of OpenSSL, and the seven: one bit an octet, every reader."""
    files = [file for folder in ("csr", "scep", "cms-ber") for file in sorted(shared_path("vectors", folder).iterdir())]
    files = [file for file in files if not file.name.endswith((".md", ".txt"))]
    named = {file.name: _der(file.read_bytes()) for file in files} | {job.name: job.data for job in windows_requests()}
    return [Job(name, data, EVERY_READER, 1, PASSWORDS.get(name, "")) for name, data in named.items()]


def answers_of_bouncy_castle(folder: Path) -> list[Job]:
    """Full responses of another implementation: one bit an octet, read as responses."""
    root = make("judged ca", private=key("judged ca", 2048))
    leaf = make("judged leaf", root)
    written = bouncy_castle_answers(folder, root.der, root.key, leaf.der)
    return [Job(name, data, (RESPONSE,)) for name, data in written.items()]


def installs(profile: FuzzedProfile) -> list[Job]:
    """Answers to a request that is outstanding: all bits, installed; those that take long, one bit an octet."""
    return [
        Job(name, data, (), 1 if name in SLOW else 8, password) for name, (data, password, _) in profile.answers.items()
    ]


def _der(data: bytes) -> bytes:
    """What PEM text holds; other octets as they are."""
    if not data.startswith(b"-----"):
        return data
    return base64.b64decode(b"".join(line for line in data.splitlines() if not line.startswith(b"-----")))


def shares(jobs: list[Job], parts: int) -> list[Job]:
    return [replace(job, step=parts, first=part) for job in jobs for part in range(parts)]


def sampled(jobs: list[Job], step: int) -> list[Job]:
    """One mutation of ``step``, another remainder for each message."""
    return [replace(job, step=step, first=number % step) for number, job in enumerate(jobs)]


def total(tallies: list[Tally]) -> Tally:
    whole = Tally()
    for one in tallies:
        whole.add(one)
    return whole


# The ordinary run.


def test_a_sample_of_damaged_requests_is_refused_or_read_right(profile: Path) -> None:
    found = total([run(job) for job in sampled([*windows_requests(), *made_here()], 211)])
    assert (found.findings, found.inputs > 700) == ([], True)
    assert set(found.outcomes) == {"refused", "read", "read, signature fits", "read, signature refused"}


def test_a_sample_of_other_damaged_messages_is_refused_or_read_right_by_every_reader(profile: Path) -> None:
    found = total([run(job) for job in sampled(foreign_messages(), 97)])
    assert (found.findings, found.inputs > 700) == ([], True)


def test_a_sample_of_damaged_responses_is_refused_or_read_right(tmp_path: Path) -> None:
    found = total([run(job) for job in sampled(answers_of_bouncy_castle(tmp_path), 151)])
    assert (found.findings, found.inputs > 600) == ([], True)


def test_a_sample_of_damaged_responses_installs_nothing_that_was_not_verified(profile: Path) -> None:
    fuzzed = FuzzedProfile(profile)
    found = total([fuzzed.run(job) for job in sampled(installs(fuzzed), 61)])
    fuzzed.close()
    assert (found.findings, found.inputs > 500) == ([], True)
    assert {"refused", "installed", "told to wait"} <= set(found.outcomes)


# The whole.


def _read_share(job: Job) -> tuple[str, Tally]:
    return job.name, run(job)


def _install_share(share: tuple[int, int]) -> tuple[str, Tally]:
    """Every ``share[1]``-th mutation of every answer, in a profile of its own."""
    part, parts = share
    with tempfile.TemporaryDirectory(prefix="xenroll-fuzz-") as folder:
        fuzzed = FuzzedProfile(Path(folder))
        found = total([fuzzed.run(replace(job, step=parts, first=part)) for job in installs(fuzzed)])
        fuzzed.close()
    return "InstallResponse", found


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)
def test_every_truncation_and_every_flipped_bit(
    profile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    groups = {
        "InitializeDecode, Microsoft's seven, every bit": windows_requests(),
        "InitializeDecode, made here, every bit": made_here(),
        "every reader, foreign messages": foreign_messages(),
        "read_response, Bouncy Castle's answers": answers_of_bouncy_castle(tmp_path),
    }
    found: dict[str, Tally] = defaultdict(Tally)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        pending = {name: pool.map(_read_share, shares(jobs, PARTS)) for name, jobs in groups.items()}
        pending["InstallResponse, own answers"] = pool.map(_install_share, [(part, PARTS) for part in range(PARTS)])
        for name, tallies in pending.items():
            for _, tally in tallies:
                found[name].add(tally)
    with capsys.disabled():
        print()
        for name, tally in found.items():
            said = ", ".join(f"{outcome} {count}" for outcome, count in sorted(tally.outcomes.items()))
            print(f"{tally.inputs:8} damaged inputs: {name}: {said}")
        print(f"{sum(tally.inputs for tally in found.values()):8} in all")
    assert [finding for tally in found.values() for finding in tally.findings] == []
    assert sum(tally.inputs for tally in found.values()) >= AT_LEAST
