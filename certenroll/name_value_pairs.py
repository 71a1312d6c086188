"""IX509NameValuePair and IX509NameValuePairs: the attributes that a request carries as text. Knows no encoding of them."""

from __future__ import annotations

from certenroll.com import ComCollection, ComObject, Slot
from certenroll.errors import ComError
from certenroll.hresults import HRESULT


class IX509NameValuePair(ComObject):
    """A name and its value. Initialized once. Source: Microsoft's pages of IX509NameValuePair."""

    def __init__(self) -> None:
        self._pair: Slot[tuple[str, str]] = Slot("the name-value pair")

    def Initialize(self, strName: str, strValue: str) -> None:
        """Takes a name ("CertificateTemplate") and its value ("User").

        Raises:
            ComError: E_INVALIDARG where the name is empty, WIN32_ALREADY_INITIALIZED on the second time.
        """
        if not strName:
            raise ComError(HRESULT.E_INVALIDARG, "a pair needs a name", argerror=0)
        self._pair.set((strName, strValue))

    @property
    def Name(self) -> str:
        """The name. Raises ComError OLE_E_BLANK before Initialize."""
        return self._pair.get()[0]

    @property
    def Value(self) -> str:
        """The value. Raises ComError OLE_E_BLANK before Initialize."""
        return self._pair.get()[1]


class IX509NameValuePairs(ComCollection[IX509NameValuePair]):
    """A collection of name-value pairs. Source: Microsoft's pages of IX509NameValuePairs."""

    _item_type_ = "IX509NameValuePair"
