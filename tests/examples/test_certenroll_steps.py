"""The C# samples, whose requests somebody takes to the CA: made, sent, asked for again and answered, each in a process of
its own.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certenroll.encodings import decode_text
from certenroll.enums import EncodingType
from tests.examples.conftest import SAMPLES, Samples, openssl, printed_certificates
from tests.examples.test_certenroll_samples_b import DENIED, check_usable

STEPS = {"simple_cert_request.py": ("box", "CN=stepwise"), "cng_cert_request.py": ("CN=stepwise",)}


def step(samples: Samples, *arguments: str) -> tuple[int, str, str]:
    """A step's exit code, what it prints and what it complains of."""
    command = [sys.executable, "-W", "error", str(SAMPLES / arguments[0]), *arguments[1:]]
    done = subprocess.run(
        command, cwd=samples.folder, env=samples.xenroll.environment, capture_output=True, text=True, timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def created(samples: Samples, sample: str, *arguments: str) -> x509.CertificateSigningRequest:
    """Makes a request, writes what was printed to the file "request" and reads it."""
    text = samples(sample, "create", *(arguments or STEPS[sample]))
    (samples.folder / "request").write_text(text)
    der = decode_text(text, EncodingType.XCN_CRYPT_STRING_BASE64)
    openssl("req", "-verify", "-noout", "-inform", "DER", data=der)
    return x509.load_der_x509_csr(der)


def test_a_simple_request_is_for_the_key_in_its_container(samples: Samples) -> None:
    request = created(samples, "simple_cert_request.py", "my box", "CN=YourName", "3072")
    key = request.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert (key.key_size, request.subject.rfc4514_string(), list(request.attributes)) == (3072, "CN=YourName", [])
    assert [one["container"] for one in samples.xenroll.json("keys", "list")] == ["my box"]


def test_a_container_that_is_there_is_not_overwritten(samples: Samples) -> None:
    created(samples, "simple_cert_request.py")
    code, printed, complaint = step(samples, "simple_cert_request.py", "create", "box", "CN=second")
    assert (code, printed, complaint[:23]) == (1, "", "0x8009000F NTE_EXISTS: ")


@pytest.mark.parametrize(
    ("arguments", "curve", "hash_name"),
    [(("CN=a",), "secp256r1", "sha384"), (("CN=a", "ECDSA_P384", "SHA256"), "secp384r1", "sha256")],
)
def test_a_cng_request_has_its_curve_and_its_hash(
    samples: Samples, arguments: tuple[str, ...], curve: str, hash_name: str
) -> None:
    request = created(samples, "cng_cert_request.py", *arguments)
    key = request.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert request.signature_hash_algorithm is not None
    found = key.curve.name, request.signature_hash_algorithm.name, list(request.attributes)
    assert found == (curve, hash_name, [])


@pytest.mark.parametrize("sample", STEPS)
def test_a_request_is_made_sent_and_answered_in_processes_of_their_own(samples: Samples, sample: str) -> None:
    samples.make_ca()
    request = created(samples, sample)
    assert samples("simple_cert_request.py", "submit", "request", "answer").startswith("Certificate issued: request 1\n")
    (certificate,) = printed_certificates(samples(sample, "accept", "answer"))
    assert certificate.public_key() == request.public_key()
    check_usable(samples, certificate)
    assert samples.xenroll.json("keys", "list", "--orphans") == []


@pytest.mark.parametrize("sample", STEPS)
def test_a_request_that_is_held_is_asked_for_again(samples: Samples, sample: str) -> None:
    samples.make_ca("--policy", "hold")
    created(samples, sample)
    held = "The submission is pending: request 1: Taken Under Submission"
    assert samples(sample, "submit", "request", "answer", code=1).startswith(held)
    assert samples(sample, "retrieve", "1", "answer", code=1).startswith(held)
    assert not (samples.folder / "answer").exists()
    samples.xenroll("ca", "issue", "1")
    samples(sample, "retrieve", "1", "answer")
    (certificate,) = printed_certificates(samples(sample, "accept", "answer"))
    check_usable(samples, certificate)


@pytest.mark.parametrize("sample", STEPS)
def test_a_request_that_is_denied_brings_no_answer(samples: Samples, sample: str) -> None:
    samples.make_ca("--policy", "deny")
    created(samples, sample)
    for line in (("submit", "request"), ("retrieve", "1")):
        assert samples(sample, *line, "answer", code=1).startswith(f"The submission failed: {DENIED}")
    assert not (samples.folder / "answer").exists()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (("submit", "nothing", "answer"), "0x80070002 WIN32_FILE_NOT_FOUND: "),
        (("retrieve", "77", "answer"), "0x80094"),
        (("retrieve", "last", "answer"), "0x80070057 E_INVALIDARG: "),
        (("accept", "nothing"), "0x80070002 WIN32_FILE_NOT_FOUND: "),
        (("accept", "other"), "0x8009000D NTE_NO_KEY: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_step_that_cannot_be_taken_is_an_error(samples: Samples, line: tuple[str, ...], complaint: str) -> None:
    samples.make_ca()
    other = ("-newkey", "rsa:2048", "-nodes", "-keyout", samples.folder / "key.pem", "-subj", "/CN=other")
    openssl("req", "-new", *other, "-out", samples.folder / "other.req")
    samples.xenroll("ca", "sign", "other.req", "--out", "other")
    code, printed, complained = step(samples, "cng_cert_request.py", *line)
    assert (code, printed) == (1, "")
    assert complained.startswith(complaint)
    assert len(complained.splitlines()) == 1


@pytest.mark.parametrize("sample", STEPS)
def test_what_is_no_step_shows_the_usage(samples: Samples, sample: str) -> None:
    for arguments in ((), ("create",), ("sign", "request"), ("submit", "request"), ("accept", "a", "b")):
        assert samples(sample, *arguments, code=2).startswith(f"usage: {sample} create ")
    assert not samples.xenroll.home.exists()
