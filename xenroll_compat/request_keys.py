"""The private key of a request: a new one, one that is there, one from a .pvk file; and the .pvk file that it goes to.

Describes an IX509PrivateKey and leaves it to certenroll to make it. A device without room may lend a key that it has.
Source: ICEnroll::PVKFileName, UseExistingKeySet and GenKeyFlags, ICEnroll3::ReuseHardwareKeyIfUnableToGenNew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import certenroll
from certenroll import facade, pvk
from certenroll.enums import EncodingType
from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from xenroll_compat import defaults
from xenroll_compat.files import named_file, replaced_file
from xenroll_compat.providers import ControlProviders

_BINARY: Final = EncodingType.XCN_CRYPT_STRING_BINARY
_FULL: Final = signed(HRESULT.NTE_TOKEN_KEYSET_STORAGE_FULL)
# The form of a key blob that a .pvk file holds, as providers name it: whether it is a CSP -> the form.
_FORMS: Final = {True: "PRIVATEBLOB", False: "CAPIPRIVATEBLOB"}


@dataclass(frozen=True)
class RequestKey:
    """The key of one request.

    Attributes:
        key: the IX509PrivateKey.
        form: how it exports a private key for a .pvk file.
        imported: whether it came from a .pvk file just now.
    """

    key: Any
    form: str
    imported: bool = False


class RequestKeys(ControlProviders):
    """What ControlRequests needs of keys."""

    def request_key(self, *, archived: bool) -> RequestKey:
        """The key that the properties describe: not made yet, or imported from PVKFileName.

        Args:
            archived: whether it is to be archived, and so is made archivable.

        Raises:
            ComError: NTE_BAD_ALGID where the provider makes no such key; for a .pvk file NTE_BAD_DATA,
                WIN32_INVALID_PASSWORD, NTE_EXISTS where the container is there, and the key store's codes.
        """
        found = self._described(archived=archived)
        file = self.__dict__.get("_pvk_file", "")
        if not file or not self.UseExistingKeySet or not named_file(file).exists():
            return found
        found.key.Existing = False
        found.key.Import(found.form, pvk.decode(named_file(file).read_bytes()), _BINARY)
        return RequestKey(found.key, found.form, imported=True)

    def reusable_key(self, error: ComError) -> RequestKey | None:
        """An existing key for a request whose new one failed by ``error``, where the script allows that; else None."""
        if error.hresult != _FULL or not self.ReuseHardwareKeyIfUnableToGenNew:
            return None
        stores = facade.key_store_names(self.KeyLocation, self.ProviderName)
        container = facade.reusable_container(stores, int(self.KeySpec), self.enrollment_context())
        if not container:
            return None
        found = self._described(archived=False)
        found.key.Existing = True
        found.key.ContainerName = container
        return found

    @contextmanager
    def key_file(self) -> Iterator[Callable[[RequestKey], bool]]:
        """Makes ready to write PVKFileName; a key that the block hands over is in it afterwards, else there is no such file.

        What the block is given says whether it wrote the key. Nothing is written for no file name, nor for a key that came
        from the file.

        Raises:
            ComError: NTE_BAD_KEY_STATE where GenKeyFlags lacks CRYPT_EXPORTABLE.
            FileExistsError: (WIN32_FILE_EXISTS) the file is there, and UseExistingKeySet does not say to take its key.
            OSError: it cannot be written.
        """
        name = str(self.__dict__.get("_pvk_file", ""))
        if not name or (self.UseExistingKeySet and named_file(name).exists()):
            yield _nothing_written
            return
        self._check_writable(named_file(name))
        file = named_file(name).absolute()
        written: list[Path] = []

        def save(found: RequestKey) -> bool:
            facade.write_key_file(found.key, str(file), self.KeySpec)
            written.append(file)
            return True

        with replaced_file(name, private=True):  # tells whether it can be written before a key is made
            try:
                yield save
            except BaseException:
                for one in written:
                    one.unlink(missing_ok=True)
                raise

    def _check_writable(self, file: Path) -> None:
        if file.exists():
            raise FileExistsError(f"{file} is there already; with UseExistingKeySet its key is used, else name another file")
        if not self.GenKeyFlags & defaults.CRYPT_EXPORTABLE and not self.UseExistingKeySet:
            text = "a key for a .pvk file is exportable; set PVKFileName after GenKeyFlags, or CRYPT_EXPORTABLE in them"
            raise ComError(HRESULT.NTE_BAD_KEY_STATE, text)

    def _described(self, *, archived: bool) -> RequestKey:
        provider = self.provider_for_key()
        flags = self.GenKeyFlags | (defaults.CRYPT_ARCHIVABLE if archived else 0)
        legacy = bool(provider.LegacyCsp)
        key = certenroll.Dispatch("X509Enrollment.CX509PrivateKey")
        key.ProviderName = self.ProviderName
        key.ProviderType = provider.Type
        key.LegacyCsp = legacy
        key.KeySpec = self.KeySpec
        key.Length = flags >> 16 & 0xFFFF
        key.ExportPolicy = sum(policy for flag, policy in defaults.EXPORT_POLICY.items() if flags & flag)
        key.KeyProtection = sum(bits for flag, bits in defaults.KEY_PROTECTION.items() if flags & flag)
        key.MachineContext = self.enrollment_context() != 1
        key.KeyLocation = self.KeyLocation
        key.Existing = self.UseExistingKeySet
        key.ContainerName = str(self.__dict__.get("_container", ""))
        key.ContainerNamePrefix = ""  # a generated name is a GUID and nothing else
        return RequestKey(key, _FORMS[legacy])


def _nothing_written(_: RequestKey) -> bool:
    return False
