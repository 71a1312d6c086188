"""Secrets as octets: a private key is one in whatever encoding it comes, as a whole or in pieces.

A text stands for the octets of its own letters and for those that its runs of hexadecimal digits or of base64 spell, from
each place where such a run may have been cut. Knows no member and no output.

Sources: RFC 5208 and 5958 (PKCS #8), RFC 5915, RFC 7292 (PFX), RFC 8017 A.1.2; the pages "Base Provider Key BLOBs" and
"BCRYPT_KEY_BLOB" of Microsoft's documentation; PVK files begin with 0xB0B5F11E.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Final

_SHORTEST: Final = 8  # octets; fewer are equal by chance
_HEX_RUN: Final = re.compile(r"[0-9A-Fa-f](?:[ \t\r\n]*[0-9A-Fa-f]){15,}")
# A line of a dump, which may be cut: an address, the octets, their letters.
_DUMP_LINE: Final = re.compile(
    r"^[ \t]*(?:[0-9A-Fa-f]{4,8}[ \t]+)?(?:[0-9A-Fa-f][ \t]+)?((?:[0-9A-Fa-f]{2}(?:[ \t]{1,2}|\r?$))+)", re.MULTILINE
)
_ROW: Final = 16  # octets
_BASE64_RUN: Final = re.compile(r"[A-Za-z0-9+/](?:[\r\n]*[A-Za-z0-9+/]){10,}")
_LENGTH: Final = rb"(?:[\x00-\x80]|\x81.|\x82..|\x83...|\x84....)"
_SEQUENCE: Final = rb"\x30" + _LENGTH
_RSADSI: Final = rb"\x2a\x86\x48\x86\xf7\x0d\x01"
# What a private key, or a file that carries one, begins with.
_KEY: Final = re.compile(
    rb"|".join(
        (
            _SEQUENCE + rb"\x02\x01[\x00\x01]" + _SEQUENCE + rb"\x06",  # PKCS #8
            _SEQUENCE + _SEQUENCE + rb"\x06." + _RSADSI + rb"(?:\x05|\x0c\x01)",  # the same, encrypted
            _SEQUENCE + rb"\x02\x01(?:\x00\x02|\x01\x04)",  # RSAPrivateKey, ECPrivateKey
            _SEQUENCE + rb"\x02\x01\x03" + _SEQUENCE + rb"\x06." + _RSADSI + rb"\x07",  # PFX
            rb"\x1e\xf1\xb5\xb0",  # PVK
            rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----",
            rb"\x07\x02\x00\x00.{4}(?:RSA2|DSS2)",  # PRIVATEKEYBLOB
            rb"(?:RSA[23]|EC[SK][246]).\x00..",  # BCRYPT_RSAPRIVATE_BLOB, BCRYPT_ECCPRIVATE_BLOB
        )
    ),
    re.DOTALL,
)
_PEM: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")


class SecretOctets:
    """The octets that are secret in one run."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def learn(self, value: str | bytes) -> None:
        """Notes a secret."""
        if isinstance(value, bytes):
            found = [value]
        else:
            found = [*_letters(value), *(octets for octets, is_cut in _spelled(value) if not is_cut)]
        self._known.update(octets for octets in found if len(octets) >= _SHORTEST)

    def hides(self, value: str | bytes) -> bool:
        """Whether a value has a secret in it, or is a part of one; a private key is known from now on."""
        if is_private_key(value):
            self.learn(value)
            return True
        if not self._known:
            return False
        for octets in _octets_of(value):
            if any(known in octets or (len(octets) >= _SHORTEST and octets in known) for known in self._known):
                return True
        return False


def is_private_key(value: str | bytes) -> bool:
    """Whether a value begins as a private key does, or as a file that carries one, in whatever encoding."""
    if isinstance(value, str) and _PEM.search(value):
        return True
    return any(_KEY.match(octets) for octets in _octets_of(value))


def _octets_of(value: str | bytes) -> Iterator[bytes]:
    """All that a value may stand for."""
    if isinstance(value, str):
        yield from _letters(value)
        yield from (octets for octets, _ in _spelled(value))
        return
    yield value
    yield from (octets for octets, _ in _spelled(value.decode("latin-1")))  # a text as a file has it
    if value[1:2] == b"\0" or value[:2] == b"\xff\xfe":
        yield from (octets for octets, _ in _spelled(value.decode("utf-16-le", "replace")))


def _letters(text: str) -> Iterator[bytes]:
    """The octets of a text's letters, among them those of a string that automation carries bytes in."""
    for encoding in ("utf-8", "utf-16-le"):
        yield text.encode(encoding, "surrogatepass")
    if not text.isascii():
        yield text.encode("cp1252", "replace")
        yield text.encode("latin-1", "replace")


def _spelled(text: str) -> Iterator[tuple[bytes, bool]]:
    """What a text spells, and whether it was taken to begin within an octet or a group."""
    for found in _HEX_RUN.finditer(text):
        digits = "".join(found[0].split())
        for start in (0, 1):
            yield bytes.fromhex(digits[start : start + (len(digits) - start) // 2 * 2]), bool(start)
    rows = [bytes.fromhex(found[1]) for found in _DUMP_LINE.finditer(text)]
    yield b"".join(rows), False
    if rows and len(rows[-1]) == 1:  # of an address
        del rows[-1]
    if rows and len(rows[0]) != _ROW:  # begins with the end of an address, or of the letters
        yield rows[0][-_ROW:] + b"".join(rows[1:]), True
        yield b"".join(rows[1:]), True
    for found in _BASE64_RUN.finditer(text):
        letters = "".join(found[0].split())
        for start in range(4):
            group = letters[start:]
            group = group[: len(group) - (len(group) % 4 == 1)]
            yield base64.b64decode(group + "=" * (-len(group) % 4)), bool(start)
