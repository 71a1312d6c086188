"""The control's stores: their names, types and flags, handles in their place, and what an install is told of them.

A store is the profile's ("System"), a file or one in memory; it is opened when a method needs it, and memory lasts as long
as the control. Source: ICEnroll::MyStoreName, MyStoreType, MyStoreFlags and their like, IEnroll::getMyStore,
IEnroll2::SetHStoreMy; CertOpenStore.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from certenroll import facade
from certenroll.com import ComObject
from certenroll.enums import X509CertificateEnrollmentContext
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT
from xenroll_compat import defaults
from xenroll_compat.files import named_file

# The part of a property's name that says which store -> the store's default name, and what an install calls it.
_STORES: Final = {"My": ("MY", "my"), "CA": ("CA", "ca"), "Root": ("ROOT", "root"), "Request": ("REQUEST", "request")}
_INSTALLED: Final = ("My", "CA", "Root")
_ELSEWHERE: Final = ("CA", "Root")  # these may be the machine's for a user, or a user's for the machine
_SIMPLE_FLAGS: Final = (defaults.CURRENT_USER, defaults.LOCAL_MACHINE)  # with these a system store is there in any case


def _kept(control: ComObject, which: str, what: str) -> Any:
    """What a property of a store reads: the handle's where there is one, else what was set, else the default."""
    handle: facade.StoreHandle | None = control.__dict__.get(f"_{which}_handle")
    if handle is not None:
        return getattr(handle, what)
    found = control.__dict__.get(f"_{which}_{what}")
    default = {"name": _STORES[which][0], "provider": defaults.SYSTEM_STORE, "flags": defaults.CURRENT_USER}
    return default[what] if found is None else found


def _keep(control: ComObject, which: str, what: str, value: object) -> None:
    control.__dict__.pop(f"_{which}_handle", None)
    control.__dict__[f"_{which}_{what}"] = value


def _store_name(which: str, doc: str) -> property:
    def read(self: ComObject) -> str:
        return str(_kept(self, which, "name"))

    def write(self: ComObject, value: str) -> None:
        _keep(self, which, "name", value)

    return property(read, write, doc=f"{doc} Of a file store, the file; not looked at in memory.")


def _store_type(which: str) -> property:
    def read(self: ComObject) -> str:
        return str(_kept(self, which, "provider"))

    def write(self: ComObject, value: str) -> None:
        if value:
            facade.store_provider(value)
        self.__dict__.pop(f"_{which}_memory", None)
        _keep(self, which, "provider", value or defaults.SYSTEM_STORE)

    doc = f'The type of the {which} store: "System", "File" or "Memory", as CertOpenStore names them; "" is the first.'
    return property(read, write, doc=f"{doc}\n\nRaises ComError WIN32_FILE_NOT_FOUND for another.")


def _store_flags(which: str, doc: str) -> property:
    def read(self: ComObject) -> int:
        return int(_kept(self, which, "flags"))

    def write(self: ComObject, value: int) -> None:
        _keep(self, which, "flags", value)

    return property(read, write, doc=f"{doc} CertOpenStore's flags: where a system store is, whether a file is saved.")


class ControlStores(ComObject):
    """The members that say which stores the control works with."""

    MyStoreName = _store_name("My", "The store that the certificate goes to.")
    MyStoreType = _store_type("My")
    MyStoreFlags = _store_flags("My", "The machine's location makes all stores its own.")
    CAStoreName = _store_name("CA", "The store that the chain goes to.")
    CAStoreType = _store_type("CA")
    CAStoreFlags = _store_flags("CA", "As long as nothing is set, the chain goes where the certificate goes.")
    RootStoreName = _store_name("Root", "The store that a root goes to.")
    RootStoreType = _store_type("Root")
    RootStoreFlags = _store_flags("Root", "As long as nothing is set, a root goes where the certificate goes.")
    RequestStoreName = _store_name("Request", "The store that holds requests until they are answered.")
    RequestStoreType = _store_type("Request")
    RequestStoreFlags = _store_flags("Request", "As MyStoreFlags.")

    def getMyStore(self) -> None:
        """Nothing. Windows has no such function (ERROR_CALL_NOT_IMPLEMENTED): it always gives NULL."""

    def getCAStore(self) -> None:
        """Nothing, as getMyStore."""

    def getROOTHStore(self) -> None:
        """Nothing, as getMyStore."""

    def SetHStoreMy(self, hStore: object) -> None:
        """Has the certificate go to an open store, until a property of the MY store is set.

        Args:
            hStore: a handle of certenroll.facade.open_store; the properties read as it was opened.

        Raises:
            ComError: E_HANDLE for what is no handle.
        """
        self._set_handle("My", hStore)

    def SetHStoreCA(self, hStore: object) -> None:
        """Has the chain go to an open store, as SetHStoreMy. Raises as it does."""
        self._set_handle("CA", hStore)

    def SetHStoreROOT(self, hStore: object) -> None:
        """Has a root go to an open store, as SetHStoreMy. Raises as it does."""
        self._set_handle("Root", hStore)

    def SetHStoreRequest(self, hStore: object) -> None:
        """Has an open store keep the certificate that stands for a request, as SetHStoreMy. Raises as it does."""
        self._set_handle("Request", hStore)

    def machine_stores(self) -> bool:
        """Whether MyStoreFlags or RequestStoreFlags, of a system store, name a location of the machine."""
        system = [which for which in ("My", "Request") if _provider_of(self, which) == "system"]
        return any(_kept(self, which, "flags") & defaults.LOCATION_MASK in defaults.MACHINE_LOCATIONS for which in system)

    def opened_store(self, which: str, context: X509CertificateEnrollmentContext | None = None) -> facade.StoreHandle | str:
        """The store of "My", "CA", "Root" or "Request": a system store by its name, any other as a handle.

        Args:
            which: the store.
            context: for whom the control works: a system store of somebody else is a handle too. None for the same.

        Raises:
            ComError: as ``facade.open_store``.
        """
        handle: facade.StoreHandle | None = self.__dict__.get(f"_{which}_handle") or self.__dict__.get(f"_{which}_memory")
        if handle is None:
            handle = self._open(which, always=context is not None and f"_{which}_flags" in self.__dict__)
        is_own = handle is None or (handle.outside is None and context in (None, handle.context))
        return str(_kept(self, which, "name")) if handle is None or is_own else handle

    def place_request(self, enrollment: Any) -> None:
        """Tells an enrollment where the request that it is about to create is kept. Raises as ``opened_store``."""
        store = self.opened_store("Request")
        if isinstance(store, str) and store != _STORES["Request"][0]:
            facade.configure(enrollment, request_store=store)

    def place_answer(self, enrollment: Any, context: X509CertificateEnrollmentContext, **switches: bool) -> None:
        """Tells an enrollment where an answer goes, and what is to be otherwise than it does by itself.

        Args:
            enrollment: before InstallResponse.
            context: whose it is.
            switches: switches of its options that are not as by default.

        Raises as ``opened_store``.
        """
        opened = {which: self.opened_store(which, context if which in _ELSEWHERE else None) for which in _STORES}
        named = {which: store for which, store in opened.items() if isinstance(store, str) and store != _STORES[which][0]}
        changes: dict[str, object] = {f"{_STORES[which][1]}_store": name for which, name in named.items()}
        if changes or switches:
            facade.configure(enrollment, **changes, **switches)
        handles = {_STORES[which][1]: store for which, store in opened.items() if isinstance(store, facade.StoreHandle)}
        if handles:
            facade.choose_stores(enrollment, **handles, context=context)

    def install_places(self, context: X509CertificateEnrollmentContext) -> dict[str, facade.StoreHandle | str]:
        """The stores of certificate, chain and root, by what an install calls them. Raises as ``opened_store``."""
        places = {which: context if which in _ELSEWHERE else None for which in _INSTALLED}
        return {_STORES[which][1]: self.opened_store(which, whose) for which, whose in places.items()}

    def request_store(self) -> str:
        """The name of the profile's store that holds outstanding requests: RequestStoreName, of a system store."""
        store = self.opened_store("Request")
        return store if isinstance(store, str) else _STORES["Request"][0]

    def copy_request(self, thumbprint: str, context: X509CertificateEnrollmentContext) -> None:
        """Puts the certificate that stands for a request into RequestStoreName too, where that is outside the profile.

        Raises OSError where a file cannot be written.
        """
        store = self.opened_store("Request")
        if isinstance(store, facade.StoreHandle):
            facade.copy_pending(store, thumbprint, context=context)

    def drop_request_copy(self, thumbprint: str, context: X509CertificateEnrollmentContext) -> None:
        """Takes it out of there again. Raises OSError where a file cannot be written."""
        store = self.opened_store("Request")
        if isinstance(store, facade.StoreHandle):
            facade.drop_copy(store, thumbprint, context)

    def _set_handle(self, which: str, handle: object) -> None:
        if not isinstance(handle, facade.StoreHandle):
            raise BadArgument(HRESULT.E_HANDLE, "a store that certenroll.facade.open_store opened is needed", argerror=0)
        self.__dict__[f"_{which}_handle"] = handle

    def _open(self, which: str, *, always: bool) -> facade.StoreHandle | None:
        """The store that its properties describe, opened; None for a system store of the usual kind, but ``always``."""
        provider, name, flags = _provider_of(self, which), _kept(self, which, "name"), _kept(self, which, "flags")
        if provider == "system" and flags in _SIMPLE_FLAGS and name.strip() and not always:
            return None
        given = [] if flags == defaults.CURRENT_USER else [flags]
        try:
            if provider == "memory":
                opened = self.__dict__[f"_{which}_memory"] = facade.open_store("Memory", "", *given)
            elif provider == "file":
                opened = facade.open_store("File", _file_name(name), *given)
            else:
                opened = facade.open_store("System", name, *given)
        except ComError as error:
            raise ComError(error.hresult, f"{which}Store: {error.detail}") from None
        return opened


def _file_name(name: str) -> str:
    """A file's name as it was given, where it leads from the current folder to the file that the context has for it."""
    found = named_file(name).absolute()
    return name if Path(name).resolve() == found.resolve() else str(found)


def _provider_of(control: ComObject, which: str) -> str:
    return str(_kept(control, which, "provider")).lower()
