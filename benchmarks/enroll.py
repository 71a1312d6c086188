"""What enrolling costs beside the bare libraries: medians of both, measured in turn in one run.

    .venv/bin/python benchmarks/enroll.py [--repeat 40] [--stores 100,100000] [--json]

A key store that is not installed here is left out, and said so. benchmarks/README.md tells what stands on the bare side.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs7

import certenroll
from certenroll.asn1.cms import encode_certificate_bag
from certenroll.ca.base import Submission
from certenroll.ca.local import LocalCA
from certenroll.engine.opening import open_workspace
from keystores.base import KeyAlgorithm
from xenroll_compat.cli.devices import Device, soft_card, soft_tpm

USER = certenroll.X509CertificateEnrollmentContext.ContextUser
DER = certenroll.EncodingType.XCN_CRYPT_STRING_BINARY
ALGORITHMS = {"RSA-2048": ("1.2.840.113549.1.1.1", 2048), "P-256": ("1.2.840.10045.3.1.7", 256)}
LOCATIONS = {"TPM": 1, "software": 3, "card": 4}
SUBJECT = "CN=Alice, O=Example"


@dataclass(frozen=True)
class Row:
    """A measurement: ours and the bare library's, medians in milliseconds."""

    what: str
    ours: float
    bare: float
    bare_is: str


def in_turn(repeat: int, ours: Callable[[], object], bare: Callable[[], object]) -> tuple[float, float]:
    """The medians of two things done in turn, in milliseconds, so that a busy machine slows both."""
    taken: tuple[list[float], list[float]] = ([], [])
    ours(), bare()
    for _ in range(repeat):
        for times, work in zip(taken, (ours, bare), strict=True):
            start = time.perf_counter()
            work()
            times.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken[0]), statistics.median(taken[1])


# --- CreateRequest


def ready_key(location: int, algorithm: str, container: str) -> Any:
    oid, length = ALGORITHMS[algorithm]
    key = certenroll.Dispatch("X509Enrollment.CX509PrivateKey")
    key.KeyLocation, key.ContainerName, key.Length = location, container, length
    key.Algorithm = certenroll.Dispatch("X509Enrollment.CObjectId")
    key.Algorithm.InitializeFromValue(oid)
    key.Create()
    return key


def create_request(key: Any) -> bytes:
    name = certenroll.Dispatch("X509Enrollment.CX500DistinguishedName")
    name.Encode(SUBJECT)
    request = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    request.InitializeFromPrivateKey(USER, key, "")
    request.Subject = name
    enrollment = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromRequest(request)
    return enrollment.CreateRequest(DER)


def bare_software(key: Any, request: bytes) -> tuple[str, Callable[[], object]]:
    """pyca builds and signs a request of the same subject and key identifier, with the same key in memory."""
    loaded = x509.load_der_x509_csr(request)
    pem = Path(key.UniqueContainerName).read_bytes()
    held = serialization.load_pem_private_key(pem, None)

    def build() -> bytes:
        builder = x509.CertificateSigningRequestBuilder().subject_name(loaded.subject)
        identifier = x509.SubjectKeyIdentifier.from_public_key(held.public_key())
        made = builder.add_extension(identifier, critical=False).sign(held, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.DER)

    return "pyca builder", build


def bare_tpm(key: Any, request: bytes) -> tuple[str, Callable[[], object]]:
    """ESAPI loads the same key, signs the same bytes and flushes it, on a connection that is open."""
    from tpm2_pytss.constants import TPM2_ALG
    from tpm2_pytss.ESAPI import ESAPI
    from tpm2_pytss.tsskey import TSSPrivKey
    from tpm2_pytss.types import TPMS_SCHEME_HASH, TPMT_SIG_SCHEME, TPMU_SIG_SCHEME

    loaded = x509.load_der_x509_csr(request)
    scheme = TPM2_ALG.RSASSA if isinstance(loaded.public_key(), rsa.RSAPublicKey) else TPM2_ALG.ECDSA
    details = TPMU_SIG_SCHEME(any=TPMS_SCHEME_HASH(hashAlg=TPM2_ALG.SHA256))
    file = TSSPrivKey.from_pem(Path(key.UniqueContainerName).read_bytes())
    context = ESAPI(os.environ["XENROLL_TPM_TCTI"])

    def sign() -> None:
        handle = file.load(context)
        context.sign(handle, digest_of(loaded), TPMT_SIG_SCHEME(scheme=scheme, details=details))
        context.flush_context(handle)

    return "ESAPI load, sign, flush", sign


def bare_card(key: Any, request: bytes) -> tuple[str, Callable[[], object]]:
    """PKCS#11 signs the same bytes with the same key object, on a session that is open and logged in."""
    import pkcs11

    loaded = x509.load_der_x509_csr(request)
    is_rsa = isinstance(loaded.public_key(), rsa.RSAPublicKey)
    mechanism = pkcs11.Mechanism.SHA256_RSA_PKCS if is_rsa else pkcs11.Mechanism.ECDSA
    token = next(pkcs11.lib(os.environ["XENROLL_PKCS11_MODULE"]).get_tokens(token_label="bench"))
    session = token.open()  # the login of our own session is the process's
    wanted = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.Attribute.LABEL: key.ContainerName}
    (held,) = session.get_objects(wanted)
    data = loaded.tbs_certrequest_bytes
    return "PKCS#11 sign", lambda: held.sign(data if is_rsa else digest_of(loaded), mechanism=mechanism)


def digest_of(request: x509.CertificateSigningRequest) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(request.tbs_certrequest_bytes)
    return digest.finalize()


BARE = {"software": bare_software, "TPM": bare_tpm, "card": bare_card}


def requests(store: str, repeat: int) -> Iterator[Row]:
    for algorithm in ALGORITHMS:
        key = ready_key(LOCATIONS[store], algorithm, f"{store} {algorithm}")
        name, bare = BARE[store](key, create_request(key))
        ours, theirs = in_turn(repeat, lambda: create_request(key), bare)  # noqa: B023  measured before the next key
        yield Row(f"CreateRequest, {store} {algorithm}", ours, theirs, name)


# --- InstallResponse


def fill(store: str, count: int) -> None:
    """Puts certificates into a store, each with a subject and a key of its own, in one transaction."""
    workspace = open_workspace(USER)
    key = ec.generate_private_key(ec.SECP256R1())
    marker = bytes(range(32, 64))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "12345678")])
    now = workspace.clock().replace(tzinfo=None)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(0x0123456789ABCDEF)
    builder = builder.not_valid_before(now).not_valid_after(now.replace(year=now.year + 1))
    template = builder.public_key(ed25519.Ed25519PublicKey.from_public_bytes(marker)).sign(key, hashes.SHA256())
    der = template.public_bytes(serialization.Encoding.DER)
    with workspace.profile.database.transaction():
        for number in range(workspace.certificates.count(store), count):
            own = der.replace(marker, number.to_bytes(32, "big")).replace(b"12345678", b"%08d" % number)
            workspace.certificates.add(store, own)


def install(response: bytes) -> None:
    enrollment = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.Initialize(USER)
    enrollment.InstallResponse(0, response, DER)


def installs(authority: LocalCA, counts: list[int], repeat: int) -> Iterator[Row]:
    """Each install takes a response of its own; the bare side parses the same one and verifies the same chain."""
    key = ready_key(LOCATIONS["software"], "P-256", "installed")
    root = x509.load_der_x509_certificate(authority.certificates()[-1])
    kinds = x509.verification.ExtensionPolicy
    policy = x509.verification.PolicyBuilder().store(x509.verification.Store([root]))
    policy = policy.extension_policies(ee_policy=kinds.permit_all(), ca_policy=kinds.webpki_defaults_ca())
    for count in counts:
        fill("MY", count)
        responses = [respond(authority, create_request(key)) for _ in range(repeat + 1)]
        ours_next, bare_next = iter(responses), iter(responses)

        def bare(turn: Iterator[bytes] = bare_next) -> None:
            leaf, *chain = pkcs7.load_der_pkcs7_certificates(next(turn))
            policy.build_client_verifier().verify(leaf, chain)

        ours, theirs = in_turn(repeat, lambda turn=ours_next: install(next(turn)), bare)  # type: ignore[misc]
        yield Row(f"InstallResponse, {count} certificates in MY", ours, theirs, "pyca parse, verify")


def respond(authority: LocalCA, request: bytes) -> bytes:
    answer = authority.submit(Submission(request))
    assert answer.certificate is not None, answer.message
    return encode_certificate_bag((answer.certificate, *answer.chain))


# --- Start-up


def starts(repeat: int) -> Iterator[Row]:
    def run(*arguments: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)

    bare = run("-c", "pass")
    command = "import sys; sys.argv = ['xenroll', '--help']; from xenroll_compat.cli.main import main; sys.exit(main())"
    yield Row("xenroll --help", *in_turn(repeat, run("-c", command), bare), "python -c pass")
    yield Row("import certenroll", *in_turn(repeat, run("-c", "import certenroll"), bare), "python -c pass")
    used = "import certenroll; certenroll.Dispatch('X509Enrollment.CX509Enrollment')"
    yield Row("import certenroll and a first object", *in_turn(repeat, run("-c", used), bare), "python -c pass")


# --- The whole


@contextmanager
def devices(folder: Path) -> Iterator[dict[str, Device]]:
    with ExitStack() as held:
        tpm = held.enter_context(soft_tpm(folder / "tpm"))
        card = held.enter_context(soft_card(folder / "card", "bench"))
        os.environ.update({**tpm.environment, **card.environment})
        yield {"software": Device(), "TPM": tpm, "card": card}


def measure(folder: Path, repeat: int, counts: list[int]) -> Iterator[Row | str]:
    os.environ["XENROLL_HOME"] = str(folder / "home")
    os.environ.pop("XENROLL_KEY_LOCATION", None)
    authority = LocalCA.create(
        folder / "home" / "ca", "Bench CA", host="bench", algorithm=KeyAlgorithm.EC, bits=256, two_tier=True
    )
    open_workspace(USER).certificates.add("ROOT", authority.certificates()[-1])
    with devices(folder) as found:
        for store, device in found.items():
            yield from [f"{store} is left out: {device.missing}"] if device.missing else requests(store, repeat)
    yield from installs(authority, counts, repeat)
    yield from starts(max(repeat // 2, 5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=40, help="how often each is done (default: %(default)s)")
    parser.add_argument("--stores", default="100,100000", help="sizes of the store (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="xenroll-bench-") as folder:
        rows: list[dict[str, object]] = []
        for row in measure(Path(folder), chosen.repeat, [int(count) for count in chosen.stores.split(",")]):
            if chosen.json and isinstance(row, Row):
                rows.append(asdict(row))
            elif isinstance(row, Row):
                print(f"{row.what:42} {row.ours:8.2f} ms   {row.bare_is:24} {row.bare:8.2f} ms", flush=True)
            else:
                print(row, file=sys.stderr)
        if chosen.json:
            print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
