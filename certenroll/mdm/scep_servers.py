"""Where the servers of an enrollment are, what an error says of them, and when those that did not answer are asked again.

Tables; nothing is asked here. Source: the requests of Windows in the log of Microsoft's server, whose address ends in
/pkiclient.exe although no ServerURL does.
"""

from __future__ import annotations

import enum
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from certenroll.hresults import HRESULT

_PROGRAM: Final = "pkiclient.exe"  # what Windows appends to the path
_HTTP: Final = 0x80190000  # and the status: FACILITY_HTTP
_LARGEST_STATUS: Final = 0x3FF
_SERVER_ERROR: Final = 500

MOST_SILENCES: Final = 48
"""Tries in a row that no server answers, before an enrollment is given up: about a week of a device that is on."""
_LONGEST_PAUSE: Final = 4 * 60.0  # minutes
_MOST_DOUBLINGS: Final = 8  # of the shortest RetryDelay, a minute, to the longest pause


class Reach(enum.Enum):
    """What an error says of a server."""

    REFUSES = "it has nothing at this address"
    BROKEN = "it answers that it cannot answer"
    UNREADABLE = "what it sends is not SCEP"
    CLOSED = "it takes no connection"
    SILENT = "it does not answer"
    ANSWERS = "it is not the server that was at fault"


OTHER_ADDRESS: Final = frozenset({Reach.REFUSES, Reach.BROKEN, Reach.UNREADABLE})
"""Another address of the same server may be the right one."""
NOT_TAKEN: Final = frozenset({Reach.REFUSES, Reach.CLOSED})
"""A message that was sent did certainly not arrive."""

_REACHES: Final[dict[int, Reach]] = {
    HRESULT.WIN32_CONNECTION_REFUSED: Reach.CLOSED,
    HRESULT.TRUST_E_FAIL: Reach.CLOSED,  # its TLS certificate
    HRESULT.WIN32_TIMEOUT: Reach.SILENT,
    HRESULT.RPC_SERVER_UNAVAILABLE: Reach.SILENT,
    HRESULT.CRYPT_E_INVALID_MSG_TYPE: Reach.UNREADABLE,
    HRESULT.WIN32_INVALID_DATA: Reach.UNREADABLE,  # more than any SCEP server sends
}


def addresses(url: str) -> tuple[str, ...]:
    """The addresses that a server may have, the likeliest first.

    Args:
        url: an entry of ServerURL.

    Returns:
        what Windows makes of it, and the URL as it is, for servers that know no pkiclient.exe.
    """
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if path.rpartition("/")[2].lower() == _PROGRAM:
        return (url,)
    return urlunsplit(parts._replace(path=f"{path}/{_PROGRAM}")), url


def pause(silences: int, retry_delay: int) -> float:
    """How long to wait after tries that no server answered: RetryDelay, doubled by each, and four hours at most.

    Args:
        silences: how many there were in a row, from 1.
        retry_delay: minutes.

    Returns:
        minutes.
    """
    return min(_LONGEST_PAUSE, retry_delay * 2.0 ** min(silences - 1, _MOST_DOUBLINGS))


def reach_of(code: int) -> Reach:
    """What a result code, signed or not, says of a server."""
    number = code & 0xFFFFFFFF
    status = number - _HTTP
    if 0 < status <= _LARGEST_STATUS:
        return Reach.REFUSES if status < _SERVER_ERROR else Reach.BROKEN
    if HRESULT.CRYPT_E_ASN1_ERROR <= number <= HRESULT.CRYPT_E_ASN1_NOEOD:
        return Reach.UNREADABLE
    return _REACHES.get(number, Reach.ANSWERS)
