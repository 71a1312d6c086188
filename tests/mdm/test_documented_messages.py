"""Microsoft's two example messages, placeholders filled, through the command line to their documented end.

The SCEP example against `xenroll ca serve`, the PFX example with a password that openssl encrypted for a certificate in MY.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import pytest

from tests.mdm.pfx_bundles import PASSWORD, leaf, pfx_of, rsa_key
from tests.support.cli import Cli, command
from tests.support.shared import shared_path

DM: Final = "{SYNCML:SYNCML1.2}"
PFX_ID: Final = "813A171D7341E1DA90D4A01878DD5328D351900C"
PFX: Final = f"./User/Vendor/MSFT/ClientCertificateInstall/PFXCertInstall/{PFX_ID}"
SCEP: Final = "./Device/Vendor/MSFT/ClientCertificateInstall/SCEP/contoso-1"


@pytest.fixture
def user(home: Path, tmp_path: Path) -> Cli:
    return Cli(home, tmp_path)


def statuses(reply: str) -> list[tuple[str, str]]:
    """Cmd and Data of each Status of a reply."""
    found = ElementTree.fromstring(reply).iter(f"{DM}Status")
    return [(one.findtext(f"{DM}Cmd") or "", one.findtext(f"{DM}Data") or "") for one in found]


def value(user: Cli, uri: str) -> str:
    """What a Get finds; the test fails where it finds nothing."""
    get = f"<SyncBody><Get><CmdID>1</CmdID><Item><Target><LocURI>{uri}</LocURI></Target></Item></Get></SyncBody>"
    (user.folder / "get.xml").write_text(get, encoding="utf-8")
    results = ElementTree.fromstring(user("syncml", "get.xml").stdout).find(f".//{DM}Results/{DM}Item/{DM}Data")
    assert results is not None
    return results.text or ""


@contextmanager
def served(user: Cli, *options: str) -> Iterator[str]:
    """The URL of the profile's CA as a SCEP server, while it runs."""
    process = subprocess.Popen(
        command("ca", "serve", *options), cwd=user.folder, env=user.environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        lines = (line.split() for line in process.stdout)
        yield next(words[1] for words in lines if words[0] == "url:")
    finally:
        process.terminate()
        assert process.wait(30) == 0
        process.stdout.close()


# SCEP ----------------------------------------------------------------------------------------------------------------


def scep_message(url: str, challenge: str, thumbprint: str) -> str:
    """The example for a server that exists; all else is as it is documented, the length of the key too."""
    text = shared_path("vectors", "syncml", "doc_scep_enroll.xml").read_text(encoding="utf-8")
    for documented, real in (
        ("http://constoso.com/certsrv/mscep/mscep.dll", url),
        ("1234CB055B7EBF384A9486A22B7559A5", challenge),
        ("12345087E648875D1DF5D9F9FF89DD10", thumbprint),
    ):
        assert documented in text
        text = text.replace(documented, real)
    return text


def prepared(user: Cli) -> tuple[str, str]:
    """A CA that takes the example's key of 1024 bits: a challenge password, and the CA's thumbprint."""
    user("ca", "init", "Contoso CA")
    policy = user.home / "ca" / "policy.json"
    rules = json.loads(policy.read_text(encoding="utf-8"))
    policy.write_text(json.dumps({**rules, "templates": {"": {"minimum_rsa_bits": 1024}}}), encoding="utf-8")
    challenge = user.json("ca", "challenge", "--once")["challenge"]
    certificate = (user.home / "ca" / "ca.crt").read_bytes()
    der = subprocess.run(["openssl", "x509", "-outform", "DER"], input=certificate, capture_output=True, check=True).stdout
    return challenge, hashlib.sha1(der).hexdigest().upper()


def test_the_documented_scep_message_ends_in_a_certificate(user: Cli) -> None:
    challenge, thumbprint = prepared(user)
    with served(user) as url:
        (user.folder / "scep.xml").write_text(scep_message(url, challenge, thumbprint), encoding="utf-8")
        reply = user("syncml", "scep.xml", "--set", "InsertUniqueIDHere=contoso-1").stdout
        assert statuses(reply) == [("Atomic", "200"), *[("Add", "200")] * 15, ("Exec", "200")]
        assert value(user, f"{SCEP}/Status") == "32"  # unknown: no server has said anything yet
        user("scep", "run")
    assert value(user, f"{SCEP}/Status") == "1"
    (entry,) = user.json("store", "list", "MY", "--machine")
    assert value(user, f"{SCEP}/CertThumbPrint") == entry["thumbprint"].upper()
    assert value(user, f"{SCEP}/RespondentServerUrl").startswith(url)
    assert challenge not in user("mdm", "tree").stdout


def test_the_documented_scep_message_as_it_stands_fails_at_the_server(user: Cli) -> None:
    text = scep_message("http://127.0.0.1:9/certsrv/mscep/mscep.dll", "1234", "12345087E648875D1DF5D9F9FF89DD10")
    (user.folder / "scep.xml").write_text(text, encoding="utf-8")
    user("syncml", "scep.xml", "--set", "InsertUniqueIDHere=contoso-1")
    user("scep", "run", code=3)  # it is tried again
    assert int(value(user, f"{SCEP}/ErrorCode")) != 0


# PFX -----------------------------------------------------------------------------------------------------------------


def encrypted_password(user: Cli) -> str:
    """The PFX's password for a certificate of MY, as openssl encrypts it."""
    user("ca", "init", "Contoso CA")
    user("enroll", "--subject", "CN=recipient")
    (entry,) = user.json("store", "list", "MY")
    user("store", "export", entry["thumbprint"], "--out", "recipient.pem")
    (user.folder / "password").write_bytes(PASSWORD.encode("utf-16-le"))
    done = subprocess.run(
        ["openssl", "cms", "-encrypt", "-binary", "-aes256", "-in", "password", "-outform", "DER", "recipient.pem"],
        cwd=user.folder, capture_output=True, check=True,
    )  # fmt: skip
    return base64.b64encode(done.stdout).decode()


def pfx_message(user: Cli, exportable: str) -> str:
    text = shared_path("vectors", "syncml", "doc_pfx_install.xml").read_text(encoding="utf-8")
    blob = base64.b64encode(pfx_of(leaf(private=rsa_key("documented")))).decode()
    for documented, real in (
        ("Base64_Encode_Cert_Blob", blob),
        ("Base64Encoded_Encrypted_Password_Blog", encrypted_password(user)),
        ("<Data>true</Data>", f"<Data>{exportable}</Data>"),
    ):
        assert documented in text
        text = text.replace(documented, real)
    return text


def test_the_documented_pfx_message_installs_where_the_key_may_not_be_exported(user: Cli) -> None:
    (user.folder / "pfx.xml").write_text(pfx_message(user, "false"), encoding="utf-8")
    reply = user("syncml", "pfx.xml", code=1).stdout  # the Delete before it finds nothing the first time
    assert statuses(reply) == [("Delete", "404"), ("Atomic", "200"), *[("Add", "200")] * 6]
    assert (value(user, f"{PFX}/Status"), len(value(user, f"{PFX}/Thumbprint"))) == ("0", 40)
    again = user("syncml", "pfx.xml").stdout
    assert statuses(again)[0] == ("Delete", "200")
    assert len(user.json("store", "list", "MY")) == 2
    assert PASSWORD not in user("mdm", "tree").stdout


def test_the_documented_pfx_message_as_it_stands_asks_for_what_the_page_forbids(user: Cli) -> None:
    """PFXKeyExportable true with KeyLocation 2: "for any other KeyLocation value, the CSP will fail"."""
    (user.folder / "pfx.xml").write_text(pfx_message(user, "true"), encoding="utf-8")
    done = user("syncml", "pfx.xml", code=1)
    assert statuses(done.stdout)[1] == ("Atomic", "507")
    assert "PFXKeyExportable" in done.stderr
    assert len(user.json("store", "list", "MY")) == 1


def test_the_reply_has_the_shape_of_a_devices(user: Cli) -> None:
    """One Status for the header, one for the Atomic, one for each command in it; the same elements in the same order."""
    device = ElementTree.fromstring(
        shared_path("vectors", "syncml", "windows_atomic_200_response.xml").read_text(encoding="utf-8")
    )
    message = (
        '<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>48</SessionID>'
        "<MsgID>1</MsgID><Target><LocURI>1F28</LocURI></Target><Source><LocURI>https://mdm.example/management</LocURI></Source>"
        f"</SyncHdr><SyncBody><Atomic><CmdID>a</CmdID><Add><CmdID>b</CmdID><Item><Target><LocURI>{SCEP}</LocURI></Target>"
        '<Meta><Format xmlns="syncml:metinf">node</Format></Meta></Item></Add></Atomic><Final/></SyncBody></SyncML>'
    )
    (user.folder / "message.xml").write_text(message, encoding="utf-8")
    ours = ElementTree.fromstring(user("syncml", "message.xml").stdout)
    assert shape(ours) == shape(device)


def shape(element: ElementTree.Element) -> object:
    return element.tag, [shape(child) for child in element]
