"""ICertRequest as a script sees it, before a real CA in the profile."""

from __future__ import annotations

import base64
import contextlib
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7

from certenroll import Dispatch, enums
from certenroll.ca.local import LocalCA
from certenroll.ca.templates import Mode
from certenroll.encodings import decode_text, encode_text
from certenroll.enums import CERT_PROPERTY_TYPE, FULL_RESPONSE_PROPERTY_ID
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT, signed
from keystores.base import KeyAlgorithm
from tests.support.enrolling import new_enrollment, new_request
from tests.support.requires import program

CONFIG = "ca.test\\Script CA"
HEADER, BASE64, BINARY = 0, 1, 2
CHAIN, CRLS = enums.CR_OUT_CHAIN, enums.CR_OUT_CRLS
OUT_ENCODINGS = [0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 1 | 0x40000000, 0 | 0x80000000]
FR = FULL_RESPONSE_PROPERTY_ID
PROPTYPE = CERT_PROPERTY_TYPE


@pytest.fixture
def ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalCA:
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "home"))
    return make_ca(tmp_path / "home" / "ca")


def make_ca(folder: Path, **options: Any) -> LocalCA:
    return LocalCA.create(
        folder, "Script CA", host="ca.test", algorithm=KeyAlgorithm.EC, bits=256, two_tier=True, **options
    )


@pytest.fixture
def script(ca: LocalCA) -> Any:
    return Dispatch("CertificateAuthority.Request")


def der_request(name: str = "script") -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


def text_request() -> str:
    return base64.b64encode(der_request()).decode()


def submitted(script: Any, flags: int = BASE64) -> Any:
    assert script.Submit(flags, text_request(), "", CONFIG) == 3, script.GetDispositionMessage()
    return script


def names_in(bag: bytes) -> list[str]:
    return sorted(one.subject.rfc4514_string() for one in pkcs7.load_der_pkcs7_certificates(bag))


def code(call: Callable[[], object]) -> int:
    with pytest.raises(ComError) as caught:
        call()
    return caught.value.hresult & 0xFFFFFFFF


def test_a_script_submits_a_request_and_gets_its_certificate(script: Any) -> None:
    assert script.submit(BASE64 | enums.CR_IN_PKCS10, text_request(), "CertificateTemplate:User", CONFIG) == 3
    assert (script.GetRequestId(), script.GetRequestIdString()) == (1, "1")
    assert (script.GetLastStatus(), script.GetDispositionMessage()) == (0, "Issued")
    certificate = x509.load_pem_x509_certificate(script.GetCertificate(HEADER).encode())
    assert certificate.subject.rfc4514_string() == "CN=script"


@pytest.mark.parametrize(
    ("flags", "form"),
    [
        (enums.CR_IN_FORMATANY, lambda der: encode_text(der, 0, kind="request")),
        (1 | enums.CR_IN_PKCS10, lambda der: encode_text(der, 1)),
        (2, lambda der: der),
        (2, lambda der: (der + b"\0" * (len(der) % 2)).decode("utf-16-le", "surrogatepass") if len(der) % 2 == 0 else der),
        (0xFF, lambda der: encode_text(der, 0, kind="request")),
        (0xFF, lambda der: encode_text(der, 1)),
        (0xFF, lambda der: der),
    ],
)
def test_a_request_comes_in_any_of_the_documented_encodings(script: Any, flags: int, form: Callable[[bytes], Any]) -> None:
    assert script.Submit(flags, form(der_request()), "", CONFIG) == 3


@pytest.mark.parametrize("flags", [3, 4, 0x0D, 0x55])
def test_an_encoding_that_no_request_has_is_refused(script: Any, flags: int) -> None:
    assert code(lambda: script.Submit(flags, text_request(), "", CONFIG)) == HRESULT.E_INVALIDARG


def test_text_that_is_no_base64_is_refused_and_the_status_says_so(script: Any) -> None:
    assert code(lambda: script.Submit(1, "????", "", CONFIG)) == HRESULT.WIN32_INVALID_DATA
    assert script.GetLastStatus() == signed(HRESULT.WIN32_INVALID_DATA)


def test_a_refusal_is_a_disposition_with_a_status_and_a_sentence(script: Any) -> None:
    assert script.Submit(1, text_request(), "CertificateTemplate:Nonesuch", CONFIG) == 2
    assert script.GetLastStatus() == signed(HRESULT.CERTSRV_E_UNSUPPORTED_CERT_TYPE)
    assert "Nonesuch" in script.GetDispositionMessage()
    assert code(lambda: script.GetCertificate(1)) == HRESULT.CERTSRV_E_PROPERTY_EMPTY


def test_bytes_that_are_no_request_give_the_disposition_error(script: Any) -> None:
    assert script.Submit(1, base64.b64encode(b"\x30\x03\x02\x01\x00").decode(), "", CONFIG) == 1
    assert script.GetLastStatus() < 0


@pytest.mark.parametrize("attributes", ["CertificateTemplate:User", "\r\n Certificate Template :  user \r\nOther: a:b\n"])
def test_request_attributes_are_name_and_value_in_lines(script: Any, ca: LocalCA, attributes: str) -> None:
    script.Submit(1, text_request(), attributes, CONFIG)
    (row,) = ca.requests()
    assert row.template == "User"


@pytest.mark.parametrize("attributes", ["CertificateTemplate", ":User", "A:b\nnonsense"])
def test_an_attribute_without_a_name_or_a_colon_is_refused(script: Any, attributes: str) -> None:
    assert code(lambda: script.Submit(1, text_request(), attributes, CONFIG)) == HRESULT.E_INVALIDARG


def test_who_submits_is_the_user_and_with_cr_in_machine_the_computer(script: Any, ca: LocalCA) -> None:
    submitted(script)
    submitted(script, BASE64 | enums.CR_IN_MACHINE)
    user, machine = (row.requester for row in ca.requests())
    domain = user.partition("\\")[0]
    assert user.partition("\\")[2]
    assert machine == f"{domain}\\{domain}$"


def test_connecting_alone_sends_nothing(script: Any, ca: LocalCA) -> None:
    assert script.Submit(enums.CR_IN_CONNECTONLY | 1, "", "", CONFIG) == 0
    assert ca.requests() == ()
    assert code(lambda: script.Submit(enums.CR_IN_CONNECTONLY, "", "", "no\\CA")) == HRESULT.RPC_SERVER_UNAVAILABLE


def test_an_unknown_ca_does_not_answer(script: Any) -> None:
    assert code(lambda: script.Submit(1, text_request(), "", "no.such\\CA")) == HRESULT.RPC_SERVER_UNAVAILABLE
    assert script.GetLastStatus() == signed(HRESULT.RPC_SERVER_UNAVAILABLE)


def test_the_default_ca_needs_no_configuration_string(script: Any) -> None:
    assert script.Submit(1, text_request(), None, None) == 3


@pytest.mark.parametrize(
    "call",
    [
        lambda script: script.GetRequestId(),
        lambda script: script.GetRequestIdString(),
        lambda script: script.GetDispositionMessage(),
        lambda script: script.GetCertificate(1),
        lambda script: script.GetFullResponseProperty(11, 0, 3, 2),
    ],
)
def test_nothing_is_told_of_a_request_before_one_was_sent(script: Any, call: Callable[[Any], object]) -> None:
    assert code(lambda: call(script)) == HRESULT.OLE_E_BLANK
    assert script.GetLastStatus() == 0


def test_a_failed_submit_leaves_nothing_of_the_request_before_it(script: Any) -> None:
    submitted(script)
    code(lambda: script.Submit(1, "????", "", CONFIG))
    assert code(lambda: script.GetCertificate(1)) == HRESULT.OLE_E_BLANK


@pytest.mark.parametrize("encoding", OUT_ENCODINGS)
def test_a_certificate_is_written_in_every_encoding(script: Any, encoding: int) -> None:
    found = submitted(script).GetCertificate(encoding)
    expected = script.GetCertificate(BINARY)
    assert isinstance(expected, bytes)
    assert isinstance(found, bytes if encoding == BINARY else str)
    assert found == encode_text(expected, encoding)
    assert decode_text(found, encoding & 0xFF) == expected


@pytest.mark.parametrize("encoding", OUT_ENCODINGS)
def test_a_chain_is_written_in_every_encoding(script: Any, encoding: int) -> None:
    bag = decode_text(submitted(script).GetCertificate(encoding | CHAIN), encoding & 0xFF)
    assert names_in(bag) == ["CN=Script CA", "CN=Script CA Root", "CN=script"]


def test_an_encoding_that_does_not_exist_is_refused(script: Any) -> None:
    assert code(lambda: submitted(script).GetCertificate(0x77)) == HRESULT.E_INVALIDARG


@pytest.mark.parametrize(("flags", "lists"), [(CHAIN, 0), (CHAIN | CRLS, 2)])
def test_openssl_finds_chain_and_lists_in_the_answer(script: Any, tmp_path: Path, flags: int, lists: int) -> None:
    path = tmp_path / "answer.p7b"
    path.write_bytes(submitted(script).GetCertificate(BINARY | flags))
    command = [program("openssl"), "pkcs7", "-inform", "DER", "-in", str(path), "-print_certs", "-noout", "-text"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert text.count("Certificate:\n") == 3
    assert text.count("Certificate Revocation List") == lists


def test_a_held_request_is_retrieved_when_it_was_approved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path))
    ca = make_ca(tmp_path / "ca", policy=Mode.HOLD)
    script = Dispatch("CertificateAuthority.Request.1")
    assert script.Submit(1, text_request(), "", CONFIG) == 5
    assert (script.GetLastStatus(), script.GetDispositionMessage()) == (0, "Taken Under Submission")
    number = script.GetRequestId()
    assert script.RetrievePending(number, CONFIG) == 5
    ca.issue(str(number))
    later = Dispatch("CertificateAuthority.Request")
    assert later.RetrievePending(str(number), CONFIG) == 3
    assert x509.load_der_x509_certificate(later.GetCertificate(BINARY))


def test_a_request_that_the_ca_never_had_is_an_error(script: Any) -> None:
    assert code(lambda: script.RetrievePending(77, CONFIG)) == HRESULT.CERTSRV_E_NO_REQUEST
    assert script.GetLastStatus() == signed(HRESULT.CERTSRV_E_NO_REQUEST)


def test_an_issued_certificate_is_found_by_number_and_by_serial(script: Any) -> None:
    certificate = x509.load_der_x509_certificate(submitted(script).GetCertificate(BINARY))
    digits = f"{certificate.serial_number:x}"
    serial = digits.rjust(len(digits) + len(digits) % 2, "0")
    for call in (
        lambda other: other.GetIssuedCertificate(CONFIG, 1, ""),
        lambda other: other.GetIssuedCertificate(CONFIG, -1, serial.upper()),
        lambda other: other.GetIssuedCertificate2(CONFIG, "1", None),
        lambda other: other.GetIssuedCertificate2(CONFIG, None, serial),
    ):
        other = Dispatch("CertificateAuthority.Request")
        assert call(other) == 3
        assert other.GetCertificate(BINARY) == certificate.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("serial", ["", "abc", "00ab", "xy", "0 ab", "-1ab"])
def test_a_serial_number_is_an_even_number_of_hexadecimal_digits(script: Any, serial: str) -> None:
    assert code(lambda: script.GetIssuedCertificate(CONFIG, -1, serial)) == HRESULT.E_INVALIDARG


def test_a_revoked_certificate_says_so(script: Any, ca: LocalCA) -> None:
    submitted(script)
    ca.revoke("1", reason=1)
    assert script.GetIssuedCertificate(CONFIG, 1, "") == enums.CR_DISP_REVOKED


def test_a_number_that_fits_no_long_is_told_as_text(script: Any, ca: LocalCA) -> None:
    import sqlite3

    connection = sqlite3.connect(ca._directory / "ca.db")
    connection.execute("INSERT INTO sqlite_sequence VALUES ('requests', 2147483647)")
    connection.commit()
    connection.close()
    submitted(script)
    assert script.GetRequestIdString() == "2147483648"
    assert code(script.GetRequestId) == HRESULT.WIN32_ARITHMETIC_OVERFLOW
    assert script.RetrievePending(2147483648, CONFIG) == 3
    assert script.RetrievePending(-2147483648, CONFIG) == 3


@pytest.mark.parametrize("encoding", OUT_ENCODINGS)
def test_the_certificate_of_the_ca_is_given_alone_or_with_its_chain(script: Any, ca: LocalCA, encoding: int) -> None:
    assert decode_text(script.GetCACertificate(0, CONFIG, encoding), encoding & 0xFF) == ca.certificates()[0]
    bag = decode_text(script.GetCACertificate(False, CONFIG, encoding | CHAIN), encoding & 0xFF)
    assert names_in(bag) == ["CN=Script CA", "CN=Script CA Root"]


@pytest.mark.parametrize("exchange", [1, -1])
def test_the_exchange_certificate_of_the_ca_is_given(script: Any, ca: LocalCA, exchange: int) -> None:
    assert script.GetCACertificate(exchange, CONFIG, BINARY) == ca.exchange_certificate()
    bag = script.GetCACertificate(exchange, CONFIG, BINARY | CHAIN)
    assert names_in(bag) == ["CN=Script CA", "CN=Script CA Root", "CN=Script CA-Xchg"]


def test_asking_for_the_cas_certificate_keeps_the_request(script: Any) -> None:
    submitted(script)
    script.GetCACertificate(0, CONFIG, 1)
    assert script.GetRequestId() == 1


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (0, "The requested certificate template is not supported by this CA."),
        (1, "The requested certificate template is not supported by this CA. 0x80094800 (-2146875392)"),
    ],
)
@pytest.mark.parametrize("number", [0x80094800, -2146875392])
def test_a_result_code_has_a_sentence(script: Any, number: int, flags: int, expected: str) -> None:
    assert script.GetErrorMessageText(number, flags) == expected


def test_an_unknown_result_code_has_one_too_and_an_unknown_flag_is_refused(script: Any) -> None:
    assert script.GetErrorMessageText(0x8FFF1234, 1) == "Unknown error. 0x8fff1234 (-1879109068)"
    assert code(lambda: script.GetErrorMessageText(0, 8)) == HRESULT.E_INVALIDARG


@pytest.mark.parametrize(
    ("number", "kind", "expected"),
    [
        (enums.CR_PROP_CANAME, 4, "Script CA"),
        (enums.CR_PROP_SANITIZEDCANAME, 4, "Script CA"),
        (enums.CR_PROP_SANITIZEDCASHORTNAME, 4, "Script CA"),
        (enums.CR_PROP_DNSNAME, 4, "ca.test"),
        (enums.CR_PROP_PARENTCA, 4, "Script CA Root"),
        (enums.CR_PROP_CATYPE, 1, 4),
        (enums.CR_PROP_CASIGCERTCOUNT, 1, 1),
        (enums.CR_PROP_CAXCHGCERTCOUNT, 1, 1),
        (enums.CR_PROP_KRACERTCOUNT, 1, 0),
        (enums.CR_PROP_KRACERTUSEDCOUNT, 1, 0),
        (enums.CR_PROP_CACERTSTATE, 1, 3),
        (enums.CR_PROP_CRLSTATE, 1, 3),
        (enums.CR_PROP_CACERTSTATUSCODE, 1, 0),
        (enums.CR_PROP_CAPROPIDMAX, 1, 50),
    ],
)
def test_a_property_of_the_ca_is_read(script: Any, number: int, kind: int, expected: object) -> None:
    assert script.GetCAProperty(CONFIG, number, 0, kind, 0) == expected


def test_the_binary_properties_are_what_they_say(script: Any, ca: LocalCA) -> None:
    def read(number: int, index: int = 0) -> bytes:
        return decode_text(script.GetCAProperty(CONFIG, number, index, PROPTYPE.PROPTYPE_BINARY, 1), 1)

    assert read(enums.CR_PROP_CASIGCERT) == read(enums.CR_PROP_CASIGCERT, -1) == ca.certificates()[0]
    assert read(enums.CR_PROP_BASECRL) == ca.crl()
    assert names_in(read(enums.CR_PROP_CASIGCERTCHAIN)) == ["CN=Script CA", "CN=Script CA Root"]
    assert ca.crls()[1] in read(enums.CR_PROP_CASIGCERTCRLCHAIN)


def test_the_templates_are_names_and_identifiers_in_lines(script: Any, ca: LocalCA) -> None:
    lines = script.GetCAProperty(CONFIG, enums.CR_PROP_TEMPLATES, 0, 4, 0).split("\n")
    assert lines[:2] == ["User", f"{ca.policy.template_arc}.1.1"]
    assert lines[-1] == ""


@pytest.mark.parametrize(
    ("number", "index", "kind", "expected"),
    [
        (99, 0, 1, HRESULT.E_INVALIDARG),
        (0, 0, 1, HRESULT.E_INVALIDARG),
        (enums.CR_PROP_CANAME, 0, 1, HRESULT.E_INVALIDARG),
        (enums.CR_PROP_CASIGCERT, 1, 3, HRESULT.E_INVALIDARG),
        (enums.CR_PROP_DELTACRL, 0, 3, HRESULT.CERTSRV_E_PROPERTY_EMPTY),
        (enums.CR_PROP_KRACERT, 0, 3, HRESULT.CERTSRV_E_PROPERTY_EMPTY),
        (enums.CR_PROP_KRACERTSTATE, 0, 1, HRESULT.CERTSRV_E_PROPERTY_EMPTY),
        (enums.CR_PROP_SHAREDFOLDER, 0, 4, HRESULT.CERTSRV_E_PROPERTY_EMPTY),
    ],
)
def test_a_property_that_cannot_be_read_says_why(script: Any, number: int, index: int, kind: int, expected: int) -> None:
    assert code(lambda: script.GetCAProperty(CONFIG, number, index, kind, 1)) == expected


def test_every_property_has_flags_and_a_name(script: Any) -> None:
    numbers = {value for name, value in vars(enums).items() if name.startswith("CR_PROP_") and value and "SCEPM" not in name}
    for number in numbers:
        assert script.GetCAPropertyFlags(CONFIG, number) & 0xFF in (1, 3, 4)
        assert script.GetCAPropertyDisplayName(CONFIG, number)
    assert script.GetCAPropertyFlags(CONFIG, enums.CR_PROP_CASIGCERT) == 0x10003
    assert code(lambda: script.GetCAPropertyFlags(CONFIG, 51)) == HRESULT.E_INVALIDARG
    assert code(lambda: script.GetCAPropertyDisplayName("no\\CA", 6)) == HRESULT.RPC_SERVER_UNAVAILABLE


def test_the_answer_has_the_certificate_its_hash_and_its_chain(script: Any) -> None:
    submitted(script)
    certificate = script.GetCertificate(BINARY)
    part = lambda number: script.GetFullResponseProperty(number, 0, PROPTYPE.PROPTYPE_BINARY, BINARY)  # noqa: E731
    assert part(FR.FR_PROP_ISSUEDCERTIFICATE) == certificate
    assert part(FR.FR_PROP_ISSUEDCERTIFICATEHASH) == x509.load_der_x509_certificate(certificate).fingerprint(hashes.SHA1())
    assert part(FR.FR_PROP_ISSUEDCERTIFICATECHAIN) == script.GetCertificate(BINARY | CHAIN)
    assert part(FR.FR_PROP_ISSUEDCERTIFICATECRLCHAIN) == script.GetCertificate(BINARY | CHAIN | CRLS)


@pytest.mark.parametrize(
    ("number", "index", "kind", "expected"),
    [
        (FR.FR_PROP_NONE, 0, 3, HRESULT.CERTSRV_E_PROPERTY_EMPTY),
        (FR.FR_PROP_STATUSINFOCOUNT, 0, 1, HRESULT.CERTSRV_E_PROPERTY_EMPTY),
        (FR.FR_PROP_CAEXCHANGECERTIFICATE, 0, 3, HRESULT.CERTSRV_E_PROPERTY_EMPTY),
        (FR.FR_PROP_ATTESTATIONCHALLENGE, 0, 3, HRESULT.CERTSRV_E_PROPERTY_EMPTY),
        (FR.FR_PROP_ISSUEDCERTIFICATE, 1, 3, HRESULT.E_INVALIDARG),
        (FR.FR_PROP_ISSUEDCERTIFICATE, 0, 4, HRESULT.E_INVALIDARG),
    ],
)
def test_a_part_that_the_answer_lacks_says_so(script: Any, number: int, index: int, kind: int, expected: int) -> None:
    submitted(script)
    assert code(lambda: script.GetFullResponseProperty(number, index, kind, BINARY)) == expected


def test_without_a_full_response_the_whole_answer_is_the_chain(script: Any) -> None:
    chain = submitted(script).GetCertificate(BINARY | CHAIN)
    for part in (FR.FR_PROP_FULLRESPONSE, FR.FR_PROP_FULLRESPONSENOPKCS7):
        assert script.GetFullResponseProperty(part, 0, PROPTYPE.PROPTYPE_BINARY, BINARY) == chain


@pytest.mark.parametrize("part", [FR.FR_PROP_FULLRESPONSE, FR.FR_PROP_FULLRESPONSENOPKCS7])
def test_a_request_that_waits_or_was_refused_has_no_answer_to_install(script: Any, part: FR) -> None:
    for template, disposition in (("SubCA", 5), ("none", 2)):
        assert script.Submit(BASE64, text_request(), f"CertificateTemplate:{template}", CONFIG) == disposition
        found = code(lambda: script.GetFullResponseProperty(part, 0, PROPTYPE.PROPTYPE_BINARY, BINARY))
        assert found == HRESULT.CERTSRV_E_PROPERTY_EMPTY


@pytest.mark.parametrize("flags", [0, enums.CR_IN_FULLRESPONSE])
@pytest.mark.parametrize("part", [FR.FR_PROP_FULLRESPONSE, FR.FR_PROP_FULLRESPONSENOPKCS7])
def test_the_whole_answer_can_be_installed(script: Any, flags: int, part: FR) -> None:
    enrollment = new_enrollment(new_request("CN=whole"))
    assert script.Submit(BASE64 | enums.CR_IN_FORMATANY | flags, enrollment.CreateRequest(), "", CONFIG) == 3
    whole = script.GetFullResponseProperty(part, 0, PROPTYPE.PROPTYPE_BINARY, BASE64)
    enrollment.InstallResponse(4, whole)  # AllowUntrustedRoot
    assert enrollment.Certificate(1) == script.GetCertificate(BASE64)


def full_parts(script: Any) -> dict[FR, Any]:
    """Every part that an answer has, by its own type."""
    found = {}
    for part in FR:
        for kind in PROPTYPE:
            with contextlib.suppress(ComError):
                found[part] = script.GetFullResponseProperty(part, 0, kind, BINARY)
    return found


def test_the_parts_of_a_full_response_are_given(script: Any, ca: LocalCA) -> None:
    submitted(script, BASE64 | enums.CR_IN_FULLRESPONSE)
    parts = full_parts(script)
    assert (parts[FR.FR_PROP_STATUSINFOCOUNT], parts[FR.FR_PROP_STATUS], parts[FR.FR_PROP_STATUSSTRING]) == (1, 0, "Issued")
    assert (parts[FR.FR_PROP_BODYPARTSTRING], parts[FR.FR_PROP_OTHERINFOCHOICE]) == ("1", 0)
    assert parts[FR.FR_PROP_FULLRESPONSENOPKCS7] == parts[FR.FR_PROP_FULLRESPONSE]
    assert parts[FR.FR_PROP_ISSUEDCERTIFICATE] in parts[FR.FR_PROP_FULLRESPONSE]
    assert FR.FR_PROP_FAILINFO not in parts
    assert FR.FR_PROP_ENCRYPTEDKEYHASH not in parts


def test_a_pending_request_has_a_token_and_a_time(script: Any) -> None:
    assert script.Submit(BASE64 | enums.CR_IN_FULLRESPONSE, text_request(), "CertificateTemplate:SubCA", CONFIG) == 5
    parts = full_parts(script)
    assert (parts[FR.FR_PROP_STATUS], parts[FR.FR_PROP_OTHERINFOCHOICE]) == (3, 2)
    assert parts[FR.FR_PROP_PENDINFOTOKEN] == str(script.GetRequestId()).encode()
    assert parts[FR.FR_PROP_PENDINFOTIME] > datetime(2020, 1, 1, tzinfo=parts[FR.FR_PROP_PENDINFOTIME].tzinfo)


def test_a_refused_request_has_a_failure(script: Any) -> None:
    assert script.Submit(BASE64 | enums.CR_IN_FULLRESPONSE, text_request(), "CertificateTemplate:none", CONFIG) == 2
    parts = full_parts(script)
    assert (parts[FR.FR_PROP_STATUS], parts[FR.FR_PROP_FAILINFO], parts[FR.FR_PROP_OTHERINFOCHOICE]) == (2, 2, 1)


@pytest.mark.parametrize(
    "arguments", [(0, 1, "", ""), (0, 2, None, None), (0, 4, "user", "secret"), (0, 4, "user", ""), (0, 8, "ab" * 20, "")]
)
def test_a_credential_goes_with_its_kind(script: Any, arguments: tuple[Any, ...]) -> None:
    script.SetCredential(*arguments)
    assert "secret" not in repr(script.__dict__)


@pytest.mark.parametrize(
    "arguments", [(0, 0, "", ""), (0, 3, "", ""), (0, 1, "user", ""), (0, 2, "", "x"), (0, 4, "", "x"), (0, 8, "ab", "x")]
)
def test_a_credential_that_does_not_go_with_its_kind_is_refused(script: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(BadArgument) as caught:
        script.SetCredential(*arguments)
    assert caught.value.hresult == signed(HRESULT.E_INVALIDARG)


def test_no_policy_is_ever_out_of_date(script: Any) -> None:
    assert script.GetRefreshPolicy() is False
