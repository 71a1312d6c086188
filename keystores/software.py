"""Private keys in files: one PKCS#8 PEM file a key, mode 0600, in a folder of mode 0700.

Files are written whole or not at all and never over another. A key in hand is a plain pyca key: it signs, decrypts and
agrees whatever ``use`` says, and works on after its container is deleted; ``use`` and ``exportable`` are what the store
was told and what ``export_key`` keeps to. Knows the form of the files only through ``key_files``.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from keystores.base import KeyAlgorithm, KeyInfo, KeyTemplate, KeyUse, PrivateKey, Scope, Secret, StoredKey
from keystores.errors import BadKeyData, DeviceFailure, KeyExists, NoSuchKey, NotPermitted, StoreFull, UnsupportedKey
from keystores.filenames import file_name, listing, name_line, private_directory, write_new
from keystores.key_files import LARGEST_FILE, KeyFile, checked, decode, encode, seal
from keystores.pins import PinSource, first_of

SMALLEST_RSA: Final = 1024
LARGEST_RSA: Final = 16384
RSA_STEP: Final = 8
CURVES: Final[dict[int, type[ec.EllipticCurve]]] = {256: ec.SECP256R1, 384: ec.SECP384R1, 521: ec.SECP521R1}

_SUFFIX = ".pem"
_EXPONENT = 65537
_BAD_LENGTH = 0x80090004  # NTE_BAD_LEN
_ACCESS_DENIED = 0x80070005  # E_ACCESSDENIED
_FULL = {errno.ENOSPC, errno.EDQUOT}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_log = logging.getLogger(__name__)


class SoftwareKeyStore:
    """The software keys of one scope.

    Args:
        directory: their folder, of this scope alone; made when the first key is.
        scope: whose keys they are.
        passphrase: asked for the passphrase of keys that are given no PIN; None, or a source that has none, leaves
            their files unencrypted.
        pins: asked for the PIN of an encrypted file where neither the call nor ``passphrase`` has one.
    """

    name: Final = "software"

    def __init__(
        self, directory: Path, scope: Scope, passphrase: PinSource | None = None, pins: PinSource | None = None
    ) -> None:
        self._directory = directory
        self._scope = scope
        self._passphrase = first_of(passphrase)
        self._opening = first_of(passphrase, pins)

    def create(self, container: str, template: KeyTemplate, *, pin: Secret | None = None) -> StoredKey:
        """Makes a key pair. ``pin`` is the passphrase of its file.

        Raises:
            KeyExists: the container is there.
            UnsupportedKey: NTE_BAD_LEN for a length that is not made: RSA takes 1024 to 16384 bits in steps of 8, EC
                256, 384 and 521.
            KeyStoreError: NTE_BAD_KEYSET_PARAM for a name that is empty or too long.
            StoreFull, DeviceFailure: the disk refused. Nothing is left behind.
        """
        _check_length(template.algorithm, template.length)
        self._refuse_existing(container)
        key = _generate(template)
        secret = pin or self._passphrase(_purpose(container))
        sealed = seal(key, exportable=template.exportable, generated=True, use=_fit(template.use, key), passphrase=secret)
        return self._keep(container, key, sealed)

    def import_key(
        self,
        container: str,
        key: PrivateKey,
        *,
        exportable: bool = False,
        use: KeyUse = KeyUse.ALL,
        pin: Secret | None = None,
    ) -> StoredKey:
        """Puts an existing key into a new container, after full validation.

        Raises:
            BadKeyData: the numbers of the key do not fit each other, or a device holds it.
            KeyExists, UnsupportedKey, StoreFull, DeviceFailure: as ``create``.
        """
        self._refuse_existing(container)
        sound = checked(key)
        _check_length(*_family(sound))
        secret = pin or self._passphrase(_purpose(container))
        sealed = seal(sound, exportable=exportable, generated=False, use=_fit(use, sound), passphrase=secret)
        return self._keep(container, sound, sealed)

    def open(self, container: str, *, pin: Secret | None = None) -> StoredKey:
        """The key of a container.

        Raises:
            NoSuchKey: there is none of that name.
            PinRequired, WrongPin: its file is encrypted, and no passphrase was given or another one.
            BadKeyData: its file is damaged.
        """
        path, found = self._read(container)
        secret = pin or (self._opening(_purpose(container)) if found.encrypted else None)
        return StoredKey(self._info(container, path, found), found.load(secret))

    def delete(self, container: str, *, pin: Secret | None = None) -> None:
        """Removes the file of a container; a passphrase is not needed for that. Raises NoSuchKey."""
        path = self._path(container)
        with _disk(path):
            try:
                path.unlink()
            except FileNotFoundError:
                raise _no_such_key(container) from None
            _sync(self._directory)

    def list(self) -> Sequence[KeyInfo]:
        """The keys, by container name. No passphrase is needed; a damaged file is left out and logged."""
        found = []
        with _disk(self._directory):
            files = listing(self._directory, _SUFFIX)
        for container, path in files:
            try:
                found.append(self._info(container, path, self._read(container)[1]))
            except NoSuchKey:
                continue  # deleted by another process since
            except BadKeyData as error:
                _log.warning("the key file %s is left out: %s", path, error)
        return found

    def export_key(self, container: str, *, pin: Secret | None = None) -> PrivateKey:
        """The private key. Raises NotPermitted where it was not made exportable, and what ``open`` raises."""
        found = self.open(container, pin=pin)
        if not found.info.exportable:
            raise NotPermitted(f"the key of container {container!r} was not made exportable", store=self.name)
        return found.private_key

    def supported(self) -> Sequence[tuple[KeyAlgorithm, int]]:
        """The usual lengths; RSA keys of every multiple of 8 bits between them are made too."""
        usual = (1024, 1536, 2048, 3072, 4096, 8192, 16384)
        return [*((KeyAlgorithm.RSA, bits) for bits in usual), *((KeyAlgorithm.EC, bits) for bits in CURVES)]

    def _keep(self, container: str, key: PrivateKey, sealed: KeyFile) -> StoredKey:
        path = self._path(container)
        with _disk(path):
            private_directory(self._directory)
            try:
                write_new(path, encode(sealed, name_line(container)))
            except FileExistsError:
                raise _exists(container) from None
        return StoredKey(self._info(container, path, sealed), key)

    def _info(self, container: str, path: Path, found: KeyFile) -> KeyInfo:
        algorithm, length = found.algorithm()
        return KeyInfo(
            store=self.name,
            container=container,
            scope=self._scope,
            algorithm=algorithm,
            length=length,
            public_key=found.public_key,
            exportable=found.exportable,
            generated=found.generated,
            reference=str(path),
            use=found.use,
        )

    def _read(self, container: str) -> tuple[Path, KeyFile]:
        path = self._path(container)
        with _disk(path):
            try:
                with path.open("rb") as file:
                    data = file.read(LARGEST_FILE + 1)
            except FileNotFoundError:
                raise _no_such_key(container) from None
        return path, decode(data)

    def _path(self, container: str) -> Path:
        return self._directory / file_name(container, _SUFFIX)

    def _refuse_existing(self, container: str) -> None:
        if os.path.lexists(self._path(container)):  # before the work; write_new says it again, without a gap
            raise _exists(container)


def _purpose(container: str) -> str:
    return f"software key store, container {container}"


def _generate(template: KeyTemplate) -> PrivateKey:
    if template.algorithm is KeyAlgorithm.RSA:
        return rsa.generate_private_key(_EXPONENT, template.length)
    return ec.generate_private_key(CURVES[template.length]())


def _fit(use: KeyUse, key: PrivateKey) -> KeyUse:
    return use & ~KeyUse.DECRYPT if isinstance(key, ec.EllipticCurvePrivateKey) else use


def _family(key: PrivateKey) -> tuple[KeyAlgorithm, int]:
    if isinstance(key, rsa.RSAPrivateKey):
        return KeyAlgorithm.RSA, key.key_size
    if isinstance(key.curve, tuple(CURVES.values())):
        return KeyAlgorithm.EC, key.key_size
    raise UnsupportedKey(f"the curve {key.curve.name} is not kept; P-256, P-384 and P-521 are", store="software")


def _check_length(algorithm: KeyAlgorithm, length: int) -> None:
    if algorithm is KeyAlgorithm.RSA:
        good, rule = SMALLEST_RSA <= length <= LARGEST_RSA and length % RSA_STEP == 0, "1024 to 16384 bits in steps of 8"
    else:
        good, rule = length in CURVES, "256, 384 or 521 bits"
    if not good:
        raise UnsupportedKey(f"no {algorithm.value} key of {length} bits: {rule}", store="software", hresult=_BAD_LENGTH)


def _exists(container: str) -> KeyExists:
    return KeyExists(f"the container {container!r} is there already; use its key, or another name", store="software")


def _no_such_key(container: str) -> NoSuchKey:
    return NoSuchKey(f"there is no container {container!r} among the software keys", store="software")


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Turns what the file system says into the key store's errors."""
    try:
        yield
    except OSError as error:
        reason = f"{path}: {os.strerror(error.errno or 0)}"
        if error.errno in _FULL:
            raise StoreFull(f"there is no room for the key file {reason}", store="software") from error
        code = _ACCESS_DENIED if error.errno in _DENIED else None
        raise DeviceFailure(f"the key file cannot be used: {reason}", store="software", hresult=code) from error


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
