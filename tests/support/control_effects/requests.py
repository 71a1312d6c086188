"""What the members that create, keep and withdraw requests do, each shown once."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography import x509

from certenroll import facade
from certenroll.hresults import HRESULT
from tests.support.control_effects.bench import (
    CLIENT,
    EVERYWHERE,
    SHARED,
    THERE,
    Bench,
    Effect,
    as_bytes,
    containers,
    csr,
    extension_ids,
    openssl,
    parsed,
    refused,
    stores,
    subjects,
)

_HEADER = b"-----BEGIN NEW CERTIFICATE REQUEST-----\r\n"


def makes_pkcs10(bench: Bench, member: str) -> None:
    """OpenSSL verifies the request; it waits in REQUEST under its own thumbprint."""
    control = bench.control()
    made = getattr(control, member)("CN=User, O=Example", CLIENT)
    assert isinstance(made, bytes) is member.endswith("WStr")
    if isinstance(made, str):
        assert made.endswith("\r\n")
        assert max(len(line) for line in made.split("\r\n")) == 64
    assert "CN = User" in openssl("req", "-inform", "DER", "-verify", "-noout", "-subject", data=as_bytes(made))
    usage = parsed(made).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [one.dotted_string for one in usage] == [CLIENT]
    assert [one.thumbprint for one in facade.certificates("REQUEST")] == [control.ThumbPrint]


def writes_pkcs10(bench: Bench, member: str) -> None:
    """The file holds the text that createPKCS10 gives."""
    name = bench.file("request")
    getattr(bench.control(), member)("CN=User", CLIENT, name)
    text = Path(name).read_text(encoding="ascii")
    assert "-----" not in text
    assert parsed(text).subject.rfc4514_string() == "CN=User"
    assert subjects("REQUEST") == ["CN=User"]


def keeps_accepted_request(bench: Bench, member: str) -> None:
    """An accepted request stays, and its answer is accepted again."""
    control = bench.control()
    setattr(control, member, False)
    answer = bench.answered(control)
    control.acceptPKCS7(answer)
    control.acceptPKCS7(answer)
    assert stores() == {**EVERYWHERE, "REQUEST": ["CN=User"]}
    setattr(control, member, True)
    control.acceptPKCS7(answer)
    assert stores() == EVERYWHERE


def notes_pending(bench: Bench, member: str) -> None:
    """What is noted stands with the request that ThumbPrint names."""
    control = bench.control()
    control.createPKCS10("CN=User", "")
    getattr(control, member)(17, "ca.example.org", "Example CA", "The CA")
    (pending,) = facade.pending_requests()
    assert (pending.ca_config, pending.ca_request_id) == ("ca.example.org\\Example CA", "17")
    assert pending.friendly_name == "The CA"


def tells_pending(bench: Bench, member: str) -> None:
    """Each property of each request is told, by its position or from the first."""
    control = bench.control()
    control.createPKCS10("CN=User", "")
    control.setPendingRequestInfo(17, "host", "name", "friendly")
    tell = getattr(control, member)
    assert [tell(0, one) for one in (1, 2, 3, 4)] == ["host", "name", "friendly", 17]
    assert tell(-1, 8) in (control.ThumbPrint, bytes.fromhex(control.ThumbPrint))
    refused(HRESULT.WIN32_NO_MORE_ITEMS, tell, 1, 1)


def withdraws(bench: Bench, member: str) -> None:
    """The request and its key are gone; the keys that were there before stay."""
    control = bench.with_new_key()
    control.createPKCS10("CN=User", "")
    assert len(containers()) == len(THERE) + 1
    thumbprint = control.ThumbPrint
    getattr(control, member)(bytes.fromhex(thumbprint) if member.endswith("WStr") else thumbprint)
    assert not stores()
    assert containers() == THERE


def starts_again(bench: Bench, member: str) -> None:
    """Nothing is added to the next request, and no request is remembered; the old one still waits."""
    control = bench.control(ClientId=4)
    control.addExtensionToRequest(0, "1.2.3.4", b"\x05\x00")
    assert "1.2.3.4" in extension_ids(csr(control))
    getattr(control, member)()
    assert (control.ThumbPrint, control.ContainerName, control.UseExistingKeySet) == ("", "", False)
    assert subjects("REQUEST") == ["CN=User"]
    control.ContainerName, control.UseExistingKeySet = SHARED, True
    assert "1.2.3.4" not in extension_ids(csr(control))


def releases_nothing(bench: Bench, member: str) -> None:
    """The answer to a released request is accepted."""
    control = bench.control()
    request = control.createPKCS10WStr("CN=User", "")
    getattr(control, member)(request)
    control.acceptPKCS7(bench.answer(request))
    assert stores() == EVERYWHERE


def writes_teletex(bench: Bench, member: str) -> None:
    """OpenSSL shows the type of the name's string."""
    control = bench.control()
    for wanted, name, kind in (
        (False, "Märtz", "UTF8STRING"), (True, "Plain", "PRINTABLESTRING"), (True, "Märtz", "T61STRING"),
        (True, "Žižka", "BMPSTRING"),
    ):  # fmt: skip
        setattr(control, member, wanted)
        made = control.createPKCS10WStr(f"CN={name}", "")
        assert kind in openssl("req", "-inform", "DER", "-noout", "-subject", "-nameopt", "show_type", data=made)


EFFECTS: Final[dict[str, Effect]] = {
    "createPKCS10": makes_pkcs10,
    "createPKCS10WStr": makes_pkcs10,
    "createFilePKCS10": writes_pkcs10,
    "createFilePKCS10WStr": writes_pkcs10,
    "DeleteRequestCert": keeps_accepted_request,
    "setPendingRequestInfo": notes_pending,
    "setPendingRequestInfoWStr": notes_pending,
    "enumPendingRequest": tells_pending,
    "enumPendingRequestWStr": tells_pending,
    "removePendingRequest": withdraws,
    "removePendingRequestWStr": withdraws,
    "Reset": starts_again,
    "freeRequestInfo": releases_nothing,
    "freeRequestInfoBlob": releases_nothing,
    "EnableT61DNEncoding": writes_teletex,
}
