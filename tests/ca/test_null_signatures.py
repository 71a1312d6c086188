"""Requests whose own key signed nothing: a hash stands where it would sign, and somebody else answers for the key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certenroll.asn1 import algorithms, cmc_requests, pkcs7_requests, pkcs10
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.der import Attribute
from certenroll.asn1.pkcs10 import CertificationRequest
from certenroll.asn1.signed_messages import envelope_of, with_null_signer
from certenroll.ca.base import Disposition
from certenroll.ca.local import LocalCA
from tests.stores.pki import make
from tests.support.ca_messages import SCHEME, cmc, issued, party, pkcs7_renewal, renewing, submitted
from tests.support.cmc_messages import EC_KEY, Party, signer_of

NEW_KEY = ec.generate_private_key(ec.SECP256R1())
INFO = NEW_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
BAD_SIGNATURE = 0x80090006


def null_signed(*attributes: Attribute, info: bytes = INFO) -> CertificationRequest:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "unsigned")])
    return pkcs10.null_signed(name.public_bytes(), info, attributes)


def cmc_by(asked: CertificationRequest, *signers: Party, null_signer: bool = False) -> bytes:
    """A CMC request that others sign, beside a hash in the place of its own key's signature where that is wanted."""
    made = cmc_requests.build(
        cmc_requests.new_pki_data(asked), [signer_of(one) for one in signers], [one.certificate.der for one in signers]
    )
    if null_signer:
        made = replace(made, envelope=envelope_of(with_null_signer(made.signed)))
    return cmc_requests.encode(made)


def pkcs7_by(asked: CertificationRequest, signer: Party) -> bytes:
    """A PKCS #7 request that another signs."""
    made = pkcs7_requests.agent_signer(
        signer.key.public_key(), SCHEME, algorithms.signer(signer.key, SCHEME), signer.certificate, []
    )
    return pkcs7_requests.encode(pkcs7_requests.build(asked, [made], [signer.certificate.der]))


@pytest.mark.parametrize("null_signer", [False, True])
def test_whoever_has_a_certificate_of_the_ca_answers_for_a_key(ca: LocalCA, null_signer: bool) -> None:
    certificate = issued(ca, cmc_by(null_signed(), party(ca, EC_KEY), null_signer=null_signer))
    assert certificate.public_key() == NEW_KEY.public_key()


def test_a_pkcs7_request_may_hold_an_unsigned_one_too(ca: LocalCA) -> None:
    assert issued(ca, pkcs7_by(null_signed(), party(ca, EC_KEY))).public_key() == NEW_KEY.public_key()


def test_a_key_that_signs_the_message_needs_nobody_else(ca: LocalCA) -> None:
    assert issued(ca, cmc(NEW_KEY, null_signed())).public_key() == NEW_KEY.public_key()


def test_a_request_that_nobody_wraps_has_to_be_signed(ca: LocalCA) -> None:
    answer = submitted(ca, pkcs10.encode(null_signed()))
    assert (answer.disposition, answer.status) == (Disposition.ERROR, BAD_SIGNATURE)


def test_hashes_alone_prove_nothing(ca: LocalCA) -> None:
    answer = submitted(ca, cmc_by(null_signed(), null_signer=True))
    assert (answer.disposition, answer.status) == (Disposition.ERROR, BAD_SIGNATURE)


def test_a_hash_that_does_not_fit_is_a_wrong_signature(ca: LocalCA) -> None:
    asked = null_signed()
    wrong = replace(asked, signature=bytes(len(asked.signature)))
    answer = submitted(ca, cmc_by(wrong, party(ca, EC_KEY)))
    assert (answer.disposition, answer.status) == (Disposition.ERROR, BAD_SIGNATURE)


def test_a_stranger_answers_for_nobody(ca: LocalCA) -> None:
    stranger = make("stranger", make("another ca", ca=True))
    answer = submitted(ca, cmc_by(null_signed(), Party(stranger.key, read_certificate(stranger.der))))
    assert (answer.disposition, answer.status) == (Disposition.DENIED, 0x800B0109)


def test_a_revoked_certificate_answers_for_nobody(ca: LocalCA) -> None:
    signer = party(ca, EC_KEY)
    ca.revoke(serial=signer.certificate.serial)
    answer = submitted(ca, cmc_by(null_signed(), signer))
    assert (answer.disposition, answer.status) == (Disposition.DENIED, 0x80092010)


def test_nobody_renews_a_certificate_by_knowing_its_key(ca: LocalCA) -> None:
    old, thief = party(ca, NEW_KEY, name="victim"), party(ca, EC_KEY, name="thief")
    asked = null_signed(renewing(old.certificate.der))
    for message in (cmc_by(asked, thief), pkcs7_by(asked, thief)):
        answer = submitted(ca, message)
        assert (answer.disposition, answer.status) == (Disposition.DENIED, 0x8009400E)


def test_the_old_key_renews_with_an_unsigned_request_inside(ca: LocalCA) -> None:
    old = party(ca, EC_KEY)
    assert issued(ca, pkcs7_renewal(old, null_signed(renewing(old.certificate.der)))).public_key() == NEW_KEY.public_key()
