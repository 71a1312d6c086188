"""ICspAlgorithm and ICspAlgorithms: the algorithms of a provider, and which of them fit a purpose.

Answers from the table of ``provider_algorithms``; knows no providers. Source: the nf-certenroll-icspalgorithm* pages;
which algorithm fits is that of ICspInformation.GetCspStatusFromOperations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from certenroll.com import ComCollection, ComObject, Slot
from certenroll.enums import AlgorithmFlags, AlgorithmOperationFlags, AlgorithmType
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, object_id
from certenroll.provider_algorithms import CIPHER, ENCRYPT, HASH, SIGN, Algorithm

T = TypeVar("T")

_EXACT = AlgorithmOperationFlags.XCN_NCRYPT_EXACT_MATCH_OPERATION
_PREFER_SIGNATURE = AlgorithmOperationFlags.XCN_NCRYPT_PREFER_SIGNATURE_ONLY_OPERATION
_PREFER_OTHER = AlgorithmOperationFlags.XCN_NCRYPT_PREFER_NON_SIGNATURE_OPERATION
_ANY_ASYMMETRIC = (0x1C, AlgorithmOperationFlags.XCN_NCRYPT_ANY_ASYMMETRIC_OPERATION)  # of older headers, and of today's
_PREFERENCES = AlgorithmOperationFlags.XCN_NCRYPT_PREFERENCE_MASK_OPERATION


class ICspAlgorithm(ComObject):
    """One algorithm of a provider. A script gets it from ICspInformation.CspAlgorithms and initializes none itself."""

    def __init__(self, algorithm: Algorithm | None = None) -> None:
        self._facts: Slot[Algorithm] = Slot("the algorithm")
        if algorithm is not None:
            self._facts.set(algorithm)

    def GetAlgorithmOid(self, Length: int, AlgFlags: AlgorithmFlags) -> IObjectId:
        """The object id of the algorithm.

        Args:
            Length: the key size of a cipher in bits, 0 for its default; must be 0 for every other algorithm.
            AlgFlags: AlgorithmFlagsWrap for the key wrap of a cipher.

        Raises:
            ComError: OLE_E_BLANK, E_INVALIDARG for a length that does not belong there, CERTSRV_E_PROPERTY_EMPTY where
                there is no such object id.
        """
        facts = self._facts.get()
        if Length and not facts.is_symmetric:
            raise BadArgument(HRESULT.E_INVALIDARG, f"{facts.name} is no cipher; its Length is 0", argerror=0)
        table = facts.wraps if AlgFlags & AlgorithmFlags.AlgorithmFlagsWrap else facts.oids
        fits = Length in table or facts.minimum == Length == facts.maximum
        found = table.get(Length, table.get(0)) if fits else None
        if found is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, f"{facts.name} has no object id for {Length} bits")
        return object_id(found)

    @property
    def Name(self) -> str:
        """The short name ("RSA_KEYX", "ECDSA_P256"). Raises OLE_E_BLANK."""
        return self._facts.get().name

    @property
    def LongName(self) -> str:
        """The full name; a KSP's is the short one again. Raises OLE_E_BLANK."""
        return self._facts.get().long_name

    @property
    def Type(self) -> AlgorithmType:
        """The one interface that the algorithm is filed under. Raises OLE_E_BLANK."""
        return self._facts.get().type

    @property
    def Operations(self) -> AlgorithmOperationFlags:
        """All that the algorithm does. Raises OLE_E_BLANK."""
        return self._facts.get().operations

    @property
    def Valid(self) -> bool:
        """Whether the algorithm can be used here. Raises OLE_E_BLANK."""
        return self._facts.get().made

    @property
    def DefaultLength(self) -> int:
        """The length in bits that is taken where none is given. Raises OLE_E_BLANK."""
        return self._facts.get().default

    @property
    def MinLength(self) -> int:
        """The smallest length in bits. Raises OLE_E_BLANK."""
        return self._facts.get().minimum

    @property
    def MaxLength(self) -> int:
        """The largest length in bits. Raises OLE_E_BLANK."""
        return self._facts.get().maximum

    @property
    def IncrementLength(self) -> int:
        """The step between two lengths, in bits; 0 where there is but one. Raises OLE_E_BLANK."""
        return self._facts.get().increment

    def algorithm_facts(self) -> Algorithm:
        """The row of the table. Raises OLE_E_BLANK."""
        return self._facts.get()


class ICspAlgorithms(ComCollection[ICspAlgorithm]):
    """A collection of algorithms."""

    _item_type_ = "ICspAlgorithm"

    def ItemByName(self, strName: str) -> ICspAlgorithm:
        """The algorithm of that name, without regard to case. Raises WIN32_NOT_FOUND."""
        return named(self._items, strName, lambda item: item.Name)

    def IndexByObjectId(self, pObjectId: IObjectId) -> int:
        """The index of the first algorithm with that object id. Raises WIN32_NOT_FOUND."""
        wanted = pObjectId.Value
        for index, item in enumerate(self._items):
            if wanted in item.algorithm_facts().oids.values():
                return index
        raise ComError(HRESULT.WIN32_NOT_FOUND, f"no algorithm has the object id {wanted}")


def named(items: Iterable[T], name: str, name_of: Callable[[T], str]) -> T:
    """The first item of that name, without regard to case. Raises WIN32_NOT_FOUND."""
    for item in items:
        if name_of(item).lower() == name.strip().lower():
            return item
    raise ComError(HRESULT.WIN32_NOT_FOUND, f"there is no item of the name {name!r}", argerror=0)


def fitting_algorithms(
    items: Iterable[ICspAlgorithm], oid: str | None, operations: AlgorithmOperationFlags
) -> list[ICspAlgorithm]:
    """The algorithms that do what is asked, the preferred ones first."""
    wanted = AlgorithmOperationFlags(operations & ~_PREFERENCES)
    if operations & (_PREFER_SIGNATURE | _PREFER_OTHER) and wanted & (CIPHER | HASH):
        raise BadArgument(HRESULT.E_INVALIDARG, "ciphers and hashes have no signature preference", argerror=1)
    if oid is not None:
        items = [item for item in items if oid in item.algorithm_facts().oids.values()]
        if not (wanted & SIGN and operations & (_EXACT | _PREFER_SIGNATURE)) and wanted & (SIGN | ENCRYPT):
            return [item for item in items if item.Operations & (SIGN | ENCRYPT)]
    if operations & _EXACT:
        return [item for item in items if item.Operations == wanted]
    if wanted in _ANY_ASYMMETRIC:
        found = [item for item in items if item.Operations & wanted]
    else:
        found = [item for item in items if item.Operations & wanted == wanted]
    if operations & _PREFER_SIGNATURE:
        found.sort(key=lambda item: item.Operations != SIGN)
    if operations & _PREFER_OTHER:
        found.sort(key=lambda item: item.Operations == SIGN)
    return found
