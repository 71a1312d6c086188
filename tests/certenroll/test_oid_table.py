"""The table of object identifiers against Microsoft's numbers and pyca's names."""

from __future__ import annotations

import json
import re

import pytest
from cryptography import x509

from certenroll.enums import ObjectIdGroupId
from certenroll.oid_table import (
    ALGORITHMS,
    CERTENROLL_OBJECTID,
    FRIENDLY_NAMES,
    OIDS,
    find,
    member_numbered,
    member_of,
    named,
)
from tests.support.shared import shared_path


def test_members_and_numbers_are_microsofts() -> None:
    surface = json.loads(shared_path("reference", "surface.json").read_text(encoding="utf-8"))
    members = {name: int(member) for name, member in CERTENROLL_OBJECTID.__members__.items()}
    assert members == surface["enumerations"]["CERTENROLL_OBJECTID"]


def test_every_member_but_none_has_a_well_formed_identifier() -> None:
    assert set(CERTENROLL_OBJECTID) - set(OIDS) == {CERTENROLL_OBJECTID.XCN_OID_NONE}
    for dotted in OIDS.values():
        assert x509.ObjectIdentifier(dotted).dotted_string == dotted


@pytest.mark.parametrize(
    ("member", "dotted"),
    [
        (CERTENROLL_OBJECTID.XCN_OID_RSA_RSA, "1.2.840.113549.1.1.1"),
        (CERTENROLL_OBJECTID.XCN_OID_OIWSEC_sha1, "1.3.14.3.2.26"),
        (CERTENROLL_OBJECTID.XCN_OID_COMMON_NAME, "2.5.4.3"),
        (CERTENROLL_OBJECTID.XCN_OID_SUBJECT_ALT_NAME2, "2.5.29.17"),
        (CERTENROLL_OBJECTID.XCN_OID_PKIX_KP_CLIENT_AUTH, "1.3.6.1.5.5.7.3.2"),
        (CERTENROLL_OBJECTID.XCN_OID_CERTIFICATE_TEMPLATE, "1.3.6.1.4.1.311.21.7"),
        (CERTENROLL_OBJECTID.XCN_OID_ENROLL_CERTTYPE_EXTENSION, "1.3.6.1.4.1.311.20.2"),
        (CERTENROLL_OBJECTID.XCN_OID_ANY_APPLICATION_POLICY, "1.3.6.1.4.1.311.10.12.1"),
        (CERTENROLL_OBJECTID.XCN_OID_CERT_PROP_ID_PREFIX, "1.3.6.1.4.1.311.10.11"),
        (CERTENROLL_OBJECTID.XCN_OIDVerisign_TransactionID, "2.16.840.1.113733.1.9.7"),
        (CERTENROLL_OBJECTID.XCN_OID_NIST_sha256, "2.16.840.1.101.3.4.2.1"),
    ],
)
def test_well_known_members_have_their_published_identifiers(member: CERTENROLL_OBJECTID, dotted: str) -> None:
    assert OIDS[member] == dotted
    assert member_of(dotted) == member


def test_of_two_members_with_one_identifier_the_first_is_found() -> None:
    assert member_of("1.2.840.113549.1.7.2") == CERTENROLL_OBJECTID.XCN_OID_RSA_signedData
    assert member_of("1.2.3.4") == CERTENROLL_OBJECTID.XCN_OID_NONE
    assert member_numbered(1) == CERTENROLL_OBJECTID.XCN_OID_RSA
    assert member_numbered(10**6) is None


def test_the_names_of_hashes_agree_with_pyca() -> None:
    for row in ALGORITHMS + FRIENDLY_NAMES:
        known = re.sub("[^a-z0-9]", "", x509.ObjectIdentifier(row.oid)._name.lower())
        if row.group == ObjectIdGroupId.XCN_CRYPT_HASH_ALG_OID_GROUP_ID and known != "unknownoid":
            assert known == row.name


def test_every_name_is_found_in_any_case() -> None:
    for row in ALGORITHMS + FRIENDLY_NAMES:
        found = find(row.name.upper(), row.group, row.use, row.bits, row.wrap)
        assert found is not None
        assert (found.name, found.group) == (row.name, row.group)
        again = named(row.oid, row.group, row.use)
        assert again is not None


@pytest.mark.parametrize(
    ("name", "group", "bits", "wrap", "oid"),
    [
        ("AES", 2, 0, False, "2.16.840.1.101.3.4.1.2"),
        ("AES", 2, 256, False, "2.16.840.1.101.3.4.1.42"),
        ("aes", 2, 192, True, "2.16.840.1.101.3.4.1.25"),
        ("SHA256", 0, 0, False, "2.16.840.1.101.3.4.2.1"),
        ("SHA256", 1, 0, False, "2.16.840.1.101.3.4.2.1"),
        ("SHA256", 4, 0, False, None),
        ("AES", 2, 64, False, None),
        ("nothing", 0, 0, False, None),
        ("", 0, 0, False, None),
    ],
)
def test_a_name_is_looked_up_by_group_length_and_use(name: str, group: int, bits: int, wrap: bool, oid: str | None) -> None:
    found = find(name, group, 0, bits, wrap)
    assert (found.oid if found is not None else None) == oid
