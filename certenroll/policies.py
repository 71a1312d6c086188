"""ICertificatePolicy, IPolicyQualifier and their collections: policies as automation objects.

Knows the two kinds of qualifier that RFC 5280 has; what a policy means is its issuer's.

Source: the nf-certenroll-icertificatepolicy-* and nf-certenroll-ipolicyqualifier-* pages.
"""

from __future__ import annotations

from typing import Final

from certenroll.asn1 import extensions
from certenroll.asn1.extensions import Policy, PolicyQualifier
from certenroll.com import ComCollection, ComObject, Slot
from certenroll.encodings import encode_text
from certenroll.enums import EncodingType, PolicyQualifierType
from certenroll.errors import BadArgument
from certenroll.extensions import BASE64, dotted
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, object_id

_ENCODERS: Final = {
    PolicyQualifierType.PolicyQualifierTypeUrl: extensions.encode_cps,
    PolicyQualifierType.PolicyQualifierTypeUserNotice: extensions.encode_user_notice,
}
_TYPES: Final = {
    extensions.CPS: PolicyQualifierType.PolicyQualifierTypeUrl,
    extensions.USER_NOTICE: PolicyQualifierType.PolicyQualifierTypeUserNotice,
}


class IPolicyQualifier(ComObject):
    """What qualifies a policy: where its practice statement is, or a notice to its user. Initialized once."""

    def __init__(self) -> None:
        self._qualifier: Slot[PolicyQualifier] = Slot("the policy qualifier")

    def InitializeEncode(self, strQualifier: str, Type: PolicyQualifierType) -> None:
        """Takes the qualifier's text.

        Args:
            strQualifier: the URL of the certification practice statement, in ASCII, or the notice.
            Type: which of the two it is.

        Raises:
            ComError: E_INVALIDARG for another type, CRYPT_E_INVALID_IA5_STRING where a URL is not ASCII,
                WIN32_ALREADY_INITIALIZED on the second time.
        """
        encode = _ENCODERS.get(Type)
        if encode is None:
            raise BadArgument(HRESULT.E_INVALIDARG, f"a qualifier is a URL or a user notice, not {Type.name}", argerror=1)
        self._qualifier.set(encode(strQualifier))

    @property
    def ObjectId(self) -> IObjectId:
        """The identifier of the qualifier's type. Raises ComError OLE_E_BLANK."""
        return object_id(self._qualifier.get().oid)

    @property
    def Qualifier(self) -> str:
        """The qualifier's text; empty for a type that is not known. Raises ComError OLE_E_BLANK."""
        return extensions.decode_qualifier_text(self._qualifier.get())

    @property
    def Type(self) -> PolicyQualifierType:
        """The qualifier's type. Raises ComError OLE_E_BLANK."""
        return _TYPES.get(self._qualifier.get().oid, PolicyQualifierType.PolicyQualifierTypeUnknown)

    def RawData(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The DER of the qualifier's value, without its type. Raises ComError OLE_E_BLANK."""
        return encode_text(self._qualifier.get().value or b"", Encoding)

    def to_qualifier(self) -> PolicyQualifier:
        """The qualifier as it goes into an extension. Raises ComError OLE_E_BLANK."""
        return self._qualifier.get()


class IPolicyQualifiers(ComCollection[IPolicyQualifier]):
    """A collection of qualifiers."""

    _item_type_ = "IPolicyQualifier"


class ICertificatePolicy(ComObject):
    """A policy and its qualifiers. Initialized once; qualifiers may be added until it is encoded."""

    def __init__(self) -> None:
        self._oid: Slot[str] = Slot("the certificate policy")
        self._qualifiers = IPolicyQualifiers()

    def Initialize(self, pValue: IObjectId | None) -> None:
        """Takes the policy's identifier; it has no qualifiers yet.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY without an identifier, WIN32_ALREADY_INITIALIZED on the second time.
        """
        self._oid.set(dotted(pValue))

    @property
    def ObjectId(self) -> IObjectId:
        """The policy's identifier. Raises ComError OLE_E_BLANK."""
        return object_id(self._oid.get())

    @property
    def PolicyQualifiers(self) -> IPolicyQualifiers:
        """The policy's qualifiers; the collection is the policy's own. Raises ComError OLE_E_BLANK."""
        self._oid.get()
        return self._qualifiers

    def to_policy(self) -> Policy:
        """The policy as it goes into an extension. Raises ComError OLE_E_BLANK."""
        return Policy(self._oid.get(), tuple(one.to_qualifier() for one in self._qualifiers))


class ICertificatePolicies(ComCollection[ICertificatePolicy]):
    """A collection of policies."""

    _item_type_ = "ICertificatePolicy"


def policy_from(policy: Policy) -> ICertificatePolicy:
    """The object for a policy of an extension."""
    made = ICertificatePolicy()
    made._oid.set(policy.oid)
    for qualifier in policy.qualifiers:
        one = IPolicyQualifier()
        one._qualifier.set(qualifier)
        made._qualifiers.Add(one)
    return made
