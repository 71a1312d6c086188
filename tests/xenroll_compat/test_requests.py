"""Creating requests: their text, what stands in them, the keys behind them, and what a failure leaves."""

from __future__ import annotations

import base64
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from certenroll import facade
from certenroll.ca.local import LocalCA
from certenroll.engine.opening import open_workspace
from certenroll.hresults import HRESULT
from keystores.base import Scope, Secret, StoredKey
from keystores.errors import StoreFull
from keystores.smartcard import SmartCardKeyStore
from tests.support.requires import program
from tests.support.softhsm import SoftToken
from tests.xenroll_compat.conftest import answer_of, refused
from xenroll_compat import CEnroll

CLIENT = "1.3.6.1.5.5.7.3.2"
NAME_VALUE = x509.ObjectIdentifier("1.3.6.1.4.1.311.13.2.1")


def read(text: str) -> x509.CertificateSigningRequest:
    return x509.load_der_x509_csr(base64.b64decode(text, validate=False))


def usages(request: x509.CertificateSigningRequest) -> list[str]:
    return [one.dotted_string for one in request.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value]


def traces() -> tuple[int, int]:
    """How many keys and outstanding requests there are."""
    keys = [key for report in facade.key_reports() for key in report.keys if report.store == "software"]
    return len(keys), len(facade.pending_requests())


def test_create_pkcs10_gives_bare_base64_in_lines_that_end_in_crlf(control: Any) -> None:
    text = control.createPKCS10("CN=User, O=Example", CLIENT)
    assert text.endswith("\r\n")
    assert all(re.fullmatch("[A-Za-z0-9+/=]{1,64}", line) for line in text[:-2].split("\r\n"))
    header, footer = "-----BEGIN NEW CERTIFICATE REQUEST-----\r\n", "-----END NEW CERTIFICATE REQUEST-----\r\n"
    judge = [program("openssl"), "req", "-verify", "-noout", "-subject"]
    judged = subprocess.run(judge, input=header + text + footer, capture_output=True, text=True, check=True)
    assert "CN = User" in judged.stdout


def test_create_request_gives_a_header_and_a_footer(control: Any) -> None:
    for kind in (1, 4):
        text = control.createRequest(kind, "CN=User", CLIENT)
        assert text.startswith("-----BEGIN NEW CERTIFICATE REQUEST-----\r\n")
        assert text.endswith("-----END NEW CERTIFICATE REQUEST-----\r\n")
        assert x509.load_pem_x509_csr(text.encode()).is_signature_valid


def test_requests_of_no_kind_are_refused_and_leave_nothing(control: Any) -> None:
    before = traces()
    refused(HRESULT.E_INVALIDARG, control.createRequest, 9, "CN=x", "")
    refused(HRESULT.E_INVALIDARG, control.createRequest, 0, "CN=x", "")
    assert traces() == before


@pytest.mark.parametrize(
    ("text", "oids"),
    [(CLIENT, [CLIENT]), ("1.3.6.1.4.1.311.2.1.21", ["1.3.6.1.4.1.311.2.1.21"]),
     (f"{CLIENT}, 1.3.6.1.5.5.7.3.4,", [CLIENT, "1.3.6.1.5.5.7.3.4"])],
)  # fmt: skip
def test_usages_become_enhanced_key_usages(control: Any, text: str, oids: list[str]) -> None:
    assert usages(read(control.createPKCS10("CN=x", text))) == oids


def test_no_usage_and_no_name_make_a_request_without_either(control: Any) -> None:
    request = read(control.createPKCS10("", ""))
    assert not list(request.subject)
    with pytest.raises(x509.ExtensionNotFound):
        usages(request)
    assert not list(read(control.createRequest(1, None, None).split("-----")[2]).subject)


@pytest.mark.parametrize(
    "name",
    ['CN="x";O=Example;', "CN=x, O=Example", "1.2.840.113549.1.9.1=a@b.example, CN=x", "E=a@b.de;CN=x", "S=State, CN=x"],
)
def test_names_are_read_as_scripts_write_them(control: Any, name: str) -> None:
    request = read(control.createPKCS10(name, ""))
    assert request.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value == "x"
    assert len(list(request.subject)) == 2


def test_a_name_is_printable_utf8_or_teletex_by_what_it_holds_and_what_is_asked(control: Any) -> None:
    assert b"\x13\x05Plain" in base64.b64decode(control.createPKCS10("CN=Plain", ""))
    assert "\x0c\x06Märtz".encode() in base64.b64decode(control.createPKCS10("CN=Märtz", ""))
    control.EnableT61DNEncoding = True
    assert "\x14\x05Märtz".encode("latin-1") in base64.b64decode(control.createPKCS10("CN=Märtz", ""))


def test_what_cannot_be_asked_for_leaves_neither_key_nor_request(control: Any, tmp_path: Path) -> None:
    before = traces()
    refused(HRESULT.CRYPT_E_INVALID_X500_STRING, control.createPKCS10, "no name at all", "")
    refused(HRESULT.CRYPT_E_OID_FORMAT, control.createPKCS10, "CN=x", "not an oid")
    refused(HRESULT.WIN32_FILE_NOT_FOUND, control.createFilePKCS10, "CN=x", "", str(tmp_path / "none" / "request"))
    refused(HRESULT.E_ACCESSDENIED, control.createFilePKCS10, "CN=x", "", str(tmp_path))
    refused(HRESULT.E_INVALIDARG, control.createFilePKCS10, "CN=x", "", "")
    control.ProviderName = "No Such Provider"
    refused(HRESULT.NTE_KEYSET_NOT_DEF, control.createPKCS10, "CN=x", "")
    control.ProviderName = "Microsoft Base DSS Cryptographic Provider"
    refused(HRESULT.NTE_BAD_ALGID, control.createPKCS10, "CN=x", "")
    assert traces() == before
    assert not [one for one in tmp_path.iterdir() if one.is_file()]


def test_the_key_has_the_length_and_the_export_policy_of_gen_key_flags(control: Any) -> None:
    for flags, bits, exportable in ((1024 << 16 | 1, 1024, True), (2048 << 16 | 2, 2048, False), (0, 2048, False)):
        control.GenKeyFlags = flags
        key = read(control.createPKCS10("CN=x", "")).public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        assert key.key_size == bits
        software = next(report for report in facade.key_reports() if report.store == "software")
        made = next(one.info for one in software.keys if one.info.container == control.ContainerName)
        assert made.exportable is exportable


def test_a_key_that_is_too_short_to_be_made_is_refused(control: Any) -> None:
    control.GenKeyFlags = 0x02000003  # 512 bits
    refused(HRESULT.NTE_BAD_LEN, control.createPKCS10, "CN=x", "")


def test_key_usage_follows_the_kind_of_key(control: Any) -> None:
    def bits() -> tuple[bool, bool, bool, bool]:
        found = read(control.createPKCS10("CN=x", "")).extensions.get_extension_for_class(x509.KeyUsage)
        assert found.critical
        use = found.value
        return use.digital_signature, use.content_commitment, use.key_encipherment, use.data_encipherment

    assert bits() == (True, True, False, False)
    control.KeySpec = 1
    assert bits() == (True, True, True, True)
    control.LimitExchangeKeyToEncipherment = True
    assert bits() == (False, False, True, True)


def test_properties_decide_what_stands_in_the_request(control: Any) -> None:
    full = read(control.createPKCS10("CN=x", ""))
    assert full.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    control.IncludeSubjectKeyID, control.ClientId, control.EnableSMIMECapabilities = False, 0, True
    bare = read(control.createPKCS10("CN=x", ""))
    oids = {one.oid.dotted_string for one in bare.extensions}
    assert "2.5.29.14" not in oids
    assert "1.2.840.113549.1.9.15" in oids
    client_info = "1.3.6.1.4.1.311.21.20"
    assert client_info in {one.oid.dotted_string for one in full.attributes}
    assert client_info not in {one.oid.dotted_string for one in bare.attributes}


@pytest.mark.parametrize("name", ["MD5", "SHA1", "MD2", "1.2.3.4"])
def test_an_old_hash_is_accepted_and_sha256_is_signed(control: Any, name: str) -> None:
    control.HashAlgorithm = name
    request = read(control.createPKCS10("CN=x", ""))
    assert request.signature_hash_algorithm is not None
    assert request.signature_hash_algorithm.name == "sha256"
    assert control.HashAlgorithm == name


def test_a_new_hash_is_signed_as_it_is_asked_for(control: Any) -> None:
    control.HashAlgID = 0x800E
    found = read(control.createPKCS10("CN=x", "")).signature_hash_algorithm
    assert found is not None
    assert found.name == "sha512"


def test_a_container_is_a_guid_where_none_is_named_and_each_request_has_its_own(control: Any) -> None:
    control.createPKCS10("CN=x", "")
    first = control.ContainerName
    control.createPKCS10("CN=x", "")
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first)
    assert control.ContainerName != first
    assert {control.enumContainers(0), control.enumContainers(1)} == {first, control.ContainerName}


def test_a_container_that_is_there_needs_use_existing_key_set(control: Any) -> None:
    control.ContainerName = "my key"
    first = read(control.createPKCS10("CN=x", "")).public_key()
    before = traces()
    refused(HRESULT.NTE_EXISTS, control.createPKCS10, "CN=x", "")
    assert traces() == before
    control.UseExistingKeySet = True
    assert read(control.createPKCS10("CN=x", "")).public_key() == first


def test_an_existing_key_must_be_named_and_be_there(control: Any) -> None:
    control.UseExistingKeySet = True
    refused(HRESULT.NTE_BAD_KEYSET_PARAM, control.createPKCS10, "CN=x", "")
    control.ContainerName = "nowhere"
    refused(HRESULT.NTE_BAD_KEYSET, control.createPKCS10, "CN=x", "")


class FullCard(SmartCardKeyStore):
    """A card that has no room for a new key, and says so as a token does."""

    def create(self, *arguments: Any, **named: Any) -> StoredKey:
        raise StoreFull("the token has no room left", store=self.name)


def fill(token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile's card from now on has no room."""
    full = FullCard(Scope.USER, token.module, token.uri, lambda purpose: Secret(token.pin), token.directory / "locks")
    monkeypatch.setitem(open_workspace().key_stores._open, "smartcard", full)


@pytest.mark.parametrize("kind", [1, 3])
def test_a_full_card_lends_the_key_that_it_has_where_the_script_allows_it(
    ca: LocalCA, monkeypatch: pytest.MonkeyPatch, kind: int
) -> None:
    with SoftToken() as token:
        control: Any = CEnroll()
        control.KeyLocation, control.ContainerName = 4, "first"
        control.acceptPKCS7(answer_of(ca, control.createPKCS10WStr("CN=First", "")))
        fill(token, monkeypatch)
        control.ContainerName, control.KeySpec = "second", 1
        refused(HRESULT.NTE_TOKEN_KEYSET_STORAGE_FULL, control.createRequest, kind, "CN=Second", "")
        control.ReuseHardwareKeyIfUnableToGenNew = True
        control.KeySpec = 2
        control.acceptResponse(answer_of(ca, control.createRequestWStr(kind, "CN=Second", "")))
        assert control.ContainerName == "second"  # what was asked for; the key's own container is the certificate's
        found = {one.subject: one for one in facade.certificates("MY")}
        assert found["CN=Second"].key is not None
        assert found["CN=Second"].key.container == "first"
        assert token.store().read_certificate("first") == found["CN=Second"].der


def test_a_full_card_without_a_key_that_fits_is_an_error_and_so_is_a_full_disk(
    control: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.ReuseHardwareKeyIfUnableToGenNew = True
    with SoftToken() as token:
        fill(token, monkeypatch)
        control.KeyLocation, control.ContainerName, control.GenKeyFlags = 4, "new", 0
        refused(HRESULT.NTE_TOKEN_KEYSET_STORAGE_FULL, control.createPKCS10, "CN=x", "")
        assert not facade.containers("smartcard")
    assert not facade.pending_requests()


def test_a_request_is_written_to_a_file_in_the_form_that_its_twin_returns(control: Any, tmp_path: Path) -> None:
    control.createFilePKCS10("CN=x", CLIENT, str(tmp_path / "bare"))
    control.createFileRequest(1, "CN=x", CLIENT, str(tmp_path / "headed"))
    assert read((tmp_path / "bare").read_text()).is_signature_valid
    assert x509.load_pem_x509_csr((tmp_path / "headed").read_bytes()).is_signature_valid
    control.createFilePKCS10WStr("CN=y", "", str(tmp_path / "bare"))
    assert read((tmp_path / "bare").read_text()).subject.rfc4514_string() == "CN=y"
    assert sorted(one.name for one in tmp_path.iterdir() if one.is_file()) == ["bare", "headed"]


def test_extensions_attributes_and_pairs_are_added_until_they_are_reset(control: Any) -> None:
    names = x509.SubjectAlternativeName([x509.DNSName("www.example.org")]).public_bytes()
    control.addExtensionToRequest(1, "2.5.29.17", base64.b64encode(names).decode())
    control.addAttributeToRequest(0, "1.2.840.113549.1.9.7", b"\x13\x06secret")
    control.addNameValuePairToRequest(0, "CertificateTemplate", "User")
    control.addNameValuePairToSignature("2.5.4.6", "DE")
    control.addCertTypeToRequest("User")
    request = read(control.createPKCS10("CN=x", ""))
    found = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert (found.critical, found.value.get_values_for_type(x509.DNSName)) == (True, ["www.example.org"])
    assert "1.3.6.1.4.1.311.20.2" in {one.oid.dotted_string for one in request.extensions}
    der = base64.b64decode(control.createPKCS10("CN=x", ""))
    assert b"\x13\x06secret" in der
    for text in ("CertificateTemplate", "User", "2.5.4.6", "DE"):
        assert text.encode("utf-16-be") in der
    control.resetExtensions()
    control.resetAttributes()
    plain = read(control.createPKCS10("CN=x", ""))
    assert "2.5.29.17" not in {one.oid.dotted_string for one in plain.extensions}
    assert NAME_VALUE not in {one.oid for one in plain.attributes}


def test_a_template_of_version_2_is_named_by_its_object_id(control: Any) -> None:
    control.addCertTypeToRequestEx(2, "1.3.6.1.4.1.311.21.8.1", 100, True, 3)
    control.addCertTypeToRequestEx(2, "1.3.6.1.4.1.311.21.8.1", 101, False, 3)
    request = read(control.createRequest(1, "CN=x", "").split("-----")[2])
    found = request.extensions.get_extension_for_class(x509.MSCertificateTemplate)
    assert (found.value.template_id.dotted_string, found.value.major_version) == ("1.3.6.1.4.1.311.21.8.1", 101)
    older = read(control.createPKCS10("CN=x", ""))
    assert not [one for one in older.extensions if isinstance(one.value, x509.MSCertificateTemplate)]
    refused(HRESULT.E_INVALIDARG, control.addCertTypeToRequestEx, 3, "User", 0, False, 0)


def test_what_is_added_must_be_sound(control: Any) -> None:
    refused(HRESULT.CRYPT_E_OID_FORMAT, control.addExtensionToRequest, 0, "one.two", b"\x05\x00")
    refused(HRESULT.E_INVALIDARG, control.addAttributeToRequest, 1, "1.2.3", b"\x05\x00")
    refused(HRESULT.E_INVALIDARG, control.addNameValuePairToRequest, 0, "", "value")


def test_the_twins_give_bytes(control: Any) -> None:
    assert x509.load_der_x509_csr(control.createPKCS10WStr("CN=x", CLIENT)).is_signature_valid
    assert x509.load_der_x509_csr(control.createRequestWStr(1, "CN=x", CLIENT)).is_signature_valid


def test_a_request_waits_in_the_request_store_that_is_named(control: Any) -> None:
    control.RequestStoreName = "WAITING"
    control.createPKCS10("CN=x", "")
    assert [one.thumbprint for one in facade.certificates("WAITING")] == [control.ThumbPrint]
    assert not facade.certificates("REQUEST")


@pytest.mark.parametrize(
    ("name", "value"), [("MyStoreFlags", 0x20000), ("RequestStoreFlags", 0x20000), ("ProviderFlags", 0x20)]
)
def test_machine_flags_make_the_machines_request(control: Any, profile: Path, name: str, value: int) -> None:
    setattr(control, name, value)
    control.createPKCS10("CN=host", "")
    assert not facade.pending_requests()
    assert [one.thumbprint for one in facade.pending_requests(2)] == [control.ThumbPrint]
    assert (profile / "machine").is_dir()
