"""What the members do that bring a certificate to a request or properties to a certificate; and requests of all formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from certenroll import facade
from certenroll.asn1 import cmc_requests, der
from certenroll.asn1.der import Attribute, Extension
from certenroll.hresults import HRESULT
from tests.stores.pki import make
from tests.support.control_effects.bench import (
    CLIENT,
    EVERYWHERE,
    OTHER,
    SHARED,
    Bench,
    Effect,
    as_bytes,
    base64_of,
    csr,
    extension_ids,
    openssl,
    parsed,
    refused,
    stores,
)

_PKCS10, _PKCS7, _CMC, _PKCS10_V1_5 = 1, 2, 3, 4
_RENEWAL, _PAIR = "1.3.6.1.4.1.311.13.1", "1.3.6.1.4.1.311.13.2.1"


def _installed(bench: Bench, template: str = "User") -> bytes:
    """A certificate of MY for the key that is there."""
    control = bench.control()
    control.addCertTypeToRequest(template)
    control.acceptPKCS7(bench.answered(control))
    (found,) = facade.certificates("MY")
    return found.der


def _inside(bench: Bench, message: bytes) -> bytes:
    """What OpenSSL takes out of a PKCS #7 once it has verified the signature with the certificate inside."""
    openssl("cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-out", bench.file("inside"), data=message)
    return Path(bench.file("inside")).read_bytes()


def _shown(message: bytes) -> str:
    """What OpenSSL shows of a CMS message."""
    return openssl("cms", "-cmsout", "-print", "-noout", "-inform", "DER", data=message)


def _signed(message: bytes) -> str:
    """What OpenSSL shows of the attributes that the one signer of a message signs."""
    return _shown(message).partition("signedAttrs")[2].partition("signatureAlgorithm")[0]


def makes_every_format(bench: Bench, member: str) -> None:
    """OpenSSL reads PKCS #10, PKCS #7 and CMC, signed by their key and the agent's; the CA issues for the last one."""
    agent = _installed(bench)
    control = bench.control(ContainerName=OTHER)
    control.SetSignerCertificate(agent)
    made = {kind: _made(bench, control, member, kind) for kind in (_PKCS10, _PKCS10_V1_5, _PKCS7, _CMC)}
    for kind in (_PKCS10, _PKCS10_V1_5):
        assert parsed(made[kind]).subject.rfc4514_string() == "CN=User 2"
    assert parsed(_inside(bench, made[_PKCS7])).subject.rfc4514_string() == "CN=User 2"
    assert _shown(made[_CMC]).count("signatureAlgorithm") == 2
    assert len(facade.pending_requests()) == 4


def _made(bench: Bench, control: Any, member: str, kind: int) -> bytes:
    if "File" in member:
        getattr(control, member)(kind, "CN=User 2", CLIENT, bench.file("request"))
        text: str | bytes = Path(bench.file("request")).read_bytes().decode("ascii")
    else:
        text = getattr(control, member)(kind, "CN=User 2", CLIENT)
        assert isinstance(text, bytes) is (member == "createRequestWStr")
    if isinstance(text, str):
        assert text.startswith("-----BEGIN NEW CERTIFICATE REQUEST-----\r\n")
        assert text.endswith("-----END NEW CERTIFICATE REQUEST-----\r\n")
    return as_bytes(text)


def wraps_request(bench: Bench, member: str) -> None:
    """OpenSSL verifies the signature and finds the request that is outstanding; its answer is accepted."""
    agent = _installed(bench)
    control = bench.control(ContainerName=OTHER)
    request = control.createPKCS10WStr("CN=User 2", CLIENT)
    before = facade.pending_requests()
    message = getattr(control, member)(request, agent)
    assert _inside(bench, message) == request
    assert facade.pending_requests() == before
    control.acceptPKCS7(bench.answer(request))
    assert stores() == {**EVERYWHERE, "MY": ["CN=User", "CN=User 2"]}


def has_attributes_signed(bench: Bench, member: str) -> None:
    """OpenSSL shows the attribute among the signed ones of a PKCS #7; a PKCS #10 is without it."""
    control = bench.control(ContainerName=OTHER)
    control.SetSignerCertificate(_installed(bench))
    getattr(control, member)(der.wrap(der.SET, der.encode_attribute(Attribute("1.2.3.5", (b"\x04\x05hello",)))))
    assert "1.2.3.5" in _signed(control.createRequestWStr(_PKCS7, "CN=User 2", ""))
    assert b"hello" not in control.createPKCS10WStr("CN=User 2", "")


def adds_pair(bench: Bench, member: str) -> None:
    """Two pairs stand in the PKCS #10, and in a PKCS #7 where OpenSSL shows it: within, or signed by the agent."""
    control = bench.control(ContainerName=OTHER)
    control.SetSignerCertificate(_installed(bench))
    first = (0,) if "Request" in member else ()
    for name, value in (("CertificateTemplate", "User"), ("2.5.4.6", "DE")):
        getattr(control, member)(*first, name, value)
    plain = csr(control).tbs_certrequest_bytes
    assert all(text.encode("utf-16-be") in plain for text in ("CertificateTemplate", "User", "2.5.4.6", "DE"))
    message = control.createRequestWStr(_PKCS7, "CN=User 2", "")
    assert (_PAIR in _signed(message)) is ("Signature" in member)
    assert ("2.5.4.6".encode("utf-16-be") in _inside(bench, message)) is ("Request" in member)
    assert b"CertificateTemplate=User&2.5.4.6=DE&" in control.createRequestWStr(_CMC, "CN=User 2", "")


def adds_extensions(bench: Bench, member: str) -> None:
    """pyca reads both."""
    names = x509.SubjectAlternativeName([x509.DNSName("www.example.org")])
    given = (Extension("1.2.3.4", True, b"\x05\x00"), Extension("2.5.29.17", False, names.public_bytes()))
    control = bench.control()
    getattr(control, member)(der.encode_extensions(given))
    request = csr(control)
    assert request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value == names
    assert "1.2.3.4" in extension_ids(request)


def signs_requests(bench: Bench, member: str) -> None:
    """The agent's certificate, by which OpenSSL verifies the PKCS #7, and the one signature more of the CMC request."""
    agent = _installed(bench)
    control = bench.control(ContainerName=OTHER)
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, control.createRequestWStr, _PKCS7, "CN=User 2", "")
    alone = _shown(control.createRequestWStr(_CMC, "CN=User 2", ""))
    if member == "SignerCertificate":
        control.SignerCertificate = base64_of(agent)
    else:
        getattr(control, member)(agent)
    assert agent in control.createRequestWStr(_PKCS7, "CN=User 2", "")
    assert _inside(bench, control.createRequestWStr(_PKCS7, "CN=User 2", ""))
    signed = _shown(control.createRequestWStr(_CMC, "CN=User 2", ""))
    assert signed.count("signatureAlgorithm") == alone.count("signatureAlgorithm") + 1


def renews(bench: Bench, member: str) -> None:
    """The request names the old certificate in an attribute, its key signs, and the new certificate takes its place."""
    old = _installed(bench, "ClientAuth")
    control = bench.control(ContainerName=OTHER)
    setattr(control, member, old)
    assert next(one for one in csr(control).attributes if one.oid.dotted_string == _RENEWAL)
    message = control.createRequestWStr(_PKCS7, "CN=User", "")
    assert old in message
    assert _inside(bench, message)
    control.acceptResponse(bench.answer(message))
    assert [(one.subject, one.der == old) for one in facade.certificates("MY")] == [("CN=User", False)]


def brings_key(bench: Bench, member: str) -> None:
    """OpenSSL opens the key in the CMC request with the key of the certificate; the other formats have no place for it."""
    key = rsa.generate_private_key(65537, 2048)
    exchange = make("CA Exchange", private=key, days=(-100, 5000)).der
    control = bench.with_new_key(GenKeyFlags=1024 << 16)
    if member == "PrivateKeyArchiveCertificate":
        control.PrivateKeyArchiveCertificate = base64_of(exchange)
    else:
        control.SetPrivateKeyArchiveCertificate(exchange)
    assert control.GetPrivateKeyArchiveCertificate() == as_bytes(control.PrivateKeyArchiveCertificate) == exchange
    message = control.createRequestWStr(_CMC, "CN=User", "")
    files = {name: bench.file(name) for name in ("exchange.pem", "exchange.key", "opened")}
    Path(files["exchange.pem"]).write_bytes(x509.load_der_x509_certificate(exchange).public_bytes(Encoding.PEM))
    Path(files["exchange.key"]).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    openssl(
        "cms", "-decrypt", "-inform", "DER", "-binary", "-recip", files["exchange.pem"], "-inkey", files["exchange.key"],
        "-out", files["opened"], data=cmc_requests.decode(message).archived_key or b"",
    )  # fmt: skip
    assert b"RSA2" in Path(files["opened"]).read_bytes()  # the magic number of a private key blob
    control.SetSignerCertificate(exchange)
    refused(HRESULT.NTE_NOT_SUPPORTED, control.createRequestWStr, _PKCS7, "CN=User", "")


def gives_property(bench: Bench, member: str) -> None:
    """The installed certificate has the display name, the description and the thumbprint."""
    control = bench.control()
    texts = {11: "My name", 13: "What it is for"}
    for number, text in texts.items():
        blob = (text + "\0").encode("utf-16-le")
        getattr(control, member)(number, 0, blob if member.endswith("WStr") else text)
    getattr(control, member)(64, 0, bytes(range(20)) if member.endswith("WStr") else bytes(range(20)).hex())
    control.acceptPKCS7(bench.answered(control))
    (installed,) = facade.certificates("MY")
    assert (installed.friendly_name, installed.description) == ("My name", "What it is for")
    assert installed.properties[64] == bytes(range(20))


def takes_properties_away(bench: Bench, member: str) -> None:
    """The installed certificate has none of them."""
    control = bench.control()
    control.addBlobPropertyToCertificate(11, 0, "My name")
    getattr(control, member)()
    control.acceptPKCS7(bench.answered(control))
    assert facade.certificates("MY")[0].friendly_name == ""


def chooses_request(bench: Bench, member: str) -> None:
    """The answer to the request that is chosen is accepted, and no other one."""
    control = bench.control()
    first = bench.answered(control)
    chosen = getattr(control, member)
    assert facade.certificates("REQUEST")[0].thumbprint == (chosen.hex().upper() if isinstance(chosen, bytes) else chosen)
    second = bench.answered(bench.control(ContainerName=OTHER), "CN=User 2")
    setattr(control, member, chosen)
    refused(HRESULT.CRYPT_E_NOT_FOUND, control.acceptPKCS7, second)
    control.acceptPKCS7(first)
    assert stores() == {**EVERYWHERE, "REQUEST": ["CN=User 2"]}


def writes_key_file(bench: Bench, member: str) -> None:
    """OpenSSL reads the key of the request from the file; the container is gone, and the file's key is used again."""
    name = bench.file("key.pvk")
    control = bench.with_new_key()
    setattr(control, member, name)
    request = csr(control)
    spki = request.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert spki in openssl("rsa", "-inform", "PVK", "-in", name, "-pubout")
    assert Path(name).stat().st_mode & 0o777 == 0o600
    assert sorted(facade.containers("software")) == [OTHER, SHARED]
    refused(HRESULT.WIN32_FILE_EXISTS, csr, control)
    again = bench.control(ContainerName="from a file")
    setattr(again, member, name)
    assert csr(again).public_key() == request.public_key()
    refused(HRESULT.NTE_BAD_KEY_STATE, csr, _not_exportable(bench, member))


def _not_exportable(bench: Bench, member: str) -> Any:
    """A control to which GenKeyFlags without CRYPT_EXPORTABLE was told last."""
    control = bench.with_new_key()
    setattr(control, member, bench.file("other.pvk"))
    control.GenKeyFlags = 1024 << 16
    return control


EFFECTS: Final[dict[str, Effect]] = {
    **dict.fromkeys(
        ("createRequest", "createRequestWStr", "createFileRequest", "createFileRequestWStr"), makes_every_format
    ),
    "CreatePKCS7RequestFromRequest": wraps_request,
    "AddAuthenticatedAttributesToPKCS7Request": has_attributes_signed,
    **dict.fromkeys(
        (
            "addNameValuePairToRequest",
            "addNameValuePairToRequestWStr",
            "addNameValuePairToSignature",
            "AddNameValuePairToSignatureWStr",
        ),
        adds_pair,
    ),
    "AddExtensionsToRequest": adds_extensions,
    "SignerCertificate": signs_requests,
    "SetSignerCertificate": signs_requests,
    "RenewalCertificate": renews,
    **dict.fromkeys(
        ("PrivateKeyArchiveCertificate", "SetPrivateKeyArchiveCertificate", "GetPrivateKeyArchiveCertificate"), brings_key
    ),
    "addBlobPropertyToCertificate": gives_property,
    "addBlobPropertyToCertificateWStr": gives_property,
    "resetBlobProperties": takes_properties_away,
    "ThumbPrint": chooses_request,
    "ThumbPrintWStr": chooses_request,
    "PVKFileName": writes_key_file,
    "PVKFileNameWStr": writes_key_file,
}
