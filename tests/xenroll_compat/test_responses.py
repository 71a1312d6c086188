"""Accepting answers: every function with every form of answer, where things go, and what a refusal leaves."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from certenroll import facade
from certenroll.ca.local import LocalCA
from certenroll.com import Call, observe
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from tests.support.requires import program
from tests.xenroll_compat.conftest import answer_of, refused
from xenroll_compat import CEnroll

Bag = Callable[..., bytes]


def issued(control: Any, ca: LocalCA, name: str = "CN=User") -> bytes:
    """The CA's PKCS #7 for a new request of the control."""
    return answer_of(ca, control.createPKCS10WStr(name, "1.3.6.1.5.5.7.3.2"))


def subjects(store: str, context: int = 1) -> list[str]:
    return sorted(one.subject for one in facade.certificates(store, context))


def stores() -> dict[str, list[str]]:
    return {name: found for name in ("MY", "CA", "ROOT", "REQUEST") if (found := subjects(name))}


def certificates_in(message: bytes) -> list[x509.Certificate]:
    return pkcs7.load_der_pkcs7_certificates(message)


def leaf_of(message: bytes) -> bytes:
    found = next(one for one in certificates_in(message) if "User" in one.subject.rfc4514_string())
    return found.public_bytes(serialization.Encoding.DER)


def bag(*certificates: x509.Certificate) -> bytes:
    return pkcs7.serialize_certificates(list(certificates), serialization.Encoding.DER)


def self_signed(name: str, *, ca: bool) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 7, now, now + timedelta(days=1))
    return builder.add_extension(x509.BasicConstraints(ca, None), critical=True).sign(key, hashes.SHA256())


def base64_text(message: bytes) -> str:
    return base64.b64encode(message).decode()


def pem(message: bytes) -> str:
    return f"-----BEGIN PKCS7-----\r\n{base64.encodebytes(message).decode()}-----END PKCS7-----\r\n"


def ber(message: bytes) -> bytes:
    """The same message with an indefinite outer length."""
    skip = 2 + (message[1] & 0x7F if message[1] & 0x80 else 0)
    return b"\x30\x80" + message[skip:] + b"\x00\x00"


EVERYWHERE = {"MY": ["CN=User"], "CA": ["CN=Test CA"], "ROOT": ["CN=Test CA Root"]}
ACCEPTING = ["acceptPKCS7", "acceptPKCS7Blob", "acceptResponse", "acceptResponseBlob"]
ACCEPTING_FILES = ["acceptFilePKCS7", "acceptFilePKCS7WStr", "acceptFileResponse", "acceptFileResponseWStr"]


@pytest.mark.parametrize("form", [bytes, base64_text, pem, ber], ids=["binary", "base64", "header", "BER"])
@pytest.mark.parametrize("method", ACCEPTING)
def test_an_answer_is_accepted_in_every_form(
    control: Any, ca: LocalCA, method: str, form: Callable[[bytes], str | bytes]
) -> None:
    getattr(control, method)(form(issued(control, ca)))
    assert stores() == EVERYWHERE
    key = facade.certificates("MY")[0].key
    assert key is not None
    assert key.container == control.ContainerName


@pytest.mark.parametrize("form", [bytes, base64_text, pem])
@pytest.mark.parametrize("method", ACCEPTING_FILES)
def test_an_answer_is_accepted_from_a_file(
    control: Any, ca: LocalCA, tmp_path: Path, method: str, form: Callable[[bytes], str | bytes]
) -> None:
    content = form(issued(control, ca))
    (tmp_path / "answer").write_bytes(content if isinstance(content, bytes) else content.encode())
    getattr(control, method)(str(tmp_path / "answer"))
    assert stores() == EVERYWHERE


@pytest.mark.parametrize("method", [*ACCEPTING_FILES, "getCertFromFileResponse", "getCertContextFromFileResponseWStr"])
def test_a_file_that_is_not_there_is_an_error(control: Any, tmp_path: Path, method: str) -> None:
    refused(HRESULT.WIN32_FILE_NOT_FOUND, getattr(control, method), str(tmp_path / "none"))
    refused(HRESULT.E_INVALIDARG, getattr(control, method), "")


@pytest.mark.parametrize("header", [False, True])
def test_a_bare_certificate_is_accepted(control: Any, ca: LocalCA, header: bool) -> None:
    text = base64_text(leaf_of(issued(control, ca)))
    control.acceptPKCS7(f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n" if header else text)
    assert stores() == {"MY": ["CN=User"]}


def wrapped(message: bytes) -> str:
    return base64.encodebytes(message).decode()


@pytest.mark.parametrize(
    ("form", "encoding"),
    [(wrapped, 6), (pem, 6), (bytes, 2), (ber, 2), (lambda message: wrapped(message).encode(), 6)],
    ids=["base64", "header", "binary", "BER", "base64 in bytes"],
)
@pytest.mark.parametrize("from_file", [False, True])
def test_certenroll_is_handed_an_answer_as_the_script_had_it(
    control: Any, ca: LocalCA, tmp_path: Path, form: Callable[[bytes], str | bytes], encoding: int, from_file: bool
) -> None:
    calls: list[Call] = []
    given = form(issued(control, ca))
    (tmp_path / "answer").write_bytes(given if isinstance(given, bytes) else given.encode())
    with observe(calls.append):
        control.acceptFilePKCS7(str(tmp_path / "answer")) if from_file else control.acceptPKCS7(given)
    arguments = next(call.arguments for call in calls if call.member == "InstallResponse")
    text = given.decode() if from_file and encoding == 6 and isinstance(given, bytes) else given
    assert arguments == (4, text, encoding, "")


def test_an_install_as_it_is_by_default_is_told_nothing_besides(control: Any, ca: LocalCA) -> None:
    calls: list[Call] = []
    answer = issued(control, ca)
    with observe(calls.append):
        control.acceptPKCS7(answer)
    inner = [call for call in calls if call.depth == 1 and not isinstance(call.target, CEnroll)]
    assert [call.member for call in inner] == ["read_answer", "Initialize", "InstallResponse"]


def test_what_is_otherwise_is_told_by_name(control: Any, ca: LocalCA) -> None:
    calls: list[Call] = []
    answer = issued(control, ca)
    control.DeleteRequestCert, control.WriteCertToCSP, control.MyStoreName = False, False, "Mine"
    with observe(calls.append):
        control.acceptPKCS7(answer)
    named = next(dict(call.named) for call in calls if call.member == "configure")
    assert named == {"my_store": "Mine", "keep_request": True, "write_certificate": False}


def test_another_control_in_another_run_accepts_the_answer(control: Any, ca: LocalCA) -> None:
    answer = issued(control, ca)
    CEnroll().acceptPKCS7(answer)
    assert stores() == EVERYWHERE


def test_an_answer_is_accepted_twice_where_the_request_is_kept(control: Any, ca: LocalCA) -> None:
    answer = base64_text(issued(control, ca))
    control.DeleteRequestCert = False
    control.acceptPKCS7(answer)
    control.acceptPKCS7(answer)
    assert stores() == {**EVERYWHERE, "REQUEST": ["CN=User"]}


def test_an_answer_without_an_outstanding_request_is_refused(control: Any, ca: LocalCA) -> None:
    answer = issued(control, ca)
    control.acceptPKCS7(answer)
    before = stores()
    for method in ACCEPTING:
        refused(HRESULT.CRYPT_E_NOT_FOUND, getattr(control, method), answer)
    assert stores() == before


@pytest.mark.parametrize(
    "method", [*ACCEPTING, "InstallPKCS7", "InstallPKCS7BlobEx", "getCertFromPKCS7", "getCertFromResponse"]
)
def test_what_is_no_answer_is_refused_and_changes_nothing(control: Any, ca: LocalCA, method: str) -> None:
    answer = issued(control, ca)
    before = stores()
    for nonsense in ("", b"", "nonsense", answer[:-5], b"\x30\x00", control.createPKCS10WStr("CN=x", "")):
        with pytest.raises(ComError):
            getattr(control, method)(nonsense)
    assert {**stores(), "REQUEST": []} == {**before, "REQUEST": []}


def test_a_damaged_signature_is_refused_and_changes_nothing(control: Any, ca: LocalCA) -> None:
    leaf = bytearray(leaf_of(issued(control, ca)))
    leaf[-1] ^= 1
    chain = [x509.load_der_x509_certificate(one) for one in ca.certificates()]
    before = stores()
    damaged = bag(x509.load_der_x509_certificate(bytes(leaf)), *chain)
    error = refused(HRESULT.TRUST_E_CERT_SIGNATURE, control.acceptPKCS7, damaged)
    assert "signature" in str(error)
    assert stores() == before


def test_stores_have_the_names_that_are_set(control: Any, ca: LocalCA) -> None:
    control.MyStoreName, control.CAStoreName, control.RootStoreName, control.RequestStoreName = "M", "C", "R", "Q"
    control.acceptPKCS7(issued(control, ca))
    found = {"MY": subjects("M"), "CA": subjects("C"), "ROOT": subjects("R")}
    assert (found, subjects("Q")) == (EVERYWHERE, [])
    assert not stores()


def test_the_machines_answer_goes_to_the_machines_stores(control: Any, ca: LocalCA) -> None:
    control.MyStoreFlags = 0x20000
    control.acceptPKCS7(issued(control, ca))
    assert not stores()
    assert (subjects("MY", 2), subjects("ROOT", 2)) == (["CN=User"], ["CN=Test CA Root"])


def test_the_certificate_is_told_from_its_chain(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    answer = issued(control, ca)
    leaf, before = leaf_of(answer), stores()
    (tmp_path / "answer").write_text(base64_text(answer))
    for text in (
        control.getCertFromPKCS7(pem(answer)),
        control.getCertFromResponse(base64_text(answer)),
        control.getCertFromFileResponse(str(tmp_path / "answer")),
    ):
        assert text.endswith("\r\n")
        assert base64.b64decode(text) == leaf
    assert control.getCertContextFromPKCS7(answer) == leaf
    assert control.getCertContextFromResponseBlob(answer) == leaf
    assert control.getCertContextFromFileResponseWStr(str(tmp_path / "answer")) == leaf
    assert stores() == before


def test_acceptResponse_takes_one_end_entity_certificate_and_acceptPKCS7_more(control: Any, ca: LocalCA) -> None:
    answer = issued(control, ca)
    crowded = bag(*certificates_in(answer), self_signed("Stranger", ca=False))
    before = stores()
    for method in ("acceptResponse", "acceptResponseBlob", "getCertFromResponse", "getCertContextFromResponseBlob"):
        refused(HRESULT.CRYPT_E_INVALID_MSG_TYPE, getattr(control, method), crowded)
    assert stores() == before
    assert control.getCertContextFromPKCS7(crowded) == leaf_of(answer)
    control.acceptPKCS7(crowded)
    assert subjects("MY") == ["CN=User"]


def test_thumbprint_chooses_the_request(control: Any, ca: LocalCA) -> None:
    first = issued(control, ca)
    thumbprint = control.ThumbPrint
    issued(control, ca, "CN=User 2")
    other, control.ThumbPrint = control.ThumbPrint, control.ThumbPrint
    assert other != thumbprint
    refused(HRESULT.CRYPT_E_NOT_FOUND, control.acceptPKCS7, first)
    control.ThumbPrint = " ".join(thumbprint[at : at + 2] for at in range(0, 40, 2)).lower()
    control.acceptPKCS7(first)
    assert subjects("MY") == ["CN=User"]


def test_an_answer_is_written_to_a_new_file_as_binary_pkcs7(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    control.SPCFileName = str(tmp_path / "chain.spc")
    control.acceptPKCS7(base64_text(issued(control, ca)))
    judge = [program("openssl"), "pkcs7", "-inform", "DER", "-print_certs", "-noout", "-in", str(tmp_path / "chain.spc")]
    shown = subprocess.run(judge, capture_output=True, text=True, check=True).stdout
    assert shown.count("subject=") == 3
    control.SPCFileNameWStr = str(tmp_path / "bare.spc")
    control.acceptPKCS7(leaf_of(issued(control, ca)))
    assert len(certificates_in((tmp_path / "bare.spc").read_bytes())) == 1


def test_a_file_that_is_there_is_not_overwritten_and_nothing_is_installed(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    answer, before = issued(control, ca), stores()
    (tmp_path / "chain.spc").write_text("mine")
    control.SPCFileName = str(tmp_path / "chain.spc")
    refused(HRESULT.WIN32_FILE_EXISTS, control.acceptPKCS7, answer)
    assert (tmp_path / "chain.spc").read_text() == "mine"
    assert {**stores(), "REQUEST": []} == {**before, "REQUEST": []}


def test_a_refused_answer_leaves_no_file(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    answer = issued(control, ca)
    control.acceptPKCS7(answer)
    control.SPCFileName = str(tmp_path / "chain.spc")
    refused(HRESULT.CRYPT_E_NOT_FOUND, control.acceptPKCS7, answer)
    assert not (tmp_path / "chain.spc").exists()


def test_a_chain_is_installed_without_a_request_and_counted(control: Any, ca: LocalCA) -> None:
    chain = bag(*(x509.load_der_x509_certificate(one) for one in ca.certificates()))
    answer = issued(control, ca)
    assert control.InstallPKCS7Ex(base64_text(chain)) == 2
    assert control.InstallPKCS7BlobEx(chain) == 0
    assert stores() == {"CA": ["CN=Test CA"], "ROOT": ["CN=Test CA Root"], "REQUEST": ["CN=User"]}
    control.acceptPKCS7(answer)
    assert stores() == EVERYWHERE


def test_two_roots_and_a_strangers_certificate_go_where_they_belong(control: Any, ca: LocalCA) -> None:
    roots = [self_signed("Root A", ca=True), self_signed("Root B", ca=True)]
    control.InstallPKCS7(bag(*roots, self_signed("Stranger", ca=False)))
    assert stores() == {"ROOT": ["CN=Root A", "CN=Root B"], "CA": ["CN=Stranger"]}


def test_a_certificate_whose_key_is_here_is_installed_with_it_and_its_request_stays(control: Any, ca: LocalCA) -> None:
    answer = issued(control, ca)
    control.InstallPKCS7Blob(answer)
    assert stores() == {**EVERYWHERE, "REQUEST": ["CN=User"]}
    assert facade.certificates("MY")[0].key is not None
    control.acceptPKCS7(answer)
    assert stores() == EVERYWHERE


def test_a_root_that_did_not_sign_itself_is_not_installed(control: Any) -> None:
    root = bytearray(self_signed("Root", ca=True).public_bytes(serialization.Encoding.DER))
    root[-1] ^= 1
    refused(HRESULT.TRUST_E_CERT_SIGNATURE, control.InstallPKCS7, bytes(root))
    assert not stores()


def test_an_accepted_certificate_leaves_as_a_pfx(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, control.createPFX, "secret")
    answer = issued(control, ca)
    control.acceptPKCS7(answer)
    control.createFilePFX("secret", str(tmp_path / "key.pfx"))
    assert (tmp_path / "key.pfx").stat().st_mode & 0o777 == 0o600
    text, file = control.createPFX("secret"), tmp_path / "key.pfx"
    for data in (base64.b64decode(text), control.createPFXWStr("secret"), base64.b64decode(file.read_bytes())):
        key, certificate, chain = pkcs12.load_key_and_certificates(data, b"secret")
        assert key is not None
        assert certificate is not None
        assert certificate.public_bytes(serialization.Encoding.DER) == leaf_of(answer)
        assert len(chain) == 2


def test_a_key_that_may_not_be_exported_stays(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    control.GenKeyFlags = 0
    control.acceptPKCS7(issued(control, ca))
    refused(HRESULT.NTE_BAD_KEY_STATE, control.createPFX, "secret")
    refused(HRESULT.NTE_BAD_KEY_STATE, control.createFilePFXWStr, "secret", str(tmp_path / "key.pfx"))
    assert not (tmp_path / "key.pfx").exists()
