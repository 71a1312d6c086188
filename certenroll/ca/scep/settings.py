"""How a SCEP server is set: what it asks of requests, which algorithms it takes, and what it says that it can do.

Values alone. Source: RFC 8894 sections 2.9 and 3.5.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

CAPABILITIES: Final = ("AES", "DES3", "SHA-256", "SHA-384", "SHA-512", "POSTPKIOperation", "Renewal", "SCEPStandard")
"""What GetCACaps says. strongSwan takes AES only where SHA-384 is there, and SHA-256 only where DES3 is."""

_LEGACY_CAPABILITIES: Final = ("SHA-1",)
_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
_CIPHERS: Final = frozenset({"aes128-cbc", "aes192-cbc", "aes256-cbc", "des-ede3-cbc"})
_LEGACY_HASHES: Final = frozenset({"sha1"})
_LEGACY_CIPHERS: Final = frozenset({"des-cbc"})


@dataclass(frozen=True)
class ScepRules:
    """What a SCEP server asks of requests, before the CA's policy decides.

    Attributes:
        challenge: whether a first request needs a challenge.
        template: the template of first requests; empty to leave it to the request, as the CA's policy does.
        requester: ``DOMAIN\\user`` under which the CA knows requests by SCEP; empty for the CA's host and "SCEP".
    """

    challenge: bool = True
    template: str = ""
    requester: str = ""


@dataclass(frozen=True)
class ScepSettings:
    """How a SCEP server answers.

    Attributes:
        rules: what it asks of requests.
        registration_authority: whether one signs and decrypts in the CA's place.
        legacy: whether single DES and SHA-1 are taken and answered in, for clients that know nothing else.
        capabilities: what GetCACaps says; empty for all that this server can do.
    """

    rules: ScepRules = field(default_factory=ScepRules)
    registration_authority: bool = False
    legacy: bool = False
    capabilities: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the answer to GetCACaps."""
        return self.capabilities or CAPABILITIES + (_LEGACY_CAPABILITIES if self.legacy else ())

    @property
    def hashes(self) -> frozenset[str]:
        """The hashes that are taken, by ``asn1.algorithms``' names."""
        return _HASHES | (_LEGACY_HASHES if self.legacy else frozenset())

    @property
    def ciphers(self) -> frozenset[str]:
        """The ciphers that are taken, by ``asn1.content_ciphers``' names."""
        return _CIPHERS | (_LEGACY_CIPHERS if self.legacy else frozenset())
