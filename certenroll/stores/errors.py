"""What can go wrong in a profile. Each error carries the code that Windows gives and says what to do. Knows no SQLite.

    StoreError
      ProfileError          the profile's folder or profile.toml cannot be used
      StoreBusy             another process held the database for longer than the time allowed
      DiskFull              no room to write
      StoreReadOnly         the database may not be written by this user
      StoreCorrupt          the database is damaged, or is no database
      NewerSchema           a later version wrote the database
      PropertyError         a property's value cannot be read or written
      NoSuchRecord          there is no such certificate, request, property or intent
      IllegalStep           the state table has no such step
"""

from __future__ import annotations

import errno
from typing import ClassVar, Final

from certenroll.hresults import HRESULT


class StoreError(Exception):
    """Base of every error of a profile.

    Attributes:
        hresult: the Windows result code, unsigned.
    """

    code: ClassVar[int] = HRESULT.WIN32_DATABASE_FAILURE

    def __init__(self, message: str, *, hresult: int | None = None) -> None:
        self.hresult: Final = int(self.code if hresult is None else hresult)
        super().__init__(message)


class ProfileError(StoreError):
    """The profile's folder cannot be used, or profile.toml says something that is not understood.

    Attributes:
        key: the dotted key at fault in profile.toml, or "".
    """

    code = HRESULT.WIN32_INVALID_DATA

    def __init__(self, message: str, *, key: str = "", hresult: int | None = None) -> None:
        self.key: Final = key
        super().__init__(message, hresult=hresult)


class StoreBusy(StoreError):
    """Another process held the database for longer than the time allowed; trying again may help."""

    code = HRESULT.WIN32_SHARING_VIOLATION


class DiskFull(StoreError):
    """There is no room to write. Nothing of the transaction was kept."""

    code = HRESULT.WIN32_DISK_FULL


class StoreReadOnly(StoreError):
    """The database, or its folder, may not be written by this user."""

    code = HRESULT.E_ACCESSDENIED


class StoreCorrupt(StoreError):
    """The database is damaged, or the file is no database of this kind; restore it from a backup."""

    code = HRESULT.WIN32_INTERNAL_ERROR


class NewerSchema(StoreError):
    """A later version wrote the database; update this one."""

    code = HRESULT.WIN32_NOT_SUPPORTED


class PropertyError(StoreError):
    """A certificate property's value cannot be read, or cannot be written."""

    code = HRESULT.WIN32_INVALID_DATA


class NoSuchRecord(StoreError):
    """There is no such certificate, property, request or intent."""

    code = HRESULT.CRYPT_E_NOT_FOUND


class IllegalStep(StoreError):
    """The state table has no such step; nothing was changed."""

    code = HRESULT.WIN32_INVALID_STATE


_OS_CODES: Final = {
    errno.EACCES: HRESULT.E_ACCESSDENIED,
    errno.EPERM: HRESULT.E_ACCESSDENIED,
    errno.EROFS: HRESULT.E_ACCESSDENIED,
    errno.EISDIR: HRESULT.E_ACCESSDENIED,
    errno.ENOSPC: HRESULT.WIN32_DISK_FULL,
    errno.EDQUOT: HRESULT.WIN32_DISK_FULL,
    errno.ENOENT: HRESULT.WIN32_PATH_NOT_FOUND,
    errno.ENOTDIR: HRESULT.WIN32_PATH_NOT_FOUND,
    errno.EEXIST: HRESULT.WIN32_FILE_EXISTS,
}


def os_code(error: OSError) -> int:
    """The result code of a refusal by the operating system; WIN32_WRITE_FAULT where nothing better is known."""
    return int(_OS_CODES.get(error.errno or 0, HRESULT.WIN32_WRITE_FAULT))
