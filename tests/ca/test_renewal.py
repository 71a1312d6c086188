"""Renewals at the local CA: PKCS #7 and CMC, the old key's proof, and what the old certificate gives to the new one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from certenroll.asn1 import pkcs10
from certenroll.asn1.algorithms import PrivateKey
from certenroll.asn1.certificates import read_certificate
from certenroll.ca.base import Disposition
from certenroll.ca.local import LocalCA
from certenroll.hresults import HRESULT
from tests.ca.conftest import EC_KEY as OPENSSL_EC
from tests.ca.conftest import Clock, openssl_verify
from tests.support import cmc_messages
from tests.support.ca_messages import (
    cmc,
    common_name,
    issued,
    party,
    pkcs7_renewal,
    pkcs10_of,
    renewing,
    submitted,
    template,
)
from tests.support.cmc_messages import EC_KEY, RSA_KEY, Party

MakeRequest = Callable[..., bytes]
NEW_KEY = ec.generate_private_key(ec.SECP256R1())


def renewal(kind: str, old: Party, name: str = "") -> bytes:
    asked = pkcs10_of(NEW_KEY, name, renewing(old.certificate.der))
    return pkcs7_renewal(old, asked) if kind == "pkcs7" else cmc(NEW_KEY, asked, old)


@pytest.mark.parametrize("kind", ["pkcs7", "cmc"])
@pytest.mark.parametrize("key", cmc_messages.KEYS.values(), ids=cmc_messages.KEYS)
def test_a_renewal_takes_name_and_template_from_the_old_certificate(ca: LocalCA, kind: str, key: PrivateKey) -> None:
    old = party(ca, key, "ClientAuth", "the old name")
    answer = submitted(ca, renewal(kind, old))
    assert (answer.disposition, ca.requests()[-1].template) == (Disposition.ISSUED, "ClientAuth")
    found = x509.load_der_x509_certificate(answer.certificate or b"")
    assert (common_name(found), found.public_key()) == ("the old name", NEW_KEY.public_key())


@pytest.mark.parametrize("kind", ["pkcs7", "cmc"])
def test_openssl_verifies_what_was_renewed(ca: LocalCA, kind: str, tmp_path: Path) -> None:
    answer = submitted(ca, renewal(kind, party(ca, RSA_KEY, "User")))
    assert openssl_verify(tmp_path, answer.certificate or b"", answer.chain) == "OK"


@pytest.mark.parametrize("name", ["", "new name"])
def test_the_alternative_names_of_the_old_certificate_are_kept_beside_a_subject_that_is_sent(
    ca: LocalCA, request_of: MakeRequest, name: str
) -> None:
    first = request_of("/CN=web", "-addext", "subjectAltName=DNS:web.test", key=OPENSSL_EC)
    answer = submitted(ca, first, CertificateTemplate="WebServer")
    key = load_pem_private_key((ca._directory.parent / "request.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    found = issued(ca, renewal("cmc", Party(key, read_certificate(answer.certificate or b"")), name))
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert (common_name(found), names.get_values_for_type(x509.DNSName)) == (name or "web", ["web.test"])


def test_a_renewal_that_names_itself_keeps_its_own_name(ca: LocalCA) -> None:
    assert common_name(issued(ca, renewal("cmc", party(ca, RSA_KEY, "WebServer"), "new name"))) == "new name"


def test_a_renewal_with_the_same_key_needs_no_second_signature(ca: LocalCA) -> None:
    old = party(ca, EC_KEY, "WebServer", "same")
    assert common_name(issued(ca, cmc(EC_KEY, pkcs10_of(EC_KEY, "", renewing(old.certificate.der))))) == "same"


def test_a_cmc_renewal_without_the_old_keys_signature_is_refused(ca: LocalCA) -> None:
    old = party(ca, RSA_KEY, "User")
    answer = submitted(ca, cmc(NEW_KEY, pkcs10_of(NEW_KEY, "", renewing(old.certificate.der))))
    assert (answer.disposition, answer.status) == (Disposition.DENIED, HRESULT.CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE)


def test_a_renewal_of_another_cas_certificate_is_refused(ca: LocalCA) -> None:
    foreign = cmc_messages.THE_AGENT
    assert submitted(ca, renewal("pkcs7", foreign)).status == HRESULT.CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE


def test_a_renewal_of_a_certificate_that_was_touched_is_refused(ca: LocalCA) -> None:
    old = party(ca, RSA_KEY, "User", "somebody")
    touched = old.certificate.der.replace(b"somebody", b"everyone")
    message = cmc(NEW_KEY, pkcs10_of(NEW_KEY, "", renewing(touched)), old)
    assert submitted(ca, message).status == HRESULT.CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE


@pytest.mark.parametrize("kind", ["pkcs7", "cmc"])
def test_a_revoked_certificate_is_not_renewed(ca: LocalCA, kind: str) -> None:
    old = party(ca, RSA_KEY, "User")
    ca.revoke(serial=old.certificate.serial)
    assert submitted(ca, renewal(kind, old)).status == HRESULT.CRYPT_E_REVOKED


@pytest.mark.parametrize("kind", ["pkcs7", "cmc"])
def test_an_expired_certificate_is_not_renewed(ca: LocalCA, kind: str, clock: Clock) -> None:
    old = party(ca, RSA_KEY, "User")
    clock.pass_days(366)
    assert submitted(ca, renewal(kind, old)).status == HRESULT.CERT_E_EXPIRED


def test_a_plain_pkcs10_with_the_attribute_is_a_new_request(ca: LocalCA) -> None:
    old = party(ca, RSA_KEY, "User")
    asked = pkcs10_of(NEW_KEY, "new", template("WebServer"), renewing(old.certificate.der))
    assert common_name(issued(ca, pkcs10.encode(asked))) == "new"


def test_a_renewal_that_was_changed_under_way_is_an_error(ca: LocalCA) -> None:
    old = party(ca, RSA_KEY, "User")
    message = renewal("pkcs7", old)
    answer = submitted(ca, message[:-1] + bytes((message[-1] ^ 1,)))
    assert (answer.disposition, answer.status) == (Disposition.ERROR, HRESULT.NTE_BAD_SIGNATURE)
