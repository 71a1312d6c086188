"""The SCEP client against other people's servers: what each can do, done to the end and judged by OpenSSL and by the server.

What goes wrong on the way is in ``test_scep_faults``; docs/scep-servers.md shows both as one matrix.
"""

from __future__ import annotations

import ipaddress
import json
import os
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import certenroll
from certenroll.asn1 import content_ciphers, enveloped, scep
from certenroll.asn1.scep import MessageType
from certenroll.ca.scep.transport import HttpRefusal, ScepServer
from certenroll.engine.opening import open_workspace
from certenroll.engine.scep_crls import fetch_crl
from certenroll.enums import X509SCEPDisposition as Disposition
from certenroll.enums import X509SCEPFailInfo as FailInfo
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.mdm.scep_runner import run
from certenroll.mdm.units import workspace_of
from certenroll.stores.certificates import MY
from certenroll.stores.states import State
from keystores.base import KeyLocation, Scope
from tests.flows.conftest import ROOT
from tests.mdm.scep_orders import nobody, order, settings
from tests.stores.pki import make
from tests.support import judges
from tests.support.enrolling import BINARY, refused
from tests.support.profiles import home, orphans
from tests.support.scep_enrolling import counts, forget_this_process, keys, pkcs10_request, sha1, signer, states
from tests.support.scep_foreign import Depot, Foreign, better_ca, mock, scepserver
from tests.support.scep_front import front, leads, says
from tests.support.scep_mock import CHALLENGE

SERVERS = ("scepserver", "mock", "mock with RA")
WITHOUT_RENEWAL = b"AES\nDES3\nSHA-256\nPOSTPKIOperation\n"
WITHOUT_POST = b"AES\nDES3\nSHA-256\nRenewal\n"
OLD = b"SHA-1\nDES\nPOSTPKIOperation\n"
_MAKE: dict[str, Callable[[], Any]] = {
    "scepserver": lambda: scepserver("scepserver", "-debug"),
    "scepserver with its own CA": lambda: scepserver("scepserver with its own CA", "-capass", "capw", make=better_ca),
    "mock": lambda: mock("mock", "--pending", "2"),
    "mock with RA": lambda: mock("mock with RA", "--pending", "2", "--ra"),
}


@pytest.fixture(scope="module")
def started() -> Iterator[Callable[[str], Foreign]]:
    """Gives a server by its name; it is started when it is first asked for."""
    found: dict[str, Foreign] = {}
    with ExitStack() as stack:

        def get(name: str) -> Foreign:
            if name not in found:
                found[name] = stack.enter_context(_MAKE[name]())
            return found[name]

        yield get


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, profile: Path, started: Callable[[str], Foreign]) -> Iterator[Foreign]:
    """Each server after the other, with a front that changes nothing and has seen nothing."""
    chosen = started(request.param)
    chosen.web.seen.clear()
    yield chosen
    chosen.web.twist = None


def helper(server: Foreign, subject: str = "CN=leaf,O=Test", challenge: str = CHALLENGE, **key_properties: Any) -> Any:
    made: Any = certenroll.Dispatch("X509Enrollment.CX509SCEPEnrollmentHelper")
    made.Initialize(server.url, "", pkcs10_request(subject, challenge, **key_properties), sha1(server.ca).hex())
    return made


def certificate_of(made: Any) -> bytes:
    found: bytes = made.X509SCEPEnrollment.Certificate(BINARY)
    return found


def sent(server: Foreign) -> list[scep.PkiMessage]:
    return [scep.decode(one.message) for one in server.web.messages]


# Certificates ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where a key is wanted."""

    store: str
    key_properties: dict[str, Any]


PLACES = (
    Place("software", {}),
    Place("tpm", {"KeyLocation": int(KeyLocation.TPM_REQUIRED)}),
    Place("smartcard", {"KeyLocation": int(KeyLocation.NAMED_CONTAINER), "ContainerName": "scep"}),
)


@pytest.fixture(params=PLACES, ids=lambda place: place.store)
def place(request: pytest.FixtureRequest, profile: Path) -> Place:
    chosen: Place = request.param
    if chosen.store != "software":
        request.getfixturevalue({"tpm": "with_tpm", "smartcard": "with_card"}[chosen.store])
    return chosen


@pytest.mark.parametrize("name", _MAKE)
def test_a_server_issues_for_a_key_wherever_it_lives(
    name: str, place: Place, started: Callable[[str], Foreign], tmp_path: Path
) -> None:
    server = started(name)
    made = helper(server, **place.key_properties)
    assert made.Enroll(0) == Disposition.SCEPDispositionSuccess
    judges.openssl_verifies_chain(tmp_path, certificate_of(made), (server.ca,))
    issued = x509.load_der_x509_certificate(certificate_of(made))
    assert issued.subject.rfc4514_string() == "CN=leaf,O=Test"
    (entry,) = [one for one in open_workspace().requests.list() if one.state is State.INSTALLED]
    assert (entry.key.store, counts(open_workspace()), orphans()) == (place.store, [1, 0, 1, 0], [])


def test_only_the_ca_s_certificate_is_enough_even_where_it_does_not_say_that_it_encrypts(
    profile: Path, started: Callable[[str], Foreign]
) -> None:
    usages = {}
    for name in ("scepserver", "scepserver with its own CA"):
        (own,) = ScepServer(started(name).url).ca_certificates()
        usages[name] = x509.load_der_x509_certificate(own).extensions.get_extension_for_class(x509.KeyUsage).value
    assert [one.key_encipherment for one in usages.values()] == [False, True]
    assert [one.digital_signature for one in usages.values()] == [False, True]


@pytest.mark.parametrize(("capabilities", "kind"), [(None, MessageType.RenewalReq), (WITHOUT_RENEWAL, MessageType.PKCSReq)])
def test_a_certificate_is_renewed_by_its_own_key(
    server: Foreign, tmp_path: Path, capabilities: bytes | None, kind: MessageType
) -> None:
    server.web.twist = says("GetCACaps", capabilities) if capabilities else None
    first = helper(server)
    assert first.Enroll(0) == Disposition.SCEPDispositionSuccess
    second = helper(server)
    second.X509SCEPEnrollment.SignerCertificate = signer(certificate_of(first))
    assert second.Enroll(0) == Disposition.SCEPDispositionSuccess
    assert [one.message_type for one in sent(server)] == [MessageType.PKCSReq, kind]
    assert sent(server)[1].signer_certificate == certificate_of(first)
    judges.openssl_verifies_chain(tmp_path, certificate_of(second), (server.ca,))
    assert counts(open_workspace()) == [1, 0, 1, 0], "the one that was renewed is archived"


def test_a_message_goes_in_the_url_where_the_server_takes_no_post(server: Foreign) -> None:
    server.web.twist = says("GetCACaps", WITHOUT_POST)
    assert helper(server).Enroll(0) == Disposition.SCEPDispositionSuccess
    assert [(one.method, one.operation, one.message) for one in server.web.seen][-1] == ("GET", "PKIOperation", b"")


def test_a_redirection_is_followed_to_another_address_of_the_server(server: Foreign) -> None:
    with front(server.connect) as moved:
        server.web.twist = lambda web, passing: leads(
            passing.operation, 307 if passing.operation == "PKIOperation" else 302, moved.url
        )(web, passing)
        assert helper(server).Enroll(0) == Disposition.SCEPDispositionSuccess
    assert [one.method for one in moved.seen] == ["GET", "GET", "POST"]


# Waiting ---------------------------------------------------------------------------------------------------------------


def step(*arguments: str) -> dict[str, Any]:
    """A step of a client that is a process of its own."""
    command = [sys.executable, "-W", "error", "-m", "tests.flows.scep_script", *arguments]
    done = subprocess.run(command, env=os.environ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", ["mock", "mock with RA"])
def test_a_request_that_waits_is_asked_after_by_one_process_after_the_other(
    name: str, profile: Path, started: Callable[[str], Foreign], tmp_path: Path
) -> None:
    server = started(name)
    first = step("enroll", server.url, sha1(server.ca).hex(), "CN=pend", CHALLENGE)
    then = [step("fetch", server.url, first["transaction"]) for _ in range(2)]
    assert [one["disposition"] for one in (first, *then)] == [3, 3, 0]
    (entry,) = open_workspace().certificates.list(MY)
    judges.openssl_verifies_chain(tmp_path, entry.der, (server.ca,))
    assert "MSG 20 tid " + first["transaction"] in server.said()


def test_a_server_that_came_back_with_nothing_of_what_it_had_leaves_the_request_waiting(
    profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mock("before") as before:
        assert helper(before, "CN=pend").Enroll(0) == Disposition.SCEPDispositionPending
    with mock("after") as after:
        later = forget_this_process(monkeypatch)
        assert refused(pending(after).FetchPending, 0) == 0x801901F4, "it cannot open what is encrypted for the one before"
    assert (states(later), counts(later), keys(later)) == ([State.PENDING], [0, 0, 0, 1], 1)


def pending(server: Foreign) -> Any:
    made: Any = certenroll.Dispatch("X509Enrollment.CX509SCEPEnrollmentHelper")
    made.InitializeForPending(server.url, "", 1, "")
    return made


def test_a_server_that_is_down_is_told_and_had_when_it_is_back(profile: Path) -> None:
    with Depot() as depot, front(depot.connect) as web:
        server = Foreign("scepserver", depot.ca, depot.connect, depot.log, web)
        depot.stop()
        made = helper(server)
        assert refused(made.Enroll, 0) == HRESULT.RPC_SERVER_UNAVAILABLE
        assert (states(open_workspace()), keys(open_workspace())) == ([], 0)
        depot.start()
        assert made.Enroll(0) == Disposition.SCEPDispositionSuccess
        depot.stop()
        again = helper(server)
        again.X509SCEPEnrollment.SignerCertificate = signer(certificate_of(made))
        assert refused(again.Enroll, 0) == HRESULT.RPC_SERVER_UNAVAILABLE
        depot.start()
        assert again.Enroll(0) == Disposition.SCEPDispositionSuccess
    assert refused(helper(server).Enroll, 0) == HRESULT.WIN32_CONNECTION_REFUSED, "nothing listens there any more"


def test_a_management_server_s_order_goes_to_the_second_server_where_the_first_is_away(
    server: Foreign, tmp_path: Path
) -> None:
    """scepserver stands at /scep alone and answers 404 where Windows would ask it, at /scep/pkiclient.exe."""
    thumbprint = sha1(server.ca).hex()
    order(settings(f"{nobody()};{server.url}", thumbprint, Challenge=CHALLENGE))
    (outcome,) = run(workspace_of(Scope.USER))
    assert (outcome.state, outcome.status, outcome.server) == ("installed", 1, server.url)
    (entry,) = open_workspace().certificates.list(MY)
    judges.openssl_verifies_chain(tmp_path, entry.der, (server.ca,))
    wanted = "/scep" if server.name == "scepserver" else "/scep/pkiclient.exe"
    assert [urlsplit(one.path).path for one in server.web.messages] == [wanted]


# Refusals --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Refusal:
    """A request that a server refuses, and what it says."""

    name: str
    server: str
    subject: str
    reason: FailInfo
    ends: bool
    challenge: str = CHALLENGE


REFUSALS = (
    Refusal("failInfo 0", "mock with RA", "CN=fail0", FailInfo.SCEPFailBadAlgorithm, False),
    Refusal("failInfo 1", "mock with RA", "CN=fail1", FailInfo.SCEPFailBadMessageCheck, False),
    Refusal("failInfo 2", "mock with RA", "CN=fail2", FailInfo.SCEPFailBadRequest, True),
    Refusal("failInfo 3", "mock with RA", "CN=fail3", FailInfo.SCEPFailBadTime, False),
    Refusal("failInfo 4", "mock with RA", "CN=fail4", FailInfo.SCEPFailBadCertId, True),
    Refusal("wrong challenge", "mock with RA", "CN=leaf", FailInfo.SCEPFailBadRequest, True, "wrong"),
    Refusal("wrong challenge", "scepserver", "CN=leaf", FailInfo.SCEPFailBadRequest, True, "wrong"),
    Refusal("no challenge", "scepserver", "CN=leaf", FailInfo.SCEPFailBadRequest, True, ""),
    Refusal("a name that is no file name", "scepserver", "CN=a/b", FailInfo.SCEPFailBadRequest, True),
)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: f"{one.server}: {one.name}")
def test_what_a_server_refuses_is_told_and_ends_a_request_that_it_is_about(
    refusal: Refusal, profile: Path, started: Callable[[str], Foreign]
) -> None:
    made = helper(started(refusal.server), refusal.subject, refusal.challenge)
    assert made.Enroll(0) == Disposition.SCEPDispositionFailure
    assert made.X509SCEPEnrollment.FailInfo == refusal.reason
    left = (states(open_workspace()), keys(open_workspace()), counts(open_workspace())[3])
    assert left == (([State.DENIED], 0, 0) if refusal.ends else ([State.MADE], 1, 1))


def test_a_server_that_gives_a_name_once_refuses_it_the_second_time(profile: Path) -> None:
    with scepserver("scepserver", "-allowrenew", "1") as server:
        assert helper(server).Enroll(0) == Disposition.SCEPDispositionSuccess
        again = helper(server)
        assert again.Enroll(0) == Disposition.SCEPDispositionFailure
        assert again.X509SCEPEnrollment.FailInfo == FailInfo.SCEPFailBadRequest
        assert "already exists" in server.said()


def test_a_program_that_the_server_asks_may_refuse(profile: Path, tmp_path: Path) -> None:
    judge = tmp_path / "judge"
    judge.write_text("#!/bin/sh\nexec openssl req -inform der -noout -subject -verify | grep -q good\n")
    judge.chmod(0o755)
    with scepserver("scepserver", "-csrverifierexec", str(judge)) as server:
        assert helper(server, "CN=good").Enroll(0) == Disposition.SCEPDispositionSuccess
        assert helper(server, "CN=bad").Enroll(0) == Disposition.SCEPDispositionFailure


# Old algorithms --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("legacy", [False, True])
def test_scepserver_answers_in_sha_1_and_single_des_which_is_read_whatever_the_profile_says(
    profile: Path, started: Callable[[str], Foreign], legacy: bool
) -> None:
    settle(legacy_hashes=legacy)
    server = started("scepserver")
    server.web.seen.clear()
    assert helper(server).Enroll(0) == Disposition.SCEPDispositionSuccess
    (asked,), (passed,) = sent(server), server.web.messages
    assert (asked.digest, cipher_of(asked)) == ("sha256", "aes128-cbc"), "better is better, with the switch too"
    answer = scep.decode(passed.body)
    assert (answer.digest, cipher_of(answer)) == ("sha1", "des-cbc")


def settle(*, legacy_hashes: bool) -> None:
    """Writes the profile's settings; the next process reads them."""
    home().mkdir(mode=0o700, exist_ok=True)
    (home() / "profile.toml").write_text(f"legacy_hashes = {str(legacy_hashes).lower()}\n")


def cipher_of(message: scep.PkiMessage) -> str:
    oid = enveloped.decode(message.enveloped or b"").cipher
    return next(name for name in ("aes128-cbc", "des-ede3-cbc", "des-cbc") if content_ciphers.cipher_named(name).oid == oid)


def test_the_switch_decides_whether_a_server_that_promises_nothing_better_is_sent_sha_1_and_single_des(
    server: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.web.twist = says("GetCACaps", OLD)
    assert refused(helper(server).Enroll, 0) == HRESULT.NTE_BAD_ALGID
    assert (sent(server), keys(open_workspace()), states(open_workspace())) == ([], 0, [])
    settle(legacy_hashes=True)
    forget_this_process(monkeypatch)
    assert helper(server).Enroll(0) == Disposition.SCEPDispositionSuccess
    assert [(one.digest, cipher_of(one)) for one in sent(server)] == [("sha1", "des-cbc")]


# HTTPS -----------------------------------------------------------------------------------------------------------------


def test_https_under_a_private_ca_is_trusted_where_that_ca_stands_in_root(server: Foreign, tmp_path: Path) -> None:
    days = (-1, 20000)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    private_ca = make("Private TLS CA", days=days)
    leaf = make("tls", private_ca, days=days, extensions=((alternative, False),))
    pem = leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "tls.pem").write_bytes(pem + leaf.certificate.public_bytes(Encoding.PEM))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "tls.pem")
    with front(server.connect, tls) as web:
        behind = Foreign(server.name, server.ca, server.connect, server.log, web)
        made = helper(behind)
        assert refused(made.Enroll, 0) == HRESULT.TRUST_E_FAIL
        assert (web.seen, states(open_workspace())) == ([], [])
        open_workspace().certificates.add("ROOT", private_ca.der)
        assert made.Enroll(0) == Disposition.SCEPDispositionSuccess


# What else RFC 8894 has ------------------------------------------------------------------------------------------------


def test_what_these_servers_do_not_have_is_told_with_a_code(server: Foreign) -> None:
    made = helper(server)
    made.Enroll(0)
    web = ScepServer(server.url)
    with pytest.raises(HttpRefusal) as caught:
        web.next_ca_certificates((server.ca,))
    assert caught.value.status == {"scepserver": 500}.get(server.name, 400)
    (entry,) = open_workspace().certificates.list(MY)
    with pytest.raises((HttpRefusal, ComError)) as refusal:
        fetch_crl(open_workspace(), entry, web)
    expected = 0x801901F4 if server.name == "scepserver" else HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST
    assert int(refusal.value.hresult) & 0xFFFFFFFF == expected  # type: ignore[attr-defined]


def test_a_certificate_is_had_again_where_the_server_knows_the_question(server: Foreign) -> None:
    made = helper(server)
    made.Enroll(0)
    known = x509.load_der_x509_certificate(certificate_of(made))
    asking: Any = certenroll.Dispatch("X509Enrollment.CX509SCEPEnrollment")
    asking.InitializeForPending(1)
    serial = known.serial_number.to_bytes(21, "big")
    message = asking.CreateRetrieveCertificateMessage(1, known.issuer.public_bytes(), BINARY, serial, BINARY, BINARY)
    if server.name == "scepserver":
        with pytest.raises(HttpRefusal) as caught:
            ScepServer(server.url).operation(message)
        assert (caught.value.status, b"not implemented" in caught.value.body) == (500, True)
    else:
        assert asking.ProcessResponseMessage(ScepServer(server.url).operation(message), BINARY) == 0
        assert asking.Certificate(BINARY) == certificate_of(made)
