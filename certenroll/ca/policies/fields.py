"""The fields of a policy document: how each kind of value is read from an element and written as one, and the table of what
a template has, in the order of MS-XCEP's schema (section 3.1.4.1.3). Knows neither the document around them nor any file.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from certenroll.asn1.der import Extension
from certenroll.ca.policies.elements import Element, tag, text_tag

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,20}")
HASH, ENCRYPTION, PUBLIC_KEY, EXTENSION, EKU, POLICY, TEMPLATE = 1, 2, 3, 6, 7, 8, 9  # groups, section 3.1.4.1.3.16


@dataclass(frozen=True)
class ObjectIdentifier:
    """One object identifier of a document.

    Attributes:
        value: in dots.
        group: what kind of thing it stands for: 1 hash, 2 encryption, 3 public key, 4 signature, 5 name attribute,
            6 extension, 7 enhanced key usage, 8 certificate policy, 9 template.
        name: how it is shown, or None.
    """

    value: str
    group: int
    name: str | None = None


class Oids:
    """The object identifiers of a document that is being written: each gets the number by which the rest refers to it."""

    def __init__(self, known: Iterable[ObjectIdentifier]) -> None:
        self.all = list(known)

    def number(self, value: str, group: int, name: str | None = None) -> int:
        """The number of an identifier, which is added where it is not there in any group."""
        fitting = [i for i, one in enumerate(self.all) if one.value == value]
        exact = [i for i in fitting if self.all[i].group == group and name in (None, self.all[i].name)]
        if exact or (fitting and group != TEMPLATE):
            return (exact or fitting)[0]
        self.all.append(ObjectIdentifier(value, group, name))
        return len(self.all) - 1


References = Mapping[int, ObjectIdentifier]


@dataclass(frozen=True)
class Kind:
    """How one kind of value is read from an element and written as one."""

    read: Callable[[Element, References], Any]
    write: Callable[[str, Any, Oids], str]


# Kinds --------------------------------------------------------------------------------------------------------------


def _integer(low: int, high: int) -> Kind:
    def read(element: Element, _references: References) -> int:
        text = element.text.strip()
        number = int(text) if _INTEGER.fullmatch(text) else low - 1
        if not low <= number <= high:
            raise element.wrong(f"a whole number from {low} to {high}")
        return number

    return Kind(read, lambda name, value, _: text_tag(name, str(int(value))))


def read_boolean(element: Element, _references: References) -> bool:
    """An xs:boolean. Raises PolicyDocumentError."""
    found = {"true": True, "1": True, "false": False, "0": False}.get(element.text.strip())
    if found is None:
        raise element.wrong("true or false")
    return found


def read_bytes(element: Element, _references: References) -> bytes:
    """An xs:base64Binary. Raises PolicyDocumentError."""
    try:
        return base64.b64decode("".join(element.text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise element.wrong("base64") from None


def write_bytes(name: str, value: bytes, _oids: Oids) -> str:
    """An xs:base64Binary."""
    return text_tag(name, base64.b64encode(value).decode("ascii"))


def _reference(group: int) -> Kind:
    def read(element: Element, references: References) -> str:
        return referred(element, references).value

    return Kind(read, lambda name, value, oids: text_tag(name, str(oids.number(value, group))))


def referred(element: Element, references: References) -> ObjectIdentifier:
    """The object identifier whose number the element holds. Raises PolicyDocumentError where the document has none."""
    number: int = INT.read(element, references)
    if number not in references:
        raise element.wrong("the number of an object identifier of the document")
    return references[number]


def list_of(item: str, kind: Kind) -> Kind:
    """A sequence of elements of one name and kind, around which stands another element."""

    def read(element: Element, references: References) -> tuple[Any, ...]:
        return tuple(kind.read(one, references) for one in element.all(item))

    def write(name: str, value: Iterable[Any], oids: Oids) -> str:
        return tag(name, *(kind.write(item, one, oids) for one in value))

    return Kind(read, write)


def _read_extension(element: Element, references: References) -> Extension:
    critical, value = element.child("critical"), element.child("value")
    return Extension(
        referred(element.required("oIDReference"), references).value,
        critical is not None and read_boolean(critical, references),
        read_bytes(value, references) if value is not None else b"",
    )


def _write_extension(name: str, value: Extension, oids: Oids) -> str:
    number = oids.number(value.oid, EXTENSION)
    content = (INT.write("oIDReference", number, oids), BOOLEAN.write("critical", value.critical, oids))
    return tag(name, *content, write_bytes("value", value.value, oids))


INT: Final = _integer(-(2**31), 2**31 - 1)
UNSIGNED: Final = _integer(0, 2**32 - 1)
_LONG: Final = _integer(0, 2**64 - 1)
BOOLEAN: Final = Kind(read_boolean, lambda name, value, _: text_tag(name, "true" if value else "false"))
TEXT: Final = Kind(lambda element, _: element.text.strip(), lambda name, value, _: text_tag(name, value))
_EXTENSION: Final = Kind(_read_extension, _write_extension)

# The fields of a template: the path within <attributes>, the field of TemplateFacts, its kind, whether it may be nil.
TEMPLATE_FIELDS: Final[tuple[tuple[str, str, Kind, bool], ...]] = (
    ("commonName", "common_name", TEXT, False),
    ("policySchema", "schema_version", UNSIGNED, False),
    ("certificateValidity/validityPeriodSeconds", "validity_seconds", _LONG, False),
    ("certificateValidity/renewalPeriodSeconds", "renewal_seconds", _LONG, False),
    ("permission/enroll", "enroll", BOOLEAN, False),
    ("permission/autoEnroll", "auto_enroll", BOOLEAN, False),
    ("privateKeyAttributes/minimalKeyLength", "minimum_key_size", UNSIGNED, False),
    ("privateKeyAttributes/keySpec", "key_spec", UNSIGNED, True),
    ("privateKeyAttributes/keyUsageProperty", "key_usage_property", UNSIGNED, True),
    ("privateKeyAttributes/permissions", "key_security", TEXT, True),
    ("privateKeyAttributes/algorithmOIDReference", "key_algorithm", _reference(PUBLIC_KEY), True),
    ("privateKeyAttributes/cryptoProviders", "crypto_providers", list_of("provider", TEXT), True),
    ("revision/majorRevision", "major_revision", UNSIGNED, False),
    ("revision/minorRevision", "minor_revision", UNSIGNED, True),
    ("supersededPolicies", "superseded", list_of("commonName", TEXT), True),
    ("privateKeyFlags", "private_key_flags", UNSIGNED, True),
    ("subjectNameFlags", "subject_name_flags", UNSIGNED, True),
    ("enrollmentFlags", "enrollment_flags", UNSIGNED, True),
    ("generalFlags", "general_flags", UNSIGNED, True),
    ("hashAlgorithmOIDReference", "hash_algorithm", _reference(HASH), True),
    ("rARequirements/rASignatures", "ra_signatures", UNSIGNED, False),
    ("rARequirements/rAEKUs", "ra_ekus", list_of("oIDReference", _reference(EKU)), True),
    ("rARequirements/rAPolicies", "ra_policies", list_of("oIDReference", _reference(POLICY)), True),
    ("keyArchivalAttributes/symmetricAlgorithmOIDReference", "symmetric_algorithm", _reference(ENCRYPTION), False),
    ("keyArchivalAttributes/symmetricAlgorithmKeyLength", "symmetric_key_length", UNSIGNED, False),
    ("extensions", "extensions", list_of("extension", _EXTENSION), True),
)
NIL_PARENTS: Final = ("rARequirements", "keyArchivalAttributes")
