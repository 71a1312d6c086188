"""The ways in which scripts name a hash: by name, by object id (of a hash or of a signature), by ALG_ID.

Knows names only; what is signed with them is certenroll's. Source: the pages of ICEnroll::HashAlgorithm and
ICEnroll3::HashAlgID.
"""

from __future__ import annotations

from typing import Any

import certenroll
from certenroll.enums import ObjectIdGroupId
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat import defaults

_HASHES = ObjectIdGroupId.XCN_CRYPT_HASH_ALG_OID_GROUP_ID


def check_hash(text: str) -> str:
    """The hash behind a name or an object id, in the form that ``object_id_of`` takes.

    Raises:
        ComError: CRYPT_E_UNKNOWN_ALGO for a name that is no hash. Any object id is let through: the property is a hint.
    """
    named = defaults.SIGNATURE_HASHES.get(text.strip(), text.strip())
    if not named[:1].isdigit():
        named = named.replace("-", "")  # SHA-1 is what ICspAlgorithm and GetAlgName call it
    if named.upper() in defaults.WITHOUT_PROVIDER:
        return "SHA1"
    if not named[:1].isdigit():
        object_id_of(named)
    return named


def object_id_of(name: str) -> Any:
    """The IObjectId of a hash. Raises ComError CRYPT_E_UNKNOWN_ALGO for a name that is none, CRYPT_E_OID_FORMAT."""
    found = certenroll.Dispatch("X509Enrollment.CObjectId")
    found.InitializeFromAlgorithmName(_HASHES, 0, 0, name)
    return found


def is_known_hash(name: str) -> bool:
    """Whether certenroll can sign with what HashAlgorithm names; an object id may be that of anything."""
    return not name[:1].isdigit() or name in {oid for _, oid in defaults.HASHES_BY_ID.values()}


def alg_id_of(shown: str) -> int:
    """The ALG_ID of what HashAlgorithm reads, or 0."""
    name = defaults.SIGNATURE_HASHES.get(shown, shown).upper().replace("-", "")
    return next((number for number, known in defaults.HASHES_BY_ID.items() if name in known), 0)


def hash_of_alg_id(number: int) -> tuple[str, str]:
    """What an ALG_ID stands for: the hash as ``check_hash`` gives it, and what HashAlgorithm reads.

    Raises:
        ComError: NTE_BAD_ALGID for what is no hash.
    """
    if number not in defaults.HASHES_BY_ID:
        raise ComError(HRESULT.NTE_BAD_ALGID, f"0x{number & 0xFFFFFFFF:X} is no hash algorithm", argerror=0)
    name, shown = defaults.HASHES_BY_ID[number]
    return check_hash(name), shown
