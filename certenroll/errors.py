"""ComError: the one error that the object model raises, and the map that turns every other error into it.

Knows result codes and nothing above them: errors of the libraries below are recognised by the names of
their classes, so that mapping one imports none of them.

    ComError                   .hresult .strerror .excepinfo .argerror, as pywin32's com_error has them
      UnknownMember            a name that the object does not have (also an AttributeError)
      BadArgument              a wrong number or type of arguments (also a TypeError)
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from certenroll.hresults import HRESULT, lookup, signed

ExcepInfo = tuple[int, str, str, str | None, int, int]


class ComError(Exception):
    """A failure, as automation reports it.

    Attributes:
        hresult: the result code, a signed 32-bit number.
        strerror: the sentence of that code.
        excepinfo: (0, source, description, help file, help context, hresult), for scripts that look there.
        argerror: the position of the argument at fault, or None.
        detail: what went wrong here and what to do about it.
    """

    def __init__(self, code: int, detail: str = "", *, source: str = "CertEnroll", argerror: int | None = None) -> None:
        named = lookup(code)
        self.hresult: Final = signed(code)
        self.strerror: Final = named.text if named is not None else "Unknown error"
        self.detail: Final = detail
        self.argerror: Final = argerror
        self.excepinfo: Final[ExcepInfo] = (0, source, f"{source}: {detail or self.strerror}", None, 0, self.hresult)
        super().__init__(self.hresult, self.strerror, self.excepinfo, argerror)

    @property
    def code_name(self) -> str:
        """The code's name (``NTE_EXISTS``), or its hexadecimal number where it has none."""
        named = lookup(self.hresult)
        return named.name if named is not None else f"0x{self.hresult & 0xFFFFFFFF:08X}"

    def __str__(self) -> str:
        text = self.strerror if not self.detail else f"{self.strerror.rstrip('.')}: {self.detail}"
        return f"0x{self.hresult & 0xFFFFFFFF:08X} {self.code_name}: {text}"


class UnknownMember(ComError, AttributeError):
    """The object has no member of that name (what a script sees as error 438)."""

    def __init__(self, interface: str, member: str) -> None:
        super().__init__(HRESULT.DISP_E_UNKNOWNNAME, f"{interface} has no member {member!r}")


class BadArgument(ComError, TypeError):
    """A wrong number of arguments, or one of the wrong type or range."""


# An error of a library below -> the code that Windows gives in that place. Looked up by qualified class name along
# the error's own classes, nearest first; an error that carries its own ``hresult`` never comes here.
FOREIGN_ERRORS: Final[dict[str, HRESULT]] = {
    "builtins.FileNotFoundError": HRESULT.WIN32_FILE_NOT_FOUND,
    "builtins.FileExistsError": HRESULT.WIN32_FILE_EXISTS,
    "builtins.NotADirectoryError": HRESULT.WIN32_PATH_NOT_FOUND,
    "builtins.IsADirectoryError": HRESULT.E_ACCESSDENIED,
    "builtins.PermissionError": HRESULT.E_ACCESSDENIED,
    "builtins.TimeoutError": HRESULT.WIN32_TIMEOUT,
    "builtins.ConnectionRefusedError": HRESULT.WIN32_CONNECTION_REFUSED,
    "builtins.ConnectionError": HRESULT.RPC_SERVER_UNAVAILABLE,
    "builtins.OSError": HRESULT.WIN32_WRITE_FAULT,
    "builtins.MemoryError": HRESULT.E_OUTOFMEMORY,
    "sqlite3.Error": HRESULT.WIN32_DATABASE_FAILURE,
    "sqlite3.OperationalError": HRESULT.WIN32_DATABASE_FAILURE,
    "sqlite3.Warning": HRESULT.WIN32_DATABASE_FAILURE,
    "socket.gaierror": HRESULT.RPC_SERVER_UNAVAILABLE,
    "socket.herror": HRESULT.RPC_SERVER_UNAVAILABLE,
    "ssl.SSLError": HRESULT.RPC_SERVER_UNAVAILABLE,
    "urllib.error.URLError": HRESULT.RPC_SERVER_UNAVAILABLE,
    "http.client.HTTPException": HRESULT.RPC_SERVER_UNAVAILABLE,
    "cryptography.exceptions.UnsupportedAlgorithm": HRESULT.NTE_BAD_ALGID,
    "cryptography.exceptions.InvalidSignature": HRESULT.NTE_BAD_SIGNATURE,
    "cryptography.exceptions.InternalError": HRESULT.NTE_FAIL,
    "cryptography.exceptions.InvalidKey": HRESULT.NTE_BAD_KEY,
    "cryptography.exceptions.InvalidTag": HRESULT.NTE_BAD_DATA,
    "cryptography.exceptions.AlreadyFinalized": HRESULT.NTE_BAD_HASH_STATE,
    "cryptography.exceptions.AlreadyUpdated": HRESULT.NTE_BAD_HASH_STATE,
    "cryptography.exceptions.NotYetFinalized": HRESULT.NTE_BAD_HASH_STATE,
    "cryptography.x509.base.InvalidVersion": HRESULT.CRYPT_E_ASN1_BADTAG,
    "cryptography.x509.base.AttributeNotFound": HRESULT.CRYPT_E_NOT_FOUND,
    "cryptography.x509.extensions.ExtensionNotFound": HRESULT.CRYPT_E_NOT_FOUND,
    "cryptography.x509.extensions.DuplicateExtension": HRESULT.CRYPT_E_ASN1_CORRUPT,
    "cryptography.x509.general_name.UnsupportedGeneralNameType": HRESULT.CRYPT_E_ASN1_BADTAG,
    "cryptography.hazmat.bindings._rust.x509.VerificationError": HRESULT.TRUST_E_FAIL,
    "tpm2_pytss.TSS2_Exception.TSS2_Exception": HRESULT.TPM_E_FAIL,
    "pkcs11.exceptions.PKCS11Error": HRESULT.SCARD_F_INTERNAL_ERROR,
}


_memory_ends: Final[ContextVar[bool]] = ContextVar("memory ends", default=False)
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)  # OSError has no class of its own for these


@contextmanager
def memory_errors_untranslated() -> Iterator[None]:
    """Has a MemoryError in the block stay one: where a run's memory is bounded, no script may handle the end of it."""
    token = _memory_ends.set(True)
    try:
        yield
    finally:
        _memory_ends.reset(token)


def translate(error: BaseException) -> ComError | None:
    """The ComError that stands for ``error``, or None where the error is no known one (and so a fault of ours).

    Args:
        error: what a layer below raised. An error with an ``hresult`` keeps that code; any other is looked up in
            FOREIGN_ERRORS.
    """
    if isinstance(error, ComError):
        return error
    if not isinstance(error, Exception) or (isinstance(error, MemoryError) and _memory_ends.get()):
        return None  # what ends a run (Ctrl-C, an exit, a limit) is no error that a script could handle
    code = getattr(error, "hresult", None)
    if isinstance(code, int):
        return ComError(code, str(error))
    if isinstance(error, OSError) and error.errno in _FULL:
        return ComError(HRESULT.WIN32_DISK_FULL, str(error))
    for base in type(error).__mro__:
        found = FOREIGN_ERRORS.get(f"{base.__module__}.{base.__qualname__}")
        if found is not None:
            return ComError(found, str(error))
    return None
