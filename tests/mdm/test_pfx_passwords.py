"""The password of a PFX, encrypted by OpenSSL for the device's certificate, in every way in which a server may write it."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from certenroll import facade
from certenroll.asn1 import enveloped
from certenroll.hresults import HRESULT
from certenroll.mdm.model import Command, Status
from certenroll.mdm.pfx_passwords import MDM_STORE
from tests.mdm import pfx_bundles as pfx
from tests.mdm.pfx_bundles import PASSWORD, adds, atomic, change, installs, leaf, pfx_of, rsa_key, sha1, signs, value
from tests.stores.pki import Made
from tests.support.requires import program
from tests.support.shared import shared_path

DEVICE = leaf("device", rsa_key("device"))
EC_DEVICE = leaf("EC device")
USER = leaf("user")


def sealed(folder: Path, content: bytes, *options: str, certificate: Made = DEVICE) -> str:
    """Base64 of what ``openssl cms`` encrypts for a certificate."""
    (folder / "device.pem").write_bytes(certificate.certificate.public_bytes(Encoding.PEM))
    (folder / "content").write_bytes(content)
    command = ["cms", "-encrypt", "-binary", "-in", "content", "-outform", "DER", "-out", "message"]
    recipient = options if "-recip" in options else (*options, "device.pem")
    done = subprocess.run([program("openssl"), *command, *recipient], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return base64.b64encode((folder / "message").read_bytes()).decode()


def encrypted(password: str, store: str | None = "My", **nodes: str | None) -> list[Command]:
    """The commands of an install with an encrypted password: for a named store's certificate, or for the MDM one."""
    kind = "1" if store is None else "2"
    named = {"PFXCertPassword": password, "PFXCertPasswordEncryptionType": kind, "PFXCertPasswordEncryptionStore": store}
    return adds(pfx_of(USER), 3, "One", **{**named, **nodes})


def refused(*commands: Command, code: int) -> Status:
    """The failure of an Atomic, which is one of the password, and whose code Status would show."""
    failed = pfx.failure(*commands)
    assert (failed.code, failed.reason.split(":")[0]) == (500, "PFXCertPassword")
    assert PASSWORD not in failed.reason
    assert pfx.refusal_code(*commands) == code
    return failed


@pytest.fixture
def device(profile: Path) -> Path:
    """A profile with the certificate for which passwords are encrypted, and its key."""
    installs(pfx_of(DEVICE), instance="Device")
    return profile


# Where the certificate is --------------------------------------------------------------------------------------------


def test_a_password_is_encrypted_for_a_certificate_of_a_named_store(device: Path, tmp_path: Path) -> None:
    assert set(pfx.codes(atomic(*encrypted(sealed(tmp_path, PASSWORD.encode()))))) == {200}
    signs(USER)


def test_the_mdm_certificate_is_one_of_the_store_of_that_name(device: Path, tmp_path: Path) -> None:
    facade.add_certificate(MDM_STORE, EC_DEVICE.der)
    message = sealed(tmp_path, PASSWORD.encode())
    refused(*encrypted(message, None), code=HRESULT.CRYPT_E_NO_DECRYPT_CERT)
    facade.add_certificate(MDM_STORE, DEVICE.der)
    assert set(pfx.codes(atomic(*encrypted(message, None)))) == {200}
    signs(USER)


@pytest.mark.parametrize(("location", "fixture"), [(1, "with_tpm"), (4, "with_card")])
def test_the_certificates_key_may_be_in_a_device(
    location: int, fixture: str, request: pytest.FixtureRequest, profile: Path, tmp_path: Path
) -> None:
    request.getfixturevalue(fixture)
    installs(pfx_of(DEVICE), location, "Device", ContainerName="device" if location == 4 else None)
    assert set(pfx.codes(atomic(*encrypted(sealed(tmp_path, PASSWORD.encode()))))) == {200}
    signs(USER)


def test_the_message_says_which_certificate_of_the_store_it_is_for(device: Path, tmp_path: Path) -> None:
    installs(pfx_of(leaf("second", rsa_key("second"))), instance="Second")
    recipients = [leaf("nobody", rsa_key("nobody")), leaf("second", rsa_key("second"))]
    message = enveloped.seal(PASSWORD.encode(), [one.der for one in recipients], "aes256-cbc")
    assert set(pfx.codes(atomic(*encrypted(base64.b64encode(message).decode())))) == {200}


def test_the_encrypted_password_stays_for_the_next_blob(device: Path, tmp_path: Path) -> None:
    assert set(pfx.codes(atomic(*encrypted(sealed(tmp_path, PASSWORD.encode()))))) == {200}
    other = leaf("user's next")
    assert pfx.codes(change("Replace", "PFXCertBlob", base64.b64encode(pfx_of(other)).decode())) == [200]
    assert value("Thumbprint") == sha1(other).upper()


# How it is encrypted -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [("-aes128",), ("-aes256",), ("-des3",), ("-keyid", "-aes256"), ("-stream", "-aes256"),
     ("-aes256", "-recip", "device.pem", "-keyopt", "rsa_padding_mode:oaep"),
     ("-aes256", "-recip", "device.pem", "-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256")],
    ids=" ".join,
)  # fmt: skip
def test_what_openssl_encrypts_is_opened(options: tuple[str, ...], device: Path, tmp_path: Path) -> None:
    assert set(pfx.codes(atomic(*encrypted(sealed(tmp_path, PASSWORD.encode(), *options))))) == {200}


TEXTS: dict[str, Callable[[str], bytes]] = {
    "UTF-16 with its NUL": lambda text: (text + "\0").encode("utf-16-le"),
    "UTF-16": lambda text: text.encode("utf-16-le"),
    "UTF-16 with a byte order mark": lambda text: ("\ufeff" + text).encode("utf-16-le"),
    "UTF-8": lambda text: text.encode(),
    "UTF-8 with its NUL": lambda text: text.encode() + b"\0",
}


@pytest.mark.parametrize("password", ["geheim1234", "odd", "pässwört €", "密码密码"])
def test_the_password_within_is_utf_16_or_utf_8(password: str, device: Path) -> None:
    blob = base64.b64encode(pfx_of(USER, password=password)).decode()
    for form, octets in TEXTS.items():
        message = base64.b64encode(enveloped.seal(octets(password), [DEVICE.der])).decode()
        assert pfx.codes(atomic(*encrypted(message, PFXCertBlob=blob)), check=True)[0] == 200, form


def test_an_empty_password_may_be_encrypted(device: Path, tmp_path: Path) -> None:
    blob = base64.b64encode(pfx_of(USER, password=None)).decode()
    message = base64.b64encode(enveloped.seal(b"", [DEVICE.der])).decode()
    assert set(pfx.codes(atomic(*encrypted(message, PFXCertBlob=blob)))) == {200}


def test_base64_may_be_broken_into_lines(device: Path, tmp_path: Path) -> None:
    text = sealed(tmp_path, PASSWORD.encode())
    broken = "\r\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    assert set(pfx.codes(atomic(*encrypted(f"\n  {broken}\n")))) == {200}


# What is refused -----------------------------------------------------------------------------------------------------


def test_a_certificate_that_is_not_in_the_store_opens_nothing(device: Path, tmp_path: Path) -> None:
    message = sealed(tmp_path, PASSWORD.encode(), certificate=leaf("stranger", rsa_key("stranger")))
    refused(*encrypted(message), code=HRESULT.CRYPT_E_NO_DECRYPT_CERT)
    refused(*encrypted(sealed(tmp_path, PASSWORD.encode()), "Elsewhere"), code=HRESULT.CRYPT_E_NO_DECRYPT_CERT)


def test_a_certificate_without_its_key_opens_nothing(profile: Path, tmp_path: Path) -> None:
    facade.add_certificate("MY", DEVICE.der)
    refused(*encrypted(sealed(tmp_path, PASSWORD.encode())), code=HRESULT.CRYPT_E_NO_KEY_PROPERTY)


def test_a_message_for_an_ec_key_is_not_opened(profile: Path, tmp_path: Path) -> None:
    installs(pfx_of(EC_DEVICE), instance="Device")
    message = sealed(tmp_path, PASSWORD.encode(), certificate=EC_DEVICE)
    refused(*encrypted(message), code=HRESULT.CRYPT_E_NO_DECRYPT_CERT)


@pytest.mark.parametrize("text", [None, "", "not base64!", PASSWORD])
def test_a_password_that_is_no_base64_is_refused(text: str | None, device: Path) -> None:
    failed = pfx.failure(*encrypted("", PFXCertPassword=text))
    assert (failed.code, failed.reason.split(":")[0]) == (500, "PFXCertPassword")


def test_a_message_that_is_cut_off_anywhere_is_refused(device: Path) -> None:
    message = enveloped.seal(PASSWORD.encode(), [DEVICE.der])
    for length in range(0, len(message), 7):
        text = base64.b64encode(message[:length]).decode()
        (answer, *_) = pfx.codes(atomic(*encrypted(text)), check=True)
        assert answer == 507


def test_what_is_no_text_is_refused(device: Path, tmp_path: Path) -> None:
    refused(*encrypted(sealed(tmp_path, b"\xff\xfe\xfd")), code=HRESULT.WIN32_INVALID_DATA)


def test_a_password_that_is_opened_and_wrong_is_no_other_than_a_wrong_one(device: Path, tmp_path: Path) -> None:
    commands = encrypted(sealed(tmp_path, b"another"))
    assert pfx.failure(*commands).code == 500
    assert pfx.refusal_code(*commands) == HRESULT.WIN32_INVALID_PASSWORD


@pytest.mark.parametrize("store", [None, "", "  ", "a\\b"])
def test_a_custom_certificate_needs_the_name_of_its_store(store: str | None, device: Path, tmp_path: Path) -> None:
    commands = encrypted(sealed(tmp_path, PASSWORD.encode()), PFXCertPasswordEncryptionStore=store)
    assert pfx.failure(*commands).code == 500


def test_the_store_has_no_meaning_for_a_password_in_the_clear(profile: Path) -> None:
    installs(pfx_of(USER), PFXCertPasswordEncryptionType="0", PFXCertPasswordEncryptionStore="Nowhere")
    signs(USER)


# Microsoft's examples ------------------------------------------------------------------------------------------------


def documented(name: str) -> list[tuple[str, str, str]]:
    """(format, node, data) of the Adds of an example of Microsoft's."""
    text = shared_path("vectors", "syncml", name).read_text(encoding="utf-8").replace("$CmdID$", "1")
    return [
        (
            add.findtext(".//{syncml:metinf}Format", ""),
            (add.findtext(".//LocURI") or "").rpartition("/")[2],
            add.findtext(".//Data") or "",
        )
        for add in ElementTree.fromstring(text).iter("Add")
    ]


def filled(name: str, folder: Path, **changed: str) -> list[Command]:
    """An example with our PFX and password in it."""
    ours = {
        "PFXCertBlob": base64.b64encode(pfx_of(USER)).decode(),
        "PFXCertPassword": sealed(folder, (PASSWORD + "\0").encode("utf-16-le")),
        **changed,
    }
    return [change("Add", node, ours.get(node, data)) for _, node, data in documented(name)]


def test_the_documented_message_contradicts_the_page_that_it_stands_on(device: Path, tmp_path: Path) -> None:
    failed = pfx.failure(*filled("doc_pfx_install.xml", tmp_path))  # KeyLocation 2 and PFXKeyExportable true
    assert (failed.code, failed.reason.split(":")[0]) == (500, "PFXKeyExportable")


@pytest.mark.parametrize("changed", [{"KeyLocation": "3"}, {"PFXKeyExportable": "false"}], ids=str)
def test_the_documented_message_installs_where_one_of_the_two_is_changed(
    changed: dict[str, str], device: Path, tmp_path: Path
) -> None:
    commands = filled("doc_pfx_install.xml", tmp_path, **changed)
    assert pfx.codes(change("Delete", ""), atomic(*commands)) == [404, *[200] * (len(commands) + 1)]
    signs(USER)
    assert pfx.codes(change("Delete", ""), atomic(*commands))[:2] == [200, 200]
    signs(USER)


def test_the_documented_message_without_an_atomic_adds_its_blob_too_early(device: Path, tmp_path: Path) -> None:
    blob, *others = filled("msdocs_pfx_user_encpwd_partial.xml", tmp_path)
    assert pfx.codes(change("Delete", ""), blob, *others) == [404, 500, *[200] * len(others)]
    assert pfx.codes(change("Add", "KeyLocation", "3"), blob) == [200, 200]
    signs(USER)
