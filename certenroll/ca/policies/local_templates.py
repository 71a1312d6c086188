"""The templates of a local CA as facts, and new ones written into its policy: what Active Directory is to an enterprise CA.

    policy.json       what the CA issues by; a template is there or it is not there by what this file says
    templates.xml     the rest of what a template says, as a policy document; what policy.json lacks counts for nothing

Knows files and facts, no requests and no COM.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding

from certenroll.asn1 import extensions as codec
from certenroll.asn1.der import Extension
from certenroll.ca import certificates as folder
from certenroll.ca.base import CAError
from certenroll.ca.policies.documents import PolicyDocument, decode_policy, encode_policy
from certenroll.ca.policies.template_facts import (
    AT_KEYEXCHANGE,
    AT_SIGNATURE,
    AuthorityFacts,
    EnrollmentFlags,
    GeneralFlags,
    PrivateKeyFlags,
    SubjectNameFlags,
    TemplateFacts,
)
from certenroll.ca.policy import Policy, load_policy
from certenroll.ca.templates import (
    BUILT_IN,
    EMAIL_PROTECTION,
    KEY_USAGES,
    SMARTCARD_LOGON,
    Mode,
    SubjectSource,
    Template,
    template_key,
)
from certenroll.hresults import HRESULT
from certenroll.stores.atomic_files import write_atomically
from keystores.locks import file_lock

FILE_NAME: Final = "templates.xml"
FRIENDLY_NAME: Final = "Active Directory Enrollment Policy"
_DAY: Final = 86_400
_RENEWAL_DAYS: Final = 42  # six weeks, as the default templates have it
_FIRST_REVISION: Final = 100
_ENCIPHERS: Final = ("key_encipherment", "data_encipherment", "key_agreement")
_CARD_PROVIDER: Final = "Microsoft Base Smart Card Crypto Provider"
# What the default templates of AD CS say and the local CA has no use for.
_MACHINE: Final = frozenset({"machine", "workstation", "webserver", "machineenrollmentagent", "ipsecintermediateoffline"})
_EXPORTABLE: Final = frozenset({"user", "efs", "subca"})
_SUBJECTS: Final = {
    SubjectSource.REQUEST: SubjectNameFlags.SubjectNameEnrolleeSupplies,
    SubjectSource.REQUESTER: SubjectNameFlags.SubjectNameRequireCommonName,
    SubjectSource.EITHER: SubjectNameFlags.SubjectNameRequireCommonName,
}
_BUILT_IN: Final = {one.key: one for one in BUILT_IN}
_EC: Final = "1.2.840.10045."


# From the local CA ---------------------------------------------------------------------------------------------------


def directory_policy(directories: Iterable[Path]) -> PolicyDocument:
    """The policy of local CAs: every template that one of them serves, and the CAs themselves.

    Args:
        directories: the folders of the CAs, the first one's templates before the others'.

    Raises:
        CAError: a folder holds no CA, or its files are malformed.
        PolicyDocumentError: its templates.xml is malformed.
    """
    found: dict[str, TemplateFacts] = {}
    authorities = []
    for number, directory in enumerate(directories):
        facts = folder.load_facts(directory)
        served = _served(directory)
        for one in served:
            earlier = found.get(template_key(one.common_name), one)
            found[template_key(one.common_name)] = replace(earlier, authorities=(*earlier.authorities, number))
        der = folder.load_certificate(directory, folder.ISSUING).public_bytes(Encoding.DER)
        names = tuple(one.common_name for one in served)
        text = f"{facts.name} (local)"
        authorities.append(AuthorityFacts(number, der, config=facts.config, templates=names, description=text))
    identifier = uuid.uuid5(uuid.NAMESPACE_URL, "xenroll:" + "|".join(sorted(one.config for one in authorities)))
    return PolicyDocument(f"{{{identifier}}}".upper(), FRIENDLY_NAME, None, False, tuple(found.values()), tuple(authorities))


def _served(directory: Path) -> tuple[TemplateFacts, ...]:
    policy = load_policy(directory)
    kept = {template_key(one.common_name): one for one in _kept(directory)}
    served = [one for one in policy.all_templates if (one.mode or policy.mode) is not Mode.DENY]
    return tuple(
        replace(kept[one.key], oid=one.oid) if one.key in kept else template_facts(one, policy.mode) for one in served
    )


def _kept(directory: Path) -> tuple[TemplateFacts, ...]:
    try:
        return decode_policy((directory / FILE_NAME).read_bytes()).templates
    except FileNotFoundError:
        return ()


def template_facts(template: Template, mode: Mode = Mode.ISSUE) -> TemplateFacts:
    """What a template of a local CA says to those who ask.

    Args:
        template: the template.
        mode: the policy's own mode, for a template that has none.
    """
    major, minor = template.version if template.version is not None else (_FIRST_REVISION, None)
    days = template.validity_days
    card = SMARTCARD_LOGON in template.ekus
    return TemplateFacts(
        common_name=template.name,
        schema_version=1 if template.version is None else 2,
        friendly_name=template.name,
        oid=template.oid,
        validity_seconds=days * _DAY,
        renewal_seconds=min(_RENEWAL_DAYS, max(1, days // 2)) * _DAY,
        minimum_key_size=template.minimum_rsa_bits,
        key_spec=AT_KEYEXCHANGE if any(usage in _ENCIPHERS for usage in template.key_usage) else AT_SIGNATURE,
        crypto_providers=(_CARD_PROVIDER,) if card else (),
        major_revision=major,
        minor_revision=minor,
        private_key_flags=_private_key_flags(template),
        subject_name_flags=_subject_flags(template),
        enrollment_flags=_enrollment_flags(template, mode),
        general_flags=_general_flags(template),
        ra_signatures=template.signatures,
        ra_ekus=template.signature_ekus,
        ra_policies=template.signature_policies,
        extensions=tuple(_extensions(template)),
    )


def _private_key_flags(template: Template) -> int:
    flags = PrivateKeyFlags(0)
    if template.key in _EXPORTABLE:
        flags |= PrivateKeyFlags.PrivateKeyExportable
    if template.archive_key:
        flags |= PrivateKeyFlags.PrivateKeyRequireArchival
    return int(flags)


def _subject_flags(template: Template) -> int:
    flags = _SUBJECTS[template.subject]
    if template.subject is SubjectSource.REQUEST and codec.SUBJECT_ALTERNATIVE_NAME in template.requested_extensions:
        flags |= SubjectNameFlags.SubjectAlternativeNameEnrolleeSupplies
    return int(flags)


def _enrollment_flags(template: Template, mode: Mode) -> int:
    flags = EnrollmentFlags(0)
    if EMAIL_PROTECTION in template.ekus and codec.SMIME_CAPABILITIES in template.requested_extensions:
        flags |= EnrollmentFlags.EnrollmentIncludeSymmetricAlgorithms
    if (template.mode or mode) is Mode.HOLD:
        flags |= EnrollmentFlags.EnrollmentPendAllRequests
    return int(flags)


def _general_flags(template: Template) -> int:
    flags = GeneralFlags(0)
    if template.key in _BUILT_IN:
        changed = replace(template, oid=None) != _BUILT_IN[template.key]
        flags |= GeneralFlags.GeneralDefault | (GeneralFlags.GeneralModified if changed else 0)
    if template.key in _MACHINE:
        flags |= GeneralFlags.GeneralMachineType
    if template.ca:
        flags |= GeneralFlags.GeneralCA
    return int(flags)


def _extensions(template: Template) -> Iterator[Extension]:
    if template.version is None or template.oid is None:
        yield Extension(codec.TEMPLATE_NAME, False, codec.encode_template_name(template.name))
    else:
        yield Extension(codec.TEMPLATE, False, codec.encode_template(codec.Template(template.oid, *template.version)))
    if template.ekus:
        yield Extension(codec.EXTENDED_KEY_USAGE, False, codec.encode_object_ids(template.ekus))
    usage = sum(KEY_USAGES[name] for name in template.key_usage)
    if usage:
        yield Extension(codec.KEY_USAGE, True, codec.encode_key_usage(usage))
    if template.ca:
        limits = codec.BasicConstraints(True, template.path_length)
        yield Extension(codec.BASIC_CONSTRAINTS, True, codec.encode_basic_constraints(limits))


# Into the local CA ---------------------------------------------------------------------------------------------------


def add_template(directory: Path, facts: TemplateFacts) -> TemplateFacts:
    """Gives a local CA a new template. Either the CA serves it afterwards, or nothing has changed.

    Args:
        directory: the CA's folder.
        facts: the template. It keeps its object identifier; one that has none gets one of the CA's arc.

    Returns:
        The template as it is stored.

    Raises:
        CAError: WIN32_NOT_SUPPORTED for a default template, CRYPT_E_EXISTS where the CA has one of that name or object
            identifier, WIN32_INVALID_DATA where the CA cannot issue by it.
        DecodeError: one of its extensions is malformed.
    """
    refuse_default(facts)
    with file_lock(directory / ".templates.lock"):
        policy = load_policy(directory)
        key = template_key(facts.common_name)
        for one in policy.all_templates:
            if one.key == key or (facts.oid is not None and one.oid == facts.oid):
                raise CAError(HRESULT.CRYPT_E_EXISTS, f"the CA has the template {one.name} ({one.oid}) already")
        stored = replace(facts, oid=facts.oid or _free_oid(policy), authorities=())
        changed = replace(policy, templates={**policy.templates, facts.common_name: policy_values(stored)})
        _ = changed.all_templates  # what the CA could not issue by is refused before anything is written
        others = [one for one in _kept(directory) if template_key(one.common_name) != key]
        _write_kept(directory, [*others, stored])
        _write_policy(directory, changed)
    return stored


def delete_template(directory: Path, facts: TemplateFacts) -> None:
    """Takes a template from a local CA. What it has issued stays valid.

    Args:
        directory: the CA's folder.
        facts: the template; its name and its object identifier are looked at.

    Raises:
        CAError: WIN32_NOT_SUPPORTED for a default template, WIN32_NOT_FOUND where the CA has none of that name,
            CRYPT_E_NOT_FOUND where it has another object identifier.
    """
    refuse_default(facts)
    with file_lock(directory / ".templates.lock"):
        policy = load_policy(directory)
        key = template_key(facts.common_name)
        found = next((one for one in policy.all_templates if one.key == key), None)
        if found is None:
            raise CAError(HRESULT.WIN32_NOT_FOUND, f"the CA has no template {facts.common_name!r}")
        if found.oid != facts.oid:
            raise CAError(HRESULT.CRYPT_E_NOT_FOUND, f"the CA's template {found.name} is {found.oid}, not {facts.oid}")
        _write_policy(directory, replace(policy, templates=dict(_without(policy, key))))
        _write_kept(directory, [one for one in _kept(directory) if template_key(one.common_name) != key])


def policy_values(facts: TemplateFacts) -> dict[str, Any]:
    """What policy.json says of a template, so that the CA issues by it.

    Raises:
        DecodeError: one of its extensions is malformed.
    """
    usage = facts.key_usage
    values = {
        "validity_days": max(1, facts.validity_seconds // _DAY),
        "ekus": list(facts.ekus or facts.application_policies),
        "key_usage": [name for name, bit in KEY_USAGES.items() if usage is not None and usage & bit],
        "subject": (SubjectSource.REQUEST if facts.subject_from_request else SubjectSource.REQUESTER).value,
        "requested_extensions": _requested(facts),
        "oid": facts.oid,
        "version": None if facts.schema_version < 2 else [facts.major_revision, facts.minor_revision or 0],
        "ca": bool((facts.general_flags or 0) & GeneralFlags.GeneralCA),
        "signatures": facts.ra_signatures,
        "signature_ekus": list(facts.ra_ekus),
        "signature_policies": list(facts.ra_policies),
        "archive_key": facts.archival,
    }
    elliptic = (facts.key_algorithm or "").startswith((_EC, "1.3.132.0."))
    values["minimum_ec_bits" if elliptic else "minimum_rsa_bits"] = facts.minimum_key_size
    if (facts.enrollment_flags or 0) & EnrollmentFlags.EnrollmentPendAllRequests:
        values["mode"] = Mode.HOLD.value
    return values


def _requested(facts: TemplateFacts) -> list[str]:
    supplies = SubjectNameFlags.SubjectNameEnrolleeSupplies | SubjectNameFlags.SubjectAlternativeNameEnrolleeSupplies
    found = [codec.SUBJECT_ALTERNATIVE_NAME] if (facts.subject_name_flags or 0) & supplies else []
    if (facts.enrollment_flags or 0) & EnrollmentFlags.EnrollmentIncludeSymmetricAlgorithms:
        found.append(codec.SMIME_CAPABILITIES)
    return found


def refuse_default(facts: TemplateFacts) -> None:
    """Raises CAError (WIN32_NOT_SUPPORTED) for one of the templates that every installation has."""
    if facts.is_default:
        text = f"{facts.common_name} is a default template, which is neither added nor deleted; change it in policy.json"
        raise CAError(HRESULT.WIN32_NOT_SUPPORTED, text)


def _free_oid(policy: Policy) -> str:
    prefix = f"{policy.template_arc or '1.3.6.1.4.1.311.21.8'}.2."
    taken = {one.oid for one in policy.all_templates}
    return next(f"{prefix}{number}" for number in range(1, len(taken) + 2) if f"{prefix}{number}" not in taken)


def _without(policy: Policy, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The entries of policy.json but for one template. Those numbered by their place keep the number that they had."""
    numbers = {one.key: one.oid for one in policy.all_templates if one.key not in _BUILT_IN}
    for name, values in policy.templates.items():
        number = numbers.get(template_key(name)) if name else None
        if not name or template_key(name) != key:
            yield name, {**values, "oid": number} if number is not None else values


def _write_kept(directory: Path, templates: list[TemplateFacts]) -> None:
    write_atomically(directory / FILE_NAME, encode_policy(PolicyDocument(templates=tuple(templates))))


def _write_policy(directory: Path, policy: Policy) -> None:
    with tempfile.TemporaryDirectory(dir=directory, prefix=".policy") as scratch:
        policy.save(Path(scratch))
        (written,) = Path(scratch).iterdir()
        write_atomically(directory / written.name, written.read_bytes())
