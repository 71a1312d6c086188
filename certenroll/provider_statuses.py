"""ICspStatus and ICspStatuses: pairs of a provider and an algorithm, in the order in which a wizard offers them.

Knows the providers only as objects that it is given. Source: the nf-certenroll-icspstatus* pages; the order and what is
displayed and selected is that of ICspStatuses.ItemByOrdinal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from certenroll.com import ComCollection, ComObject, Slot, stored
from certenroll.enums import AlgorithmOperationFlags, EnrollmentDisplayStatus, EnrollmentSelectionStatus, X509KeySpec
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.provider_algorithms import CIPHER, HASH, SIGN, key_spec_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from certenroll.enrollment_status import IX509EnrollmentStatus
    from certenroll.providers import ICspAlgorithm, ICspInformation, ICspInformations


class ICspStatus(ComObject):
    """A provider with one of its algorithms."""

    def __init__(self) -> None:
        self._csp: Slot[ICspInformation] = Slot("the provider status")
        self._algorithm: ICspAlgorithm | None = None
        self._enrollment_status: IX509EnrollmentStatus | None = None

    Ordinal = stored("int", "_ordinal", 0, "The position of the pair in its collection.")

    def Initialize(self, pCsp: ICspInformation, pAlgorithm: ICspAlgorithm | None) -> None:
        """Takes a provider and, where one is given, an algorithm of it.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time.
        """
        from certenroll.enrollment_status import IX509EnrollmentStatus

        self._csp.set(pCsp)
        self._algorithm = pAlgorithm
        self._enrollment_status = IX509EnrollmentStatus()

    @property
    def CspInformation(self) -> ICspInformation:
        """The provider. Raises OLE_E_BLANK."""
        return self._csp.get()

    @property
    def CspAlgorithm(self) -> ICspAlgorithm:
        """The algorithm. Raises OLE_E_BLANK, and CERTSRV_E_PROPERTY_EMPTY where none was given."""
        self._csp.get()
        if self._algorithm is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the status was initialized without an algorithm")
        return self._algorithm

    @property
    def EnrollmentStatus(self) -> IX509EnrollmentStatus:
        """Whether a wizard shows the pair and has it selected. Raises OLE_E_BLANK."""
        self._csp.get()
        if self._enrollment_status is None:
            raise ComError(HRESULT.OLE_E_BLANK)
        return self._enrollment_status

    @property
    def DisplayName(self) -> str:
        """"Provider(Signature)" or "Provider(Encryption)" for a CSP, "Algorithm,Provider" for a KSP. Raises OLE_E_BLANK."""
        provider = self._csp.get()
        if not provider.LegacyCsp:
            return f"{self._algorithm.Name if self._algorithm is not None else 'Unknown Algorithm'},{provider.Name}"
        return f"{provider.Name}({key_spec_name(self.key_spec())})"

    def chosen_algorithm(self) -> ICspAlgorithm | None:
        """The algorithm, or None where none was given."""
        return self._algorithm

    def key_spec(self) -> int:
        """What a key of the pair is for, as an X509KeySpec; of the provider where no algorithm was given."""
        if self._algorithm is not None:
            return self._algorithm.algorithm_facts().key_spec
        return int(self._csp.get().KeySpec)

    def mark_offered(self, *, display: bool, selected: bool) -> None:
        """Says whether a wizard shows the pair and has it selected."""
        self.EnrollmentStatus.Display = EnrollmentDisplayStatus(int(display))
        self.EnrollmentStatus.Selected = EnrollmentSelectionStatus(int(selected))


class ICspStatuses(ComCollection[ICspStatus]):
    """A collection of provider and algorithm pairs."""

    _item_type_ = "ICspStatus"

    def ItemByName(self, strCspName: str, strAlgorithmName: str) -> ICspStatus:
        """The pair of those two names, without regard to case. Raises WIN32_NOT_FOUND."""
        return self._first(lambda one: _is_named(one, strCspName, strAlgorithmName), f"{strAlgorithmName}, {strCspName}")

    def ItemByOrdinal(self, Ordinal: int) -> ICspStatus:
        """The pair of that ordinal number. Raises WIN32_NOT_FOUND."""
        return self._first(lambda one: one.Ordinal == Ordinal, f"ordinal {Ordinal}")

    def ItemByOperations(self, strCspName: str, strAlgorithmName: str, Operations: AlgorithmOperationFlags) -> ICspStatus:
        """The pair of those two names whose algorithm does ``Operations``. Raises WIN32_NOT_FOUND."""

        def fits(one: ICspStatus) -> bool:
            return _is_named(one, strCspName, strAlgorithmName) and one.CspAlgorithm.Operations & Operations == Operations

        return self._first(fits, f"{strAlgorithmName}, {strCspName}")

    def ItemByProvider(self, pCspStatus: ICspStatus) -> ICspStatus:
        """The pair of the same CSP whose key is for another use; of a KSP, the pair that was given.

        Raises:
            ComError: WIN32_NOT_FOUND where the collection has none.
        """
        provider = pCspStatus.CspInformation
        if not provider.LegacyCsp:
            return pCspStatus
        name, key_spec = provider.Name, pCspStatus.key_spec()
        return self._first(lambda one: one.CspInformation.Name == name and one.key_spec() != key_spec, name)

    def _first(self, fits: Callable[[ICspStatus], bool], what: str) -> ICspStatus:
        for one in self._items:
            if fits(one):
                return one
        raise ComError(HRESULT.WIN32_NOT_FOUND, f"the collection has no other status for {what}")


def make_status(csp: ICspInformation, algorithm: ICspAlgorithm | None, ordinal: int = 0) -> ICspStatus:
    """An initialized ICspStatus."""
    made = ICspStatus()
    made.Initialize(csp, algorithm)
    made.Ordinal = ordinal
    return made


def statuses_for(informations: ICspInformations, key_spec: int) -> ICspStatuses:
    """The pairs that a request offers: those of the first provider before all others, those that fit the use first.

    Args:
        informations: the providers of the request; the first is its default.
        key_spec: the X509KeySpec of the key; XCN_AT_NONE for a CNG key.

    Returns:
        Numbered pairs. Of the first provider those that fit are displayed, and the first of them is selected; of the
        others those of its kind that fit are displayed.
    """
    providers = list(informations)
    legacy = bool(providers) and providers[0].LegacyCsp
    made: list[tuple[tuple[bool, bool], ICspStatus]] = []
    for position, provider in enumerate(providers):
        for item in provider.algorithm_items():
            if item.Operations in (CIPHER, HASH) or not item.Valid:
                continue
            status = make_status(provider, item)
            fits = provider.LegacyCsp == legacy and _fits(status, key_spec)
            status.mark_offered(display=fits, selected=False)
            made.append(((position != 0, not fits), status))
    made.sort(key=lambda entry: entry[0])
    result = ICspStatuses([status for _, status in made])
    for ordinal, status in enumerate(result):
        status.Ordinal = ordinal
    _select_first(result)
    return result


def _select_first(statuses: ICspStatuses) -> None:
    if statuses.Count and statuses[0].EnrollmentStatus.Display == EnrollmentDisplayStatus.DisplayYes:
        statuses[0].mark_offered(display=True, selected=True)


def _fits(status: ICspStatus, key_spec: int) -> bool:
    if key_spec == X509KeySpec.XCN_AT_NONE:
        return True
    if not status.CspInformation.LegacyCsp:
        wanted = key_spec == X509KeySpec.XCN_AT_KEYEXCHANGE
        return status.CspAlgorithm.Operations != SIGN if wanted else bool(status.CspAlgorithm.Operations & SIGN)
    return status.key_spec() == key_spec


def _is_named(status: ICspStatus, provider: str, algorithm: str) -> bool:
    same_provider = status.CspInformation.Name.lower() == provider.strip().lower()
    return same_provider and status.CspAlgorithm.Name.lower() == algorithm.strip().lower()
