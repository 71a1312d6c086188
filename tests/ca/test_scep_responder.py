"""The SCEP server without a network: who gets a certificate and who does not, and with which keys it answers."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certenroll.asn1 import content_ciphers, enveloped, scep
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.scep import FailInfo, MessageType
from certenroll.ca.base import CAError
from certenroll.ca.database import Database
from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Policy
from certenroll.ca.scep.challenges import ChallengePasswords
from certenroll.ca.scep.responder import CA_AND_RA, CA_CERTIFICATE, ScepResponder, Unanswerable
from certenroll.ca.scep.settings import ScepRules, ScepSettings
from certenroll.ca.templates import Mode
from certenroll.hresults import HRESULT
from tests.ca.conftest import Clock
from tests.stores.pki import key
from tests.support.ca_messages import template
from tests.support.scep_client import DECRYPTS, OPEN, SIGNS, SIGNS_ALL, ScepClient, Site, alternative, usage_of

SUCCESS, FAILURE, PENDING = 0, 2, 3


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scep") / "ca"
    LocalCA.create(folder, "Test CA", host="ca.test").close()
    return folder


@pytest.fixture
def site(made: Path, tmp_path: Path, clock: Clock) -> Site:
    shutil.copytree(made, tmp_path / "ca")
    clock.pass_days(1)
    return Site(tmp_path / "ca", clock)
# Requests ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cipher", "hash_name"), [
    ("aes128-cbc", "sha256"), ("aes256-cbc", "sha512"), ("des-ede3-cbc", "sha384"),
])  # fmt: skip
def test_a_request_is_answered_in_its_own_cipher_and_hash(site: Site, cipher: str, hash_name: str) -> None:
    client = site.client(challenge=site.challenge().text, cipher=cipher, hash_name=hash_name)
    said = client.enroll()
    found = read_certificate(said.certificate)
    assert found.public_key_info == client.spki
    assert said.message.digest == hash_name
    assert said.message.enveloped
    assert enveloped.decode(said.message.enveloped).cipher == content_ciphers.cipher_named(cipher).oid
    (row,) = site.ca.requests()
    assert (row.requester, row.certificate) == ("ca.test\\SCEP", said.certificate)


@pytest.mark.parametrize(("cipher", "hash_name"), [("des-cbc", "sha256"), ("aes128-cbc", "sha1")])
def test_single_des_and_sha1_are_taken_where_the_administrator_wants_them(site: Site, cipher: str, hash_name: str) -> None:
    client = site.client(challenge=site.challenge().text, cipher=cipher, hash_name=hash_name)
    refused = client.enroll()
    assert (refused.fail_info, refused.message.digest) == (FailInfo.badAlg, "sha256")
    site.serve(ScepSettings(legacy=True))
    said = client.enroll()
    assert said.certificate
    assert said.message.digest == hash_name


@pytest.mark.parametrize("presented", ["", "another challenge", "C5" * 16 + " ", "x" * 100_000])
def test_without_the_challenge_nothing_reaches_the_ca(site: Site, presented: str) -> None:
    site.challenge()
    said = site.client(challenge=presented).enroll()
    assert (said.status, said.fail_info) == (FAILURE, FailInfo.badRequest)
    assert "challenge" in said.text
    assert site.ca.requests() == ()


def test_a_challenge_is_nowhere_but_with_who_asked_for_it(site: Site) -> None:
    made = site.challenge()
    assert made.text == "C5" * 16
    assert made.text.encode() not in b"".join(path.read_bytes() for path in site.folder.rglob("*") if path.is_file())
    assert made.text not in repr(made)
    client = site.client(challenge=made.text)
    assert client.enroll().certificate
    assert made.text not in "".join(site.told)


def test_a_challenge_for_one_request_is_good_for_one(site: Site) -> None:
    text = site.challenge(once=True).text
    first, second = site.client("first", challenge=text), site.client("second", challenge=text)
    assert first.enroll().certificate
    assert second.enroll().fail_info == FailInfo.badRequest
    assert first.enroll().certificate, "the same request, sent again"


def test_a_challenge_for_one_request_is_good_for_an_hour(site: Site) -> None:
    client = site.client(challenge=site.challenge(once=True).text)
    site.clock.now += timedelta(minutes=61)
    assert client.enroll().fail_info == FailInfo.badRequest


def test_a_challenge_that_is_withdrawn_is_good_for_nothing(site: Site) -> None:
    made = site.challenge(chosen="what the devices have")
    challenges = ChallengePasswords(Database(site.folder), site.clock, bytes)
    challenges.withdraw(made.number)
    assert site.client(challenge=made.text).enroll().status == FAILURE
    with pytest.raises(CAError) as caught:
        challenges.withdraw(made.number)
    assert caught.value.hresult == HRESULT.WIN32_NOT_FOUND


@pytest.mark.parametrize("how", [
    {"chosen": "short"}, {"chosen": "x" * 256}, {"lifetime": timedelta()}, {"lifetime": timedelta.max},
])  # fmt: skip
def test_a_challenge_that_cannot_be_is_not_made(site: Site, how: dict[str, Any]) -> None:
    with pytest.raises(CAError) as caught:
        site.challenge(**how)
    assert caught.value.hresult == HRESULT.E_INVALIDARG


def test_the_key_of_a_request_signs_its_message(site: Site) -> None:
    """Whoever put another's envelope into a message of their own would get what is in it answered to themselves."""
    client, thief = site.client(challenge=site.challenge().text), site.client("thief")
    said = thief.ask(thief.build(MessageType.PKCSReq, client.request))
    assert said.fail_info == FailInfo.badMessageCheck
    assert site.ca.requests() == ()


@pytest.mark.parametrize(("policy", "fail_info"), [
    (Policy(Mode.DENY), FailInfo.badRequest),
    (Policy(templates={"": {"minimum_rsa_bits": 4096}}), FailInfo.badRequest),
    (Policy(require_template=True), FailInfo.badRequest),
])
def test_the_policy_of_the_ca_decides(site: Site, policy: Policy, fail_info: int) -> None:
    site.policy(policy)
    client = site.client(challenge=site.challenge().text)
    said = client.enroll()
    assert (said.status, said.fail_info) == (FAILURE, fail_info)
    assert "Policy Module" in said.text
    assert client.enroll().fail_info == fail_info
    assert len(site.ca.requests()) == 1, "a request that is sent again is the same one"
    assert replace(client, more=(template("User"),)).enroll().message.transaction_id == client.transaction
    assert len(site.ca.requests()) == 2, "another one opens the transaction anew"


def test_the_server_names_the_template_of_first_requests(site: Site) -> None:
    site.serve(ScepSettings(ScepRules(template="Workstation", requester="CORP\\ndes")))
    client = site.client(challenge=site.challenge().text)
    assert client.enroll().certificate
    (row,) = site.ca.requests()
    assert (row.template, row.requester) == ("Workstation", "CORP\\ndes")


def test_a_request_without_a_subject_is_none(site: Site) -> None:
    site.serve(OPEN)
    assert site.client("", private=key("client", 2048), extensions=(alternative("a.test"),)).enroll().status == FAILURE


# Questions -----------------------------------------------------------------------------------------------------------


def test_a_certificate_and_a_crl_are_given_to_whoever_asks(site: Site) -> None:
    client = site.client(challenge=site.challenge().text)
    first = client.enroll().certificate
    serial = read_certificate(first).serial
    stranger = site.client("stranger")
    assert stranger.get(MessageType.GetCert, serial).certificate == first
    said = stranger.get(MessageType.GetCRL, serial)
    assert (said.certificates, said.crls) == ((), site.ca.crls())


@pytest.mark.parametrize("message_type", [MessageType.GetCert, MessageType.GetCRL])
def test_what_is_not_this_ca_s_is_not_found(site: Site, message_type: int) -> None:
    elsewhere = read_certificate(site.client("elsewhere").signing[0]).subject
    assert site.client().get(message_type, 1, elsewhere).fail_info == FailInfo.badCertId
    assert site.client().get(MessageType.GetCert, 4711).fail_info == FailInfo.badCertId


@pytest.mark.parametrize("message_type", [0, 3, 18, 41, 99, 255])
def test_a_message_that_nobody_defines_is_refused(site: Site, message_type: int) -> None:
    client = site.client()
    said = client.ask(client.build(message_type, client.request))
    assert (said.status, said.fail_info) == (FAILURE, FailInfo.badRequest)


# Damaged messages ----------------------------------------------------------------------------------------------------


def test_a_message_that_was_changed_is_refused(site: Site) -> None:
    client = site.client(challenge=site.challenge().text)
    message = client.build(MessageType.PKCSReq, client.request)
    changed = message[:-1] + bytes((message[-1] ^ 1,))
    assert client.ask(changed).fail_info == FailInfo.badMessageCheck
    assert site.ca.requests() == ()


@pytest.mark.parametrize("message_type", [
    MessageType.PKCSReq, MessageType.RenewalReq, MessageType.GetCert, MessageType.GetCRL,
])  # fmt: skip
def test_nobody_learns_what_is_wrong_inside_an_envelope(site: Site, message_type: int) -> None:
    """Wrong padding, another content and a request of a kind that is not taken: one answer, or a padding oracle."""
    client = site.client()
    keygen = b"\x30\x0c\x30\x0a\x04\x08" + bytes(8)
    sealed = [enveloped.seal(content, [client.recipient]) for content in (b"", b"no request", keygen, client.request[:-1])]
    padding = bytearray(sealed[0])
    padding[-1] ^= 1
    answers = [client.ask(client.build(message_type, None, enveloped=one)) for one in (*sealed, bytes(padding))]
    assert len({(one.status, one.fail_info, one.text) for one in answers}) == 1


def test_a_poll_leaves_its_envelope_shut(site: Site) -> None:
    """Else a client that may poll could learn what is in the envelopes of others."""
    client = site.client(challenge=site.challenge().text)
    issued = client.enroll().certificate
    sealed = bytearray(enveloped.seal(b"whatever is in another's", [client.recipient]))
    sealed[-1] ^= 1
    assert client.ask(client.build(MessageType.CertPoll, None, enveloped=bytes(sealed))).certificate == issued


def test_every_truncation_is_refused(site: Site) -> None:
    client = site.client()
    message = client.build(MessageType.PKCSReq, client.request)
    for end in range(len(message)):
        with pytest.raises(Unanswerable):
            site.responder.operate("PKIOperation", message[:end])


@pytest.mark.parametrize("name", ["a*b", "x" * 1025])
def test_a_transaction_that_cannot_be_named_has_no_answer(site: Site, name: str) -> None:
    client = site.client(transaction="aXb" if name == "a*b" else name)
    message = client.build(MessageType.PKCSReq, client.request).replace(b"aXb", b"a*b")
    with pytest.raises(Unanswerable) as caught:
        site.responder.operate("PKIOperation", message)
    assert caught.value.hresult == HRESULT.CRYPT_E_INVALID_PRINTABLE_STRING


# The server itself ---------------------------------------------------------------------------------------------------


def test_a_ca_alone_sends_its_certificate(site: Site) -> None:
    reply = site.responder.operate("GetCACert")
    assert reply is not None
    assert (reply.content_type, reply.body) == (CA_CERTIFICATE, site.ca.certificates()[0])
    assert site.responder.operate("GetNextCACert") is None


def test_what_it_can_do_is_what_the_administrator_says(site: Site) -> None:
    def words(settings: ScepSettings) -> list[str]:
        reply = ScepResponder(site.folder, settings).operate("GetCACaps")
        assert reply is not None
        return reply.body.decode().splitlines()

    assert {"AES", "SHA-256", "POSTPKIOperation", "Renewal", "SCEPStandard"} < set(words(ScepSettings()))
    assert "SHA-1" not in words(ScepSettings())
    assert "SHA-1" in words(ScepSettings(legacy=True))
    assert words(ScepSettings(capabilities=("DES3",))) == ["DES3"]


def test_a_registration_authority_has_a_key_for_each_use(site: Site) -> None:
    site.serve(ScepSettings(registration_authority=True))
    reply = site.responder.operate("GetCACert")
    assert reply is not None
    assert reply.content_type == CA_AND_RA
    found = {usage_of(one): one for one in site.certificates}
    assert set(found) == {SIGNS, DECRYPTS, SIGNS_ALL}
    client = site.client(challenge=site.challenge().text)
    said = client.enroll()
    assert said.certificate
    assert said.message.signer_certificate == found[SIGNS]
    before = site.certificates
    site.serve(ScepSettings(registration_authority=True))
    assert site.certificates == before
    assert {path.stat().st_mode & 0o777 for path in (site.folder / "private").glob("ra-*.pem")} == {0o600}


def test_a_message_for_the_ca_itself_is_not_for_its_registration_authority(site: Site) -> None:
    site.serve(replace(OPEN, registration_authority=True))
    client = site.client()
    sealed = enveloped.seal(client.request, site.ca.certificates())
    assert client.ask(client.build(MessageType.PKCSReq, None, enveloped=sealed)).fail_info == FailInfo.badMessageCheck


def test_a_registration_authority_is_followed_before_it_ends(site: Site) -> None:
    site.serve(replace(OPEN, registration_authority=True))
    kept = site.client()
    site.clock.pass_days(701)
    fresh = site.client()
    assert set(fresh.server) & set(kept.server) == {site.ca.certificates()[0]}
    for_the_last = kept.build(MessageType.PKCSReq, kept.request)
    assert fresh.ask(for_the_last).status == SUCCESS
    assert len(list((site.folder / "private").glob("ra-encrypt-*.pem"))) == 2
    site.clock.pass_days(701)
    site.client()
    assert len(list((site.folder / "private").glob("ra-encrypt-*.pem"))) == 2, "the first is gone"


def test_a_ca_whose_key_decrypts_nothing_needs_a_registration_authority(ca: LocalCA, clock: Clock) -> None:
    """It has a root above it, too."""
    folder = ca._directory
    with pytest.raises(CAError) as caught:
        ScepResponder(folder, OPEN, clock)
    assert caught.value.hresult == HRESULT.NTE_BAD_KEY
    responder = ScepResponder(folder, replace(OPEN, registration_authority=True), clock)
    reply = responder.operate("GetCACert")
    assert reply is not None
    found = scep.read_degenerate(reply.body)[0]
    assert set(ca.certificates()) < set(found)

    def send(message: bytes) -> bytes:
        answer = responder.operate("PKIOperation", message)
        assert answer is not None
        return answer.body

    client = ScepClient(send, (*(one for one in found if one not in ca.certificates()), ca.certificates()[0]))
    issued = client.enroll().certificate
    assert client.get(MessageType.GetCRL, read_certificate(issued).serial).crls == (ca.crls()[0],)
    root = read_certificate(ca.certificates()[1]).subject
    assert client.get(MessageType.GetCRL, 1, root).crls == (ca.crls()[1],)


def test_a_key_that_only_signs_is_answered_under_the_challenge(site: Site) -> None:
    site.policy(Policy(Mode.HOLD))
    client = site.client(private=key("ec"), challenge=site.challenge(once=True).text)
    assert client.enroll().status == PENDING
    site.ca.issue("1")
    assert client.poll().certificate == client.enroll().certificate
    without = site.client(private=key("ec without"))
    assert without.enroll().fail_info == FailInfo.badAlg
    assert without.get(MessageType.GetCRL, 1).fail_info == FailInfo.badAlg
