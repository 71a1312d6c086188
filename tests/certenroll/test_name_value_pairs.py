"""IX509NameValuePair and its collection."""

from __future__ import annotations

import pytest

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.name_value_pairs import IX509NameValuePair, IX509NameValuePairs
from certenroll.registry import create


def pair(name: str, value: str) -> IX509NameValuePair:
    made = create("X509Enrollment.CX509NameValuePair")
    assert isinstance(made, IX509NameValuePair)
    made.Initialize(name, value)
    return made


def test_a_pair_holds_its_name_and_value() -> None:
    made = pair("CertificateTemplate", "User")
    assert (made.Name, made.Value) == ("CertificateTemplate", "User")
    assert pair("Empty", "").Value == ""


def test_a_pair_is_initialized_once_and_needs_a_name() -> None:
    made = IX509NameValuePair()
    for read in ("Name", "Value"):
        with pytest.raises(ComError) as caught:
            getattr(made, read)
        assert caught.value.hresult & 0xFFFFFFFF == HRESULT.OLE_E_BLANK
    with pytest.raises(ComError) as caught:
        made.Initialize("", "x")
    assert caught.value.hresult & 0xFFFFFFFF == HRESULT.E_INVALIDARG
    made.Initialize("a", "b")
    with pytest.raises(ComError) as caught:
        made.Initialize("c", "d")
    assert caught.value.hresult & 0xFFFFFFFF == HRESULT.WIN32_ALREADY_INITIALIZED
    assert made.Name == "a"


def test_pairs_are_collected_in_order() -> None:
    pairs = IX509NameValuePairs()
    pairs.Add(pair("a", "1"))
    pairs.Add(pair("a", "2"))
    pairs.Remove(0)
    assert [(one.Name, one.Value) for one in pairs] == [("a", "2")]
    with pytest.raises(ComError) as caught:
        pairs.Add("a=1")
    assert caught.value.hresult & 0xFFFFFFFF == HRESULT.DISP_E_TYPEMISMATCH
