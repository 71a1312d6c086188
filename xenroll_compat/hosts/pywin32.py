"""The modules of pywin32 that enrollment scripts import, made of the object model: nothing of pywin32 itself is here.

    win32com.client             Dispatch, DispatchEx, GetObject, CastTo, constants, gencache.EnsureDispatch
    pywintypes                  com_error, error
    pythoncom                   CoInitialize and what belongs to it, com_error
    winerror                    result codes by name, as signed numbers

Source: the pages "Quick Start to Client side COM and Python" and "pythoncom" of pywin32's documentation.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import EnumType, IntEnum
from functools import lru_cache
from types import ModuleType
from typing import Any, Final

from certenroll.errors import ComError
from certenroll.hresults import lookup, named, signed

_MONIKER: Final = "new:"
_APARTMENT: Final = {"COINIT_APARTMENTTHREADED": 2, "COINIT_MULTITHREADED": 0}
_CONTEXTS: Final = {"CLSCTX_INPROC_SERVER": 1, "CLSCTX_INPROC_HANDLER": 2, "CLSCTX_LOCAL_SERVER": 4, "CLSCTX_ALL": 23}


def dispatch(identifier: str, *_others: object, **_options: object) -> Any:
    """A new object, as win32com.client.Dispatch makes it.

    Args:
        identifier: a ProgID or a CLSID; an object that is one already comes back as it is.

    Raises:
        ComError: CO_E_CLASSSTRING where no such class is registered.
    """
    if not isinstance(identifier, str):
        return identifier
    import xenroll_compat

    return xenroll_compat.Dispatch(identifier)


def get_object(Pathname: str | None = None, Class: str | None = None, clsctx: int | None = None) -> Any:
    """A new object by the moniker "new:CLSID", as win32com.client.GetObject takes it.

    Raises:
        ComError: MK_E_UNAVAILABLE for anything else; there are no running objects to be had.
    """
    if Pathname is not None and Pathname.lower().startswith(_MONIKER):
        return dispatch(Pathname[len(_MONIKER) :])
    raise ComError(0x800401E3, "no running object is known; use Dispatch or the moniker new:CLSID", source="win32com")


class Constants:
    """win32com.client.constants: every member of Microsoft's enumerations and every constant, by its name."""

    def __getattr__(self, name: str) -> int:
        try:
            return _constants()[name]
        except KeyError:
            raise AttributeError(name) from None


@lru_cache
def _constants() -> dict[str, int]:
    from certenroll import enums

    found: dict[str, int] = {}
    for name, value in vars(enums).items():
        if isinstance(value, EnumType):
            members: Mapping[str, IntEnum] = value.__members__
            found |= {member: int(number) for member, number in members.items()}
        elif isinstance(value, int) and not name.startswith("_"):
            found[name] = value
    return found


class ResultCodes(ModuleType):
    """winerror: a result code by its name, signed, as com_error.hresult has it."""

    def __getattr__(self, name: str) -> int:
        found = named(name)
        if found is not None:
            return signed(found)
        raise AttributeError(f"module 'winerror' has no attribute {name!r}")


def modules() -> dict[str, ModuleType]:
    """The modules by name, each made anew."""
    client = _module(
        "win32com.client",
        Dispatch=dispatch,
        DispatchEx=dispatch,
        GetObject=get_object,
        CastTo=lambda ob, target, typelib=None: ob,
        constants=Constants(),
    )
    client.__path__ = []
    gencache = _module(
        "win32com.client.gencache",
        EnsureDispatch=dispatch,
        EnsureModule=lambda *_, **__: client,
        is_readonly=True,
    )
    client.gencache = gencache  # type: ignore[attr-defined]
    package = _module("win32com", client=client)
    package.__path__ = []
    pywintypes = _module("pywintypes", com_error=ComError, error=OSError)
    return {
        "win32com": package,
        "win32com.client": client,
        "win32com.client.gencache": gencache,
        "pywintypes": pywintypes,
        "pythoncom": _pythoncom(),
        "winerror": ResultCodes("winerror"),
    }


@contextmanager
def installed() -> Iterator[None]:
    """Has a script find these modules for as long as the block lasts; what was there before comes back."""
    added = modules()
    before = {name: sys.modules.get(name) for name in added}
    sys.modules.update(added)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module


def _pythoncom() -> ModuleType:
    return _module(
        "pythoncom",
        com_error=ComError,
        CoInitialize=_nothing,
        CoInitializeEx=_nothing,
        CoUninitialize=_nothing,
        PumpWaitingMessages=_nothing,
        GetScodeString=_scode_string,
        **_APARTMENT,
        **_CONTEXTS,
    )


def _nothing(*_: object) -> None:
    """COM needs no start here: an object is a Python object, in any thread."""


def _scode_string(scode: int) -> str:
    found = lookup(scode)
    return found.text if found is not None else f"COM Error 0x{scode & 0xFFFFFFFF:08x}"


def _module(name: str, **members: Any) -> ModuleType:
    module = ModuleType(name, f"What xenroll offers of pywin32's {name}.")
    vars(module).update(members)
    return module
