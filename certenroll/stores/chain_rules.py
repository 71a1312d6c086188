"""What can be wrong with the certificates of a path: signatures, dates, constraints, each as a fault with its code.

Looks at a path that was found already; knows no stores, no trust and no search. The order of Outcome is that of gravity.
Source: RFC 5280 section 6.1 without policies and names; the codes are those that Windows' chain engine gives.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from certenroll.asn1 import algorithms, der, extensions
from certenroll.asn1.certificates import Certificate
from certenroll.asn1.der import DecodeError
from certenroll.hresults import HRESULT

KEY_CERT_SIGN: Final = 0x04  # CERT_KEY_CERT_SIGN_KEY_USAGE
NAME_CONSTRAINTS: Final = "2.5.29.30"

# Critical extensions that are judged here or by the library, or that narrow what a certificate is for and not its chain.
_UNDERSTOOD: Final = frozenset(
    {
        extensions.SUBJECT_KEY_IDENTIFIER,
        extensions.KEY_USAGE,
        extensions.SUBJECT_ALTERNATIVE_NAME,
        "2.5.29.18",  # issuer alternative name
        extensions.BASIC_CONSTRAINTS,
        NAME_CONSTRAINTS,
        "2.5.29.31",  # CRL distribution points
        extensions.CERTIFICATE_POLICIES,
        extensions.AUTHORITY_KEY_IDENTIFIER,
        extensions.EXTENDED_KEY_USAGE,
        extensions.APPLICATION_POLICIES,
    }
)
_POLICY_RULES: Final = frozenset({"2.5.29.33", "2.5.29.36", "2.5.29.54"})  # mappings, constraints, inhibitAnyPolicy

# What the library takes; anything else is verified by this module alone.
_MODERN_HASHES: Final = ("sha256", "sha384", "sha512")
_MODERN_FAMILIES: Final = ("rsa", "pss", "ecdsa")
_MODERN_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_MODERN_RSA_BITS: Final = 2048


class Outcome(enum.Enum):
    """What a chain is, by its gravest fault; the gravest stands first."""

    BAD_SIGNATURE = "bad signature"
    INVALID = "a constraint is violated"
    INCOMPLETE = "issuer missing"
    UNTRUSTED_ROOT = "untrusted root"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    NOT_CHECKED = "could not be checked"
    TRUSTED = "trusted"


GRAVITY: Final = {outcome: rank for rank, outcome in enumerate(Outcome)}


_KEYS: Final[dict[str, type]] = {
    "rsa": rsa.RSAPublicKey,
    "pss": rsa.RSAPublicKey,
    "ecdsa": ec.EllipticCurvePublicKey,
    "dsa": dsa.DSAPublicKey,
    "ed25519": ed25519.Ed25519PublicKey,
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a path.

    Attributes:
        outcome: what it makes of the chain.
        hresult: the code that Windows gives, unsigned.
        text: a sentence that names the certificate.
    """

    outcome: Outcome
    hresult: int
    text: str


def title(certificate: Certificate) -> str:
    """A certificate's name for a message: its thumbprint, which needs no decoding that could fail."""
    return certificate.sha1.hex()


def signature_fault(child: Certificate, issuer: Certificate) -> Fault | None:
    """What is wrong with the signature of ``child`` under the key of ``issuer``; None where it fits."""
    try:
        to_be_signed, algorithm, signature = der.children(child.der, der.SEQUENCE)
        if algorithm not in der.children(to_be_signed)[:3]:
            return Fault(
                Outcome.BAD_SIGNATURE,
                HRESULT.TRUST_E_CERT_SIGNATURE,
                f"certificate {title(child)} names two different signature algorithms",
            )
        key = algorithms.load_public_key(issuer.public_key_info)
        if not _fits(key, algorithms.read_algorithm(algorithm).family):
            raise algorithms.BadSignature("it was made by another kind of key")
        octets, unused = der.read_bit_string(signature)
        if unused:
            raise algorithms.BadSignature("it is no whole number of octets")
        algorithms.verify(key, algorithm, to_be_signed, octets)
    except algorithms.BadSignature as error:
        return Fault(Outcome.BAD_SIGNATURE, HRESULT.TRUST_E_CERT_SIGNATURE, f"the signature of {title(child)}: {error}")
    except (algorithms.UnsupportedAlgorithm, DecodeError) as error:
        return Fault(Outcome.NOT_CHECKED, error.hresult, f"the signature of {title(child)} could not be verified: {error}")
    return None


def _fits(key: algorithms.PublicKey, family: str) -> bool:
    return isinstance(key, _KEYS.get(family, object))


def contradicts(child: Certificate, issuer: Certificate) -> bool:
    """Whether the key identifiers say that another certificate of the same name issued ``child``."""
    try:
        wanted, found = child.authority_key_identifier, issuer.subject_key_identifier
    except DecodeError:
        return False
    return wanted is not None and found is not None and wanted != found


def path_faults(path: Sequence[Certificate], at: datetime) -> list[Fault]:
    """What is wrong with the certificates of a path, signatures and trust apart.

    Args:
        path: the leaf first.
        at: the time to judge by, with a time zone.
    """
    faults: list[Fault] = []
    below = 0  # certificates between this one and the leaf that count against a path length
    for position, certificate in enumerate(path):
        try:
            faults += _validity(certificate, at)
            faults += _critical(certificate)
            if position:
                faults += _issuing(certificate, below, is_top=position == len(path) - 1)
                below += not certificate.is_self_issued
        except DecodeError as error:
            faults.append(Fault(Outcome.INVALID, error.hresult, f"certificate {title(certificate)} is malformed: {error}"))
    return faults


def _validity(certificate: Certificate, at: datetime) -> Iterator[Fault]:
    name = title(certificate)
    if at > certificate.not_after:
        text = f"certificate {name} expired on {certificate.not_after:%Y-%m-%d}"
        yield Fault(Outcome.EXPIRED, HRESULT.CERT_E_EXPIRED, text)
    if at < certificate.not_before:
        text = f"certificate {name} is not valid before {certificate.not_before:%Y-%m-%d}"
        yield Fault(Outcome.NOT_YET_VALID, HRESULT.CERT_E_EXPIRED, text)


def _critical(certificate: Certificate) -> Iterator[Fault]:
    for extension in certificate.extensions:
        what = f"certificate {title(certificate)} has the critical extension {extension.oid}"
        if extension.critical and extension.oid in _POLICY_RULES:
            yield Fault(Outcome.NOT_CHECKED, HRESULT.CERT_E_INVALID_POLICY, f"{what}, and policies are not judged")
        elif extension.critical and extension.oid not in _UNDERSTOOD:
            yield Fault(Outcome.INVALID, HRESULT.CERT_E_CRITICAL, f"{what}, which is not known")


def _issuing(certificate: Certificate, below: int, *, is_top: bool) -> Iterator[Fault]:
    name = title(certificate)
    found = certificate.extension(extensions.BASIC_CONSTRAINTS)
    limits = extensions.decode_basic_constraints(found.value) if found is not None else extensions.BasicConstraints(False)
    old_root = is_top and is_version_one(certificate)
    if not limits.is_ca and not old_root:
        yield Fault(Outcome.INVALID, HRESULT.TRUST_E_BASIC_CONSTRAINTS, f"certificate {name} issued another and is no CA")
    if limits.path_length is not None and below > limits.path_length:
        text = f"CA {name} allows {limits.path_length} CAs below it, and {below} are there"
        yield Fault(Outcome.INVALID, HRESULT.TRUST_E_BASIC_CONSTRAINTS, text)
    usage = certificate.extension(extensions.KEY_USAGE)
    if usage is not None and not extensions.decode_key_usage(usage.value) & KEY_CERT_SIGN:
        text = f"the key usage of CA {name} does not let it issue certificates"
        yield Fault(Outcome.INVALID, HRESULT.CERT_E_WRONG_USAGE, text)


def is_version_one(certificate: Certificate) -> bool:
    """Whether it has no extensions at all: what a root of the time before version 3 looks like."""
    return certificate.is_self_issued and not certificate.extensions


def old_parts(path: Sequence[Certificate]) -> list[str]:
    """What in a path the library refuses for its age: old hashes, small or unusual CA keys, roots without extensions.

    The signature of the path's end is not counted: nobody relies on it.
    """
    signatures = [(title(child), algorithms.read_algorithm(child.signature_algorithm)) for child in path[:-1]]
    parts = [f"{name} is signed with {old.family} {old.hash_name}" for name, old in signatures if not _is_modern(old)]
    parts += [f"the key of CA {title(issuer)} is none of today's" for issuer in path[1:] if not _is_modern_key(issuer)]
    return parts + [f"root {title(path[-1])} has no extensions" for _ in range(is_version_one(path[-1]))]


def _is_modern(found: algorithms.SignatureAlgorithm) -> bool:
    return found.family in _MODERN_FAMILIES and found.hash_name in _MODERN_HASHES


def _is_modern_key(certificate: Certificate) -> bool:
    key = algorithms.load_public_key(certificate.public_key_info)
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= _MODERN_RSA_BITS
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _MODERN_CURVES)
