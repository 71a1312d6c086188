"""The local CA and keys that a real (software) TPM attests: evidence judged, the TPM challenged, the answer heard once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from certenroll.asn1 import extensions
from certenroll.asn1.attestation import VERIFIED_BY_CERTIFICATE, VERIFIED_BY_CREDENTIALS, VERIFIED_BY_KEY, TrustModule
from certenroll.asn1.attestation_statement import IdBinding
from certenroll.asn1.attributes import EXTENSION_REQUEST
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.der import Attribute, Extension, encode_extensions
from certenroll.asn1.responses import read_response
from certenroll.ca.attestation_rules import AttestationRules, Trust
from certenroll.ca.attestation_rules import Attested as Wanted
from certenroll.ca.base import Answer, CAError, Disposition, Submission
from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Policy, load_policy
from certenroll.ca.templates import Mode
from certenroll.hresults import HRESULT
from keystores.base import KeyAlgorithm, Scope
from keystores.errors import KeyStoreError
from keystores.tpm import TpmKeyStore
from tests.ca.conftest import Clock, openssl_verify
from tests.support.attesting import ALICE, Attested, Client, Maker, challenge_in, response
from tests.support.swtpm import SwTpm

CREDENTIALS = (Trust.CREDENTIALS,)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with SwTpm() as tpm, TpmKeyStore(tmp_path_factory.mktemp("keys"), Scope.USER, tpm.tcti) as store:
        yield Client(store, "web")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Somebody with another TPM."""
    with SwTpm() as tpm, TpmKeyStore(tmp_path_factory.mktemp("keys"), Scope.USER, tpm.tcti) as store:
        yield Client(store, "web")


@pytest.fixture
def ca_with(tmp_path: Path, clock: Clock) -> Callable[..., LocalCA]:
    """Makes a CA with those rules for attestation."""

    def make(
        mode: Wanted = Wanted.REQUIRED, trust: tuple[Trust, ...] = CREDENTIALS, policy: Mode = Mode.ISSUE, **rules: Any
    ) -> LocalCA:
        wanted = Policy(mode=policy, attestation=AttestationRules(mode, trust, **rules))
        return LocalCA.create(tmp_path / "ca", "Test CA", algorithm=KeyAlgorithm.EC, bits=256, policy=wanted, clock=clock)

    return make


def policies(answer: Answer) -> list[str]:
    """The issuance policies of an issued certificate; the test fails where none was issued."""
    assert answer.certificate is not None, answer.message
    found = read_certificate(answer.certificate).extension(extensions.CERTIFICATE_POLICIES)
    return [one.oid for one in extensions.decode_policies(found.value)] if found is not None else []


def state(answer: Answer) -> tuple[Disposition, int]:
    return answer.disposition, answer.status


def refusal(code: int) -> tuple[Disposition, int]:
    return Disposition.DENIED, code


# The whole way -------------------------------------------------------------------------------------------------------


def test_a_tpm_that_answers_its_challenge_gets_a_certificate_with_the_policy(
    ca_with: Callable[..., LocalCA], client: Client, tmp_path: Path
) -> None:
    ca = ca_with()
    waiting = client.submit(ca)
    assert state(waiting) == (Disposition.UNDER_SUBMISSION, 0)
    issued = response(ca, waiting.request_id, client.secret(waiting))
    assert (issued.disposition, issued.request_id) == (Disposition.ISSUED, waiting.request_id)
    assert policies(issued) == [VERIFIED_BY_CREDENTIALS]
    assert issued.certificate is not None
    assert openssl_verify(tmp_path, issued.certificate, issued.chain) == "OK"
    assert not list((tmp_path / "ca" / "private").glob("challenge-*"))


def test_the_policies_say_every_way_in_which_the_endorsement_key_is_believed(
    ca_with: Callable[..., LocalCA], client: Client, tmp_path: Path
) -> None:
    digest = sha256(client.endorsement.public_key_info).hexdigest()
    ca = ca_with(trust=tuple(Trust), keys=(digest,))
    maker = Maker.of("TPM Maker")
    maker.put(tmp_path / "ca")
    given = client.attested(ca.exchange_certificate())
    given.module = replace(given.module, certificates=(maker.certificate(given.module.public_key_info),))
    waiting = client.submit(ca, given)
    issued = response(ca, waiting.request_id, client.secret(waiting))
    assert policies(issued) == [VERIFIED_BY_KEY, VERIFIED_BY_CERTIFICATE, VERIFIED_BY_CREDENTIALS]


def test_a_certificate_for_another_endorsement_key_or_of_another_maker_is_not_believed(
    ca_with: Callable[..., LocalCA], client: Client, other: Client, tmp_path: Path
) -> None:
    ca = ca_with(trust=(Trust.CERTIFICATE,))
    maker = Maker.of("TPM Maker")
    maker.put(tmp_path / "ca")
    theirs = maker.certificate(other.endorsement.public_key_info)
    strangers = Maker.of("TPM Maker").certificate(client.endorsement.public_key_info)
    for certificates in ((), (theirs,), (strangers,), (b"0\x03\x02\x01\x01",)):
        given = client.attested(ca.exchange_certificate())
        given.module = replace(given.module, certificates=certificates)
        assert state(client.submit(ca, given)) == refusal(HRESULT.CERTSRV_E_INVALID_EK)


def test_a_malformed_certificate_among_the_makers_is_named(
    ca_with: Callable[..., LocalCA], client: Client, tmp_path: Path
) -> None:
    ca = ca_with(trust=(Trust.CERTIFICATE,))
    (tmp_path / "ca" / "endorsement").mkdir()
    (tmp_path / "ca" / "endorsement" / "broken.crt").write_text("no certificate")
    given = client.attested(ca.exchange_certificate())
    given.module = replace(given.module, certificates=(ca.certificates()[0],))
    with pytest.raises(CAError, match="broken") as caught:
        client.submit(ca, given)
    assert caught.value.hresult == HRESULT.WIN32_INVALID_DATA


def test_an_endorsement_key_that_is_not_in_the_list_is_not_believed(ca_with: Callable[..., LocalCA], client: Client) -> None:
    ca = ca_with(trust=(Trust.KEY,), keys=("0" * 64,))
    assert state(client.submit(ca)) == refusal(HRESULT.CERTSRV_E_INVALID_EK)


def test_the_policies_can_be_left_out(ca_with: Callable[..., LocalCA], client: Client) -> None:
    ca = ca_with(without_policy=True)
    waiting = client.submit(ca)
    assert policies(response(ca, waiting.request_id, client.secret(waiting))) == []


def test_a_subject_alone_is_attested_without_a_challenge(ca_with: Callable[..., LocalCA], client: Client) -> None:
    attestation_key = client.store.attestation_key().public_key
    ca = ca_with(trust=(Trust.KEY,), keys=(sha256(attestation_key).hexdigest(),))
    given = client.attested(ca.exchange_certificate(), subject_only=True)
    assert policies(client.submit(ca, given)) == [VERIFIED_BY_KEY]


# What a CA asks for --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        (Wanted.REQUIRED, refusal(HRESULT.CERTSRV_E_KEY_ATTESTATION)),
        (Wanted.PREFERRED, (Disposition.ISSUED, 0)),
        (Wanted.NONE, (Disposition.ISSUED, 0)),
    ],
)
def test_a_request_without_evidence(
    ca_with: Callable[..., LocalCA], client: Client, mode: Wanted, wanted: tuple[Disposition, int]
) -> None:
    assert state(ca_with(mode).submit(Submission(client.request(None), requester=ALICE))) == wanted


def test_evidence_that_nobody_asked_for_is_passed_over(ca_with: Callable[..., LocalCA], client: Client) -> None:
    assert policies(client.submit(ca_with(Wanted.NONE))) == []


def test_preferred_evidence_is_challenged_and_a_wrong_one_refused(ca_with: Callable[..., LocalCA], client: Client) -> None:
    ca = ca_with(Wanted.PREFERRED)
    assert client.submit(ca).disposition is Disposition.UNDER_SUBMISSION
    given = client.attested(ca.exchange_certificate())
    given.statement = replace(given.statement, attest=given.statement.attest[:-1])
    assert state(client.submit(ca, given)) == refusal(HRESULT.CERTSRV_E_INVALID_ATTESTATION)


def test_rules_may_hold_for_some_templates_only(ca_with: Callable[..., LocalCA], client: Client) -> None:
    ca = ca_with(templates=("web server",))
    assert client.submit(ca, template="WebServer").disposition is Disposition.UNDER_SUBMISSION
    assert policies(client.submit(ca, template="Machine")) == []


def test_no_request_claims_the_policies_itself(ca_with: Callable[..., LocalCA], client: Client) -> None:
    claimed = extensions.encode_policies([extensions.Policy(VERIFIED_BY_KEY), extensions.Policy("1.2.3")])
    wish = encode_extensions([Extension(extensions.CERTIFICATE_POLICIES, False, claimed)])
    request = client.request(None, Attribute(EXTENSION_REQUEST, (wish,)))
    assert policies(ca_with(Wanted.PREFERRED).submit(Submission(request, requester=ALICE))) == ["1.2.3"]


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([], "not a table"),
        ({"mode": "always"}, "mode"),
        ({"trust": "key"}, "trust"),
        ({"trust": ["hope"]}, "trust"),
        ({"keys": ["12"]}, "keys"),
        ({"templates": [1]}, "templates"),
        ({"without_policy": 1}, "without_policy"),
        ({"roots": []}, "no setting"),
    ],
)
def test_rules_that_cannot_be_are_refused_when_they_are_read(tmp_path: Path, values: object, what: str) -> None:
    (tmp_path / "policy.json").write_text(json.dumps({"attestation": values}))
    with pytest.raises(CAError, match=what) as caught:
        load_policy(tmp_path)
    assert caught.value.hresult == HRESULT.WIN32_INVALID_DATA


def test_rules_are_written_and_read_as_they_are(tmp_path: Path) -> None:
    trust = (Trust.CREDENTIALS, Trust.KEY)
    rules = AttestationRules(Wanted.PREFERRED, trust, ("ab" * 32,), ("Web Server",), without_policy=True)
    Policy(attestation=rules).save(tmp_path)
    assert load_policy(tmp_path).attestation == rules


# Evidence that does not hold -----------------------------------------------------------------------------------------


def other_nonce(client: Client, given: Attested) -> Attested:
    return client.attested(b"another exchange certificate")


def changed(client: Client, given: Attested) -> Attested:
    attest = bytearray(given.statement.attest)
    attest[-1] ^= 1
    return replace(given, statement=replace(given.statement, attest=bytes(attest)))


def signed_otherwise(client: Client, given: Attested) -> Attested:
    return replace(given, statement=replace(given.statement, signature=client.attested(b"x").statement.signature))


def by_an_ordinary_key(client: Client, given: Attested) -> Attested:
    return replace(given, statement=replace(given.statement, binding=IdBinding(given.statement.key)))


def by_the_endorsement_key(client: Client, given: Attested) -> Attested:
    return replace(given, statement=replace(given.statement, binding=IdBinding(client.store.endorsement_key().tpm_public)))


def by_nobody(client: Client, given: Attested) -> Attested:
    return replace(given, statement=replace(given.statement, binding=None))


def of_software(client: Client, given: Attested) -> Attested:
    return replace(given, provider="Microsoft Software Key Storage Provider")


def of_no_provider(client: Client, given: Attested) -> Attested:
    return replace(given, provider="Nobody's Provider")


def without_endorsement(client: Client, given: Attested) -> Attested:
    return replace(given, module=TrustModule(b"0\x00"))


WRONG: dict[Callable[[Client, Attested], Attested], int] = {
    other_nonce: HRESULT.CERTSRV_E_INVALID_ATTESTATION,
    changed: HRESULT.CERTSRV_E_INVALID_ATTESTATION,
    signed_otherwise: HRESULT.CERTSRV_E_INVALID_ATTESTATION,
    by_an_ordinary_key: HRESULT.CERTSRV_E_INVALID_IDBINDING,
    by_the_endorsement_key: HRESULT.CERTSRV_E_INVALID_IDBINDING,
    by_nobody: HRESULT.CERTSRV_E_INVALID_IDBINDING,
    of_software: HRESULT.CERTSRV_E_KEY_ATTESTATION,
    of_no_provider: HRESULT.CERTSRV_E_KEY_ATTESTATION,
    without_endorsement: HRESULT.CERTSRV_E_INVALID_EK,
}


@pytest.mark.parametrize("fault", WRONG, ids=lambda one: one.__name__)
def test_evidence_that_does_not_hold_is_refused_with_its_own_code(
    ca_with: Callable[..., LocalCA], client: Client, fault: Callable[[Client, Attested], Attested]
) -> None:
    ca = ca_with()
    given = fault(client, client.attested(ca.exchange_certificate()))
    assert state(client.submit(ca, given)) == refusal(WRONG[fault])


def test_the_statement_about_another_key_of_the_tpm_is_refused(ca_with: Callable[..., LocalCA], client: Client) -> None:
    ca = ca_with()
    second = Client(client.store, "second")
    about_second = second.attested(ca.exchange_certificate())
    client.store.delete("second")
    assert state(client.submit(ca, about_second)) == refusal(HRESULT.CERTSRV_E_INVALID_ATTESTATION)


def test_a_statement_cut_short_is_refused(ca_with: Callable[..., LocalCA], client: Client) -> None:
    ca = ca_with()
    exchange = ca.exchange_certificate()
    evidence = client.attested(exchange).sealed(exchange)
    request = client.request(replace(evidence, statement=evidence.statement[:-1]))
    found = ca.submit(Submission(request, requester=ALICE))
    assert state(found) == refusal(HRESULT.CERTSRV_E_CORRUPT_KEY_ATTESTATION)


def test_evidence_for_an_exchange_certificate_that_is_over_is_refused(
    ca_with: Callable[..., LocalCA], client: Client, clock: Clock
) -> None:
    ca = ca_with()
    exchange = ca.exchange_certificate()
    request = client.request(client.attested(exchange).sealed(exchange))
    clock.pass_days(8)
    found = ca.submit(Submission(request, requester=ALICE))
    assert state(found) == refusal(HRESULT.CERTSRV_E_EXPIRED_CHALLENGE)


# The challenge -------------------------------------------------------------------------------------------------------


def test_the_challenge_for_another_tpms_endorsement_key_is_answered_by_neither(
    ca_with: Callable[..., LocalCA], client: Client, other: Client
) -> None:
    ca = ca_with()
    given = replace(client.attested(ca.exchange_certificate()), module=other.endorsement)
    waiting = client.submit(ca, given)
    for one in (client, other):
        with pytest.raises(KeyStoreError) as caught:
            one.secret(waiting)
        assert caught.value.hresult == HRESULT.NTE_DECRYPTION_FAILURE
    guessed = response(ca, waiting.request_id, bytes(32))
    assert state(guessed) == refusal(HRESULT.CERTSRV_E_INVALID_RESPONSE)


def test_a_right_answer_is_heard_once(ca_with: Callable[..., LocalCA], client: Client) -> None:
    ca = ca_with()
    waiting = client.submit(ca)
    secret = client.secret(waiting)
    assert response(ca, waiting.request_id, secret).disposition is Disposition.ISSUED
    with pytest.raises(CAError) as caught:
        response(ca, waiting.request_id, secret)
    assert caught.value.hresult == HRESULT.CERTSRV_E_INVALID_RESPONSE
    assert ca.retrieve(waiting.request_id).disposition is Disposition.ISSUED


def test_of_two_answers_at_the_same_time_one_is_heard(
    ca_with: Callable[..., LocalCA], client: Client, clock: Clock, tmp_path: Path
) -> None:
    first = ca_with()
    waiting = client.submit(first)
    secret = client.secret(waiting)

    def send(ca: LocalCA) -> int:
        try:
            return response(ca, waiting.request_id, secret).disposition
        except CAError as error:
            return error.hresult

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(send, (first, LocalCA(tmp_path / "ca", clock))))
    assert sorted(found) == [Disposition.ISSUED, HRESULT.CERTSRV_E_INVALID_RESPONSE]


def test_after_a_wrong_answer_the_right_one_comes_too_late(ca_with: Callable[..., LocalCA], client: Client) -> None:
    ca = ca_with()
    waiting = client.submit(ca)
    secret = client.secret(waiting)
    assert state(response(ca, waiting.request_id, bytes(32))) == refusal(HRESULT.CERTSRV_E_INVALID_RESPONSE)
    with pytest.raises(CAError) as caught:
        response(ca, waiting.request_id, secret)
    assert caught.value.hresult == HRESULT.CERTSRV_E_INVALID_RESPONSE
    asked_again = ca.issue(waiting.request_id)
    assert asked_again.disposition is Disposition.UNDER_SUBMISSION
    assert challenge_in(asked_again) != challenge_in(waiting)


def test_the_answer_to_one_request_is_none_to_another(ca_with: Callable[..., LocalCA], client: Client) -> None:
    ca = ca_with()
    first, second = client.submit(ca), client.submit(ca)
    swapped = response(ca, second.request_id, client.secret(first))
    assert state(swapped) == refusal(HRESULT.CERTSRV_E_INVALID_RESPONSE)
    assert response(ca, first.request_id, client.secret(first)).disposition is Disposition.ISSUED


@pytest.mark.parametrize("sent", [b"", b"no message", b"0\x00"])
def test_an_answer_that_is_no_encrypted_message_is_wrong(
    ca_with: Callable[..., LocalCA], client: Client, sent: bytes
) -> None:
    ca = ca_with()
    waiting = client.submit(ca)
    found = ca.submit(Submission(sent, {"requestid": waiting.request_id}, 0x500, ALICE))
    assert state(found) == refusal(HRESULT.CERTSRV_E_INVALID_RESPONSE)


def test_somebody_else_answers_nothing(ca_with: Callable[..., LocalCA], client: Client) -> None:
    ca = ca_with()
    waiting = client.submit(ca)
    with pytest.raises(CAError) as caught:
        response(ca, waiting.request_id, client.secret(waiting), "CORP\\mallory")
    assert caught.value.hresult == HRESULT.E_ACCESSDENIED
    assert response(ca, waiting.request_id, client.secret(waiting)).disposition is Disposition.ISSUED


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({}, HRESULT.CERTSRV_E_INVALID_REQUESTID),
        ({"RequestId": ""}, HRESULT.CERTSRV_E_INVALID_REQUESTID),
        ({"RequestId": "one"}, HRESULT.CERTSRV_E_INVALID_REQUESTID),
        ({"RequestId": "1", "requestid": "2"}, HRESULT.CERTSRV_E_INVALID_REQUESTID),
        ({"RequestId": "77"}, HRESULT.CERTSRV_E_NO_REQUEST),
    ],
)
def test_an_answer_names_its_request(ca_with: Callable[..., LocalCA], attributes: dict[str, str], code: int) -> None:
    with pytest.raises(CAError) as caught:
        ca_with().submit(Submission(b"0\x00", attributes, 0x500, ALICE))
    assert caught.value.hresult == code


def test_a_request_that_was_not_challenged_takes_no_answer(ca_with: Callable[..., LocalCA], client: Client) -> None:
    ca = ca_with(Wanted.PREFERRED, policy=Mode.HOLD)
    held = ca.submit(Submission(client.request(None), requester=ALICE))
    with pytest.raises(CAError) as caught:
        response(ca, held.request_id, bytes(32))
    assert caught.value.hresult == HRESULT.CERTSRV_E_INVALID_RESPONSE
    assert ca.retrieve(held.request_id).disposition is Disposition.UNDER_SUBMISSION


def test_an_administrator_does_not_pass_over_the_challenge(ca_with: Callable[..., LocalCA], client: Client) -> None:
    ca = ca_with(policy=Mode.HOLD)
    waiting = client.submit(ca)
    assert ca.issue(waiting.request_id).disposition is Disposition.UNDER_SUBMISSION
    answered = response(ca, waiting.request_id, client.secret(waiting))
    assert (answered.disposition, answered.full_response) == (Disposition.UNDER_SUBMISSION, None)
    assert policies(ca.issue(waiting.request_id)) == [VERIFIED_BY_CREDENTIALS]


def test_a_challenge_is_the_same_for_whoever_opens_the_ca_next(
    ca_with: Callable[..., LocalCA], client: Client, clock: Clock, tmp_path: Path
) -> None:
    waiting = client.submit(ca_with())
    again = LocalCA(tmp_path / "ca", clock)
    assert challenge_in(again.retrieve(waiting.request_id)) == challenge_in(waiting)
    assert response(again, waiting.request_id, client.secret(waiting)).disposition is Disposition.ISSUED


def test_a_challenge_waits_no_longer_than_the_exchange_certificates_key_is_kept(
    ca_with: Callable[..., LocalCA], client: Client, clock: Clock
) -> None:
    ca = ca_with()
    waiting = client.submit(ca)
    clock.pass_days(60)
    late = response(ca, waiting.request_id, client.secret(waiting))
    assert state(late) == refusal(HRESULT.CERTSRV_E_EXPIRED_CHALLENGE)


def test_the_secret_lies_in_no_file_in_the_clear(ca_with: Callable[..., LocalCA], client: Client, tmp_path: Path) -> None:
    secret = client.secret(client.submit(ca_with()))
    kept = [path for path in (tmp_path / "ca").rglob("*") if path.is_file()]
    assert any(path.name.startswith("challenge-") and path.stat().st_mode & 0o777 == 0o600 for path in kept)
    assert not any(secret in path.read_bytes() for path in kept)


def test_the_full_response_brings_the_exchange_certificate_and_the_cas(
    ca_with: Callable[..., LocalCA], client: Client
) -> None:
    ca = ca_with()
    waiting = client.submit(ca)
    assert waiting.full_response is not None
    brought = read_response(waiting.full_response).certificates
    assert set(brought) == {ca.exchange_certificate(), *ca.certificates()}
    assert read_certificate(ca.exchange_certificate()).sha1 == challenge_in(waiting).exchange_certificate_hash
