"""The text of a page and of the files that it names: which bytes are which letters, and which files it may have.

A page's relative names begin in its own folder. What it may have lies in the folder of the run, or where the page is
outside that, in the page's folder. An address of the network is refused: nothing is fetched. Knows no markup beyond a
charset.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat.hosts.confinement import Confinement
from xenroll_compat.hosts.environment import Environment

_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CHARSET: Final = re.compile(rb"<(?:meta|\?xml)[^>]{0,300}?(?:charset|encoding)\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_LOOKED_AT: Final = 4096


def decode_page(data: bytes) -> str:
    """The text of a page: by its byte order mark, else by its charset, else windows-1252.

    A byte that does not fit becomes U+FFFD, as a browser shows it.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    named = _CHARSET.search(data[:_LOOKED_AT])
    return data.decode(_codec(named.group(1).decode("ascii")) if named else "cp1252", "replace")


def _codec(name: str) -> str:
    """Python's name of a charset; what a page says of UTF-16 in bytes that could be read is wrong."""
    try:
        found = codecs.lookup({"unicode": "utf-8", "iso-8859-1": "cp1252"}.get(name.lower(), name)).name
    except LookupError:
        return "cp1252"
    return "utf-8" if found.startswith("utf-16") else found


class Sources:
    """The files of one page."""

    def __init__(self, path: Path, environment: Environment) -> None:
        own = path.resolve().parent
        folder = environment.settings.folder
        root = folder.resolve() if folder is not None and own.is_relative_to(folder.resolve()) else own
        self._files: Final = Confinement(root, f"a page has the files of {root.name or root} only")
        self._files.current = own.relative_to(root).parts
        self.place: Final = "/".join([*self._files.current, path.name])  # where a web server would show the page

    def read(self, address: str) -> tuple[str, str]:
        """The text of a file that a page names, and its name.

        Args:
            address: the value of src, of file= or of virtual= (which begins with a slash).

        Raises:
            ComError: E_ACCESSDENIED for an address of the network and for what lies outside; WIN32_FILE_NOT_FOUND.
        """
        name = _local_name(address)
        path = self._files.locate(name)
        return decode_page(path.read_bytes()), path.name

    def inside(self, address: str) -> Path:
        """The file of an address, which need not be there. Raises as ``read`` for what is refused."""
        return self._files.locate(_local_name(address))

    def shown(self, address: str) -> str:
        """The Windows name of an address (Server.MapPath). Raises as ``read`` for what is refused."""
        return self._files.shown(self.inside(address))


def _local_name(address: str) -> str:
    stripped = address.strip()
    if _SCHEME.match(stripped) or stripped.startswith("//"):
        text = f"{address!r} is not fetched: a page has the files of its folder only"
        raise ComError(HRESULT.E_ACCESSDENIED, text, source="Page")
    name = unquote(stripped.partition("?")[0].partition("#")[0]).replace("/", "\\")
    return name or "."
