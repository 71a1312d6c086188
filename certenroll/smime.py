"""ISmimeCapability and ISmimeCapabilities: the algorithms that a subject decrypts, as automation objects.

Knows algorithms by identifier and key length, and by the names that providers give them; encrypts nothing.

Source: the nf-certenroll-ismimecapability-* and nf-certenroll-ismimecapabilities-* pages; RFC 8551 section 2.5.2 and
RFC 3565 section 4.1 for the parameters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from certenroll.asn1 import der
from certenroll.asn1.extensions import SmimeCapability
from certenroll.com import ComCollection, ComObject, Slot
from certenroll.errors import BadArgument
from certenroll.extensions import dotted
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, object_id

if TYPE_CHECKING:
    from certenroll.providers import ICspInformation

_AES: Final = "2.16.840.1.101.3.4.1."  # RFC 3565: a capability of AES has no parameters, its key length is in the OID
_DES: Final = "1.3.14.3.2.7"
_TRIPLE_DES: Final = "1.2.840.113549.3.7"
_RC2: Final = "1.2.840.113549.3.2"
_RC4: Final = "1.2.840.113549.3.4"

# (key length in bits, cipher, key wrap), best first.
_AES_SIZES: Final = ((256, f"{_AES}42", f"{_AES}45"), (192, f"{_AES}22", f"{_AES}25"), (128, f"{_AES}2", f"{_AES}5"))
# A provider's name for an algorithm of one key length -> its identifier.
_FIXED: Final = {"3DES": _TRIPLE_DES, "DES": _DES}
# A provider's name for an algorithm of many key lengths -> its identifier; the longest one is told.
_VARIABLE: Final = {"RC2": _RC2, "RC4": _RC4}
# A collection of capabilities stands in the order of preference (RFC 8551), a provider's algorithms do not.
_PREFERENCE: Final = (*(oid for _, *pair in _AES_SIZES for oid in pair), _TRIPLE_DES, _RC2, _RC4, _DES)


def default_capabilities() -> tuple[SmimeCapability, ...]:
    """What the default provider of this platform decrypts, best first: AES, its key wraps, and Triple DES.

    DES, RC2 and RC4, which Windows' provider has too, are not among them: nothing here decrypts them.
    """
    return tuple(SmimeCapability(oid) for oid in _PREFERENCE if oid.startswith(_AES) or oid == _TRIPLE_DES)


class ISmimeCapability(ComObject):
    """An algorithm and, where it has several, the length of its key. Initialized once."""

    def __init__(self) -> None:
        self._capability: Slot[SmimeCapability] = Slot("the S/MIME capability")
        self._bit_count = 0

    def Initialize(self, pObjectId: IObjectId | None, BitCount: int) -> None:
        """Takes an algorithm.

        Args:
            pObjectId: the algorithm.
            BitCount: the length of its key in bits; 0 where the algorithm has one length only. It is written into the
                capability, except for AES.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY without an identifier, E_INVALIDARG for a negative length,
                WIN32_ALREADY_INITIALIZED on the second time.
        """
        oid = dotted(pObjectId)
        if BitCount < 0:
            raise BadArgument(HRESULT.E_INVALIDARG, f"a key has no {BitCount} bits", argerror=1)
        self._capability.set(_capability(oid, BitCount))
        self._bit_count = BitCount

    @property
    def ObjectId(self) -> IObjectId:
        """The algorithm. Raises ComError OLE_E_BLANK."""
        return object_id(self._capability.get().oid)

    @property
    def BitCount(self) -> int:
        """The length of the key in bits, 0 where it was not given. Raises ComError OLE_E_BLANK."""
        self._capability.get()
        return self._bit_count

    def to_capability(self) -> SmimeCapability:
        """The capability as it goes into an extension. Raises ComError OLE_E_BLANK."""
        return self._capability.get()


class ISmimeCapabilities(ComCollection[ISmimeCapability]):
    """A collection of capabilities, best first."""

    _item_type_ = "ISmimeCapability"

    def AddFromCsp(self, pValue: ICspInformation) -> None:
        """Appends the ciphers that a provider has, best first; those that the collection has already stay in place."""
        rows = [(one.Name.upper(), one.MinLength, one.MaxLength) for one in pValue.CspAlgorithms]
        self._extend(sorted((found for row in rows for found in _provided(*row)), key=_preference))

    def AddAvailableSmimeCapabilities(self, MachineContext: bool) -> None:
        """Appends the ciphers of the default provider; those that the collection has already stay in place.

        Args:
            MachineContext: whether the machine's provider is asked; it has the same ciphers as the user's.
        """
        self._extend(default_capabilities())

    def _extend(self, added: Iterable[SmimeCapability]) -> None:
        present = {item.to_capability().oid for item in self._items}
        self._items.extend(capability_from(one) for one in added if one.oid not in present)


def capability_from(capability: SmimeCapability) -> ISmimeCapability:
    """The object for a capability of an extension; parameters that are no key length are kept as they came."""
    made = ISmimeCapability()
    made._capability.set(capability)
    parameters = capability.parameters
    if parameters is not None and der.tag(parameters) == der.INTEGER:
        made._bit_count = der.read_integer(parameters)
    return made


def _capability(oid: str, bits: int) -> SmimeCapability:
    return SmimeCapability(oid, der.integer(bits) if bits and not oid.startswith(_AES) else None)


def _preference(capability: SmimeCapability) -> int:
    return _PREFERENCE.index(capability.oid)


def _provided(name: str, shortest: int, longest: int) -> tuple[SmimeCapability, ...]:
    if name.startswith("AES"):
        sizes = [row for row in _AES_SIZES if shortest <= row[0] <= longest]
        return tuple(SmimeCapability(oid) for _, cipher, wrap in sizes for oid in (cipher, wrap))
    if name in _VARIABLE:
        return (_capability(_VARIABLE[name], longest),)
    return (SmimeCapability(_FIXED[name]),) if name in _FIXED else ()
