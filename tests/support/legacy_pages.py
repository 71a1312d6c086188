"""The pages of examples/legacy as a user runs them: with keys in one key store, in a profile with a CA of its own.

Also what may be asked of a run: the requests that it printed or put into a form, as OpenSSL reads them.
"""

from __future__ import annotations

import base64
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certenroll.stores import properties
from certenroll.stores.certificates import CertificateStore, StoredCertificate
from certenroll.stores.profile import Profile
from certenroll.stores.properties import KeyProviderInfo
from tests.support.cli import ROOT, Cli
from tests.support.requires import program
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

PAGES = ROOT / "examples" / "legacy"
_LOCATIONS = {"tpm": "1", "software": "3", "smartcard": "4"}
_BARE = re.compile(r"MII(?:[A-Za-z0-9+/]+\s+)*[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True)
class Stored:
    """A certificate in a store, with a key."""

    certificate: x509.Certificate
    key: KeyProviderInfo
    friendly_name: str

    @property
    def subject(self) -> str:
        """Its subject, the last part first."""
        return self.certificate.subject.rfc4514_string()


def _read(found: StoredCertificate) -> Stored:
    certificate = x509.load_der_x509_certificate(found.der)
    name = properties.decode_text(found.properties.get(properties.FRIENDLY_NAME, b""))
    return Stored(certificate, properties.decode_key_info(found.properties[properties.KEY_PROV_INFO]), name)


@dataclass(frozen=True)
class Place:
    """A user whose keys go to one key store.

    Attributes:
        store: the key store: tpm, software or smartcard.
        xenroll: the command line on the user's profile, in the user's folder.
        device: the TPM or the card, where the keys go to one.
    """

    store: str
    xenroll: Cli
    device: SwTpm | SoftToken | None = None

    @classmethod
    def of(cls, store: str, home: Path, folder: Path, device: SwTpm | SoftToken | None) -> Place:
        """A user at KeyLocation 1, 3 or 4."""
        variables = {"XENROLL_KEY_LOCATION": _LOCATIONS[store], "XENROLL_TPM_TCTI": f"swtpm:path={folder}/none"}
        if isinstance(device, SwTpm):
            variables["XENROLL_TPM_TCTI"] = device.tcti
        elif device is not None:
            variables |= device.environ
        return cls(store, Cli(home, folder, variables), device)

    @property
    def folder(self) -> Path:
        """Where the user is."""
        return self.xenroll.folder

    def run(self, page: str, *arguments: str, options: tuple[str, ...] = (), code: int = 0) -> str:
        """What a page writes, line ends as they are; the test fails where it does not end with ``code``."""
        return self.xenroll("run", *options, PAGES / page, *arguments, code=code).stdout

    def stored(self, store: str = "MY") -> list[Stored]:
        """The certificates of a store."""
        database = Profile(self.xenroll.home).database
        try:
            return [_read(one) for one in CertificateStore(database).list(store)]
        finally:
            database.close()

    def containers(self) -> list[str]:
        """The containers of the keys in this key store."""
        return [one["container"] for one in self.xenroll.json("keys", "list") if one["store"] == self.store]

    def check_installed(self, *subjects: str) -> list[x509.Certificate]:
        """The certificates of MY: those of these subjects, with keys in this key store, and no request is left."""
        entries = self.stored()
        assert sorted(one.subject for one in entries) == sorted(subjects)
        assert {one.key.store for one in entries} == {self.store}
        assert {one.key.container for one in entries} <= set(self.containers())
        return [one.certificate for one in entries]


def requests_in(text: str) -> list[x509.CertificateSigningRequest]:
    """The requests in what a page wrote, with or without a header, each of which OpenSSL verifies."""
    found = [base64.b64decode("".join(one.group().split())) for one in _BARE.finditer(text)]
    for der in found:
        done = subprocess.run(
            [program("openssl"), "req", "-verify", "-noout", "-inform", "DER"], input=der, capture_output=True, timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
    return [x509.load_der_x509_csr(der) for der in found]


def form_of(text: str) -> dict[str, str]:
    """The fields of the one form that a page submitted, as the run tells it."""
    begin = re.search(r"^\[form .*\n", text, re.M)
    assert begin, text
    fields: dict[str, str] = {}
    name = ""
    for line in text[begin.end() :].splitlines():
        named = re.match(r"  (\w+) = (.*)", line)
        if named:
            name = named[1]
        fields[name] = named[2] if named else f"{fields[name]}\n{line}"
    return fields


def usages_of(signed: x509.Certificate | x509.CertificateSigningRequest) -> list[str]:
    """Its enhanced key usages, in order."""
    try:
        found = signed.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return []
    return [one.dotted_string for one in found]


def der_of(certificate: x509.Certificate) -> bytes:
    """A certificate in DER."""
    return certificate.public_bytes(Encoding.DER)
