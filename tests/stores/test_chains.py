"""Chains: every verdict beside that of ``openssl verify``."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certenroll.stores.chains import ChainVerdict, Outcome, by_subject, joined, judge
from tests.stores.pki import NOW, Made, common_name, key, make, openssl_signed
from tests.support.requires import program

UNTRUSTED_ROOT, CHAINING, EXPIRED = 0x800B0109, 0x800B010A, 0x800B0101
SIGNATURE, CONSTRAINTS, USAGE, CRITICAL = 0x80096004, 0x80096019, 0x800B0110, 0x800B0105
INVALID_NAME, INVALID_POLICY = 0x800B0114, 0x800B0113

Case = tuple[bytes, Sequence[bytes], Sequence[bytes]]
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def dns(name: str) -> tuple[x509.SubjectAlternativeName, bool]:
    return x509.SubjectAlternativeName([x509.DNSName(name)]), False


def only_below(name: str) -> tuple[x509.NameConstraints, bool]:
    return x509.NameConstraints([x509.DNSName(name)], None), True


ROOT = make("root")
OTHER_ROOT = make("other root")
CA = make("ca", ROOT, ca=True)
LEAF = make("leaf", CA)


def good() -> Case:
    return LEAF.der, [CA.der], [ROOT.der]


def good_among_strangers_and_in_any_order() -> Case:
    return LEAF.der, [ROOT.der, OTHER_ROOT.der, b"no certificate", CA.der, LEAF.der], [OTHER_ROOT.der, ROOT.der]


def issued_by_the_root() -> Case:
    return make("direct", ROOT).der, [], [ROOT.der]


def self_signed_and_trusted() -> Case:
    return ROOT.der, [], [ROOT.der]


def a_ca_as_leaf() -> Case:
    return CA.der, [], [ROOT.der]


def without_key_identifiers() -> Case:
    root = make("bare root", key_ids=False)
    ca = make("bare ca", root, ca=True, key_ids=False)
    return make("bare leaf", ca, key_ids=False).der, [ca.der], [root.der]


def two_cas_of_one_name() -> Case:
    imposter = make("ca", ROOT, ca=True, private=key("another ca"))
    return LEAF.der, [imposter.der, CA.der], [ROOT.der]


def an_expired_and_a_renewed_ca() -> Case:
    expired = make("ca", ROOT, ca=True, days=(-90, -1))
    return LEAF.der, [expired.der, CA.der], [ROOT.der]


def cross_signed() -> Case:
    crossed = make("root", OTHER_ROOT, ca=True)
    return LEAF.der, [CA.der, crossed.der], [OTHER_ROOT.der]


def names_within_the_constraints() -> Case:
    ca = make("constrained", ROOT, ca=True, extensions=(only_below("example.com"),))
    return make("inside", ca, extensions=(dns("a.example.com"),)).der, [ca.der], [ROOT.der]


def a_rollover_certificate() -> Case:
    new = make("root", private=key("new root key"))
    with_old = make("root", ROOT, ca=True, private=key("new root key"))
    ca = make("rolled ca", new, ca=True)
    return make("rolled leaf", ca).der, [ca.der, with_old.der], [ROOT.der]


def a_small_rsa_leaf() -> Case:
    return make("small", CA, private=key("small", 1024)).der, [CA.der], [ROOT.der]


def a_small_rsa_ca() -> Case:
    ca = make("small ca", ROOT, ca=True, private=key("small ca", 1024))
    return make("below small", ca).der, [ca.der], [ROOT.der]


def no_intermediate() -> Case:
    return LEAF.der, [], [ROOT.der]


def an_untrusted_root() -> Case:
    return LEAF.der, [CA.der, ROOT.der], [OTHER_ROOT.der]


def a_root_that_is_absent() -> Case:
    return LEAF.der, [CA.der], []


def self_signed_and_untrusted() -> Case:
    return make("alone").der, [], [ROOT.der]


def only_the_intermediate_is_trusted() -> Case:
    return LEAF.der, [], [CA.der]


def an_expired_leaf() -> Case:
    return make("old", CA, days=(-90, -1)).der, [CA.der], [ROOT.der]


def a_leaf_of_tomorrow() -> Case:
    return make("young", CA, days=(1, 90)).der, [CA.der], [ROOT.der]


def an_expired_ca() -> Case:
    ca = make("old ca", ROOT, ca=True, days=(-90, -1))
    return make("below old", ca).der, [ca.der], [ROOT.der]


def an_expired_root() -> Case:
    root = make("old root", days=(-90, -1))
    return make("below old root", root).der, [], [root.der]


def a_wrong_signature() -> Case:
    return make("forged", CA, signer=key("forger")).der, [CA.der], [ROOT.der]


def a_wrong_signature_on_the_ca() -> Case:
    ca = make("forged ca", ROOT, ca=True, signer=key("forger"))
    return make("below forged", ca).der, [ca.der], [ROOT.der]


def an_issuer_that_is_no_ca() -> Case:
    return make("below leaf", LEAF).der, [LEAF.der, CA.der], [ROOT.der]


def an_issuer_that_says_it_is_no_ca() -> Case:
    issuer = make("not ca", CA, ca=False)
    return make("below not ca", issuer).der, [issuer.der, CA.der], [ROOT.der]


def a_path_length_of_zero_with_a_ca_below() -> Case:
    narrow = make("narrow", ROOT, ca=True, path_length=0)
    ca = make("too deep", narrow, ca=True)
    return make("deep leaf", ca).der, [ca.der, narrow.der], [ROOT.der]


def a_key_usage_that_signs_no_certificates() -> Case:
    ca = make("usage ca", ROOT, ca=True, extensions=((usage(signs_certificates=False), True),))
    return make("below usage", ca).der, [ca.der], [ROOT.der]


def an_issuer_of_another_name() -> Case:
    return make("misnamed", CA, issuer_name="nobody").der, [CA.der], [ROOT.der]


def an_unknown_critical_extension() -> Case:
    return make("critical", CA, extensions=((UNKNOWN, True),)).der, [CA.der], [ROOT.der]


def names_outside_the_constraints() -> Case:
    ca = make("constrained", ROOT, ca=True, extensions=(only_below("example.com"),))
    return make("outside", ca, extensions=(dns("a.example.org"),)).der, [ca.der], [ROOT.der]


def a_loop_of_two_cas() -> Case:
    one, two = make("one", ROOT, ca=True), make("two", ROOT, ca=True)
    one_by_two, two_by_one = make("one", two, ca=True), make("two", one, ca=True)
    return make("looped", one).der, [one_by_two.der, two_by_one.der], [ROOT.der]


def everything_wrong_at_once() -> Case:
    ca = make("sad ca", OTHER_ROOT, ca=False, days=(-90, -2))
    return make("sad", ca, days=(-90, -1)).der, [ca.der, OTHER_ROOT.der], [ROOT.der]


GOOD = [
    good,
    good_among_strangers_and_in_any_order,
    issued_by_the_root,
    self_signed_and_trusted,
    a_ca_as_leaf,
    without_key_identifiers,
    two_cas_of_one_name,
    an_expired_and_a_renewed_ca,
    cross_signed,
    names_within_the_constraints,
    a_rollover_certificate,
    a_small_rsa_leaf,
    a_small_rsa_ca,
]
BAD = [
    (no_intermediate, Outcome.INCOMPLETE, {CHAINING}),
    (an_untrusted_root, Outcome.UNTRUSTED_ROOT, {UNTRUSTED_ROOT}),
    (a_root_that_is_absent, Outcome.INCOMPLETE, {CHAINING}),
    (self_signed_and_untrusted, Outcome.UNTRUSTED_ROOT, {UNTRUSTED_ROOT}),
    (only_the_intermediate_is_trusted, Outcome.INCOMPLETE, {CHAINING}),
    (an_expired_leaf, Outcome.EXPIRED, {EXPIRED}),
    (a_leaf_of_tomorrow, Outcome.NOT_YET_VALID, {EXPIRED}),
    (an_expired_ca, Outcome.EXPIRED, {EXPIRED}),
    (an_expired_root, Outcome.EXPIRED, {EXPIRED}),
    (a_wrong_signature, Outcome.BAD_SIGNATURE, {SIGNATURE}),
    (a_wrong_signature_on_the_ca, Outcome.BAD_SIGNATURE, {SIGNATURE}),
    (an_issuer_that_is_no_ca, Outcome.INVALID, {CONSTRAINTS}),
    (an_issuer_that_says_it_is_no_ca, Outcome.INVALID, {CONSTRAINTS}),
    (a_path_length_of_zero_with_a_ca_below, Outcome.INVALID, {CONSTRAINTS}),
    (a_key_usage_that_signs_no_certificates, Outcome.INVALID, {USAGE}),
    (an_issuer_of_another_name, Outcome.INCOMPLETE, {CHAINING}),
    (an_unknown_critical_extension, Outcome.INVALID, {CRITICAL}),
    (names_outside_the_constraints, Outcome.INVALID, {INVALID_NAME}),
    (a_loop_of_two_cas, Outcome.INCOMPLETE, {CHAINING}),
    (everything_wrong_at_once, Outcome.INVALID, {UNTRUSTED_ROOT, EXPIRED, CONSTRAINTS}),
]


def verdict(case: Case) -> ChainVerdict:
    return judge(*case, NOW)


def openssl_accepts(case: Case, folder: Path, at: datetime = NOW) -> bool:
    """What ``openssl verify`` says of a case: trusted first, any purpose, no system store."""
    leaf, candidates, trusted = case
    pem = {"leaf": [leaf], "candidates": candidates, "trusted": trusted}
    for name, certificates in pem.items():
        readable = [each for each in certificates if each[:1] == b"\x30"]
        lines = [x509.load_der_x509_certificate(each).public_bytes(serialization.Encoding.PEM) for each in readable]
        folder.joinpath(name).write_bytes(b"".join(lines))
    command = [program("openssl"), "verify", "-no-CApath", "-no-CAstore", "-attime", str(int(at.timestamp()))]
    command += ["-CAfile", "trusted"] if trusted else ["-no-CAfile"]
    if candidates:
        command += ["-untrusted", "candidates"]
    return subprocess.run([*command, "leaf"], cwd=folder, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.__name__)
def test_what_openssl_accepts_is_trusted(case: object, tmp_path: Path) -> None:
    made: Case = case()  # type: ignore[operator]
    found = verdict(made)
    assert (found.outcome, found.problems) == (Outcome.TRUSTED, ())
    assert found.chain[0] == made[0]
    assert found.chain[-1] in made[2]
    assert openssl_accepts(made, tmp_path)


@pytest.mark.parametrize(("case", "outcome", "codes"), BAD, ids=lambda value: getattr(value, "__name__", ""))
def test_what_openssl_refuses_is_refused_with_every_reason(
    case: object, outcome: Outcome, codes: set[int], tmp_path: Path
) -> None:
    made: Case = case()  # type: ignore[operator]
    found = verdict(made)
    assert (found.outcome, set(found.codes)) == (outcome, codes)
    assert not openssl_accepts(made, tmp_path)


def test_an_untrusted_root_does_not_hide_the_cross_certificate_beside_it() -> None:
    # openssl verify stops at the self-signed one; another path is looked for here.
    crossed = make("root", OTHER_ROOT, ca=True)
    found = verdict((LEAF.der, [CA.der, ROOT.der, crossed.der], [OTHER_ROOT.der]))
    assert (found.outcome, found.chain) == (Outcome.TRUSTED, (LEAF.der, CA.der, crossed.der, OTHER_ROOT.der))


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_a_chain_with_an_old_hash_is_verified_and_noted(digest: str, tmp_path: Path) -> None:
    at = datetime.now(UTC) + timedelta(minutes=5)  # openssl knows no other beginning than now
    root = make("today's root", days=(-100, 40_000), private=key("today's root", 2048))
    ca = openssl_signed("old-hash ca", root, digest, "basicConstraints=critical,CA:TRUE", key("old-hash ca", 2048))
    leaf = openssl_signed("old-hash leaf", ca, digest, "basicConstraints=CA:FALSE")
    found = judge(leaf.der, [ca.der], [root.der], at)
    assert (found.outcome, found.problems) == (Outcome.TRUSTED, ())
    assert any(digest in note for note in found.notes)
    assert openssl_accepts((leaf.der, [ca.der], [root.der]), tmp_path, at)


def test_a_damaged_signature_with_an_old_hash_is_found() -> None:
    root = make("today's root", days=(-100, 40_000), private=key("today's root", 2048))
    leaf = openssl_signed("old-hash leaf", root, "sha1", "basicConstraints=CA:FALSE").der
    damaged = leaf[:-1] + bytes((leaf[-1] ^ 1,))
    assert judge(damaged, [], [root.der], datetime.now(UTC)).outcome is Outcome.BAD_SIGNATURE


def test_name_constraints_below_an_old_key_could_not_be_checked() -> None:
    ca = make("small ca", ROOT, ca=True, private=key("small ca", 1024), extensions=(only_below("example.com"),))
    leaf = make("inside", ca, extensions=(dns("a.example.com"),))
    found = verdict((leaf.der, [ca.der], [ROOT.der]))
    assert (found.outcome, set(found.codes)) == (Outcome.NOT_CHECKED, {INVALID_NAME})


def test_directory_name_constraints_could_not_be_checked() -> None:
    inside = x509.NameConstraints([x509.DirectoryName(common_name("inside"))], None)
    ca = make("directory ca", ROOT, ca=True, extensions=((inside, True),))
    assert verdict((make("inside", ca).der, [ca.der], [ROOT.der])).outcome is Outcome.NOT_CHECKED


def test_critical_policy_constraints_could_not_be_checked() -> None:
    ca = make("policy ca", ROOT, ca=True, extensions=((x509.PolicyConstraints(0, None), True),))
    found = verdict((make("below policy", ca).der, [ca.der], [ROOT.der]))
    assert (found.outcome, set(found.codes)) == (Outcome.NOT_CHECKED, {INVALID_POLICY})


def test_critical_policies_of_a_leaf_and_a_ca_are_no_fault(tmp_path: Path) -> None:
    policies = (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), None)]), True)
    ca = make("ca with policies", ROOT, ca=True, extensions=(policies,))
    case = make("leaf with policies", ca, extensions=(policies,)).der, [ca.der], [ROOT.der]
    assert verdict(case).outcome is Outcome.TRUSTED
    assert openssl_accepts(case, tmp_path)


def test_a_verdict_says_that_revocation_was_not_checked() -> None:
    assert "Revocation was not checked." in verdict(good()).notes
    assert "Revocation was not checked." in verdict(no_intermediate()).notes


def test_a_chain_goes_from_the_leaf_to_the_root() -> None:
    assert verdict(good_among_strangers_and_in_any_order()).chain == (LEAF.der, CA.der, ROOT.der)
    assert verdict(no_intermediate()).chain == (LEAF.der,)


def test_a_time_without_a_zone_is_utc() -> None:
    assert judge(*good(), NOW.replace(tzinfo=None)).outcome is Outcome.TRUSTED


def test_lookups_by_subject_serve_as_well_as_lists() -> None:
    asked: list[bytes] = []
    inner = by_subject([CA.der, ROOT.der])

    def candidates(subject: bytes) -> object:
        asked.append(subject)
        return inner(subject)

    found = judge(LEAF.der, joined(candidates, [OTHER_ROOT.der]), by_subject([ROOT.der]), NOW)  # type: ignore[arg-type]
    assert found.outcome is Outcome.TRUSTED
    assert set(asked) == {CA.certificate.subject.public_bytes(), ROOT.certificate.subject.public_bytes()}


def test_a_thousand_cas_of_one_name_are_given_up_and_not_walked_through() -> None:
    swarm = [make("swarm", ROOT, ca=True, private=key(f"swarm {number % 5}")).der for number in range(400)]
    leaf = make("lost", Made(make("swarm", ROOT, ca=True).certificate, key("swarm")), key_ids=False)
    found = judge(leaf.der, swarm, [ROOT.der], NOW)
    assert found.outcome in (Outcome.BAD_SIGNATURE, Outcome.NOT_CHECKED)


@pytest.mark.parametrize("size", [0, 1, 10, 100, 200])
def test_a_leaf_that_ends_early_is_invalid(size: int) -> None:
    assert judge(LEAF.der[:size], [CA.der], [ROOT.der], NOW).outcome is Outcome.INVALID


def test_a_leaf_or_a_ca_that_ends_anywhere_early_raises_nothing() -> None:
    for size in range(len(CA.der)):
        assert judge(LEAF.der, [CA.der[:size]], [ROOT.der], NOW).outcome is Outcome.INCOMPLETE


def test_a_leaf_with_any_octet_changed_is_never_trusted() -> None:
    for position in range(len(LEAF.der)):
        changed = LEAF.der[:position] + bytes((LEAF.der[position] ^ 0x01,)) + LEAF.der[position + 1 :]
        assert judge(changed, [CA.der], [ROOT.der], NOW).outcome is not Outcome.TRUSTED, position
