"""What the members that add attributes and extensions to a request do, and those that decide which are there."""

from __future__ import annotations

from typing import Final

from cryptography import x509

from tests.support.control_effects.bench import Bench, Effect, attribute, base64_of, csr, extension_ids, openssl, parsed

_CHALLENGE = "1.2.840.113549.1.9.7"
_CLIENT_INFO = "1.3.6.1.4.1.311.21.20"
_SECRET = b"\x13\x06secret"
_TEMPLATE_NAME, _TEMPLATE = "1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.21.7"


def _added(member: str, der: bytes) -> str | bytes:
    """A value as a member takes it: bytes in C++, base64 in a script."""
    return der if member.endswith("WStr") else base64_of(der)


def adds_attribute(bench: Bench, member: str) -> None:
    """pyca and OpenSSL read the challenge password."""
    control = bench.control()
    getattr(control, member)(0, _CHALLENGE, _added(member, _SECRET))
    assert attribute(csr(control), _CHALLENGE) == b"secret"
    shown = openssl("req", "-inform", "DER", "-noout", "-text", data=control.createPKCS10WStr("CN=User", ""))
    assert "challengePassword" in shown


def names_client(bench: Bench, member: str) -> None:
    """The attribute begins with the number, and 0 leaves it out."""
    control = bench.control()
    for number in (1, 4):
        setattr(control, member, number)
        assert attribute(csr(control), _CLIENT_INFO)[:3] == bytes((2, 1, number))
    setattr(control, member, 0)
    assert not attribute(csr(control), _CLIENT_INFO)


def takes_attributes_away(bench: Bench, member: str) -> None:
    """Attributes and pairs are gone; an extension stays."""
    control = bench.control()
    control.addAttributeToRequest(0, _CHALLENGE, _SECRET)
    control.addNameValuePairToRequest(0, "name", "value")
    control.addExtensionToRequest(0, "1.2.3.4", b"\x05\x00")
    getattr(control, member)()
    request = csr(control)
    assert not attribute(request, _CHALLENGE)
    assert "value".encode("utf-16-be") not in request.tbs_certrequest_bytes
    assert "1.2.3.4" in extension_ids(request)


def names_template(bench: Bench, member: str) -> None:
    """The extension of version 1 holds the name that was given last."""
    control = bench.control()
    for name in ("Machine", "User"):
        getattr(control, member)(name)
    request = csr(control)
    (found,) = [one for one in request.extensions if one.oid.dotted_string == _TEMPLATE_NAME]
    assert isinstance(found.value, x509.UnrecognizedExtension)
    assert found.value.value == b"\x1e\x08" + "User".encode("utf-16-be")


def names_template_by_version(bench: Bench, member: str) -> None:
    """pyca reads object id and versions of a template of version 2; version 1 is by name. createPKCS10 has neither."""
    control = bench.control()
    getattr(control, member)(2, "1.3.6.1.4.1.311.21.8.1", 100, True, 3)
    assert not {_TEMPLATE_NAME, _TEMPLATE} & extension_ids(csr(control))
    request = parsed(control.createRequestWStr(1, "CN=User", ""))
    template = request.extensions.get_extension_for_class(x509.MSCertificateTemplate).value
    assert (template.template_id.dotted_string, template.major_version, template.minor_version) == (
        "1.3.6.1.4.1.311.21.8.1", 100, 3,
    )  # fmt: skip
    getattr(control, member)(1, "User", 0, False, 0)
    assert {_TEMPLATE_NAME, _TEMPLATE} & extension_ids(parsed(control.createRequestWStr(1, "CN=User", "")))


def adds_extension(bench: Bench, member: str) -> None:
    """pyca reads the names, and whether they are critical."""
    names = x509.SubjectAlternativeName([x509.DNSName("www.example.org")])
    control = bench.control()
    for critical in (1, 0):
        getattr(control, member)(critical, "2.5.29.17", _added(member, names.public_bytes()))
        found = csr(control).extensions.get_extension_for_class(x509.SubjectAlternativeName)
        assert (found.critical, found.value) == (bool(critical), names)


def names_ciphers(bench: Bench, member: str) -> None:
    """OpenSSL knows the extension; a request has none unless it is asked for."""
    control = bench.control()
    assert "1.2.840.113549.1.9.15" not in extension_ids(csr(control))
    setattr(control, member, True)
    assert "1.2.840.113549.1.9.15" in extension_ids(csr(control))
    shown = openssl("req", "-inform", "DER", "-noout", "-text", data=control.createPKCS10WStr("CN=User", ""))
    assert "S/MIME Capabilities" in shown


def identifies_key(bench: Bench, member: str) -> None:
    """The identifier is that of the request's own key, and is left out where it is not wanted."""
    control = bench.control()
    request = csr(control)
    found = request.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert found == x509.SubjectKeyIdentifier.from_public_key(request.public_key())
    setattr(control, member, False)
    assert "2.5.29.14" not in extension_ids(csr(control))


def takes_extensions_away(bench: Bench, member: str) -> None:
    """Extensions and templates are gone; an attribute stays."""
    control = bench.control()
    control.addExtensionToRequest(0, "1.2.3.4", b"\x05\x00")
    control.addCertTypeToRequest("User")
    control.addAttributeToRequest(0, _CHALLENGE, _SECRET)
    getattr(control, member)()
    request = csr(control)
    assert not {"1.2.3.4", _TEMPLATE_NAME} & extension_ids(request)
    assert attribute(request, _CHALLENGE) == b"secret"


EFFECTS: Final[dict[str, Effect]] = {
    "addAttributeToRequest": adds_attribute,
    "addAttributeToRequestWStr": adds_attribute,
    "ClientId": names_client,
    "resetAttributes": takes_attributes_away,
    "addCertTypeToRequest": names_template,
    "AddCertTypeToRequestWStr": names_template,
    "addCertTypeToRequestEx": names_template_by_version,
    "AddCertTypeToRequestWStrEx": names_template_by_version,
    "addExtensionToRequest": adds_extension,
    "addExtensionToRequestWStr": adds_extension,
    "EnableSMIMECapabilities": names_ciphers,
    "IncludeSubjectKeyID": identifies_key,
    "resetExtensions": takes_extensions_away,
}
