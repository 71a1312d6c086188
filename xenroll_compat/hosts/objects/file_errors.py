"""Errors of the file system as the numbers that script languages have for them: 53, 70, 76 and their like. A table.

Source: the page "VBScript Run-time Errors" of Microsoft's VBScript reference.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from xenroll_compat.hosts.automation import numbered

BAD_ARGUMENT, BAD_NAME, NO_FILE, BAD_MODE, EXISTS, FULL, PAST_END, DENIED, NO_PATH = 5, 52, 53, 54, 58, 61, 62, 70, 76
_BY_ERRNO: Final[dict[int, int]] = {
    errno.ENOENT: NO_FILE,
    errno.EEXIST: EXISTS,
    errno.ENOTEMPTY: EXISTS,
    errno.ENOTDIR: NO_PATH,
    errno.ENAMETOOLONG: BAD_NAME,
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: FULL,
}
_BY_CODE: Final[dict[int, int]] = {
    signed(HRESULT.E_ACCESSDENIED): DENIED,
    signed(HRESULT.WIN32_INVALID_NAME): BAD_NAME,
    signed(HRESULT.WIN32_FILE_NOT_FOUND): NO_FILE,
    signed(HRESULT.WIN32_PATH_NOT_FOUND): NO_PATH,
}


@contextmanager
def runtime_errors() -> Iterator[None]:
    """Has what fails in the block carry the number of the language; any other code stays as it is.

    Raises:
        ComError: 53 file not found, 58 exists, 61 disk full, 70 permission denied, 76 path not found, 52 bad name, 5 for
            a character that the encoding does not have.
    """
    try:
        yield
    except ComError as error:
        number = _BY_CODE.get(error.hresult)
        if number is None:
            raise
        raise numbered(number, error.detail) from error
    except OSError as error:
        raise numbered(_BY_ERRNO.get(error.errno or 0, DENIED), error.strerror or "") from error
    except UnicodeError as error:
        raise numbered(BAD_ARGUMENT, "a character has no place in the file's encoding") from error
