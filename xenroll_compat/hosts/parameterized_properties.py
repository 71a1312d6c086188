"""Which methods of the object model are properties with parameters on Windows (``RawData``, ``Certificate``).

A language in which a method is a value must tell the two apart: ``request.RawData`` without a call is the property's value
with its default encoding, ``request.Encode`` is nothing until it is called. Knows names alone; no method of any interface
has one of these.
Source: the get_ members with more than one argument in the type libraries of CertEnroll.
"""

from __future__ import annotations

from typing import Final

from certenroll.com import ComObject

NAMES: Final = frozenset(
    {
        "AlgorithmParameters",
        "ArchivedKeyHash",
        "AttestationEncryptionCertificate",
        "AuthorityKeyIdentifier",
        "Certificate",
        "EncodedKey",
        "EncodedName",
        "EncodedParameters",
        "EncryptedKeyBlob",
        "EncryptedKeyHash",
        "EncryptedKeyHashBlob",
        "IndexByObjectId",
        "ItemByIndex",
        "ItemByName",
        "ItemByOid",
        "ItemByOperations",
        "ItemByOrdinal",
        "ItemByProvider",
        "KeyArchivalCertificate",
        "OldCertificate",
        "Parameters",
        "Property",
        "RawData",
        "RawDataToBeSigned",
        "Renewal",
        "RenewalCertificate",
        "Response",
        "SHA1Hash",
        "SenderNonce",
        "SerialNumber",
        "Signature",
        "SubjectKeyIdentifier",
        "TransactionId",
    }
)
_FOLDED: Final = frozenset(name.lower() for name in NAMES)


def is_parameterized(target: ComObject, name: str) -> bool:
    """Whether a method of ``target`` is a property with parameters.

    Args:
        target: an automation object. A class of a host's own names such members of its own in ``_parameterized_``, in
            lower case.
        name: the member's name in any case.
    """
    folded = name.lower()
    return folded in _FOLDED or folded in getattr(type(target), "_parameterized_", ())
