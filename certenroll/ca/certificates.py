"""The folder of a CA: its facts (ca.json), its keys and its certificates; how one is made and how one is read.

    ca.json             name, host, tiers, URLs
    policy.json         see policy.py
    ca.db               see database.py
    ca.crt              certificate that signs what is issued, PEM; root.crt beside it where there are two tiers
    private/            ca.key and root.key: PKCS#8 PEM, for the owner alone
    published/          the newest CRLs and the certificates, DER, to be served to whoever verifies

Knows how CA certificates are made, and nothing of requests.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certenroll.asn1.names import encode_name
from certenroll.ca.base import CAError
from certenroll.ca.issuing import BACKDATE, Issuer, PrivateKey, RandomBytes, location_extensions, serial_number
from certenroll.ca.names import sanitized
from certenroll.hresults import HRESULT
from keystores.base import KeyAlgorithm

FACTS: Final = "ca.json"
ISSUING: Final = "ca"
ROOT: Final = "root"
PUBLISHED: Final = "published"

_CURVES: Final[dict[int, ec.EllipticCurve]] = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
_RSA_BITS: Final = range(1024, 16385)


@dataclass(frozen=True)
class Facts:
    """What ca.json says.

    Attributes:
        name: the CA's name, the second half of its configuration string.
        host: the first half.
        two_tier: whether a root CA stands above the one that issues.
        crl_days: how long a CRL is valid.
        crl_urls: the CRL distribution point of what it issues; ``{file}`` stands for the name of the CRL's file.
        certificate_urls: the authority information access of what it issues.
    """

    name: str
    host: str
    two_tier: bool = False
    crl_days: int = 7
    crl_urls: tuple[str, ...] = ()
    certificate_urls: tuple[str, ...] = ()

    @property
    def config(self) -> str:
        """``host\\name``."""
        return f"{self.host}\\{self.name}"

    @property
    def tiers(self) -> tuple[str, ...]:
        """The CAs in the folder, the one that issues first."""
        return (ISSUING, ROOT) if self.two_tier else (ISSUING,)

    def file(self, tier: str, suffix: str) -> str:
        """The name of a published file."""
        return f"{sanitized(self.name)}{'-root' if tier == ROOT else ''}.{suffix}"

    def urls(self, tier: str) -> dict[str, tuple[str, ...]]:
        """The URLs that a tier writes into what it signs, as the fields of Issuer."""
        crl, certificate = self.file(tier, "crl"), self.file(tier, "crt")
        return {
            "crl_urls": tuple(url.replace("{file}", crl) for url in self.crl_urls),
            "certificate_urls": tuple(url.replace("{file}", certificate) for url in self.certificate_urls),
        }


@dataclass(frozen=True)
class Plan:
    """How the certificates of a new CA are to be.

    Attributes:
        algorithm: RSA or EC.
        bits: length of the keys; for EC of the curve (256, 384, 521).
        validity_days: of the CA that issues; its root is valid twice as long.
        subject: X.500 name of the CA that issues, in Microsoft's notation.
        root_subject: of the root above it.
        moment: the time.
    """

    algorithm: KeyAlgorithm
    bits: int
    validity_days: int
    subject: str
    root_subject: str
    moment: datetime


def make_folder(directory: Path, facts: Facts, plan: Plan, random: RandomBytes, finish: Callable[[Path], None]) -> None:
    """Makes the folder of a new CA: the whole of it is there afterwards, or nothing.

    Args:
        directory: where; an empty folder is replaced.
        facts: for ca.json.
        plan: how keys and certificates are to be.
        random: gives that many random bytes.
        finish: adds what else belongs into the folder, before it is moved to its place.

    Raises:
        CAError: WIN32_ALREADY_EXISTS where the folder is not empty, E_INVALIDARG where algorithm and length make no key.
        ValueError: with a Windows code in ``.hresult``, where a subject is no X.500 name.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    prepared = directory.with_name(f".{directory.name}.{random(8).hex()}")
    prepared.mkdir(mode=0o700)
    try:
        _write_tiers(prepared, facts, plan, random)
        finish(prepared)
        os.rename(prepared, directory)  # replaces an empty folder, and nothing else
    except OSError as error:
        shutil.rmtree(prepared)
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        text = f"{directory} is not empty: a CA needs a folder of its own"
        raise CAError(HRESULT.WIN32_ALREADY_EXISTS, text) from error
    except BaseException:
        shutil.rmtree(prepared)
        raise


def _write_tiers(directory: Path, facts: Facts, plan: Plan, random: RandomBytes) -> None:
    private = directory / "private"
    private.mkdir(mode=0o700)
    (directory / PUBLISHED).mkdir(mode=0o755)
    issuer: Issuer | None = None
    for tier in reversed(facts.tiers):
        key = _make_key(plan)
        certificate = _ca_certificate(plan, tier, key, issuer, serial_number(random))
        issuer = Issuer(certificate, key, **facts.urls(tier))
        _write_key(private / f"{tier}.key", key)
        (directory / f"{tier}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        published = directory / PUBLISHED / facts.file(tier, "crt")
        published.write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    (directory / FACTS).write_text(json.dumps(asdict(facts), indent=2) + "\n", encoding="utf-8")


def _make_key(plan: Plan) -> PrivateKey:
    if plan.algorithm is KeyAlgorithm.EC and plan.bits in _CURVES:
        return ec.generate_private_key(_CURVES[plan.bits])
    if plan.algorithm is KeyAlgorithm.RSA and plan.bits in _RSA_BITS:
        return rsa.generate_private_key(public_exponent=65537, key_size=plan.bits)
    raise CAError(HRESULT.E_INVALIDARG, f"no {plan.algorithm.value} key of {plan.bits} bits can be made for a CA")


def _ca_certificate(plan: Plan, tier: str, key: PrivateKey, issuer: Issuer | None, serial: int) -> x509.Certificate:
    subject = _name(plan.root_subject if tier == ROOT else plan.subject)
    start = plan.moment.replace(microsecond=0)
    days = plan.validity_days * (2 if tier == ROOT else 1)
    public_key = key.public_key()
    key_id = x509.SubjectKeyIdentifier.from_public_key(public_key)
    authority = issuer.key_id if issuer is not None else key_id.digest
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer is not None else subject)
        .public_key(public_key)
        .serial_number(serial)
        .not_valid_before(start - BACKDATE)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0 if issuer is not None else None), critical=True)
        .add_extension(_CA_KEY_USAGE, critical=True)
        .add_extension(key_id, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier(authority, None, None), critical=False)
    )
    for one in location_extensions(issuer) if issuer is not None else ():
        value = x509.UnrecognizedExtension(x509.ObjectIdentifier(one.oid), one.value)
        builder = builder.add_extension(value, critical=one.critical)
    return builder.sign(issuer.key if issuer is not None else key, hashes.SHA256())


_CA_KEY_USAGE: Final = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _name(text: str) -> x509.Name:
    return asn1.decode_der(x509.Name, encode_name(text))


def _write_key(path: Path, key: PrivateKey) -> None:
    form = serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def load_facts(directory: Path) -> Facts:
    """What ca.json in ``directory`` says.

    Raises:
        CAError: RPC_SERVER_UNAVAILABLE where there is no CA, 0x8007000D where the file is malformed.
    """
    try:
        document: dict[str, Any] = json.loads((directory / FACTS).read_text(encoding="utf-8"))
        for name in ("crl_urls", "certificate_urls"):
            document[name] = tuple(document.get(name, ()))
        return Facts(**document)
    except (FileNotFoundError, NotADirectoryError):
        text = f"there is no CA in {directory}: make one with 'xenroll ca init'"
        raise CAError(HRESULT.RPC_SERVER_UNAVAILABLE, text) from None
    except (ValueError, TypeError) as error:
        raise CAError(HRESULT.WIN32_INVALID_DATA, f"{directory / FACTS}: {error}") from None


def load_certificate(directory: Path, tier: str) -> x509.Certificate:
    """The certificate of one of the CAs in a folder. Raises CAError (CERTSRV_E_INVALID_CA_CERTIFICATE)."""
    try:
        return x509.load_pem_x509_certificate((directory / f"{tier}.crt").read_bytes())
    except (OSError, ValueError) as error:
        raise _unusable(directory, str(error)) from error


def load_issuer(directory: Path, facts: Facts, tier: str) -> Issuer:
    """One of the CAs in a folder, with its key.

    Raises:
        CAError: CERTSRV_E_INVALID_CA_CERTIFICATE where certificate or key are missing, malformed or not a pair.
    """
    certificate = load_certificate(directory, tier)
    try:
        pem = (directory / "private" / f"{tier}.key").read_bytes()
        # The file is this program's own work: checking an RSA key anew would cost more than signing with it.
        key = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    except (OSError, ValueError, TypeError) as error:
        raise _unusable(directory, str(error)) from error
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)) or key.public_key() != certificate.public_key():
        raise _unusable(directory, f"{tier}.key is not the key of {tier}.crt")
    return Issuer(certificate, key, **facts.urls(tier))


def _unusable(directory: Path, what: str) -> CAError:
    return CAError(HRESULT.CERTSRV_E_INVALID_CA_CERTIFICATE, f"the CA in {directory} cannot sign: {what}")
