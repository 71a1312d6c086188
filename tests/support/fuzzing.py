"""Damaged messages: every truncation and flipped bits, put through the public readers, with what each reader may do.

A reader refuses with an error of its documented classes, or gives a right result: what it read of a signed message that
still verifies is what was signed. Anything else is a finding. Jobs are plain values, so that processes can share the work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from certenroll.asn1 import certificates, cmc_requests, pkcs7_requests, pkcs10
from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.der import DecodeError
from certenroll.asn1.pfx import WrongPassword
from certenroll.asn1.responses import Response, read_response
from certenroll.errors import ComError
from tests.support.enrolling import BINARY
from tests.support.wrapping import blank

TYPED = (DecodeError, BadSignature, UnsupportedAlgorithm, WrongPassword)
REQUESTS = ("Pkcs10", "Pkcs7", "Cmc", "Certificate")
RESPONSE = "response"

Mutation = tuple[str, int, bytes]
"""What was done ("cut" or "flip"), where (in octets, in bits), and what it made."""


@dataclass(frozen=True)
class Job:
    """A message and what is to be done with it.

    Attributes:
        name: says which message it is.
        data: the whole message.
        readers: who reads what became of it.
        bits: how many bits of each octet are flipped, one at a time: 1 to 8.
        password: opens a PFX.
        step: every how many mutations one is taken.
        first: the number of the first one that is.
    """

    name: str
    data: bytes
    readers: tuple[str, ...]
    bits: int = 1
    password: str = ""
    step: int = 1
    first: int = 0

    def mutations(self) -> Iterator[Mutation]:
        """The mutations that are this job's share."""
        places = range(len(self.data))
        bits = [8 * place + (place + turn) % 8 for place in places for turn in range(self.bits)]
        for what, where in [*(("cut", size) for size in places), *(("flip", bit) for bit in bits)][self.first :: self.step]:
            yield what, where, self.data[:where] if what == "cut" else flipped(self.data, where)


@dataclass
class Tally:
    """What came of a job: how many inputs, what became of each reading, and what should not have happened."""

    inputs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.inputs += other.inputs
        self.outcomes += other.outcomes
        self.findings += other.findings


def flipped(data: bytes, bit: int) -> bytes:
    """``data`` with one bit changed, counted from the lowest of the first octet."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def run(job: Job) -> Tally:
    """Puts every mutation of a job through its readers."""
    tally = Tally()
    checks = [(reader, _whole(reader, job)) for reader in job.readers]
    for what, where, data in job.mutations():
        tally.inputs += 1
        for reader, whole in checks:
            try:
                outcome = READERS[reader](data, job.password, whole)
            except Exception as error:  # noqa: BLE001 - what nobody documents is what is looked for here
                outcome = "finding"
                tally.findings.append(f"{job.name} as {reader}, {what} {where}: {type(error).__name__}: {error}")
            tally.outcomes[outcome] += 1
    return tally


def _whole(reader: str, job: Job) -> Any:
    """What the reader makes of the whole message, or None where it is none of its kind."""
    try:
        return read_response(job.data, job.password or None) if reader == RESPONSE else _DECODERS[reader](job.data)
    except TYPED:
        return None


_DECODERS: dict[str, Callable[[bytes], Any]] = {
    "Pkcs10": pkcs10.decode,
    "Pkcs7": pkcs7_requests.decode,
    "Cmc": cmc_requests.decode,
    "Certificate": certificates.read_certificate,
}


def _read_request(kind: str) -> Callable[[bytes, str, Any], str]:
    def read(data: bytes, _password: str, whole: Any) -> str:
        request = blank(kind)
        before = dict(vars(request))
        try:
            request.InitializeDecode(data, BINARY)
        except ComError as error:
            changed = [name for name, value in vars(request).items() if before.get(name) is not value]
            if changed:
                raise AssertionError(f"half of a request was taken over: {changed}") from error
            return _refusal(error)
        encoded = request.RawData(BINARY)
        again = blank(kind)
        again.InitializeDecode(encoded, BINARY)
        assert again.RawData(BINARY) == encoded, "what is encoded is read in another way"
        return _judged(kind, encoded, whole)

    return read


def _refusal(error: Any) -> str:
    if not int(error.hresult) & 0x80000000:
        raise AssertionError("an error with a code of success") from error
    return "refused"


def _judged(kind: str, encoded: bytes, whole: Any) -> str:
    """Whether the signatures of what was read fit; what was signed must then be what was signed in the whole message."""
    if kind == "Certificate":
        return "read"
    found = _DECODERS[kind](encoded)
    try:
        verify: Any = {"Pkcs10": pkcs10, "Pkcs7": pkcs7_requests, "Cmc": cmc_requests}[kind].verify
        verify(found)
    except TYPED:
        return "read, signature refused"
    assert whole is None or SIGNED[kind](found) == SIGNED[kind](whole), "a signature fits what was not signed"
    return "read, signature fits"


SIGNED: dict[str, Callable[[Any], object]] = {
    "Pkcs10": lambda one: one.to_be_signed,
    "Pkcs7": lambda one: (one.request.to_be_signed, one.name_value_pairs),
    "Cmc": lambda one: one.data,
}


def _read_response(data: bytes, password: str, whole: Response | None) -> str:
    try:
        found = read_response(data, password or None)
    except TYPED as error:
        return _refusal(error)
    for one in found.parsed:
        assert (one.serial, one.not_before, one.key_identifier) is not None
    all_checked = found.signed is not None and bool(found.signed.signers) and not found.unchecked
    if whole is not None and whole.signed is not None and all_checked:
        assert found.signed is not None
        assert found.signed.content == whole.signed.content, "a signature fits what was not signed"
        assert found.outcome is whole.outcome
        return "read, signature fits"
    return "read"


READERS: dict[str, Callable[[bytes, str, Any], str]] = {
    **{kind: _read_request(kind) for kind in REQUESTS},
    RESPONSE: _read_response,
}
