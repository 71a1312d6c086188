"""IX509PolicyServerUrl and IX509PolicyServerListManager over the files of a profile."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from certenroll import Dispatch
from certenroll.ca.policies.servers import PolicyServer, register, registered
from certenroll.errors import ComError
from certenroll.hresults import HRESULT

NONE, USER, MACHINE = 0, 1, 2
GROUP_POLICY, REGISTRY, BOTH = 1, 2, 3
CLIENT_ID, AUTO_ENROLL = 4, 16
POLICY_ID, FRIENDLY_NAME = 0, 1


def refused(code: int, call: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(ComError) as caught:
        call(*arguments)
    assert caught.value.hresult & 0xFFFFFFFF == code


def url(address: str = "https://cep.test/CEP", policy: str = "", **values: object) -> Any:
    made = Dispatch("X509Enrollment.CX509PolicyServerUrl")
    made.Initialize(USER)
    made.Url = address
    if policy:
        made.SetStringProperty(POLICY_ID, policy)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def listed(flags: int = BOTH, context: int = USER) -> list[Any]:
    manager = Dispatch("X509Enrollment.CX509PolicyServerListManager")
    manager.Initialize(context, flags)
    return list(manager)


def test_a_server_is_registered_with_all_that_was_set(home: Path) -> None:
    made = url(policy="{A}", Default=True, Flags=CLIENT_ID | AUTO_ENROLL, AuthFlags=2, Cost=7)
    made.SetStringProperty(FRIENDLY_NAME, "Contoso")
    assert listed() == []
    made.UpdateRegistry(USER)
    (found,) = listed()
    assert (found.Url, found.Default, found.AuthFlags, found.Cost) == ("https://cep.test/CEP", True, 2, 7)
    assert found.Flags == CLIENT_ID | AUTO_ENROLL | REGISTRY
    assert (found.GetStringProperty(POLICY_ID), found.GetStringProperty(FRIENDLY_NAME)) == ("{A}", "Contoso")


def test_the_same_url_is_the_same_server(home: Path) -> None:
    url().UpdateRegistry(USER)
    url("HTTPS://CEP.test/cep/", Cost=3).UpdateRegistry(USER)
    (found,) = listed()
    assert found.Cost == 3
    url("https://cep.TEST/cep").RemoveFromRegistry(USER)
    assert listed() == []
    url("https://never.test").RemoveFromRegistry(USER)


def test_one_policy_is_the_default_and_the_cheapest_server_comes_first(home: Path) -> None:
    url("https://a", policy="{A}", Default=True, Cost=9).UpdateRegistry(USER)
    url("https://b", policy="{B}", Default=True, Cost=1).UpdateRegistry(USER)
    url("https://b2", policy="{B}", Default=True, Cost=2).UpdateRegistry(USER)
    assert [(one.Url, one.Default) for one in listed()] == [("https://b", True), ("https://b2", True), ("https://a", False)]


def test_user_and_computer_have_lists_of_their_own(home: Path) -> None:
    url().UpdateRegistry(MACHINE)
    assert listed() == []
    assert [one.Url for one in listed(context=MACHINE)] == ["https://cep.test/CEP"]


def test_what_an_administrator_gave_is_read_and_not_changed(home: Path) -> None:
    given = {"servers": [{"url": "https://corp.test", "policy_id": "{C}", "default": True}]}
    (home / "group-policy-servers.json").write_text(json.dumps(given))
    url().UpdateRegistry(USER)
    assert [one.Url for one in listed(GROUP_POLICY)] == ["https://corp.test"]
    assert [one.Url for one in listed(REGISTRY)] == ["https://cep.test/CEP"]
    assert [int(one.Flags) for one in listed()] == [GROUP_POLICY, REGISTRY]
    refused(HRESULT.WIN32_ACCESS_DISABLED_BY_POLICY, url("https://CORP.test").UpdateRegistry, USER)
    refused(HRESULT.WIN32_ACCESS_DISABLED_BY_POLICY, url("https://CORP.test").RemoveFromRegistry, USER)


def test_the_collection_changes_nothing_in_the_profile(home: Path) -> None:
    url().UpdateRegistry(USER)
    manager = Dispatch("X509Enrollment.CX509PolicyServerListManager")
    manager.Initialize(USER, REGISTRY)
    manager.Add(url("https://other"))
    assert (manager.Count, manager.ItemByIndex(1).Url) == (2, "https://other")
    manager.Remove(0)
    manager.Clear()
    assert len(manager) == 0
    assert len(listed()) == 1


def test_a_list_is_initialized_once_with_a_place(home: Path) -> None:
    manager = Dispatch("X509Enrollment.CX509PolicyServerListManager")
    for call in (lambda: manager.Count, lambda: manager.ItemByIndex(0), manager.Clear, lambda: manager.Add(url())):
        refused(HRESULT.OLE_E_BLANK, call)
    for flags in (0, CLIENT_ID, REGISTRY | CLIENT_ID, REGISTRY | 0x100):
        refused(HRESULT.E_INVALIDARG, manager.Initialize, USER, flags)
    refused(HRESULT.E_INVALIDARG, manager.Initialize, NONE, BOTH)
    manager.Initialize(USER, BOTH)
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, manager.Initialize, USER, BOTH)


def test_a_url_is_initialized_once_and_blank_before(home: Path) -> None:
    made = Dispatch("X509Enrollment.CX509PolicyServerUrl")
    for name, value in {"Url": "x", "Default": True, "Flags": 4, "AuthFlags": 2, "Cost": 1}.items():
        refused(HRESULT.OLE_E_BLANK, getattr, made, name)
        refused(HRESULT.OLE_E_BLANK, setattr, made, name, value)
    refused(HRESULT.OLE_E_BLANK, made.GetStringProperty, POLICY_ID)
    refused(HRESULT.OLE_E_BLANK, made.SetStringProperty, POLICY_ID, "x")
    refused(HRESULT.OLE_E_BLANK, made.UpdateRegistry, USER)
    refused(HRESULT.OLE_E_BLANK, made.RemoveFromRegistry, USER)
    refused(HRESULT.E_INVALIDARG, made.Initialize, NONE)
    made.Initialize(USER)
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.Initialize, USER)
    assert (made.Default, made.Flags, made.AuthFlags, made.Cost) == (False, 0, 0, 0)


def test_empty_texts_are_refused(home: Path) -> None:
    made = url("")
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, lambda: made.Url)
    refused(HRESULT.E_INVALIDARG, made.UpdateRegistry, USER)
    refused(HRESULT.E_INVALIDARG, made.SetStringProperty, FRIENDLY_NAME, "")
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, made.GetStringProperty, FRIENDLY_NAME)
    refused(HRESULT.E_INVALIDARG, made.GetStringProperty, 2)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"servers": 1}', '{"servers": [1]}', '{"servers": [{}]}', '{"servers": [{"url": 1}]}',
             '{"servers": [{"url": "x", "cost": true}]}', '{"servers": [{"url": "x", "more": 1}]}', "[" * 100_000, "\xff"]
)  # fmt: skip
def test_a_malformed_file_is_refused_and_stays(home: Path, text: str) -> None:
    path = home / "policy-servers.json"
    path.write_bytes(text.encode("latin-1"))
    refused(HRESULT.WIN32_INVALID_DATA, listed)
    refused(HRESULT.WIN32_INVALID_DATA, url().UpdateRegistry, USER)
    assert path.read_bytes() == text.encode("latin-1")


def test_nothing_is_lost_when_many_register_at_once(home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: register(home, PolicyServer(f"https://{number}")), range(40)))
    assert len(registered(home)) == 40
    assert not list(home.glob(".policy-servers.json.*"))
