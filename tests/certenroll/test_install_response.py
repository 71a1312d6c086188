"""InstallResponse: what each value of the restriction flags makes of each kind of response, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs7, pkcs12

from certenroll import facade
from certenroll.engine.workspace import Workspace
from certenroll.enums import EnrollmentEnrollStatus
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores.properties import KEY_PROV_INFO, decode_key_info
from tests.stores.pki import Made, key, make
from tests.support.enrolling import BINARY, bag, code, issue, laid_open, new_enrollment, new_key, requested
from tests.support.softhsm import SoftToken

ROOT = make("root")
STRANGE_ROOT = make("strange root")
CA = make("ca", ROOT, ca=True)
STRANGE_CA = make("strange ca", STRANGE_ROOT, ca=True)
NO_CA = make("no ca", ROOT)
PASSWORD = "pässword"


@dataclass(frozen=True)
class Case:
    """An enrollment that waits for a response, and that response."""

    enrollment: Any
    response: bytes
    password: str = ""


def trusted_chain() -> Case:
    enrollment, spki = requested()
    return Case(enrollment, bag(CA, issue(spki, CA), ROOT))


def untrusted_root() -> Case:
    enrollment, spki = requested()
    return Case(enrollment, bag(issue(spki, STRANGE_CA), STRANGE_CA, STRANGE_ROOT))


def missing_intermediate() -> Case:
    enrollment, spki = requested()
    return Case(enrollment, bag(issue(spki, make("absent ca", CA, ca=True)), CA, ROOT))


def leaf_with_no_chain() -> Case:
    enrollment, spki = requested()
    return Case(enrollment, issue(spki, STRANGE_CA).der)


def expired() -> Case:
    enrollment, spki = requested()
    return Case(enrollment, bag(issue(spki, CA, days=(-100, -1)), CA))


def not_yet_valid() -> Case:
    enrollment, spki = requested()
    return Case(enrollment, bag(issue(spki, CA, days=(1, 100)), CA))


def self_signed() -> Case:
    enrollment = new_enrollment()
    imported = new_key(ExportPolicy=1)
    imported.Import("PKCS8_PRIVATEKEY", _pkcs8(key("own")), BINARY)
    return Case(enrollment, make("own", private=key("own"), ca=False).der)


def wrong_key() -> Case:
    enrollment, _ = requested()
    return Case(enrollment, bag(make("leaf", CA), CA))


def no_outstanding_request() -> Case:
    own = new_key()
    own.Create()
    return Case(new_enrollment(), bag(issue(own.stored_key().info.public_key, CA), CA))


def ca_certificates_only() -> Case:
    enrollment, _ = requested()
    return Case(enrollment, bag(CA, ROOT))


def strange_ca_certificates_only() -> Case:
    enrollment, _ = requested()
    return Case(enrollment, bag(STRANGE_ROOT, STRANGE_CA))


def pfx_with_its_password() -> Case:
    return Case(new_enrollment(), _pfx(), PASSWORD)


def pfx_with_another_password() -> Case:
    return Case(new_enrollment(), _pfx(), "another")


def pfx_without_a_password() -> Case:
    return Case(new_enrollment(), _pfx())


def bad_signature() -> Case:
    enrollment, spki = requested()
    genuine = issue(spki, CA)
    forged = bytearray(bag(genuine, CA))
    forged[forged.index(genuine.der) + len(genuine.der) - 1] ^= 1
    return Case(enrollment, bytes(forged))


def bad_message_signature() -> Case:
    enrollment, spki = requested()
    options = [pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes]
    builder = pkcs7.PKCS7SignatureBuilder().set_data(b"content").add_certificate(issue(spki, CA).certificate)
    message = bytearray(builder.add_signer(CA.certificate, CA.key, hashes.SHA256()).sign(Encoding.DER, options))
    message[message.index(b"content")] ^= 1
    return Case(enrollment, bytes(message))


def issued_by_no_ca() -> Case:
    enrollment, spki = requested()
    return Case(enrollment, bag(issue(spki, NO_CA), NO_CA))


def empty() -> Case:
    return Case(requested()[0], b"")


def garbage() -> Case:
    return Case(requested()[0], b"\x04\x03abc")


def a_request_for_a_response() -> Case:
    enrollment, _ = requested()
    return Case(enrollment, enrollment.CreateRequest(BINARY))


OK = 0
NOT_FOUND = 0x80092004
NO_KEY = 0x8009000D
UNTRUSTED = 0x800B0109
CHAINING = 0x800B010A
EXPIRED = 0x800B0101
CERT_SIGNATURE = 0x80096004
CONSTRAINTS = 0x80096019
MESSAGE_SIGNATURE = 0x80090006
PASSWORD_WRONG = 0x80070056
EOD = 0x80093102
BADTAG = 0x8009310B

# The outcomes for the flags 0 to 7: 1 AllowNoOutstandingRequest, 2 AllowUntrustedCertificate, 4 AllowUntrustedRoot.
EXPECTED: dict[Callable[[], Case], list[int]] = {
    trusted_chain: [OK, OK, OK, OK, OK, OK, OK, OK],
    untrusted_root: [UNTRUSTED, UNTRUSTED, UNTRUSTED, UNTRUSTED, OK, OK, OK, OK],
    missing_intermediate: [CHAINING, CHAINING, OK, OK, OK, OK, OK, OK],
    leaf_with_no_chain: [CHAINING, CHAINING, OK, OK, OK, OK, OK, OK],
    expired: [EXPIRED, EXPIRED, OK, OK, OK, OK, OK, OK],
    not_yet_valid: [EXPIRED, EXPIRED, OK, OK, OK, OK, OK, OK],
    self_signed: [NOT_FOUND, UNTRUSTED, NOT_FOUND, OK, NOT_FOUND, OK, NOT_FOUND, OK],
    wrong_key: [NOT_FOUND, NO_KEY, NOT_FOUND, NO_KEY, NOT_FOUND, NO_KEY, NOT_FOUND, NO_KEY],
    no_outstanding_request: [NOT_FOUND, OK, NOT_FOUND, OK, NOT_FOUND, OK, NOT_FOUND, OK],
    ca_certificates_only: [NOT_FOUND, OK, NOT_FOUND, OK, NOT_FOUND, OK, NOT_FOUND, OK],
    strange_ca_certificates_only: [NOT_FOUND, UNTRUSTED, NOT_FOUND, UNTRUSTED, NOT_FOUND, OK, NOT_FOUND, OK],
    pfx_with_its_password: [OK] * 8,
    pfx_with_another_password: [PASSWORD_WRONG] * 8,
    pfx_without_a_password: [PASSWORD_WRONG] * 8,
    bad_signature: [CERT_SIGNATURE] * 8,
    bad_message_signature: [MESSAGE_SIGNATURE] * 8,
    issued_by_no_ca: [CONSTRAINTS] * 8,
    empty: [EOD] * 8,
    garbage: [BADTAG] * 8,
    a_request_for_a_response: [EOD] * 8,
}
CELLS = [(case, flags, outcome) for case, outcomes in EXPECTED.items() for flags, outcome in enumerate(outcomes)]


@pytest.fixture
def trusting(workspace: Workspace) -> Workspace:
    """A profile that trusts ROOT."""
    workspace.certificates.add("ROOT", ROOT.der)
    return workspace


@pytest.mark.parametrize(("case", "flags", "outcome"), CELLS, ids=lambda value: getattr(value, "__name__", None))
def test_a_response_is_installed_or_refused_as_the_table_says(
    home: Path, trusting: Workspace, case: Callable[[], Case], flags: int, outcome: int
) -> None:
    given = case()
    before = laid_open(home)
    if outcome == OK:
        given.enrollment.InstallResponse(flags, given.response, BINARY, given.password)
        assert laid_open(home) != before
        assert given.enrollment.Status.Status == EnrollmentEnrollStatus.Enrolled
        return
    with pytest.raises(ComError) as caught:
        given.enrollment.InstallResponse(flags, given.response, BINARY, given.password)
    assert code(caught.value) == outcome
    assert laid_open(home) == before
    assert given.enrollment.Status.Status == EnrollmentEnrollStatus.EnrollError
    assert given.enrollment.Status.Error == caught.value.hresult
    with pytest.raises(ComError) as none:
        given.enrollment.Certificate()
    assert code(none.value) == HRESULT.CERTSRV_E_PROPERTY_EMPTY


def test_the_leaf_goes_to_my_with_its_key_the_chain_to_ca_and_the_request_goes(trusting: Workspace) -> None:
    given = trusted_chain()
    given.enrollment.CertificateFriendlyName = "Web server"
    given.enrollment.InstallResponse(0, given.response, BINARY)
    (leaf,) = facade.certificates("MY")
    assert leaf.der == given.enrollment.Certificate(BINARY)
    assert leaf.friendly_name == "Web server"
    assert leaf.key is not None
    assert leaf.key.container == given.enrollment.Request.PrivateKey.ContainerName
    assert [one.der for one in facade.certificates("CA")] == [CA.der]
    assert [one.der for one in facade.certificates("ROOT")] == [ROOT.der]
    assert facade.certificates("REQUEST") == []
    assert facade.pending_requests() == []
    assert given.enrollment.Response(BINARY) == given.response


def test_the_properties_of_the_request_certificate_go_to_the_new_one(trusting: Workspace) -> None:
    given = trusted_chain()
    (stand_in,) = trusting.certificates.list("REQUEST")
    trusting.certificates.set_property("REQUEST", stand_in.sha1, 0x8001, b"a property of the caller's own")
    given.enrollment.InstallResponse(0, given.response, BINARY)
    (leaf,) = trusting.certificates.list("MY")
    assert leaf.properties[0x8001] == b"a property of the caller's own"
    assert decode_key_info(leaf.properties[KEY_PROV_INFO]) == decode_key_info(stand_in.properties[KEY_PROV_INFO])


def test_an_untrusted_root_that_is_allowed_is_trusted_from_then_on(trusting: Workspace) -> None:
    given = untrusted_root()
    given.enrollment.InstallResponse(4, given.response, BINARY)
    assert {one.der for one in facade.certificates("ROOT")} == {ROOT.der, STRANGE_ROOT.der}
    again = untrusted_root()
    again.enrollment.InstallResponse(0, again.response, BINARY)


def test_ca_certificates_alone_leave_the_request_where_it_is(trusting: Workspace) -> None:
    given = ca_certificates_only()
    given.enrollment.InstallResponse(1, given.response, BINARY)
    assert facade.certificates("MY") == []
    assert [one.der for one in facade.certificates("CA")] == [CA.der]
    assert len(facade.pending_requests()) == 1


def test_the_key_of_a_pfx_is_put_into_a_key_store(trusting: Workspace) -> None:
    given = pfx_with_its_password()
    given.enrollment.InstallResponse(1, given.response, BINARY, given.password)
    (leaf,) = facade.certificates("MY")
    assert leaf.key is not None
    held = trusting.key_stores.open(leaf.key.store, leaf.key.container)
    assert held.private_key.public_key() == key("pfx").public_key()


def test_all_that_is_wrong_is_listed(trusting: Workspace) -> None:
    enrollment, _ = requested()
    with pytest.raises(ComError) as caught:
        enrollment.InstallResponse(0, bag(make("leaf", STRANGE_CA, days=(-9, -1)), STRANGE_CA, STRANGE_ROOT), BINARY)
    assert code(caught.value) == NOT_FOUND
    for words in ("no outstanding request", "no private key", "is not trusted", "expired on 2024-05-31"):
        assert words in caught.value.detail


def test_a_refused_response_leaves_a_card_as_it_was(trusting: Workspace, home: Path) -> None:
    with SoftToken() as token:
        trusting.key_stores.close()
        trusting.__dict__.pop("key_stores", None)
        own = new_key(ProviderName="Microsoft Smart Card Key Storage Provider")
        from tests.support.enrolling import new_request

        enrollment = new_enrollment(new_request(key=own))
        enrollment.CreateRequest()
        response = bag(issue(enrollment.Request.spki_bytes(), STRANGE_CA), STRANGE_CA, STRANGE_ROOT)
        store = trusting.key_stores.get("smartcard")
        before = (laid_open(home), store.list(), store.read_certificate(own.ContainerName), _objects(token))
        with pytest.raises(ComError):
            enrollment.InstallResponse(0, response, BINARY)
        assert (laid_open(home), store.list(), store.read_certificate(own.ContainerName), _objects(token)) == before
        enrollment.InstallResponse(4, response, BINARY)
        assert store.read_certificate(own.ContainerName) == enrollment.Certificate(BINARY)


def test_a_password_above_64_kb_is_refused_as_an_overflow(trusting: Workspace, home: Path) -> None:
    enrollment = new_enrollment()
    before = laid_open(home)
    with pytest.raises(ComError) as caught:
        enrollment.InstallResponse(1, _pfx(), BINARY, "x" * 0x8001)
    assert code(caught.value) == HRESULT.WIN32_ARITHMETIC_OVERFLOW
    with pytest.raises(ComError) as longest:
        enrollment.InstallResponse(1, _pfx(), BINARY, "x" * 0x8000)
    assert code(longest.value) == PASSWORD_WRONG
    assert laid_open(home) == before


def test_a_second_response_for_the_same_request_finds_none_outstanding(trusting: Workspace) -> None:
    given = trusted_chain()
    given.enrollment.InstallResponse(0, given.response, BINARY)
    with pytest.raises(ComError) as caught:
        given.enrollment.InstallResponse(0, given.response, BINARY)
    assert code(caught.value) == NOT_FOUND
    given.enrollment.InstallResponse(1, given.response, BINARY)
    assert len(facade.certificates("MY")) == 1


def test_a_later_enrollment_object_installs_what_an_earlier_one_asked_for(trusting: Workspace) -> None:
    given = trusted_chain()
    later = new_enrollment()
    later.InstallResponse(0, given.response, BINARY)
    assert later.Certificate(BINARY) == facade.certificates("MY")[0].der


def _pkcs8(private: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

    return bytes(private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def _pfx() -> bytes:
    made: Made = make("leaf", CA, private=key("pfx"))
    chain = [x509.load_der_x509_certificate(one.der) for one in (CA, ROOT)]
    protection = BestAvailableEncryption(PASSWORD.encode())
    return pkcs12.serialize_key_and_certificates(b"a name", key("pfx"), made.certificate, chain, protection)


def _objects(token: SoftToken) -> dict[str, bytes]:
    return {str(one): one.read_bytes() for one in token.directory.rglob("*.object")}
