"""Judges whether a certificate chains to a trusted root, and says all that is wrong where it does not.

Paths are found and looked through certificate by certificate (``chain_rules``), so that each fault is named; a path without
a fault is then put before ``cryptography.x509.verification`` (``chain_library``), which knows name constraints too. Trust is
what the caller hands in as trusted: a self-issued certificate there ends a good chain, as in Windows; another does not.

Not judged: revocation (the verdict says so), what the leaf may be used for, certificate policies. Signatures with SHA-1 or
MD5 and RSA keys of CAs under 2048 bits are verified without the library, which refuses them unseen; the verdict notes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.hresults import HRESULT
from certenroll.stores.chain_library import library_faults
from certenroll.stores.chain_rules import GRAVITY, Fault, Outcome, contradicts, path_faults, signature_fault, title

__all__ = ["ChainVerdict", "Lookup", "Outcome", "by_subject", "joined", "judge"]

Lookup = Callable[[bytes], Iterable[bytes]]
"""The DER of a subject's Name -> the certificates of that subject, in DER."""

Source = Sequence[bytes] | Lookup

NO_REVOCATION: Final = "Revocation was not checked."
_MAX_DEPTH: Final = 16  # certificates in a path
_MAX_SIGNATURES: Final = 256  # verified in one judgement, over all paths


@dataclass(frozen=True)
class ChainVerdict:
    """What became of a judgement.

    Attributes:
        chain: the best path found, leaf first, as far as it could be built.
        outcome: its gravest fault, or TRUSTED.
        problems: all its faults: (result code, unsigned; sentence).
        notes: what was not checked or is merely old; never a fault.
    """

    chain: tuple[bytes, ...]
    outcome: Outcome
    problems: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = (NO_REVOCATION,)

    @property
    def codes(self) -> frozenset[int]:
        """The result codes of the problems."""
        return frozenset(code for code, _ in self.problems)


@dataclass(frozen=True)
class _Path:
    certificates: tuple[Certificate, ...]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[int, int]:
        """Better paths rank higher."""
        return min((GRAVITY[fault.outcome] for fault in self.faults), default=GRAVITY[Outcome.TRUSTED]), -len(self.faults)

    def verdict(self) -> ChainVerdict:
        gravest = min((fault.outcome for fault in self.faults), key=GRAVITY.__getitem__, default=Outcome.TRUSTED)
        return ChainVerdict(
            tuple(certificate.der for certificate in self.certificates),
            gravest,
            tuple((int(fault.hresult), fault.text) for fault in self.faults),
            (NO_REVOCATION, *self.notes),
        )


def by_subject(certificates: Iterable[bytes]) -> Lookup:
    """A lookup over certificates in hand; those that cannot be read are left out."""
    table: dict[bytes, list[bytes]] = {}
    for each in certificates:
        found = _read(each)
        if found is not None:
            table.setdefault(found.subject, []).append(found.der)
    return lambda subject: table.get(subject, ())


def joined(*sources: Source) -> Lookup:
    """One lookup over several sources, in their order."""
    lookups = [source if callable(source) else by_subject(source) for source in sources]
    return lambda subject: [found for lookup in lookups for found in lookup(subject)]


def judge(leaf: bytes, candidates: Source, trusted: Source, at: datetime) -> ChainVerdict:
    """Builds the best chain above a certificate and judges it.

    Args:
        leaf: the certificate in DER.
        candidates: certificates that may stand between it and a root, in any order; or a lookup by subject, so that the
            cost does not grow with a store.
        trusted: the roots, likewise.
        at: the time to judge by; one without a time zone is UTC.

    Returns:
        the verdict. A damaged leaf is INVALID; nothing is raised for what certificates say.
    """
    try:
        first = read_certificate(leaf)
        first.subject, first.issuer  # noqa: B018 - read now, and in the open
    except DecodeError as error:
        return ChainVerdict((bytes(leaf),), Outcome.INVALID, ((error.hresult, f"no certificate: {error}"),))
    moment = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    best: _Path | None = None
    for path in _Search(joined(candidates), joined(trusted), moment).paths((first,), ()):
        if best is None or path.rank > best.rank:
            best = path
        if not path.faults:
            break
    return (best or _Path((first,), (_missing(first),))).verdict()


class _Search:
    """Goes up from the leaf, depth first, the likeliest issuer first."""

    def __init__(self, candidates: Lookup, trusted: Lookup, at: datetime) -> None:
        self._candidates = candidates
        self._trusted = trusted
        self._at = at
        self._signatures = 0

    def paths(self, path: tuple[Certificate, ...], links: tuple[Fault, ...]) -> Iterator[_Path]:
        """The paths that begin with ``path``, whose signatures have the faults ``links``."""
        top = path[-1]
        if top.is_self_issued and top.der in self._trusted(top.subject):
            yield self._ended(path, links)
            return
        own = self._own_signature(top)
        if own is None:
            text = f"the chain ends in root {title(top)}, which is not trusted; put it into ROOT to trust it"
            yield self._ended(path, (*links, Fault(Outcome.UNTRUSTED_ROOT, HRESULT.CERT_E_UNTRUSTEDROOT, text)))
            return
        issuers = self._issuers(path)
        if not issuers:
            yield self._ended(path, (*links, own))
        for issuer, fault in issuers:
            yield from self.paths((*path, issuer), (*links, fault) if fault is not None else links)

    def _own_signature(self, top: Certificate) -> Fault | None:
        """None where ``top`` is signed by its own key; otherwise what is wrong where nobody else issued it."""
        if not top.is_self_issued or contradicts(top, top):
            return _missing(top)
        return signature_fault(top, top)

    def _ended(self, path: tuple[Certificate, ...], ends: tuple[Fault, ...]) -> _Path:
        faults = (*ends, *path_faults(path, self._at))
        if faults:
            return _Path(path, faults)
        found, notes = library_faults(path, self._at)
        return _Path(path, tuple(found), tuple(notes))

    def _issuers(self, path: tuple[Certificate, ...]) -> list[tuple[Certificate, Fault | None]]:
        """Who issued the top of ``path``: those whose key fits its signature, else the likeliest one, with a fault."""
        child = path[-1]
        if len(path) >= _MAX_DEPTH:
            return []
        judged = [(issuer, self._signature(child, issuer)) for issuer in self._of_name(path)]
        fitting = [(issuer, fault) for issuer, fault in judged if fault is None]
        if fitting:
            return sorted(fitting, key=lambda each: self._unlikelihood(child, each[0]))
        others = [(issuer, fault) for issuer, fault in judged if not contradicts(child, issuer)]
        return sorted(others, key=lambda each: -GRAVITY[each[1].outcome] if each[1] else 0)[:1]

    def _of_name(self, path: tuple[Certificate, ...]) -> Iterator[Certificate]:
        """The certificates of the wanted name, each once, without those whose name and key the path has already."""
        seen = {(each.subject, each.public_key_info) for each in path}
        known: set[bytes] = set()
        name = path[-1].issuer
        for data in (*self._trusted(name), *self._candidates(name)):
            found = _read(data)
            if found is None or data in known or (found.subject, found.public_key_info) in seen:
                continue
            known.add(data)
            yield found

    def _signature(self, child: Certificate, issuer: Certificate) -> Fault | None:
        self._signatures += 1
        if self._signatures > _MAX_SIGNATURES:
            text = f"more than {_MAX_SIGNATURES} signatures would have to be verified"
            return Fault(Outcome.NOT_CHECKED, HRESULT.CERT_E_CHAINING, text)
        return signature_fault(child, issuer)

    def _unlikelihood(self, child: Certificate, issuer: Certificate) -> tuple[bool, bool, bool]:
        """Sorts the likeliest first: trusted, in its time, with the key identifier that is asked for."""
        try:
            in_time = issuer.not_before <= self._at <= issuer.not_after
        except DecodeError:
            in_time = False
        return issuer.der not in self._trusted(issuer.subject), not in_time, contradicts(child, issuer)


def _missing(top: Certificate) -> Fault:
    return Fault(Outcome.INCOMPLETE, HRESULT.CERT_E_CHAINING, f"the certificate that issued {title(top)} is not there")


def _read(data: bytes) -> Certificate | None:
    try:
        found = read_certificate(data)
        found.subject, found.issuer, found.public_key_info  # noqa: B018 - read now: one that cannot be is no candidate
    except DecodeError:
        return None
    return found
