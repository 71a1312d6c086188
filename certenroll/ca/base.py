"""How a request reaches a certification authority: the protocol that each transport implements. No COM.

Request and certificate formats are bytes here; ``Disposition`` has the CR_DISP_* numbers.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable


class Disposition(enum.IntEnum):
    """What became of a request: CR_DISP_* of certcli, and 6 for a certificate that was revoked since."""

    INCOMPLETE = 0
    ERROR = 1
    DENIED = 2
    ISSUED = 3
    ISSUED_OUT_OF_BAND = 4
    UNDER_SUBMISSION = 5
    REVOKED = 6


class CAError(Exception):
    """A CA could not be reached, or what it said could not be used.

    Attributes:
        hresult: the Windows result code, unsigned. 0x800706BA where the CA does not answer.
        uncertain: whether a request that was being submitted may have reached the CA all the same.
    """

    def __init__(self, hresult: int, message: str, *, uncertain: bool = False) -> None:
        self.hresult = hresult
        self.uncertain = uncertain
        super().__init__(message)


@dataclass(frozen=True)
class Submission:
    """One request as it is sent.

    Attributes:
        request: DER of a PKCS#10, PKCS#7 or CMC request.
        attributes: request attributes by name (``CertificateTemplate``: ``User``); names as the caller wrote them.
        flags: CR_IN_* of ICertRequest::Submit without its encoding bits.
        requester: ``DOMAIN\\user`` of the caller.
    """

    request: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    flags: int = 0
    requester: str = ""


@dataclass(frozen=True)
class Answer:
    """What a CA says of a request.

    Attributes:
        disposition: what became of it.
        request_id: the CA's id of it, as text; decimal for a CA of Windows' kind.
        status: result code of the decision, unsigned; 0 where all is well.
        message: the CA's sentence.
        certificate: DER of the issued certificate, or None.
        chain: DER of the CA certificates above it, issuer first, root last.
        full_response: DER of a CMC full response where the CA made one, else None.
        crls: DER of the CRLs of the chain where they were asked for.
    """

    disposition: Disposition
    request_id: str
    status: int = 0
    message: str = ""
    certificate: bytes | None = None
    chain: tuple[bytes, ...] = ()
    full_response: bytes | None = None
    crls: tuple[bytes, ...] = ()


@runtime_checkable
class CertificationAuthority(Protocol):
    """A CA that takes requests."""

    config: str  # "host\\name", by which the profile's configuration and CAConfigString name it

    def submit(self, submission: Submission) -> Answer:
        """Sends a request. Raises CAError where the CA does not answer; a refusal is an Answer."""

    def retrieve(self, request_id: str) -> Answer:
        """What became of an earlier request. Raises CAError where the CA does not answer or has no such request."""

    def certificates(self) -> Sequence[bytes]:
        """DER of the CA's own certificate and those above it, root last."""


@runtime_checkable
class Finder(Protocol):
    """A CA that can say whether it has had a request before: what makes an interrupted submission safe to resume."""

    def find(self, request: bytes) -> Answer | None:
        """The answer to the request with these bytes, or None where the CA never had it."""


@runtime_checkable
class Revoker(Protocol):
    """A CA whose revocation lists can be had."""

    def crls(self) -> Sequence[bytes]:
        """DER of the current CRL of the CA and of those above it, in the order of ``certificates``."""


@runtime_checkable
class SerialFinder(Protocol):
    """A CA that finds a certificate by its serial number."""

    def find_serial(self, serial: int) -> Answer:
        """The answer to the request whose certificate has that number. Raises CAError (CERTSRV_E_NO_REQUEST)."""


@runtime_checkable
class Exchanger(Protocol):
    """A CA that has an exchange certificate."""

    def exchange_certificate(self) -> bytes:
        """DER of the certificate that clients encrypt for. Raises CAError."""


@runtime_checkable
class Archiver(Protocol):
    """A CA that archives private keys."""

    def recovery_agents(self) -> Sequence[bytes]:
        """DER of the certificates of its key recovery agents."""


@dataclass(frozen=True)
class Description:
    """What a CA says of itself.

    Attributes:
        name: its common name as it was entered.
        host: the DNS name of its computer.
        parent: the name of the CA above it; empty for a root.
        enterprise: whether requests must name a template.
        templates: (name, object identifier) of each template that it serves.
        policy: a sentence about its policy.
        crl_urls: where its CRL is found.
        certificate_urls: where its certificate is found.
        version: of the program that serves it.
    """

    name: str
    host: str
    parent: str = ""
    enterprise: bool = False
    templates: tuple[tuple[str, str], ...] = ()
    policy: str = ""
    crl_urls: tuple[str, ...] = ()
    certificate_urls: tuple[str, ...] = ()
    version: str = ""


@runtime_checkable
class Describer(Protocol):
    """A CA that answers questions about itself."""

    def describe(self) -> Description:
        """What the CA says of itself."""
