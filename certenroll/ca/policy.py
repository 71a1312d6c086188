"""The policy of a CA: what it does with a request that it has read. Pure decisions; no keys, no database.

The policy is the file policy.json in the CA's folder; docs/analysis/local-ca.md describes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certenroll.asn1 import algorithms
from certenroll.asn1.der import DecodeError
from certenroll.ca.attestation_rules import AttestationRules, read_rules
from certenroll.ca.base import CAError, Disposition
from certenroll.ca.incoming import Incoming
from certenroll.ca.templates import BUILT_IN, NO_TEMPLATE, Mode, Template, template_key
from certenroll.hresults import HRESULT

FILE_NAME: Final = "policy.json"
TEMPLATE_ATTRIBUTE: Final = "certificatetemplate"


class Denied(Exception):
    """The policy refuses a request.

    Attributes:
        hresult: the status of the request, unsigned.
    """

    def __init__(self, hresult: int, message: str) -> None:
        self.hresult: Final = int(hresult)
        super().__init__(message)


@dataclass(frozen=True)
class Decision:
    """What is done with a request.

    Attributes:
        disposition: ISSUED, UNDER_SUBMISSION or DENIED.
        template: the template that it falls under.
        status: result code, unsigned; 0 unless it is denied.
        message: the sentence of GetDispositionMessage.
    """

    disposition: Disposition
    template: Template
    status: int = 0
    message: str = ""


_DECISIONS: Final = {
    Mode.ISSUE: (Disposition.ISSUED, 0, "Issued"),
    Mode.HOLD: (Disposition.UNDER_SUBMISSION, 0, "Taken Under Submission"),
    Mode.DENY: (
        Disposition.DENIED,
        int(HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST),
        "Denied by Policy Module: the policy of this CA denies every request of this kind",
    ),
}


@dataclass(frozen=True)
class Policy:
    """The rules of a CA.

    Attributes:
        mode: what is done with a request that keeps the rules, where its template says nothing else.
        require_template: deny a request that names no template (an enterprise CA of AD CS does).
        attribute_subject_alt_name: honour the request attribute SAN (EDITF_ATTRIBUTESUBJECTALTNAME2). Whoever may submit
            may then choose any name.
        copy_unknown_extensions: copy requested extensions that no rule knows; otherwise they are dropped.
        template_arc: the object identifier under which the templates without one of their own get theirs.
        templates: changes to the built-in templates, and templates of the CA's own, by name.
        attestation: what is asked of the TPM that is said to hold a key.
    """

    mode: Mode = Mode.ISSUE
    require_template: bool = False
    attribute_subject_alt_name: bool = False
    copy_unknown_extensions: bool = False
    template_arc: str = ""
    templates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    attestation: AttestationRules = field(default_factory=AttestationRules)

    @cached_property
    def all_templates(self) -> tuple[Template, ...]:
        """Every template of the CA, the built-in ones first. Raises CAError where the file gives an impossible value."""
        changes = {template_key(name): (name, values) for name, values in self.templates.items()}
        known = [one.changed(changes.pop(one.key, ("", {}))[1]) for one in BUILT_IN]
        known += [Template(name).changed(values) for name, values in changes.values() if name]
        return tuple(self._numbered(one, position) for position, one in enumerate(known, 1))

    @cached_property
    def no_template(self) -> Template:
        """The rules for a request that names no template: the entry "" of the policy file."""
        return NO_TEMPLATE.changed(self.templates.get("", {}))

    def _numbered(self, template: Template, position: int) -> Template:
        if template.oid is not None or not self.template_arc:
            return template
        return template.changed({"oid": f"{self.template_arc}.1.{position}"})

    def template(self, name: str) -> Template | None:
        """The template that ``name`` names, by name (spaces, hyphens and case are not regarded) or object identifier."""
        key = template_key(name)
        return next((one for one in self.all_templates if one.key == key or one.oid == name.strip()), None)

    def save(self, directory: Path) -> None:
        """Writes policy.json into a folder."""
        values = {name: getattr(self, name) for name in _FLAGS}
        document = {"mode": self.mode.value, **values, "template_arc": self.template_arc, "templates": dict(self.templates)}
        if self.attestation != AttestationRules():
            document["attestation"] = self.attestation.values()
        (directory / FILE_NAME).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


_FLAGS: Final = ("require_template", "attribute_subject_alt_name", "copy_unknown_extensions")


def load_policy(directory: Path) -> Policy:
    """The policy of the CA in ``directory``; the default one where there is no file.

    Raises:
        CAError: 0x8007000D where the file is no policy.
    """
    path = directory / FILE_NAME
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Policy()
    except ValueError as error:
        raise _bad(path, str(error)) from None
    if not isinstance(document, dict):
        raise _bad(path, "not an object")
    policy = _read(path, document)
    _ = policy.all_templates, policy.no_template  # what is wrong in them shows when the CA opens, not at some request
    return policy


def _read(path: Path, document: dict[str, Any]) -> Policy:
    unknown = sorted(set(document) - {"mode", "template_arc", "templates", "attestation", *_FLAGS})
    if unknown:
        raise _bad(path, f"no setting is called {unknown[0]!r}")
    templates = document.get("templates", {})
    if not isinstance(templates, dict) or not all(isinstance(values, dict) for values in templates.values()):
        raise _bad(path, "templates is not a table of tables")
    wrong = [name for name in _FLAGS if not isinstance(document.get(name, False), bool)]
    if wrong:
        raise _bad(path, f"{wrong[0]} is neither true nor false")
    try:
        mode = Mode(document.get("mode", Mode.ISSUE.value))
        attestation = read_rules(document.get("attestation", {}))
    except ValueError as error:
        raise _bad(path, str(error)) from None
    flags = {name: bool(document.get(name, False)) for name in _FLAGS}
    arc = str(document.get("template_arc", ""))
    return Policy(mode=mode, template_arc=arc, templates=templates, attestation=attestation, **flags)


def _bad(path: Path, what: str) -> CAError:
    return CAError(HRESULT.WIN32_INVALID_DATA, f"{path}: {what}")


def with_arc(policy: Policy, random: Callable[[int], bytes]) -> Policy:
    """Gives the templates of a new CA an arc of its own, as every forest of Active Directory has one."""
    if policy.template_arc:
        return policy
    parts = ".".join(str(int.from_bytes(random(3), "big")) for _ in range(6))
    return replace(policy, template_arc=f"1.3.6.1.4.1.311.21.8.{parts}")


def decide(policy: Policy, incoming: Incoming, attributes: Mapping[str, str], *, approved: bool = False) -> Decision:
    """What becomes of a request.

    Args:
        policy: the CA's rules.
        incoming: the request as it was read.
        attributes: the request attributes of the submission.
        approved: whether an administrator wants it issued: modes are passed over then, rules are not.

    Returns:
        The decision; a request that breaks a rule is DENIED with the rule's status.
    """
    template = policy.no_template
    try:
        template = find_template(policy, incoming, attributes)
        check_key(template, incoming.public_key_info)
    except Denied as denial:
        return Decision(Disposition.DENIED, template, denial.hresult, f"Denied by Policy Module: {denial}")
    if approved:
        return Decision(Disposition.ISSUED, template, message="Issued: approved by the administrator")
    disposition, status, message = _DECISIONS[template.mode or policy.mode]
    return Decision(disposition, template, status, message)


def find_template(policy: Policy, incoming: Incoming, attributes: Mapping[str, str]) -> Template:
    """The template that a request falls under.

    Raises:
        Denied: CERTSRV_E_UNSUPPORTED_CERT_TYPE where the CA has none of that name, CERTSRV_E_TEMPLATE_CONFLICT where the
            request names two, CERTSRV_E_NO_CERT_TYPE where it names none and the policy wants one.
    """
    asked = [value.strip() for name, value in attributes.items() if template_key(name) == TEMPLATE_ATTRIBUTE]
    names = [name for name in (*asked, *incoming.templates) if name]
    found = {one.name: one for one in _resolved(policy, names)}
    if len(found) > 1:
        text = f"the request names the templates {' and '.join(sorted(found))}"
        raise Denied(HRESULT.CERTSRV_E_TEMPLATE_CONFLICT, text)
    if not found and policy.require_template:
        raise Denied(HRESULT.CERTSRV_E_NO_CERT_TYPE, "the request names no certificate template")
    return next(iter(found.values()), policy.no_template)


def _resolved(policy: Policy, names: Iterable[str]) -> Iterable[Template]:
    for name in names:
        template = policy.template(name)
        if template is None:
            raise Denied(HRESULT.CERTSRV_E_UNSUPPORTED_CERT_TYPE, f"this CA has no certificate template {name!r}")
        yield template


def check_key(template: Template, public_key_info: bytes) -> None:
    """Checks that the key of a request is of a kind and size that the template takes.

    Raises:
        Denied: NTE_BAD_ALGID for a key that is neither RSA nor EC, CERTSRV_E_KEY_LENGTH for one that is too short.
    """
    try:
        key = algorithms.load_public_key(public_key_info)
    except (DecodeError, algorithms.UnsupportedAlgorithm) as error:
        raise Denied(error.hresult, str(error)) from error
    if isinstance(key, rsa.RSAPublicKey):
        size, minimum = key.key_size, template.minimum_rsa_bits
    elif isinstance(key, ec.EllipticCurvePublicKey):
        size, minimum = key.curve.key_size, template.minimum_ec_bits
    else:
        raise Denied(HRESULT.NTE_BAD_ALGID, "certificates are issued for RSA and EC keys")
    if size < minimum:
        raise Denied(HRESULT.CERTSRV_E_KEY_LENGTH, f"the key has {size} bits, the template wants {minimum}")
