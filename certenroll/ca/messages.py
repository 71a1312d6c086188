"""What goes to a CA beside the request and what comes back beside the certificate: request attributes, parts of an answer.

No COM, no CA: text and answers in, values out. Source: the pages of ICertRequest::Submit (strAttributes) and
ICertRequest2::GetFullResponseProperty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from certenroll.asn1.cms import encode_certificate_bag
from certenroll.ca.base import Answer, CAError
from certenroll.enums import FULL_RESPONSE_PROPERTY_ID as FR
from certenroll.hresults import HRESULT

Crls = Callable[[], tuple[bytes, ...]]


def read_attributes(text: str) -> dict[str, str]:
    """The request attributes in ``Name:Value`` lines; white space around names and values does not count.

    Raises:
        CAError: E_INVALIDARG where a line has no colon or no name.
    """
    found = {}
    for line in filter(None, (part.strip() for part in text.splitlines())):
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise CAError(HRESULT.E_INVALIDARG, f"the request attribute {line!r} is not written as Name:Value")
        found[name.strip()] = value.strip()
    return found


def response_part(answer: Answer, part: FR, crls: Crls) -> bytes | None:
    """A part of an answer.

    Args:
        answer: the CA's answer.
        part: FR_PROP_*.
        crls: gives the CRLs of the chain.

    Returns:
        DER, or None where the answer has no such part: no certificate was issued, or the part is one of the status
        information that only a CMC full response has.
    """
    if part is FR.FR_PROP_FULLRESPONSE:
        return answer.full_response
    read = _PARTS.get(part)
    return read(answer, answer.certificate, crls) if read is not None and answer.certificate is not None else None


_PARTS: Final[dict[FR, Callable[[Answer, bytes, Crls], bytes]]] = {
    FR.FR_PROP_ISSUEDCERTIFICATE: lambda _, certificate, __: certificate,
    FR.FR_PROP_ISSUEDCERTIFICATEHASH: lambda _, certificate, __: hashlib.sha1(certificate, usedforsecurity=False).digest(),
    FR.FR_PROP_ISSUEDCERTIFICATECHAIN: lambda answer, certificate, _: encode_certificate_bag((certificate, *answer.chain)),
    FR.FR_PROP_ISSUEDCERTIFICATECRLCHAIN: lambda answer, certificate, crls: encode_certificate_bag(
        (certificate, *answer.chain), crls()
    ),
}
