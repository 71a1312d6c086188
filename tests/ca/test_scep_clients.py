"""Other people's SCEP clients against the local CA's server: strongSwan, certmonger, micromdm's scepclient, and OpenSSL."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from certenroll.asn1 import scep
from certenroll.asn1.scep import MessageType
from certenroll.ca.database import Database
from certenroll.ca.local import LocalCA, utc_now
from certenroll.ca.policy import Policy
from certenroll.ca.scep.challenges import ChallengePasswords
from certenroll.ca.scep.responder import ScepResponder
from certenroll.ca.scep.server import ScepHttpServer
from certenroll.ca.scep.settings import ScepSettings
from certenroll.ca.scep.transport import ScepServer
from certenroll.ca.templates import Mode
from tests.stores.pki import key
from tests.support.judges import run
from tests.support.requires import missing, program
from tests.support.scep_client import DECRYPTS, usage_of

SCEP_SUBMIT = Path("/usr/lib/certmonger/scep-submit")
SESSION = SCEP_SUBMIT.with_name("certmonger-session")
CURL = Path("/usr/lib/ipsec/plugins/libstrongswan-curl.so")
RA = ScepSettings(registration_authority=True)
ALONE = ScepSettings()


@dataclass
class Place:
    """A folder with the CA and its server, and files for a client."""

    folder: Path
    url: str
    told: list[str]
    challenge: str
    signing: Path  # PEM: who signs answers, whom to encrypt for, and the CA above them
    encryption: Path
    root: Path

    @property
    def ca(self) -> LocalCA:
        return LocalCA(self.folder / "ca")

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def pem(self, name: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.folder / name).read_bytes())

    def key(self, name: str) -> str:
        """A new file with an RSA key."""
        form = key(name, 2048).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        (self.folder / f"{name}.key").write_bytes(form)
        return self.path(f"{name}.key")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scep") / "ca"
    LocalCA.create(folder, "Test CA", host="ca.test").close()
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "ca")
    return tmp_path


@contextmanager
def place(folder: Path, settings: ScepSettings = ALONE, mode: Mode = Mode.ISSUE) -> Iterator[Place]:
    """The server for as long as the block lasts."""
    Policy(mode).save(folder / "ca")
    challenge = ChallengePasswords(Database(folder / "ca"), utc_now, os.urandom).make().text
    told: list[str] = []
    with ScepHttpServer(ScepResponder(folder / "ca", settings), tell=told.append) as server:
        found = ScepServer(server.url).ca_certificates()
        (root,) = LocalCA(folder / "ca").certificates()
        others = [one for one in found if one != root] or [root]
        by_use = {"signing": next(one for one in others if usage_of(one) != DECRYPTS), "root": root}
        by_use["encryption"] = next((one for one in others if usage_of(one) == DECRYPTS), root)
        paths = {name: folder / f"{name}.pem" for name in by_use}
        for name, one in by_use.items():
            paths[name].write_bytes(x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM))
        yield Place(folder, server.url, told, challenge, **paths)


def outcomes(there: Place) -> list[str]:
    """The types of the messages that came, and how they were answered."""
    found = (re.match(r"\S+ (\w+) .*?(SUCCESS|PENDING|FAILURE)", line) for line in there.told)
    return [f"{one[1]} {one[2]}" for one in found if one]


# strongSwan ----------------------------------------------------------------------------------------------------------


def strongswan(there: Place, name: str, *options: str, code: int = 0) -> str:
    """What `pki --scep` says on stderr; the certificate is in name.pem."""
    done = _strongswan(there, name, *options)
    _, said = done.communicate(timeout=60)
    assert done.returncode == code, said
    return said


def _strongswan(there: Place, name: str, *options: str) -> subprocess.Popen[str]:
    pki = program("pki")
    if not CURL.exists():
        missing("judges", "libstrongswan-extra-plugins")
    command = [pki, "--scep", "--url", there.url, "--in", there.key(name), "--dn", "C=US, O=Acme, CN=strong"]
    command += ["--cacert-enc", str(there.encryption), "--cacert-sig", str(there.signing), "--cacert", str(there.root)]
    command += ["--interval", "1", "--outform", "pem", *options]
    with (there.folder / f"{name}.pem").open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("settings", [ALONE, RA], ids=["CA", "RA"])
def test_strongswan_gets_a_certificate_and_renews_it(folder: Path, settings: ScepSettings) -> None:
    with place(folder, settings) as there:
        strongswan(there, "one", "--password", there.challenge, "--san", "host.test")
        first = there.pem("one.pem")
        names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["host.test"]
        old = ("--cert", there.path("one.pem"), "--key", there.path("one.key"))
        strongswan(there, "two", "--san", "host.test", *old)
        assert there.pem("two.pem").subject == first.subject
        assert there.pem("two.pem").public_key() == key("two", 2048).public_key()
        assert outcomes(there) == ["PKCSReq SUCCESS", "RenewalReq SUCCESS"]


def test_strongswan_waits_for_a_certificate(folder: Path) -> None:
    with place(folder, mode=Mode.HOLD) as there, _strongswan(there, "one", "--password", there.challenge) as client:
        while "CertPoll PENDING" not in outcomes(there):
            assert client.poll() is None, client.communicate()[1]
        there.ca.issue("1")
        assert client.wait(60) == 0
        assert client.stderr is not None
        client.stderr.close()
        assert there.pem("one.pem").subject.rfc4514_string() == "CN=strong,O=Acme,C=US"
        assert outcomes(there)[-1] == "CertPoll SUCCESS"


def test_strongswan_is_told_why_it_fails(folder: Path) -> None:
    with place(folder) as there:
        assert "badRequest" in strongswan(there, "one", "--password", "not the challenge", code=1)
        assert "badRequest" in strongswan(there, "two", code=1)
        assert outcomes(there) == ["PKCSReq FAILURE"] * 2


@pytest.mark.parametrize("options", [("--cipher", "des3", "--digest", "sha384"), ("--digest", "sha512")])
def test_strongswan_reads_answers_in_what_it_chose(folder: Path, options: tuple[str, ...]) -> None:
    with place(folder, RA) as there:
        strongswan(there, "one", "--password", there.challenge, *options)
        assert there.pem("one.pem")


# certmonger ----------------------------------------------------------------------------------------------------------


def certmonger(there: Place, *lines: str) -> str:
    """What getcert says, run line by line beside a certmonger of its own."""
    bus = program("dbus-run-session")
    if not SESSION.exists():
        missing("judges", "certmonger")
    script = there.folder / "script"
    add = f"getcert add-scep-ca -s -c T -u {there.url} -N {there.root} -r {there.encryption}"
    add += f" -I {there.signing}" if there.signing.read_bytes() != there.root.read_bytes() else ""
    script.write_text("\n".join([add, *lines]) + "\n")
    command = [bus, "--", str(SESSION), "-s", "-n", "-c", f"sh {script}"]
    done = subprocess.run(
        command, env={**os.environ, "HOME": str(there.folder)}, capture_output=True, text=True, timeout=60, check=False
    )
    print(done.stdout, done.stderr, there.told)
    return done.stdout + done.stderr


def request(there: Place, challenge: str) -> str:
    folder = there.folder
    return f"getcert request -s -c T -I one -k {folder}/cm.key -f {folder}/cm.pem -N 'CN=cm,O=Acme' -L {challenge} -w -v"


@pytest.mark.parametrize("settings", [ALONE, RA], ids=["CA", "RA"])
def test_certmonger_gets_a_certificate_and_renews_it(folder: Path, settings: ScepSettings) -> None:
    """It renews by a PKCSReq that the old certificate signs, under the transaction's old name."""
    with place(folder, settings) as there:
        keep = f"cp {folder}/cm.pem {folder}/first.pem"
        again = "getcert resubmit -s -i one -w -v"
        said = certmonger(there, request(there, there.challenge), keep, again, "getcert list -s")
        assert "status: MONITORING" in said
        assert there.pem("cm.pem").subject == there.pem("first.pem").subject
        assert there.pem("cm.pem").serial_number != there.pem("first.pem").serial_number
        assert outcomes(there) == ["PKCSReq SUCCESS", "PKCSReq SUCCESS"]


def test_certmonger_is_told_that_it_fails(folder: Path) -> None:
    with place(folder) as there:
        said = certmonger(there, request(there, "another"), "getcert list -s")
        assert "status: CA_REJECTED" in said
        assert outcomes(there) == ["PKCSReq FAILURE"]


def test_certmonger_waits_for_a_certificate(folder: Path) -> None:
    """It sends its request again in the place of a poll, when it is started and now and then."""
    with place(folder, mode=Mode.HOLD) as there:
        said = certmonger(there, request(there, there.challenge).replace("-w -v", ""), wait_for("CA_WORKING"))
        assert "status: CA_WORKING" in said
        there.ca.issue("1")
        said = certmonger(there, wait_for("MONITORING"))
        assert "status: MONITORING" in said
        assert set(outcomes(there)) == {"PKCSReq PENDING", "PKCSReq SUCCESS"}
        assert len(there.ca.requests()) == 1


def wait_for(state: str) -> str:
    return f"n=0; until getcert list -s | grep 'status: {state}' || [ $n = 300 ]; do n=$((n+1)); done; getcert list -s"


def test_certmonger_s_helper_asks_what_the_server_is(folder: Path) -> None:
    if not SCEP_SUBMIT.exists():
        missing("judges", "certmonger")
    with place(folder, RA) as there:
        assert "SCEPStandard" in run(str(SCEP_SUBMIT), "-u", there.url, "-c")
        found = x509.load_pem_x509_certificates(run(str(SCEP_SUBMIT), "-u", there.url, "-C").encode())
        assert there.pem("root.pem") in found


# scepclient ----------------------------------------------------------------------------------------------------------


def scepclient(there: Place, challenge: str) -> str:
    """What micromdm's client says; key, request and certificate lie in a folder that it uses again."""
    own = there.folder / "scepclient"
    own.mkdir(exist_ok=True)
    command = [program("scepclient"), "-server-url", there.url, "-private-key", str(own / "k.key"), "-keySize", "2048"]
    command += ["-certificate", str(own / "c.pem"), "-cn", "one", "-challenge", challenge]
    done = subprocess.run(command, cwd=own, capture_output=True, text=True, timeout=60, check=False)
    print(done.stdout, done.stderr, there.told)
    return done.stdout + done.stderr


@pytest.mark.parametrize("settings", [ScepSettings(legacy=True), ScepSettings(registration_authority=True, legacy=True)])
def test_scepclient_gets_a_certificate_and_renews_it(folder: Path, settings: ScepSettings) -> None:
    """It makes the transaction's name of its key, and sends the same request for the renewal."""
    with place(folder, settings) as there:
        assert "pkiStatus=SUCCESS" in scepclient(there, there.challenge)
        first = there.pem("scepclient/c.pem")
        assert "pkiStatus=SUCCESS" in scepclient(there, "not needed")
        assert there.pem("scepclient/c.pem").serial_number != first.serial_number
        assert outcomes(there) == ["PKCSReq SUCCESS", "RenewalReq SUCCESS"]
        assert {line.split()[3:5] == ["sha1", "des-cbc"] for line in there.told if "Req " in line} == {True}


@pytest.mark.exhaustive
def test_scepclient_waits_for_a_certificate(folder: Path) -> None:
    """For half a minute; then it sends its request again, on the connection that it kept."""
    with place(folder, ScepSettings(legacy=True), Mode.HOLD) as there:
        with ThreadPoolExecutor(1) as pool:
            client = pool.submit(scepclient, there, there.challenge)
            while not there.ca.pending():
                assert not client.done(), client.result()
            there.ca.issue("1")
            assert "pkiStatus=SUCCESS" in client.result()
        assert outcomes(there) == ["PKCSReq PENDING", "PKCSReq SUCCESS"]


def test_scepclient_is_told_why_it_fails(folder: Path) -> None:
    with place(folder, ScepSettings(legacy=True)) as there:
        assert "badRequest" in scepclient(there, "another")
        assert outcomes(there) == ["PKCSReq FAILURE"]


def test_scepclient_speaks_single_des_alone(folder: Path) -> None:
    with place(folder) as there:
        assert "badAlg" in scepclient(there, there.challenge)
        assert there.ca.requests() == ()


# OpenSSL -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cipher", ["aes-128-cbc", "aes-256-cbc", "des3"])
def test_openssl_seals_a_request_and_opens_the_answer(folder: Path, cipher: str) -> None:
    """It makes the request, its certificate and the envelope, verifies the answer and opens it."""
    openssl = program("openssl")
    with place(folder, RA) as there:
        lines = ["[req]", "prompt = no", "distinguished_name = n", "attributes = a", "[n]", "CN = Alice", "[a]"]
        (folder / "config").write_text("\n".join([*lines, f"challengePassword = {there.challenge}"]) + "\n")
        run(openssl, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-config", there.path("config"), "-outform", "DER",
            "-keyout", there.path("request.key"), "-out", there.path("request.der"))  # fmt: skip
        private, certificate = there.path("request.key"), there.path("own.pem")
        run(openssl, "req", "-x509", "-key", private, "-subj", "/CN=Alice", "-days", "2", "-out", certificate)
        seal = ("cms", "-encrypt", "-binary", f"-{cipher}", "-in", there.path("request.der"), "-outform", "DER")
        run(openssl, *seal, "-out", there.path("sealed"), str(there.encryption))
        message = scep.build_message(
            MessageType.PKCSReq, (folder / "sealed").read_bytes(), transaction_id="openssl", sender_nonce=bytes(16),
            private_key=load_pem_private_key(Path(private).read_bytes(), None),
            certificate=there.pem("own.pem").public_bytes(Encoding.DER),
        )  # fmt: skip
        (folder / "answer").write_bytes(ScepServer(there.url).operation(message))
        assert outcomes(there) == ["PKCSReq SUCCESS"], there.told
    run(openssl, "cms", "-verify", "-binary", "-inform", "DER", "-in", there.path("answer"), "-CAfile", str(there.root),
        "-out", there.path("inside"))  # fmt: skip
    run(openssl, "cms", "-decrypt", "-binary", "-inform", "DER", "-in", there.path("inside"), "-inkey", private,
        "-recip", certificate, "-out", there.path("bag"))  # fmt: skip
    listed = run(openssl, "pkcs7", "-inform", "DER", "-in", there.path("bag"), "-print_certs", "-noout")
    assert "subject=CN = Alice" in listed
