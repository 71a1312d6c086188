"""What goes to a CA beside the request and what comes back beside the certificate: request attributes, parts of an answer.

No COM, no CA: text and answers in, values out. Source: the pages of ICertRequest::Submit (strAttributes) and
ICertRequest2::GetFullResponseProperty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from certenroll.asn1.cmc_responses import PkiResponse
from certenroll.asn1.cmc_statuses import CmcStatus
from certenroll.asn1.cms import encode_certificate_bag
from certenroll.asn1.responses import Response, read_response
from certenroll.ca.base import Answer, CAError
from certenroll.enums import CERT_PROPERTY_TYPE
from certenroll.enums import FULL_RESPONSE_PROPERTY_ID as FR
from certenroll.hresults import HRESULT

Crls = Callable[[], tuple[bytes, ...]]
Value = int | str | bytes | datetime

_NO_OTHER_INFO, _FAIL_INFO, _PEND_INFO = 0, 1, 2  # CMC_OTHER_INFO_*


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


@dataclass(frozen=True)
class Part:
    """A part of an answer.

    Attributes:
        kind: its type.
        read: its values from an answer and whoever gives the CRLs of its chain; None for a status that lacks it.
    """

    kind: CERT_PROPERTY_TYPE
    read: Callable[[Answer, Crls], Sequence[Value | None]]


def response_part(answer: Answer, part: FR, index: int, kind: CERT_PROPERTY_TYPE, crls: Crls) -> Value | None:
    """A part of an answer.

    Args:
        answer: the CA's answer.
        part: FR_PROP_*.
        index: from 0; a full response may say more than one thing about a request.
        kind: the type that is expected.
        crls: gives the CRLs of the chain.

    Returns:
        The value (DER where it is a structure), or None where the answer has no such part: no certificate was issued, or
        the part is one that only a CMC full response has.

    Raises:
        CAError: E_INVALIDARG where the part is of another type, or there is none of that index.
        DecodeError, BadSignature: the full response is malformed.
    """
    found = _PARTS.get(part)
    values = found.read(answer, crls) if found is not None else ()
    if found is None or all(value is None for value in values):
        return None
    if kind is not found.kind:
        raise CAError(HRESULT.E_INVALIDARG, f"{part.name} is of type {found.kind.name}")
    if not 0 <= index < len(values):
        raise CAError(HRESULT.E_INVALIDARG, f"the answer has {len(values)} values of {part.name}, and none of index {index}")
    return values[index]


# Of the answer -------------------------------------------------------------------------------------------------------


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _of_certificate(read: Callable[[Answer, bytes, Crls], bytes]) -> Part:
    return Part(
        CERT_PROPERTY_TYPE.PROPTYPE_BINARY,
        lambda answer, crls: [read(answer, answer.certificate, crls)] if answer.certificate is not None else [],
    )


# Of the full response ------------------------------------------------------------------------------------------------


def _response(answer: Answer) -> Response | None:
    return read_response(answer.full_response) if answer.full_response is not None else None


def _of_response(read: Callable[[PkiResponse], Value | None], kind: CERT_PROPERTY_TYPE) -> Part:
    def values(answer: Answer, _: Crls) -> list[Value | None]:
        found = _response(answer)
        return [read(found.cmc)] if found is not None and found.cmc is not None else []

    return Part(kind, values)


def _of_status(read: Callable[[CmcStatus], Value | None], kind: CERT_PROPERTY_TYPE) -> Part:
    def values(answer: Answer, _: Crls) -> list[Value | None]:
        found = _response(answer)
        return [read(one) for one in found.cmc.statuses] if found is not None and found.cmc is not None else []

    return Part(kind, values)


def _body_parts(status: CmcStatus) -> str:
    """The numbers of the parts that a status speaks of; dots lead into messages inside messages."""
    paths = [(one,) if isinstance(one, int) else one for one in status.body_list]
    return ",".join(".".join(map(str, path)) for path in paths)


def _other_info(status: CmcStatus) -> int:
    if status.pend_info is not None:
        return _PEND_INFO
    return _NO_OTHER_INFO if status.fail_info is None else _FAIL_INFO


def _whole(answer: Answer, _: Crls) -> list[Value | None]:
    """What the CA answered: a full response where it was asked for one, else the issued certificate's chain.

    MS-WCCE 3.2.1.4.3.1.1 has the one or the other by a flag of the request; a client may install either.
    """
    if answer.full_response is not None or answer.certificate is None:
        return [answer.full_response]
    return [encode_certificate_bag((answer.certificate, *answer.chain), answer.crls)]


def _exchange(write: Callable[[bytes, Answer, Crls], bytes]) -> Part:
    """Of the exchange certificate, where the response says by its hash which of its certificates that is."""

    def values(answer: Answer, crls: Crls) -> list[Value | None]:
        found = _response(answer)
        wanted = found.cmc.exchange_certificate_hash if found is not None and found.cmc is not None else None
        known = found.certificates if found is not None else ()
        return [write(one, answer, crls) for one in known if wanted is not None and _sha1(one) == wanted]

    return Part(CERT_PROPERTY_TYPE.PROPTYPE_BINARY, values)


_LONG: Final = CERT_PROPERTY_TYPE.PROPTYPE_LONG
_DATE: Final = CERT_PROPERTY_TYPE.PROPTYPE_DATE
_BINARY: Final = CERT_PROPERTY_TYPE.PROPTYPE_BINARY
_STRING: Final = CERT_PROPERTY_TYPE.PROPTYPE_STRING

_PARTS: Final[dict[FR, Part]] = {
    FR.FR_PROP_FULLRESPONSE: Part(_BINARY, _whole),
    FR.FR_PROP_STATUSINFOCOUNT: _of_response(lambda found: len(found.statuses), _LONG),
    FR.FR_PROP_BODYPARTSTRING: _of_status(_body_parts, _STRING),
    FR.FR_PROP_STATUS: _of_status(lambda one: int(one.status), _LONG),
    FR.FR_PROP_STATUSSTRING: _of_status(lambda one: one.text, _STRING),
    FR.FR_PROP_OTHERINFOCHOICE: _of_status(_other_info, _LONG),
    FR.FR_PROP_FAILINFO: _of_status(lambda one: one.fail_info, _LONG),
    FR.FR_PROP_PENDINFOTOKEN: _of_status(lambda one: one.pend_info.token if one.pend_info else None, _BINARY),
    FR.FR_PROP_PENDINFOTIME: _of_status(lambda one: one.pend_info.time if one.pend_info else None, _DATE),
    FR.FR_PROP_ISSUEDCERTIFICATEHASH: _of_certificate(lambda _, certificate, __: _sha1(certificate)),
    FR.FR_PROP_ISSUEDCERTIFICATE: _of_certificate(lambda _, certificate, __: certificate),
    FR.FR_PROP_ISSUEDCERTIFICATECHAIN: _of_certificate(
        lambda answer, certificate, _: encode_certificate_bag((certificate, *answer.chain))
    ),
    FR.FR_PROP_ISSUEDCERTIFICATECRLCHAIN: _of_certificate(
        lambda answer, certificate, crls: encode_certificate_bag((certificate, *answer.chain), crls())
    ),
    FR.FR_PROP_ENCRYPTEDKEYHASH: _of_response(lambda found: found.archived_key_hash, _BINARY),
    FR.FR_PROP_FULLRESPONSENOPKCS7: Part(_BINARY, _whole),
    FR.FR_PROP_CAEXCHANGECERTIFICATEHASH: _of_response(lambda found: found.exchange_certificate_hash, _BINARY),
    FR.FR_PROP_CAEXCHANGECERTIFICATE: _exchange(lambda one, _, __: one),
    FR.FR_PROP_CAEXCHANGECERTIFICATECHAIN: _exchange(lambda one, answer, _: encode_certificate_bag((one, *answer.chain))),
    FR.FR_PROP_CAEXCHANGECERTIFICATECRLCHAIN: _exchange(
        lambda one, answer, crls: encode_certificate_bag((one, *answer.chain), crls())
    ),
}
