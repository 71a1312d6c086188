"""What a SCEP server says that it can do, and the cipher and hash to be used with it.

Knows the words of the answer to GetCACaps and no transport. Source: RFC 8894 section 3.5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from certenroll.ca.base import CAError
from certenroll.hresults import HRESULT

_STANDARD: Final = frozenset({"aes", "sha-256", "postpkioperation"})  # what SCEPStandard promises
_LONGEST: Final = 4096  # characters that are looked at; a server that can do everything writes some hundred

# Capability -> the name that ``asn1`` has for it, best first. Single DES and SHA-1 are the last resort of old servers; one
# that promises nothing has only them (RFC 8894 section 3.5.2, after the drafts before it).
_CIPHERS: Final = (("aes", "aes128-cbc"), ("des3", "des-ede3-cbc"))
_LAST_CIPHER: Final = "des-cbc"
_HASHES: Final = (("sha-512", "sha512"), ("sha-384", "sha384"), ("sha-256", "sha256"))
_LAST_HASH: Final = "sha1"


@dataclass(frozen=True)
class Capabilities:
    """What a server promised.

    Attributes:
        keywords: the words of its answer in lower case; those that nobody knows too.
    """

    keywords: frozenset[str] = frozenset()

    @property
    def post(self) -> bool:
        """Whether it takes messages by HTTP POST."""
        return "postpkioperation" in self.keywords

    @property
    def renewal(self) -> bool:
        """Whether it knows the message RenewalReq."""
        return "renewal" in self.keywords

    @property
    def standard(self) -> bool:
        """Whether it promises all that RFC 8894 makes mandatory."""
        return "scepstandard" in self.keywords

    def cipher(self, *, legacy: bool = False) -> str:
        """The strongest cipher that it takes, by ``asn1.enveloped``'s name.

        Args:
            legacy: whether single DES will do.

        Raises:
            CAError: NTE_BAD_ALGID where it takes nothing better than single DES, and that will not do.
        """
        found = next((name for word, name in _CIPHERS if word in self.keywords), None)
        return found or self._last_resort(_LAST_CIPHER, "AES or DES3", legacy=legacy)

    def hash_name(self, *, legacy: bool = False) -> str:
        """The strongest hash that it takes, by ``asn1.algorithms``' name.

        Args:
            legacy: whether SHA-1 will do.

        Raises:
            CAError: NTE_BAD_ALGID where it takes nothing better than SHA-1, and that will not do.
        """
        found = next((name for word, name in _HASHES if word in self.keywords), None)
        return found or self._last_resort(_LAST_HASH, "SHA-256 or better", legacy=legacy)

    def _last_resort(self, name: str, wanted: str, *, legacy: bool) -> str:
        if not legacy:
            text = f"the SCEP server does not promise {wanted}; legacy_hashes = true in profile.toml lets {name} do"
            raise CAError(HRESULT.NTE_BAD_ALGID, text)
        return name


# For a server that was not asked: what RFC 8894 makes mandatory. Windows' own default is not documented.
MANDATORY: Final = Capabilities(_STANDARD | {"scepstandard"})


def read_capabilities(text: str | bytes) -> Capabilities:
    """The answer to GetCACaps: words in lines, of any case; an empty answer promises nothing.

    Args:
        text: the body of the answer, as text or as it came. Words past the first 4096 characters are not looked at.
    """
    characters = text.decode("latin-1") if isinstance(text, bytes) else text
    words = frozenset(characters[:_LONGEST].lower().split())
    return Capabilities(words | _STANDARD if "scepstandard" in words else words)
