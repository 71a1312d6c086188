"""Hash and form of signatures: handed inwards by PKCS#7 and CMC requests, and left alone in a signer that is used again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from certenroll.asn1 import cmc_requests, pkcs7_requests, pkcs10
from certenroll.asn1.algorithms import identifier_oid, read_algorithm
from certenroll.asn1.certificates import read_certificate
from certenroll.hresults import HRESULT
from tests.support.enrolling import BINARY, name, new_key, new_request, oid, refused
from tests.support.wrapping import blank, installed_signer

SHA256, SHA384, SHA512 = (f"2.16.840.1.101.3.4.2.{number}" for number in (1, 2, 3))
CMC_AND_PKCS7 = pytest.mark.parametrize("kind", ["Pkcs7", "Cmc"])


def signed_by(kind: str, signer: Any, hash_oid: str = "", inner: Any = None) -> Any:
    """A request of that kind around a PKCS#10, to be signed by a certificate."""
    made = blank(kind)
    made.InitializeFromInnerRequest(inner or new_request())
    made.SignerCertificate = signer
    if hash_oid:
        made.HashAlgorithm = oid(hash_oid)
    return made


def digests(request: Any) -> list[str]:
    """The hashes of the message's signatures."""
    request.Encode()
    module: Any = pkcs7_requests if request.Type == 2 else cmc_requests
    return [identifier_oid(one.digest_algorithm) for one in module.decode(request.RawData(BINARY)).signed.signers]


@CMC_AND_PKCS7
def test_a_signer_that_is_used_again_follows_the_second_requests_hash(kind: str, home: Path) -> None:
    signer = installed_signer()
    assert set(digests(signed_by(kind, signer, SHA512))) == {SHA512}
    assert not signer.SignatureInformation.AlternateSignatureAlgorithmSet
    assert set(digests(signed_by(kind, signer, SHA384))) == {SHA384}


def test_another_signer_of_a_certificate_brings_its_own_hash_after_a_reset(home: Path) -> None:
    request = blank("Certificate")
    request.InitializeFromPrivateKey(1, new_key(), "")
    request.Subject = name("CN=leaf")
    found = []
    for wanted in (SHA384, SHA512):
        request.SignerCertificate = signer = installed_signer()
        signer.SignatureInformation.HashAlgorithm = oid(wanted)
        request.Encode()
        found.append(read_algorithm(read_certificate(request.RawData(BINARY)).signature_algorithm).hash_name)
        assert request.HashAlgorithm.Value == wanted
        request.ResetForEncode()
    assert (found, request.HashAlgorithm.Value) == (["sha384", "sha512"], SHA256)


@CMC_AND_PKCS7
def test_the_hash_goes_to_the_request_inside_and_can_be_another_there(kind: str, home: Path) -> None:
    inner = new_request()
    inner.HashAlgorithm = oid(SHA512)
    request = signed_by(kind, installed_signer(), SHA384, inner)
    assert (request.HashAlgorithm.Value, inner.HashAlgorithm.Value) == (SHA384, SHA384)
    inner.HashAlgorithm = oid(SHA512)
    assert set(digests(request)) == {SHA384}
    assert read_algorithm(pkcs10.decode(inner.RawData(BINARY)).signature_algorithm).hash_name == "sha512"


@CMC_AND_PKCS7
def test_the_form_goes_to_the_request_inside_and_to_the_signers_and_is_read_inside(kind: str, home: Path) -> None:
    inner, signer = new_request(key=new_key(Length=2048)), installed_signer()
    request = signed_by(kind, signer, inner=inner)
    request.AlternateSignatureAlgorithm = True
    assert (inner.AlternateSignatureAlgorithm, signer.SignatureInformation.AlternateSignatureAlgorithm) == (True, True)
    request.Encode()
    assert read_algorithm(pkcs10.decode(inner.RawData(BINARY)).signature_algorithm).family == "pss"
    request.ResetForEncode()
    inner.AlternateSignatureAlgorithm = False
    assert request.AlternateSignatureAlgorithm is False


def test_hash_and_form_go_through_every_level_and_leave_what_is_encoded(home: Path) -> None:
    core, middle, outer = new_request(key=new_key(Length=2048)), blank("Cmc"), blank("Cmc")
    middle.InitializeFromInnerRequest(core)
    outer.InitializeFromInnerRequest(middle)
    outer.HashAlgorithm, outer.AlternateSignatureAlgorithm = oid(SHA384), True
    assert {one.HashAlgorithm.Value for one in (core, middle, outer)} == {SHA384}
    core.Encode()
    outer.HashAlgorithm, outer.AlternateSignatureAlgorithm = oid(SHA512), False
    assert (middle.HashAlgorithm.Value, core.HashAlgorithm.Value) == (SHA512, SHA384)
    assert outer.AlternateSignatureAlgorithm is True


@CMC_AND_PKCS7
@pytest.mark.parametrize(("member", "value"), [("HashAlgorithm", oid(SHA384)), ("AlternateSignatureAlgorithm", True)])
def test_a_request_that_is_blank_or_encoded_takes_neither(kind: str, member: str, value: Any, home: Path) -> None:
    assert refused(setattr, blank(kind), member, value) == HRESULT.OLE_E_BLANK
    assert refused(getattr, blank(kind), member) == HRESULT.OLE_E_BLANK
    request = signed_by(kind, installed_signer())
    request.Encode()
    assert refused(setattr, request, member, value) == HRESULT.WIN32_ALREADY_INITIALIZED
