"""What a CA asks of the TPM that is said to hold a request's key: the table "attestation" of policy.json.

Values and their reading; judges nothing. Source: the flags of msPKI-Private-Key-Flag in MS-CRTD 2.27 that speak of
attestation, and MS-WCCE 3.2.2.6.2.1.4.5.7, which says what each of them asks of a CA.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from certenroll.ca.templates import template_key

_HASH: Final = re.compile(r"[0-9A-Fa-f]{64}")


class Attested(enum.Enum):
    """Whether keys have to be attested."""

    NONE = "none"  # evidence is passed over
    PREFERRED = "preferred"  # evidence is judged where there is some
    REQUIRED = "required"


class Trust(enum.Enum):
    """Why an endorsement key is believed."""

    KEY = "key"  # it is one of ``keys``
    CERTIFICATE = "certificate"  # a certificate for it leads to an authority in the folder ``endorsement``
    CREDENTIALS = "credentials"  # whoever submits is believed


@dataclass(frozen=True)
class AttestationRules:
    """The rules.

    Attributes:
        mode: whether keys have to be attested.
        trust: what makes an endorsement key believed; one of them is enough.
        keys: SHA-256 of the SubjectPublicKeyInfo of endorsement keys, in lower-case hexadecimal.
        templates: names of the templates for which all this holds; empty for every request.
        without_policy: leave the issuance policies out that say how the endorsement key was believed.
    """

    mode: Attested = Attested.NONE
    trust: tuple[Trust, ...] = (Trust.KEY, Trust.CERTIFICATE)
    keys: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    without_policy: bool = False

    def mode_for(self, template: str) -> Attested:
        """Whether the keys of a template (its name, "" for none) have to be attested."""
        wanted = {template_key(one) for one in self.templates}
        return self.mode if not wanted or template_key(template) in wanted else Attested.NONE

    def values(self) -> dict[str, Any]:
        """The rules in the form of a policy file; ``read_rules`` reads them."""
        return {one.name: _written(getattr(self, one.name)) for one in fields(self)}


def read_rules(values: object) -> AttestationRules:
    """The rules in a policy file. Raises ValueError, which says what is wrong."""
    if not isinstance(values, Mapping):
        raise ValueError("attestation is not a table")
    read = {}
    for name, value in values.items():
        try:
            read[str(name)] = _READERS[name](value)
        except KeyError:
            raise ValueError(f"attestation has no setting {name!r}") from None
        except ValueError:
            raise ValueError(f"attestation: {name} cannot be {value!r}") from None
    return AttestationRules(**read)


def _list_of(value: Any, read: Callable[[Any], Any]) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ValueError
    return tuple(read(one) for one in value)


def _hash(value: Any) -> str:
    if isinstance(value, str) and _HASH.fullmatch(value):
        return value.lower()
    raise ValueError


def _name(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ValueError


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "mode": Attested,
    "trust": lambda value: _list_of(value, Trust),
    "keys": lambda value: _list_of(value, _hash),
    "templates": lambda value: _list_of(value, _name),
    "without_policy": _truth,
}


def _written(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    return [_written(one) for one in value] if isinstance(value, tuple) else value
