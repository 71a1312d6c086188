"""What the members that choose stores do: where requests wait and where certificates go."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from cryptography import x509

from certenroll import facade
from certenroll.hresults import HRESULT
from tests.support.control_effects.bench import EVERYWHERE, Bench, Effect, leaf_of, refused, stores, subjects

_SYSTEM = {"My": "MY", "CA": "CA", "Root": "ROOT", "Request": "REQUEST"}
_MACHINE, _SAVED, _OPEN_EXISTING = 0x20000, 0x10000, 0x4000


def _which(member: str) -> str:
    """The store that a member is about, as the names of its properties begin."""
    return "Root" if "ROOT" in member else next(one for one in _SYSTEM if one in member.replace("SetHStore", ""))


def _without(which: str) -> dict[str, list[str]]:
    """The system stores after an install, but for one of them."""
    return {name: found for name, found in EVERYWHERE.items() if name != _SYSTEM[which]}


def _belonging(bench: Bench, which: str, answer: bytes) -> bytes:
    """The certificate that belongs into a store."""
    authority, root = bench.ca.certificates()
    return {"My": leaf_of(answer), "CA": authority, "Root": root}[which]


def names_store(bench: Bench, member: str) -> None:
    """What would stand in the system store stands in the other one."""
    control = bench.control()
    setattr(control, member, "ANOTHER")
    answer = bench.answered(control)
    which = _which(member)
    if which == "Request":
        assert subjects("ANOTHER") == ["CN=User"]
        assert not stores()
    control.acceptPKCS7(answer)
    assert subjects("ANOTHER") == EVERYWHERE.get(_SYSTEM[which], [])
    assert stores() == _without(which)


def chooses_kind(bench: Bench, member: str) -> None:
    """A file holds the certificate, and lasts; so does memory, as long as the control."""
    which, name = _which(member), Path(bench.file("certificates.sst"))
    control = bench.control(**{f"{which}StoreName": str(name)})
    setattr(control, member, "File")
    answer = bench.answered(control)
    if which == "Request":
        (waiting,) = facade.certificates("REQUEST")
        assert waiting.der in name.read_bytes()
    control.acceptPKCS7(answer)
    assert stores() == _without(which)
    if which == "Request":
        assert waiting.der not in name.read_bytes()
        assert _held(name) == []
    else:
        assert _held(name) == [_belonging(bench, which, answer)]
    _is_kept_in_memory(bench, member)


def _held(file: Path) -> list[bytes]:
    found = list(facade.open_store("File", str(file)).certificates)
    assert all(x509.load_der_x509_certificate(one) for one in found)
    assert all(one in file.read_bytes() for one in found)
    return found


def _is_kept_in_memory(bench: Bench, member: str) -> None:
    before = stores()
    control = bench.control(MyStoreName="SECOND")
    setattr(control, member, "Memory")
    control.acceptPKCS7(bench.answered(control))
    assert stores() == before
    assert subjects("SECOND") == ([] if _which(member) == "My" else ["CN=User"])


def locates_store(bench: Bench, member: str) -> None:
    """The machine's location makes request and certificate the machine's, and of CA or ROOT that store alone."""
    control = bench.with_new_key(GenKeyFlags=0)
    setattr(control, member, _MACHINE)
    control.acceptPKCS7(bench.answered(control))
    moved = set(EVERYWHERE) if _which(member) in ("My", "Request") else {_SYSTEM[_which(member)]}
    for context in (1, 2):
        assert stores(context) == {name: found for name, found in EVERYWHERE.items() if (name in moved) is (context == 2)}


def opens_store(bench: Bench, member: str) -> None:
    """As ``locates_store``; a store that must be there and is not is refused, and a file must be saved."""
    locates_store(bench, member)
    which = _which(member)
    control = bench.control(MyStoreName="SECOND", **{f"{which}StoreName": "ANOTHER"})
    answer = bench.answered(control)
    setattr(control, member, _SAVED | _OPEN_EXISTING)
    refused(HRESULT.WIN32_FILE_NOT_FOUND, control.acceptPKCS7, answer)
    setattr(control, f"{which}StoreType", "File")
    setattr(control, f"{which}StoreName", bench.file("store"))
    setattr(control, member, _MACHINE)
    refused(HRESULT.E_INVALIDARG, control.acceptPKCS7, answer)
    assert not subjects("SECOND")
    setattr(control, member, _SAVED)
    control.acceptPKCS7(answer)
    assert subjects("SECOND") == ["CN=User"]


def takes_handle(bench: Bench, member: str) -> None:
    """The open store has what belongs there, and the control reads as it was opened, until a property is set."""
    which = _which(member)
    handle: Any = facade.open_store("Memory")
    control = bench.control()
    getattr(control, member)(handle)
    assert getattr(control, f"{which}StoreType") == "Memory"
    answer = bench.answered(control)
    if which == "Request":
        assert handle.certificates == tuple(one.der for one in facade.certificates("REQUEST"))
    control.acceptPKCS7(answer)
    assert handle.certificates == (() if which == "Request" else (_belonging(bench, which, answer),))
    assert stores() == _without(which)
    setattr(control, f"{which}StoreName", "ANOTHER")
    assert getattr(control, f"{which}StoreType") == "System"


def gives_nothing(bench: Bench, member: str) -> None:
    """NULL, before an install and after it."""
    control = bench.control()
    assert getattr(control, member)() is None
    control.acceptPKCS7(bench.answered(control))
    assert getattr(control, member)() is None


EFFECTS: Final[dict[str, Effect]] = {
    **dict.fromkeys((f"{which}StoreName{suffix}" for which in _SYSTEM for suffix in ("", "WStr")), names_store),
    **dict.fromkeys((f"{which}StoreType{suffix}" for which in _SYSTEM for suffix in ("", "WStr")), chooses_kind),
    "MyStoreFlags": locates_store,
    "RequestStoreFlags": locates_store,
    "CAStoreFlags": opens_store,
    "RootStoreFlags": opens_store,
    **dict.fromkeys(("SetHStoreMy", "SetHStoreCA", "SetHStoreROOT", "SetHStoreRequest"), takes_handle),
    **dict.fromkeys(("getMyStore", "getCAStore", "getROOTHStore"), gives_nothing),
}
