"""The constants that ``<reference>`` gives a Windows Script File: of CertEnroll, of the CA's interfaces, of file objects.

Knows names and numbers.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final

FILE_CONSTANTS: Final = {
    "ForReading": 1, "ForWriting": 2, "ForAppending": 8, "TristateTrue": -1, "TristateFalse": 0, "TristateUseDefault": -2,
    "TristateMixed": -2, "BinaryCompare": 0, "TextCompare": 1, "DatabaseCompare": 2, "WindowsFolder": 0, "SystemFolder": 1,
    "TemporaryFolder": 2, "Normal": 0, "ReadOnly": 1, "Hidden": 2, "System": 4, "Volume": 8, "Directory": 16, "Archive": 32,
    "Alias": 1024, "Compressed": 2048, "UnknownType": 0, "Removable": 1, "Fixed": 2, "Remote": 3, "CDRom": 4, "RamDisk": 5,
}  # fmt: skip
STREAM_CONSTANTS: Final = {
    "adTypeBinary": 1, "adTypeText": 2, "adModeUnknown": 0, "adModeRead": 1, "adModeWrite": 2, "adModeReadWrite": 3,
    "adReadAll": -1, "adReadLine": -2, "adWriteChar": 0, "adWriteLine": 1, "adSaveCreateNotExist": 1,
    "adSaveCreateOverWrite": 2, "adCR": 13, "adLF": 10, "adCRLF": -1,
}  # fmt: skip
# What the ProgID or the GUID of a type library begins with, in lower case -> whose constants it has.
LIBRARIES: Final[dict[str, str]] = {
    "x509enrollment": "certenroll",
    "certenroll": "certenroll",
    "{728ab348-217d-11da-b2a4-000e7bbb2b09}": "certenroll",
    "certificateauthority": "certenroll",
    "certadm": "certenroll",
    "{d99e6e70-fc88-11d0-b498-00a0c90312f3}": "certenroll",
    "cenroll": "certenroll",
    "{43f8f28b-7a20-11d0-8f06-00c04fc295e1}": "certenroll",
    "scripting": "files",
    "{420b2830-e718-11cf-893d-00a0c9054228}": "files",
    "adodb": "stream",
    "{00000205-0000-0010-8000-00aa006d2ea4}": "stream",
}


def constants_of(identifier: str) -> dict[str, int] | None:
    """The constants of a type library, or None where the library is not known here.

    Args:
        identifier: a ProgID of one of its classes, or its GUID.
    """
    named = identifier.strip().lower()
    key = f"{{{named.strip('{}')}}}" if "-" in named else named.partition(".")[0]
    kind = LIBRARIES.get(key)
    if kind is None:
        return None
    return {"files": FILE_CONSTANTS, "stream": STREAM_CONSTANTS}.get(kind) or _enumerations()


def _enumerations() -> dict[str, int]:
    """Every member of certenroll's enumerations, by the name that the type libraries give it."""
    import certenroll.enums

    found: dict[str, int] = {}
    for kind in vars(certenroll.enums).values():
        if isinstance(kind, type) and issubclass(kind, (IntEnum, IntFlag)) and kind not in (IntEnum, IntFlag):
            found |= {name: int(member) for name, member in kind.__members__.items()}
    return found
