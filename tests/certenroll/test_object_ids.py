"""IObjectId and IObjectIds as scripts use them."""

from __future__ import annotations

import pytest

from certenroll.enums import AlgorithmFlags, ObjectIdPublicKeyFlags
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, IObjectIds, object_id
from certenroll.oid_table import CERTENROLL_OBJECTID
from certenroll.registry import create

ANY, SIGN, ENCRYPT = 0, 0x80000000, 0x40000000


def code_of(caught: pytest.ExceptionInfo[ComError]) -> int:
    return caught.value.hresult & 0xFFFFFFFF


def from_algorithm(group: int, keys: int, wrap: int, name: str) -> IObjectId:
    made = IObjectId()
    made.InitializeFromAlgorithmName(group, ObjectIdPublicKeyFlags(keys), AlgorithmFlags(wrap), name)
    return made


def test_a_script_names_a_usage_by_its_identifier() -> None:
    usage = create("X509Enrollment.CObjectId.1")
    assert isinstance(usage, IObjectId)
    usage.InitializeFromValue("1.3.6.1.5.5.7.3.2")
    assert usage.Value == usage.dotted_value() == "1.3.6.1.5.5.7.3.2"
    assert usage.Name == CERTENROLL_OBJECTID.XCN_OID_PKIX_KP_CLIENT_AUTH
    assert usage.FriendlyName == "Client Authentication"


def test_a_script_names_an_identifier_by_its_number() -> None:
    made = IObjectId()
    made.InitializeFromName("11")  # type: ignore[arg-type]  # a script's string is a number too
    assert (made.Name, made.Value) == (11, "1.2.840.113549.1.7")


def test_a_member_keeps_its_number_where_another_has_the_same_identifier() -> None:
    made = IObjectId()
    made.InitializeFromName(CERTENROLL_OBJECTID.XCN_OID_PKCS_7_SIGNED)
    assert made.Name == CERTENROLL_OBJECTID.XCN_OID_PKCS_7_SIGNED


@pytest.mark.parametrize(
    ("group", "keys", "wrap", "name", "value"),
    [
        (1, ANY, 0, "SHA256", "2.16.840.1.101.3.4.2.1"),
        (1, ANY, 0, "sha1", "1.3.14.3.2.26"),
        (1, ANY, 0, "MD5", "1.2.840.113549.2.5"),
        (2, ANY, 0, "3DES", "1.2.840.113549.3.7"),
        (2, ANY, 0, "AES256", "2.16.840.1.101.3.4.1.42"),
        (2 | 192 << 16, ANY, 0, "AES", "2.16.840.1.101.3.4.1.22"),
        (2 | 128 << 16, ANY, 1, "AES", "2.16.840.1.101.3.4.1.5"),
        (3, ANY, 0, "RSA", "1.2.840.113549.1.1.1"),
        (3, SIGN, 0, "RSA", "1.2.840.113549.1.1.1"),
        (3, SIGN, 0, "ECDSA_P256", "1.2.840.10045.3.1.7"),
        (3, ENCRYPT, 0, "ECDH_P384", "1.3.132.0.34"),
        (4, ANY, 0, "sha256RSA", "1.2.840.113549.1.1.11"),
        (7, ANY, 0, "Code Signing", "1.3.6.1.5.5.7.3.3"),
        (0, ANY, 0, "1.2.3.4", "1.2.3.4"),
    ],
)
def test_an_algorithm_is_found_by_its_name(group: int, keys: int, wrap: int, name: str, value: str) -> None:
    assert from_algorithm(group, keys, wrap, name).Value == value


@pytest.mark.parametrize(
    ("value", "group", "keys", "name"),
    [
        ("2.16.840.1.101.3.4.2.1", 1, ANY, "sha256"),
        ("2.16.840.1.101.3.4.2.1", 1 | 0x40000000, ANY, "SHA256"),
        ("1.2.840.113549.1.1.1", 3, ANY, "RSA"),
        ("1.2.840.10045.3.1.7", 3, SIGN, "ECDSA_P256"),
        ("1.2.840.10045.3.1.7", 3, ENCRYPT, "ECDH_P256"),
        ("1.2.840.113549.1.1.11", 4 | 0x40000000, ANY, "sha256RSA"),
    ],
)
def test_an_algorithm_tells_its_name(value: str, group: int, keys: int, name: str) -> None:
    assert object_id(value).GetAlgorithmName(group, ObjectIdPublicKeyFlags(keys)) == name


def test_a_name_outside_its_group_is_an_empty_property() -> None:
    with pytest.raises(ComError) as caught:
        object_id("1.2.840.113549.1.1.1").GetAlgorithmName(1, ObjectIdPublicKeyFlags(0))
    assert code_of(caught) == HRESULT.CERTSRV_E_PROPERTY_EMPTY


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", HRESULT.CERTSRV_E_PROPERTY_EMPTY),
        ("  ", HRESULT.CERTSRV_E_PROPERTY_EMPTY),
        ("1", HRESULT.CRYPT_E_OID_FORMAT),
        ("1.2.", HRESULT.CRYPT_E_OID_FORMAT),
        ("1.40.1", HRESULT.CRYPT_E_OID_FORMAT),
        ("3.1.1", HRESULT.CRYPT_E_OID_FORMAT),
        ("1.2.x", HRESULT.CRYPT_E_OID_FORMAT),
        ("client", HRESULT.CRYPT_E_OID_FORMAT),
    ],
)
def test_a_value_that_is_no_identifier_is_refused_and_leaves_the_object_blank(value: str, code: int) -> None:
    made = IObjectId()
    with pytest.raises(ComError) as caught:
        made.InitializeFromValue(value)
    assert code_of(caught) == code
    made.InitializeFromValue("1.2.3")
    assert made.Value == "1.2.3"


def test_an_unknown_algorithm_or_number_is_refused() -> None:
    with pytest.raises(ComError) as caught:
        from_algorithm(1, ANY, 0, "SHA257")
    assert code_of(caught) == HRESULT.CRYPT_E_UNKNOWN_ALGO
    with pytest.raises(ComError) as caught:
        from_algorithm(1, ANY, 0, "")
    assert code_of(caught) == HRESULT.CERTSRV_E_PROPERTY_EMPTY
    with pytest.raises(ComError) as caught:
        IObjectId().InitializeFromName(9999)
    assert code_of(caught) == HRESULT.E_INVALIDARG
    with pytest.raises(ComError) as caught:
        IObjectId().InitializeFromName(0)
    assert code_of(caught) == HRESULT.CERTSRV_E_PROPERTY_EMPTY


def test_an_identifier_without_a_name_can_be_given_one() -> None:
    made = object_id("1.2.3.4.5")
    with pytest.raises(ComError) as caught:
        _ = made.FriendlyName
    assert code_of(caught) == HRESULT.CRYPT_E_NOT_FOUND
    made.FriendlyName = "Ours"
    assert made.FriendlyName == "Ours"
    assert made.Name == CERTENROLL_OBJECTID.XCN_OID_NONE


@pytest.mark.parametrize("member", ["Name", "Value", "FriendlyName"])
def test_nothing_is_read_before_the_object_is_initialized(member: str) -> None:
    with pytest.raises(ComError) as caught:
        getattr(IObjectId(), member)
    assert code_of(caught) == HRESULT.OLE_E_BLANK


def test_a_friendly_name_needs_an_initialized_object() -> None:
    with pytest.raises(ComError) as caught:
        IObjectId().FriendlyName = "x"
    assert code_of(caught) == HRESULT.OLE_E_BLANK


def test_an_object_is_initialized_once() -> None:
    made = object_id("1.2.3")
    with pytest.raises(ComError) as caught:
        made.InitializeFromName(1)
    assert code_of(caught) == HRESULT.WIN32_ALREADY_INITIALIZED
    assert (made.Value, made.Name) == ("1.2.3", CERTENROLL_OBJECTID.XCN_OID_NONE)


def test_a_collection_takes_identifiers_and_nothing_else() -> None:
    usages, more = IObjectIds(), IObjectIds([object_id("1.2.4"), object_id("1.2.5")])
    usages.Add(object_id("1.2.3"))
    usages.AddRange(more)
    assert [one.Value for one in usages] == ["1.2.3", "1.2.4", "1.2.5"]
    usages.AddRange(usages)
    assert usages.Count == 6
    with pytest.raises(ComError) as caught:
        usages.Add("1.2.6")
    assert code_of(caught) == HRESULT.DISP_E_TYPEMISMATCH
    with pytest.raises(ComError) as caught:
        usages.AddRange(None)  # type: ignore[arg-type]
    assert code_of(caught) == HRESULT.E_POINTER
