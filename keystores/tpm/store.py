"""TpmKeyStore: containers of TPM keys, one file each in a folder, used through one TPM.

Knows no TPM commands. Listing and deleting need no TPM. A key is made with a PIN where the caller gives one; the store's
own PIN source is asked only where a key that has a PIN is opened without one being given.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from keystores.base import (
    Attestation,
    AttestationKey,
    EndorsementKey,
    KeyAlgorithm,
    KeyInfo,
    KeyTemplate,
    KeyUse,
    PrivateKey,
    Scope,
    Secret,
    StoredKey,
)
from keystores.errors import BadKeyData, KeyExists, KeyStoreError, NoSuchKey, NotPermitted, UnsupportedKey
from keystores.filenames import disk_errors, file_name, listing, name_line, private_directory, remove, write_new
from keystores.pins import PinSource, require
from keystores.tpm import endorsement_certificates
from keystores.tpm.context import Connection, load_tss
from keystores.tpm.device import TpmKey, commands, pin_bytes
from keystores.tpm.errors import BAD_LEN, INVALID_PARAMETER, STORE
from keystores.tpm.files import LARGEST, SUFFIX, KeyFile, decode, encode
from keystores.tpm.keys import private_key

if TYPE_CHECKING:
    from types import TracebackType

    from keystores.tpm.objects import Kind

_log = logging.getLogger(__name__)

SIZES: Final[dict[KeyAlgorithm, tuple[int, ...]]] = {
    KeyAlgorithm.RSA: (1024, 2048, 3072, 4096),
    KeyAlgorithm.EC: (256, 384, 521),
}
LONGEST_NONCE: Final = 64  # bytes; TPM2B_DATA holds at least a SHA-512 digest
_USES: Final = {KeyAlgorithm.RSA: KeyUse.SIGN | KeyUse.DECRYPT, KeyAlgorithm.EC: KeyUse.SIGN | KeyUse.AGREE}


class TpmKeyStore:
    """Keys in a TPM 2.0.

    Args:
        directory: the folder of the key files; made (0700) when the first key is.
        scope: whose keys they are.
        tcti: where the TPM is ("device:/dev/tpmrm0", "swtpm:path=..."); None for this machine's own.
        default_pin: asked for the PIN of a key that has one, where the caller of ``open`` gives none.
        allow_final_try: whether a PIN may be tried when a wrong one would make the TPM refuse all PINs.
    """

    name: ClassVar[str] = STORE

    def __init__(
        self,
        directory: Path,
        scope: Scope,
        tcti: str | None = None,
        default_pin: PinSource | None = None,
        *,
        allow_final_try: bool = False,
    ) -> None:
        self.directory = directory
        self.scope = scope
        self.allow_final_try = allow_final_try
        self._default_pin = default_pin
        self._connection = Connection(tcti)

    def create(self, container: str, template: KeyTemplate, *, pin: Secret | None = None) -> StoredKey:
        """Makes a key pair inside the TPM.

        Args:
            container: its name.
            template: what to make. For EC the uses are signing and agreement, for RSA signing and decryption.
            pin: the key's PIN, at most 32 bytes; None for a key without one.

        Raises:
            KeyExists, UnsupportedKey, StoreUnavailable, PinError, DeviceFailure: as keystores.base says.
            NotPermitted: the template wants an exportable key.
        """
        path = self._vacant(container)
        self._reach()
        _refuse_exportable(template.exportable)
        tpm = commands()
        kind = _checked(tpm.Kind(template.algorithm, template.length), template.use)
        wanted = tpm.Wanted(kind, template.use, pin_bytes(pin))
        with self._connection.locked():
            self._test(kind)
            file = self._connection.run(
                f"make the TPM key of container {container!r}",
                lambda context: tpm.create(self._connection.remembered, context, wanted),
            )
        return self._kept(container, path, file, pin)

    def open(self, container: str, *, pin: Secret | None = None) -> StoredKey:
        """The key of a container, after the TPM has loaded it and, where it has one, taken its PIN.

        Args:
            container: its name.
            pin: its PIN. Passed over where the key has none.

        Raises:
            NoSuchKey: there is no such container.
            PinRequired, WrongPin, PinBlocked: as keystores.base says. The last try before the TPM locks is refused
                (PinBlocked) unless the store was made with ``allow_final_try``.
            BadKeyData: the file cannot be read, or the key is another TPM's.
            StoreUnavailable: there is no TPM.
        """
        key, path = self._key(container, pin)
        key.check(allow_final_try=self.allow_final_try)
        return StoredKey(self._info(container, path, key.file), private_key(key))

    def delete(self, container: str, *, pin: Secret | None = None) -> None:
        """Removes a container: its file, which is all there is of the key. Needs no TPM and no PIN. Raises NoSuchKey."""
        path = self._path(container)
        try:
            with disk_errors(path, STORE):
                remove(path)
        except FileNotFoundError as error:
            raise self._missing(container) from error

    def list(self) -> Sequence[KeyInfo]:
        """The keys of this folder, by container name. Needs no TPM. Files that cannot be read are logged and left out."""
        found = []
        with disk_errors(self.directory, STORE):
            files = listing(self.directory, SUFFIX)
        for container, path in files:
            try:
                found.append(self._info(container, path, _read(path)))
            except FileNotFoundError:
                continue
            except KeyStoreError as error:
                _log.warning("%s is left out of the list: %s", path, error)
        return found

    def supported(self) -> Sequence[tuple[KeyAlgorithm, int]]:
        """What keys the TPM says it makes, of RSA 1024 to 4096 and the NIST curves. Raises StoreUnavailable."""
        tpm = commands()
        wanted = [(algorithm, length) for algorithm, lengths in SIZES.items() for length in lengths]
        found = []
        with self._connection.locked():
            for algorithm, length in wanted:
                with contextlib.suppress(UnsupportedKey):
                    self._test(tpm.Kind(algorithm, length))
                    found.append((algorithm, length))
        return found

    def import_key(
        self,
        container: str,
        key: PrivateKey,
        *,
        exportable: bool = False,
        use: KeyUse = KeyUse.ALL,
        pin: Secret | None = None,
    ) -> StoredKey:
        """Puts an existing private key into the TPM. It cannot leave again, but its owner may have kept a copy.

        Raises:
            as create does; UnsupportedKey too for an RSA key with an exponent that the TPM lacks, and for other curves.
        """
        path = self._vacant(container)
        self._reach()
        _refuse_exportable(exportable)
        tpm = commands()
        kind = _checked(tpm.Kind(*_kind_of(key)), use)
        wanted = tpm.Wanted(kind, use, pin_bytes(pin))
        with self._connection.locked():
            self._test(kind)
            file = self._connection.run(
                f"import the key of container {container!r} into the TPM",
                lambda context: tpm.import_key(self._connection.remembered, context, wanted, key),
            )
        return self._kept(container, path, file, pin)

    def endorsement_key(self, algorithm: KeyAlgorithm = KeyAlgorithm.RSA) -> EndorsementKey:
        """The TPM's endorsement key, as keystores.base.Attester says."""
        load_tss()
        from keystores.tpm import endorsement

        doing = f"read the TPM's {algorithm.value} endorsement key"
        return self._connection.run(doing, lambda context: endorsement.endorsement_key(context, algorithm))

    def attestation_key(self) -> AttestationKey:
        """The TPM's attestation key, as keystores.base.Attester says."""
        load_tss()
        from keystores.tpm import attestation

        return self._connection.run("read the TPM's attestation key", attestation.attestation_key)

    def attest(self, container: str, nonce: bytes, *, pin: Secret | None = None) -> Attestation:
        """Proves that the key of a container was made in this TPM, as keystores.base.Attester says.

        Raises:
            as open does; NotPermitted for an imported key, KeyStoreError for a nonce of more than 64 bytes.
        """
        key, _ = self._key(container, pin)
        _refuse_attestation(key, nonce)
        key.check(allow_final_try=self.allow_final_try)
        from keystores.tpm import attestation

        public = key.file.public[2:]
        return key.use("attest", lambda context, handle: attestation.attest(context, handle, nonce, public))

    def activate_credential(self, credential: bytes, secret: bytes) -> bytes:
        """What a verifier encrypted for this TPM, as keystores.base.Attester says. Raises DecryptionFailed."""
        load_tss()
        from keystores.tpm import endorsement

        doing = "read a credential with the TPM's endorsement key"
        return self._connection.run(doing, lambda context: endorsement.activate(context, credential, secret))

    def owned_certificates(self, key: EndorsementKey) -> tuple[bytes, ...]:
        """The certificates that were added for an endorsement key. Needs no TPM."""
        return endorsement_certificates.owned(self.directory, key)

    def add_owned_certificate(self, key: EndorsementKey, certificate: bytes) -> None:
        """Adds a certificate for an endorsement key, as keystores.base.Attester says. Needs no TPM."""
        endorsement_certificates.add(self.directory, key, certificate)

    def remove_owned_certificate(self, key: EndorsementKey, certificate: bytes) -> None:
        """Removes a certificate that was added, as keystores.base.Attester says. Needs no TPM."""
        endorsement_certificates.discard(self.directory, key, certificate)

    def public_area(self, container: str) -> bytes:
        """The key's TPMT_PUBLIC, whose name is what an attestation certifies. Raises NoSuchKey."""
        return self._file(container)[0].public[2:]

    def close(self) -> None:
        """Gives the connection to the TPM back. Keys in hand, and the store, make a new one where they need it."""
        self._connection.close()

    def __enter__(self) -> TpmKeyStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _path(self, container: str) -> Path:
        return self.directory / file_name(container, SUFFIX)

    def _vacant(self, container: str) -> Path:
        path = self._path(container)
        if path.exists():
            raise self._taken(container)
        return path

    def _file(self, container: str) -> tuple[KeyFile, Path]:
        path = self._path(container)
        try:
            return _read(path), path
        except FileNotFoundError as error:
            raise self._missing(container) from error

    def _key(self, container: str, pin: Secret | None) -> tuple[TpmKey, Path]:
        file, path = self._file(container)
        if not file.needs_pin:
            pin = None
        elif pin is None:
            pin = require(self._default_pin, f"the TPM key of container {container!r}", store=STORE)
        return TpmKey(self._connection, container, file, file.facts(), pin), path

    def _reach(self) -> None:
        # Absence comes before any judgement of what is asked for: it alone lets a preferred TPM fall back to software.
        self._connection.run("reach the TPM", lambda context: None)

    def _test(self, kind: Kind) -> None:
        self._connection.run(_described(kind), lambda context: commands().test(context, kind))

    def _kept(self, container: str, path: Path, file: KeyFile, pin: Secret | None) -> StoredKey:
        key = TpmKey(self._connection, container, file, file.facts(), pin if file.needs_pin else None)
        try:
            with disk_errors(path, STORE):
                private_directory(self.directory)
                write_new(path, encode(file, name_line(container)))
        except FileExistsError as error:
            raise self._taken(container) from error
        return StoredKey(self._info(container, path, file), private_key(key))

    def _info(self, container: str, path: Path, file: KeyFile) -> KeyInfo:
        facts = file.facts()
        return KeyInfo(
            store=self.name,
            container=container,
            scope=self.scope,
            algorithm=facts.algorithm,
            length=facts.length,
            public_key=facts.spki,
            exportable=False,
            generated=facts.generated,
            reference=str(path),
            use=file.use or facts.use,
        )

    def _missing(self, container: str) -> NoSuchKey:
        return NoSuchKey(f"there is no TPM key of container {container!r} in {self.directory}", store=STORE)

    def _taken(self, container: str) -> KeyExists:
        message = f"there is a TPM key of container {container!r} already; delete it or choose another name"
        return KeyExists(message, store=STORE)


def _read(path: Path) -> KeyFile:
    with disk_errors(path, STORE), path.open("rb") as file:
        return decode(file.read(LARGEST + 1))


def _described(kind: Kind) -> str:
    return f"make an {kind.algorithm.value} key of {kind.length} bits"


def _refuse_exportable(exportable: bool) -> None:
    if exportable:
        raise NotPermitted("a key in a TPM cannot be exported; ask for one that is not exportable", store=STORE)


def _refuse_attestation(key: TpmKey, nonce: bytes) -> None:
    if not key.facts.generated:
        message = f"the key of container {key.container!r} was imported; only keys that a TPM made can be attested"
        raise NotPermitted(message, store=STORE)
    if len(nonce) > LONGEST_NONCE:
        message = f"a nonce for attestation has at most {LONGEST_NONCE} bytes, this one has {len(nonce)}"
        raise KeyStoreError(message, store=STORE, hresult=INVALID_PARAMETER)


def _checked(kind: Kind, use: KeyUse) -> Kind:
    # Any RSA size that fits into the TPM's field is for the TPM to judge; a curve has to have a number.
    fits = kind.length in SIZES[KeyAlgorithm.EC] if kind.algorithm is KeyAlgorithm.EC else 0 < kind.length <= 0xFFFF
    if not fits:
        message = f"no {kind.algorithm.value} key of a TPM has {kind.length} bits"
        raise UnsupportedKey(message, store=STORE, hresult=BAD_LEN)
    if not use & _USES[kind.algorithm]:
        raise UnsupportedKey(f"an {kind.algorithm.value} key has none of the uses asked for", store=STORE)
    return kind


def _kind_of(key: PrivateKey) -> tuple[KeyAlgorithm, int, int]:
    if isinstance(key, rsa.RSAPrivateKey):
        return KeyAlgorithm.RSA, key.key_size, key.public_key().public_numbers().e
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name.startswith("secp") and key.curve.name.endswith("r1"):
        return KeyAlgorithm.EC, key.key_size, 0
    raise BadKeyData("a TPM takes RSA keys and keys on P-256, P-384 and P-521", store=STORE)
