"""Templates added to a policy document on disk, and deleted from it. Knows files and facts, no CA and no COM."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from certenroll.ca.base import CAError
from certenroll.ca.policies.documents import PolicyDocument, encode_policy
from certenroll.ca.policies.local_templates import refuse_default
from certenroll.ca.policies.sources import read_document
from certenroll.ca.policies.template_facts import TemplateFacts
from certenroll.hresults import HRESULT
from certenroll.stores.atomic_files import write_atomically
from keystores.locks import file_lock


def add_template(path: Path, facts: TemplateFacts) -> TemplateFacts:
    """Adds a template to a document, which is made where it is not there.

    Args:
        path: the document.
        facts: the template. It keeps its object identifier; one that has none gets one under 2.25 (ITU-T X.667).

    Returns:
        The template as it is stored.

    Raises:
        CAError: WIN32_NOT_SUPPORTED for a default template, CRYPT_E_EXISTS where the document has one of that name or
            object identifier.
        PolicyDocumentError: the file is no policy document.
    """
    refuse_default(facts)
    with file_lock(path.with_name(f".{path.name}.lock")):
        document = _read(path)
        same = (one for one in document.templates if _same_name(one, facts) or (facts.oid and one.oid == facts.oid))
        found = next(same, None)
        if found is not None:
            raise CAError(HRESULT.CRYPT_E_EXISTS, f"{path} has the template {found.common_name} ({found.oid}) already")
        known = tuple(one.reference for one in document.authorities)
        stored = replace(facts, oid=facts.oid or f"2.25.{uuid.uuid4().int}", authorities=known)
        _write(path, document, (*document.templates, stored))
    return stored


def delete_template(path: Path, facts: TemplateFacts) -> None:
    """Takes a template from a document.

    Args:
        path: the document.
        facts: the template; its name and its object identifier are looked at.

    Raises:
        CAError: WIN32_NOT_SUPPORTED for a default template, WIN32_NOT_FOUND where the document has none of that name,
            CRYPT_E_NOT_FOUND where it has another object identifier.
        PolicyDocumentError: the file is no policy document.
    """
    refuse_default(facts)
    with file_lock(path.with_name(f".{path.name}.lock")):
        document = _read(path)
        found = next((one for one in document.templates if _same_name(one, facts)), None)
        if found is None:
            raise CAError(HRESULT.WIN32_NOT_FOUND, f"{path} has no template {facts.common_name!r}")
        if found.oid != facts.oid:
            raise CAError(HRESULT.CRYPT_E_NOT_FOUND, f"the template {found.common_name} is {found.oid}, not {facts.oid}")
        _write(path, document, (one for one in document.templates if one is not found))


def _same_name(first: TemplateFacts, second: TemplateFacts) -> bool:
    return first.common_name.casefold() == second.common_name.casefold()


def _read(path: Path) -> PolicyDocument:
    try:
        return read_document(path)
    except FileNotFoundError:
        return PolicyDocument(f"{{{uuid.uuid4()}}}".upper(), path.stem)


def _write(path: Path, document: PolicyDocument, templates: Iterable[TemplateFacts]) -> None:
    write_atomically(path, encode_policy(replace(document, templates=tuple(templates))))
