"""The text of a script: which of its bytes are which letters. Loads nothing: every run needs it."""

from __future__ import annotations

import codecs
from typing import Final

_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def source_text(data: bytes) -> str:
    """The text of a script's bytes: by its byte order mark, else UTF-8, else the ANSI code page.

    A byte that does not fit an encoding that its mark names becomes U+FFFD.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        from xenroll_compat.hosts.objects.encodings import ANSI_TEXT

        return ANSI_TEXT.decode(data)
