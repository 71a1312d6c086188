"""What the facade gives: requests, certificates and keys as plain frozen values. Knows how none of them is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from certenroll.stores.properties import KeyProviderInfo
from keystores.base import KeyInfo


@dataclass(frozen=True)
class PendingRequest:
    """A request that waits for its certificate.

    Attributes:
        id: its number in the profile.
        state: where it stands ("made", "pending", "issued", ...).
        thumbprint: SHA-1 of the certificate that stands for it in REQUEST, upper-case hexadecimal.
        subject: its subject.
        ca_config, ca_request_id: the CA and its id there, "" before it was sent.
        message: the CA's last sentence.
        template, friendly_name: as they were asked for, or "".
        key: where its key is.
        created: when it was made, UTC.
    """

    id: int
    state: str
    thumbprint: str
    subject: str
    ca_config: str
    ca_request_id: str
    message: str
    template: str
    friendly_name: str
    key: KeyProviderInfo
    created: datetime


@dataclass(frozen=True)
class CertificateEntry:
    """A certificate in a store.

    Attributes:
        store: the store's name.
        thumbprint: SHA-1, upper-case hexadecimal.
        subject, issuer: as CertNameToStr writes them.
        not_before, not_after: UTC.
        der: the certificate.
        key: where its private key is, or None.
        friendly_name, description: as set, or "".
        properties: every property by its id.
    """

    store: str
    thumbprint: str
    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    der: bytes
    key: KeyProviderInfo | None
    friendly_name: str
    description: str
    properties: Mapping[int, bytes]


@dataclass(frozen=True)
class KeyEntry:
    """A key in a key store; ``orphan`` where no certificate and no outstanding request has it."""

    info: KeyInfo
    orphan: bool


@dataclass(frozen=True)
class KeyStoreReport:
    """The keys of one key store, or what stands in the way of it (``problem``, "" where nothing does)."""

    store: str
    keys: tuple[KeyEntry, ...]
    problem: str
