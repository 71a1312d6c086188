"""Installing a response: find the certificate that was asked for, judge its chain, then one transaction moves it all.

What was verified is what is installed, and what is refused leaves every store as it was. Knows no objects of the model;
IX509Enrollment is in front of it. Source: IX509Enrollment::InstallResponse, CryptoAPI's store functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.responses import Response
from certenroll.engine.full_responses import check_answer, check_outcome, renewed_by
from certenroll.engine.key_creation import KeyOrder, PendingKey, make_key
from certenroll.engine.key_lookup import key_of
from certenroll.engine.restrictions import Finding, refusals
from certenroll.enums import InstallResponseRestrictionFlags as Flags
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores.chain_rules import GRAVITY
from certenroll.stores.chains import ChainVerdict, Outcome, judge
from certenroll.stores.outside import JoinedStores, OutsideStores
from certenroll.stores.properties import (
    ARCHIVED,
    FRIENDLY_NAME,
    KEY_PROV_INFO,
    PVK_FILE,
    RENEWAL,
    KeyProviderInfo,
    decode_key_info,
    encode_key_info,
    encode_text,
)
from certenroll.stores.states import OUTSTANDING, Event, State
from keystores.base import CertificateHolder, Secret

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace
    from certenroll.stores.certificates import StoredCertificate

WRITE_CERTIFICATE: Final = "write-certificate"
_STORE_NAMES: Final = ("my_store", "ca_store", "root_store", "request_store")
_SWITCHES: Final = ("keep_request", "write_certificate")

_FINDINGS: Final[dict[Outcome, Finding]] = {
    Outcome.UNTRUSTED_ROOT: Finding.UNTRUSTED_ROOT,
    Outcome.INCOMPLETE: Finding.INCOMPLETE_CHAIN,
    Outcome.EXPIRED: Finding.EXPIRED,
    Outcome.NOT_YET_VALID: Finding.EXPIRED,
    Outcome.BAD_SIGNATURE: Finding.BAD_SIGNATURE,
    Outcome.INVALID: Finding.INVALID_CHAIN,
    Outcome.NOT_CHECKED: Finding.NOT_CHECKED,
}


@dataclass(frozen=True)
class InstallOptions:
    """Where an install puts things and what it does besides. The defaults are CertEnroll's.

    Attributes:
        my_store, ca_store, root_store, request_store: names of stores.
        keep_request: whether the request stays in the request store.
        write_certificate: whether a card is given the certificate (and its chain).
        pin: the PIN of the key's device, or None for the profile's.
        properties: properties that the certificate gets besides those of its request.
        outside: the stores among them that are not the profile's.
    """

    my_store: str = "MY"
    ca_store: str = "CA"
    root_store: str = "ROOT"
    request_store: str = "REQUEST"
    keep_request: bool = False
    write_certificate: bool = True
    pin: Secret | None = None
    properties: dict[int, bytes] = field(default_factory=dict)
    outside: OutsideStores = field(default=OutsideStores(), repr=False)

    def facts(self) -> dict[str, str]:
        """The names and switches as texts, for a request's record; the properties stand with the request itself."""
        names = {name: getattr(self, name) for name in _STORE_NAMES}
        return names | {name: str(int(getattr(self, name))) for name in _SWITCHES}

    @classmethod
    def from_facts(cls, facts: Mapping[str, str]) -> InstallOptions:
        """The options that a record tells of; what it does not tell is as by default."""
        known: dict[str, Any] = {name: facts[name] for name in _STORE_NAMES if name in facts}
        return cls(**known | {name: facts[name] == "1" for name in _SWITCHES if name in facts})


@dataclass(frozen=True)
class Installation:
    """What an install did.

    Attributes:
        certificate: DER of the certificate in MY, or None where the response held CA certificates only.
        chain: DER of the chain, the certificate first.
        added: how many certificates were new in a store.
        key: where the private key is, or None.
        verdict: how the chain was judged.
    """

    certificate: bytes | None
    chain: tuple[bytes, ...]
    added: int
    key: KeyProviderInfo | None
    verdict: ChainVerdict


@dataclass(frozen=True)
class _Plan:
    """What an install would do, before anything is done."""

    leaf: Certificate | None
    request: StoredCertificate | None
    key: KeyProviderInfo | None
    verdict: ChainVerdict
    others: tuple[bytes, ...]  # the response's certificates that are no part of the chain


def install_response(workspace: Workspace, response: Response, flags: int, options: InstallOptions) -> Installation:
    """Installs ``response`` or refuses it.

    Args:
        workspace: the stores.
        response: what a CA sent.
        flags: InstallResponseRestrictionFlags.
        options: names of stores and side effects.

    Raises:
        ComError: by the table of ``restrictions``; the detail lists all that is wrong. Of a CMC full response also the
            code of its status where it refuses or waits, and those of ``full_responses.check_answer``. The stores are as
            they were.
        KeyStoreError: the card refused the certificate; by then it is installed in MY, and the write is tried again
            when the profile is opened next. With stores outside the profile it is not: the stores are as they were.
    """
    if options.outside.by_name:
        if response.private_key is not None:
            raise ComError(HRESULT.CRYPT_E_INVALID_MSG_TYPE, "a PFX is installed into the profile's own stores only")
        with joined_stores(workspace, options.outside) as joined:
            return install_response(joined, response, flags, replace(options, outside=OutsideStores()))
    plan = _checked_plan(workspace, response, flags, options)
    pending: PendingKey | None = None
    if response.private_key is not None and plan.key is None and plan.leaf is not None:
        plan, pending = _import_key(workspace, response, plan, options)
    if response.friendly_name and plan.request is None:  # a PFX brings its own, as PFXImportCertStore takes it
        named = {FRIENDLY_NAME: encode_text(response.friendly_name)}
        options = replace(options, properties=named | options.properties)
    added, intent = _store(workspace, plan, pending, flags, options)
    if intent is not None and plan.leaf is not None and plan.key is not None:
        write_to_device(workspace, plan.key, plan.verdict.chain, options.pin)
        workspace.journal.confirm(intent)
    leaf = plan.leaf.der if plan.leaf is not None else None
    return Installation(leaf, plan.verdict.chain, added, plan.key, plan.verdict)


@contextmanager
def joined_stores(workspace: Workspace, outside: OutsideStores) -> Iterator[Workspace]:
    """The profile with stores beside its own, in one transaction; theirs is the last step before its end.

    A crash between the two leaves a file that has what the profile does not have yet: the same install, made again, finds
    it there and ends as if nothing had happened.
    """
    from certenroll.engine.workspace import Workspace

    view = Workspace(workspace.profile, workspace.clock)
    view.key_stores = workspace.key_stores
    with workspace.profile.database.transaction():
        view.certificates = stores = JoinedStores(workspace.profile.database, outside)
        yield view
        stores.commit()


def write_to_device(workspace: Workspace, key: KeyProviderInfo, chain: tuple[bytes, ...], pin: Secret | None) -> None:
    """Offers the certificate and its chain to the store that holds the key; one that keeps no certificates gets none.

    Args:
        workspace: the stores.
        key: where the key is.
        chain: DER, the key's certificate first.
        pin: the PIN, or None for the profile's.
    """
    store = workspace.key_stores.get(key.store)
    if isinstance(store, CertificateHolder):
        store.write_certificate(key.container, chain[0], pin=pin)
        store.write_chain(chain[1:], pin=pin)


def _checked_plan(workspace: Workspace, response: Response, flags: int, options: InstallOptions) -> _Plan:
    check_outcome(response)
    certificates = [read_certificate(der) for der in response.certificates]
    if not certificates:
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, "the response holds no certificate")
    leaf, request = _requested(workspace, certificates, options)
    own_key = response.private_key is not None  # a PFX: there is nothing that a request could tell of its key
    findings: list[Finding] = [] if request is not None or own_key else [Finding.NO_REQUEST]
    if leaf is None:
        leaf = _unrequested(certificates, response)
    key = None
    if leaf is not None:
        check_answer(response, leaf, _recorded_request(workspace, request))
        key = _recorded_key(request) or key_of(workspace, leaf.public_key_info, my_store=options.my_store)
        if key is None and not own_key and not _key_is_in_file(request):
            findings.append(Finding.NO_KEY)
    ends = [leaf] if leaf is not None else _ends(certificates)
    verdict = min((_judge(workspace, one, certificates, options) for one in ends), key=lambda one: GRAVITY[one.outcome])
    if verdict.outcome is not Outcome.TRUSTED:
        own_root = verdict.outcome is Outcome.UNTRUSTED_ROOT and len(verdict.chain) == 1
        findings.append(Finding.SELF_SIGNED if own_root else _FINDINGS[verdict.outcome])
    _refuse(findings, verdict, flags)
    others = tuple(c.der for c in certificates if c.der not in verdict.chain)
    return _Plan(leaf, request, key, verdict, others)


def _requested(
    workspace: Workspace, certificates: list[Certificate], options: InstallOptions
) -> tuple[Certificate | None, StoredCertificate | None]:
    """The certificate whose key an outstanding request has, with that request; never by position."""
    for certificate in sorted(certificates, key=lambda one: one.not_before, reverse=True):  # a renewed one beside its heir
        found = workspace.certificates.find_by_public_key(options.request_store, certificate.public_key_info)
        if found:
            return certificate, found[0]
    return None, None


def _ends(certificates: list[Certificate]) -> list[Certificate]:
    """The certificates that issued none of the others; all of them where they issued each other in a ring."""
    issuers = {one.issuer for one in certificates if not one.is_self_issued}
    return [one for one in certificates if one.subject not in issuers] or certificates


def _unrequested(certificates: list[Certificate], response: Response) -> Certificate | None:
    """The end of the chain where no request tells: the PFX's own certificate, else the one that issued no other."""
    if response.private_key is not None:
        return certificates[0]
    ends = [c for c in certificates if not c.is_ca and not any(o.issuer == c.subject and o is not c for o in certificates)]
    if len(ends) > 1:
        raise ComError(
            HRESULT.CRYPT_E_UNEXPECTED_MSG_TYPE, f"the response holds {len(ends)} end-entity certificates, one is needed"
        )
    return ends[0] if ends else None


def _recorded_request(workspace: Workspace, request: StoredCertificate | None) -> bytes | None:
    record = workspace.requests.find_by_certificate(request.sha1) if request is not None else None
    return record.request if record is not None else None


def _recorded_key(request: StoredCertificate | None) -> KeyProviderInfo | None:
    if request is None or KEY_PROV_INFO not in request.properties:
        return None
    return decode_key_info(request.properties[KEY_PROV_INFO])


def _key_is_in_file(request: StoredCertificate | None) -> bool:
    """Whether the key of a request went to a file of its own, so that no key store has it."""
    return request is not None and PVK_FILE in request.properties


def _judge(
    workspace: Workspace, leaf: Certificate, certificates: list[Certificate], options: InstallOptions
) -> ChainVerdict:
    stores = workspace.certificates

    def candidates(subject: bytes) -> list[bytes]:
        given = [c.der for c in certificates if c.subject == subject]
        return given + [c.der for c in stores.find_by_subject(options.ca_store, subject)]

    def trusted(subject: bytes) -> list[bytes]:
        names = {options.root_store, "ROOT"}
        return [c.der for name in names for c in stores.find_by_subject(name, subject)]

    return judge(leaf.der, candidates, trusted, workspace.clock())


def _refuse(findings: list[Finding], verdict: ChainVerdict, flags: int) -> None:
    rows = refusals(findings, flags)
    if not rows:
        return
    reasons = [row.finding.value for row in rows if row.finding in (Finding.NO_REQUEST, Finding.NO_KEY)]
    if any(row.finding not in (Finding.NO_REQUEST, Finding.NO_KEY) for row in rows):
        reasons += [text for _, text in verdict.problems] or [rows[-1].finding.value]
    raise ComError(rows[0].refusal, "; ".join(reasons))


def _import_key(
    workspace: Workspace, response: Response, plan: _Plan, options: InstallOptions
) -> tuple[_Plan, PendingKey]:
    if response.private_key is None:
        raise ComError(HRESULT.NTE_NO_KEY, "the response holds no private key")
    _, info, pending = make_key(workspace, KeyOrder.for_import(options.pin), existing=response.private_key)
    return replace(plan, key=info), pending


def _store(
    workspace: Workspace, plan: _Plan, pending: PendingKey | None, flags: int, options: InstallOptions
) -> tuple[int, int | None]:
    """The one transaction. Gives how many certificates were new, and the intent of a card write where one is due."""
    stores = workspace.certificates
    intent = None
    with workspace.profile.database.transaction():
        added = sum(stores.add(name, der) for name, der in _placements(plan, flags, options))
        if plan.leaf is not None:
            added += stores.add(options.my_store, plan.leaf.der, _properties(plan, options))
            intent = _device_intent(workspace, plan, options)
            _retire_renewed(workspace, plan, plan.leaf, options)
        if plan.request is not None:
            _close_record(workspace, plan.request, plan.leaf)
            if not options.keep_request:
                stores.remove(options.request_store, plan.request.sha1)
        if pending is not None:
            pending.confirm()
    return added, intent


def _close_record(workspace: Workspace, request: StoredCertificate, leaf: Certificate | None) -> None:
    record = workspace.requests.find_by_certificate(request.sha1)
    if record is None or leaf is None or record.state not in OUTSTANDING:
        return
    if record.state is not State.ISSUED:
        workspace.requests.advance(record.id, Event.ANSWERED)
    workspace.requests.advance(record.id, Event.INSTALL, certificate_sha1=leaf.sha1, answer=None)


def _retire_renewed(workspace: Workspace, plan: _Plan, leaf: Certificate, options: InstallOptions) -> None:
    """Marks the certificate that the request renewed: it names its heir, and is archived. It stays in its store."""
    request = _recorded_request(workspace, plan.request)
    renewed = renewed_by(request) if request is not None else None
    old = read_certificate(renewed).sha1 if renewed is not None else leaf.sha1
    if old != leaf.sha1 and workspace.certificates.get(options.my_store, old) is not None:
        workspace.certificates.set_property(options.my_store, old, RENEWAL, leaf.sha1)
        workspace.certificates.set_property(options.my_store, old, ARCHIVED, b"")


def _placements(plan: _Plan, flags: int, options: InstallOptions) -> list[tuple[str, bytes]]:
    """Store and certificate for everything but the leaf: roots to ROOT where trusted or allowed, the rest to CA."""
    trusted = plan.verdict.outcome is Outcome.TRUSTED or bool(flags & Flags.AllowUntrustedRoot)
    chain = plan.verdict.chain[1:] if plan.leaf is not None else plan.verdict.chain
    placed = []
    for der in (*chain, *plan.others):
        certificate = read_certificate(der)
        is_root = certificate.is_self_issued and certificate.is_ca and der in plan.verdict.chain
        placed.append((options.root_store if is_root and trusted else options.ca_store, der))
    return placed


def _properties(plan: _Plan, options: InstallOptions) -> dict[int, bytes]:
    properties = dict(plan.request.properties) if plan.request is not None else {}
    if plan.key is not None:
        properties[KEY_PROV_INFO] = encode_key_info(plan.key)
    return properties | options.properties


def _device_intent(workspace: Workspace, plan: _Plan, options: InstallOptions) -> int | None:
    if plan.key is None or plan.leaf is None or not options.write_certificate or plan.key.store != "smartcard":
        return None
    chain = " ".join(read_certificate(der).sha1.hex() for der in plan.verdict.chain[1:])
    payload = {"store": options.my_store, "certificate": plan.leaf.sha1.hex(), "chain": chain}
    return workspace.journal.begin(WRITE_CERTIFICATE, payload)
