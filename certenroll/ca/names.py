"""The names of a CA: the configuration string, and the forms of the CA's name that are safe in files and directories.

Knows text only. Source: the page of ICertConfig::GetConfig, and MS-WCCE section 3.1.1.4.1.1 (sanitizing common names).
"""

from __future__ import annotations

import re
from typing import Final

_DISALLOWED: Final = frozenset("&'*\\{}[]^:,=!`><#()%|+?\";/")
_ESCAPE: Final = re.compile("!([0-9A-Fa-f]{4})")
_PARTIAL_ESCAPE: Final = re.compile("![0-9A-Fa-f]{0,3}$")
_SHORT_LENGTH: Final = 51


def sanitized(name: str) -> str:
    """``name`` with every disallowed character as ``!`` and four hexadecimal digits, one group for a UTF-16 unit."""
    return "".join(character if _is_allowed(character) else _escaped(character) for character in name)


def sanitized_short(name: str) -> str:
    """The sanitized name; of one longer than 51 characters its beginning, a hyphen and a 5-digit hash of the rest."""
    full = sanitized(name)
    if len(full) <= _SHORT_LENGTH:
        return full
    base = _PARTIAL_ESCAPE.sub("", full[:_SHORT_LENGTH])
    return f"{base}-{_hash(full[len(base):]):05d}"


def restored(name: str) -> str:
    """The text that a sanitized name stands for (the ShortName of a sanitized short name)."""
    parts = enumerate(_ESCAPE.split(name))
    units = b"".join(int(part, 16).to_bytes(2, "little") if i % 2 else part.encode("utf-16-le") for i, part in parts)
    return units.decode("utf-16-le", "replace")


def split_config(config: str) -> tuple[str, str]:
    """``host\\name`` as its two parts; the host is empty where ``config`` names a CA alone."""
    host, separator, name = config.strip().strip("\\").partition("\\")
    return (host, name) if separator else ("", host)


def same_config(first: str, second: str) -> bool:
    """Whether two configuration strings name one CA; neither the host's case nor the CA's is regarded."""
    return split_config(first.casefold()) == split_config(second.casefold())


def _is_allowed(character: str) -> bool:
    return " " <= character <= "~" and character not in _DISALLOWED


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"!{units[i:i + 2].hex()}" for i in range(0, len(units), 2))


def _hash(text: str) -> int:
    value = 0
    for character in text:
        low_bit = 1 if value & 0x8000 else 0
        value = (((value << 1) | low_bit) + ord(character)) & 0xFFFF
    return value
