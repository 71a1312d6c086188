"""What a key store is: the four-method protocol, the capabilities asked for separately, and the facts about a key.

Knows no certificate requests and no COM. A private key that a store hands out is a pyca ``RSAPrivateKey`` or
``EllipticCurvePrivateKey`` (a subclass where a device holds it), so every pyca builder takes it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey


class KeyLocation(enum.IntEnum):
    """Where a private key goes: the KeyLocation values of the ClientCertificateInstall CSP."""

    TPM_REQUIRED = 1
    TPM_PREFERRED = 2
    SOFTWARE = 3
    NAMED_CONTAINER = 4


class Scope(enum.Enum):
    """Whose key it is."""

    USER = "user"
    MACHINE = "machine"


class KeyAlgorithm(enum.Enum):
    """The families that key stores make. For EC the length in bits names the curve (256, 384, 521)."""

    RSA = "RSA"
    EC = "EC"


class KeyUse(enum.Flag):
    """What a key may do."""

    SIGN = enum.auto()
    DECRYPT = enum.auto()
    AGREE = enum.auto()
    ALL = SIGN | DECRYPT | AGREE


class Secret:
    """A PIN, password or passphrase that no log or error shows.

    Args:
        value: the secret text.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret is not written anywhere")


PinCallback = Callable[[str], Secret | None]  # given what the PIN is for ("token Bank card, container web")


@dataclass(frozen=True)
class KeyTemplate:
    """What key to make.

    Attributes:
        algorithm: the family.
        length: bits; for EC the curve's size.
        use: what the key may do. Ignored where the family cannot (EC keys do not decrypt).
        exportable: whether the private key may leave the store again (software only).
    """

    algorithm: KeyAlgorithm = KeyAlgorithm.RSA
    length: int = 2048
    use: KeyUse = KeyUse.ALL
    exportable: bool = False


@dataclass(frozen=True)
class KeyInfo:
    """The facts about a key in a store. Nothing here is secret.

    Attributes:
        store: "software", "tpm" or "smartcard".
        container: the container's name.
        scope: whose key it is.
        algorithm, length: what it is.
        public_key: DER SubjectPublicKeyInfo.
        exportable: whether export_key will work.
        generated: True where the key was made inside its store, False where it was imported.
        reference: where the key is, in a form others read: a file's path, a "pkcs11:" URI.
        use: what it may do.
    """

    store: str
    container: str
    scope: Scope
    algorithm: KeyAlgorithm
    length: int
    public_key: bytes = field(repr=False)
    exportable: bool
    generated: bool
    reference: str
    use: KeyUse = KeyUse.ALL


@dataclass(frozen=True)
class StoredKey:
    """A key in hand: its facts and a pyca private key to sign, decrypt or agree with."""

    info: KeyInfo
    private_key: PrivateKey


@runtime_checkable
class KeyStore(Protocol):
    """One place where private keys live. Containers of the two scopes are apart."""

    @property
    def name(self) -> str:
        """"software", "tpm" or "smartcard"."""

    def create(self, container: str, template: KeyTemplate, *, pin: Secret | None = None) -> StoredKey:
        """Makes a key pair.

        Args:
            container: its name; letters, digits and punctuation, any Unicode, 1 to 260 characters.
            template: what to make.
            pin: a PIN for the key (TPM, software passphrase) or the token's PIN (smart card).

        Raises:
            KeyExists: the container is there.
            UnsupportedKey: the store cannot make such a key.
            StoreUnavailable, PinError, StoreFull, DeviceFailure: as their names say. Nothing is left behind.
        """

    def open(self, container: str, *, pin: Secret | None = None) -> StoredKey:
        """The key of a container. Raises NoSuchKey, PinError, StoreUnavailable."""

    def delete(self, container: str, *, pin: Secret | None = None) -> None:
        """Removes a container with all that is in it. Raises NoSuchKey."""

    def list(self) -> Sequence[KeyInfo]:
        """The keys of this store and scope, by container name. Raises StoreUnavailable."""


@runtime_checkable
class Prober(Protocol):
    """A store that can say what it is able to make."""

    def supported(self) -> Sequence[tuple[KeyAlgorithm, int]]:
        """Every (algorithm, bits) that the device makes, as the device says. Raises StoreUnavailable."""


@runtime_checkable
class Importer(Protocol):
    """A store that takes an existing private key."""

    def import_key(
        self,
        container: str,
        key: PrivateKey,
        *,
        exportable: bool = False,
        use: KeyUse = KeyUse.ALL,
        pin: Secret | None = None,
    ) -> StoredKey:
        """Puts ``key`` into the store. Raises as create does, and BadKeyData."""


@runtime_checkable
class Exporter(Protocol):
    """A store that can give a private key out."""

    def export_key(self, container: str, *, pin: Secret | None = None) -> PrivateKey:
        """The private key, as a plain pyca key. Raises NoSuchKey, NotPermitted."""


@runtime_checkable
class CertificateHolder(Protocol):
    """A store that keeps certificates beside its keys (a card)."""

    def write_certificate(self, container: str, certificate: bytes, *, pin: Secret | None = None) -> None:
        """Writes the DER certificate of the container's key, in place of one that is there. Raises NoSuchKey, PinError."""

    def write_chain(self, certificates: Sequence[bytes], *, pin: Secret | None = None) -> None:
        """Writes CA certificates (DER), each once."""

    def read_certificate(self, container: str) -> bytes | None:
        """The DER certificate of the container, or None."""


@dataclass(frozen=True)
class EndorsementKey:
    """The key that tells one TPM from every other. It decrypts the TPM's own structures and signs nothing.

    Attributes:
        public_key: DER SubjectPublicKeyInfo.
        tpm_public: TPMT_PUBLIC.
        name: the TPM's name of it.
        certificates: its manufacturer's certificates (DER), as the TPM's NV holds them; often there are none.
    """

    public_key: bytes = field(repr=False)
    tpm_public: bytes = field(repr=False)
    name: bytes = field(repr=False)
    certificates: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True)
class AttestationKey:
    """The key with which a TPM signs its own statements, and nothing else.

    Attributes:
        public_key: DER SubjectPublicKeyInfo.
        tpm_public: TPMT_PUBLIC.
        name: the TPM's name of it, for which a verifier makes a credential.
    """

    public_key: bytes = field(repr=False)
    tpm_public: bytes = field(repr=False)
    name: bytes = field(repr=False)


@dataclass(frozen=True)
class Attestation:
    """A TPM's statement that a key is in it.

    Attributes:
        attest: TPMS_ATTEST, what was signed.
        signature: TPMT_SIGNATURE.
        raw_signature: the signature as pyca verifies it (ECDSA: DER; RSA: PKCS #1 v1.5).
        signature_hash: its hash by pyca's name ("sha256").
        key_public: TPMT_PUBLIC of the key that is spoken of.
        key_name: the TPM's name of it.
        attestation_key: who signed.
    """

    attest: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    raw_signature: bytes = field(repr=False)
    signature_hash: str
    key_public: bytes = field(repr=False)
    key_name: bytes = field(repr=False)
    attestation_key: AttestationKey = field(repr=False)


@runtime_checkable
class Attester(Protocol):
    """A store that can prove where a key was made. How a verifier judges it: keystores.tpm.evidence."""

    def endorsement_key(self, algorithm: KeyAlgorithm = KeyAlgorithm.RSA) -> EndorsementKey:
        """The device's endorsement key (RSA 2048, or P-256). Raises StoreUnavailable, UnsupportedKey, NotPermitted."""

    def attestation_key(self) -> AttestationKey:
        """The device's attestation key, the same one in every process. Raises as endorsement_key does."""

    def attest(self, container: str, nonce: bytes, *, pin: Secret | None = None) -> Attestation:
        """Has the device say that it made the key of a container.

        Args:
            container: its name.
            nonce: what the verifier gave; at most 64 bytes.
            pin: the key's PIN.

        Raises:
            NoSuchKey, PinError, StoreUnavailable: as KeyStore.open.
            NotPermitted: the key was imported.
            KeyStoreError: NTE_INVALID_PARAMETER: the nonce is too long.
        """

    def activate_credential(self, credential: bytes, secret: bytes) -> bytes:
        """What a verifier encrypted for this device and its attestation key.

        Args:
            credential, secret: what keystores.tpm.evidence.make_credential gave.

        Raises:
            KeyStoreError: NTE_DECRYPTION_FAILURE: it is for another device or attestation key, or was changed.
            StoreUnavailable, NotPermitted: as endorsement_key.
        """

    def owned_certificates(self, key: EndorsementKey) -> tuple[bytes, ...]:
        """The certificates (DER) that were added for an endorsement key, in the order of adding."""

    def add_owned_certificate(self, key: EndorsementKey, certificate: bytes) -> None:
        """Adds a DER certificate for an endorsement key; the manufacturer's stay as they are.

        Raises:
            BadKeyData: NTE_BAD_DATA where it is no certificate, NTE_BAD_PUBLIC_KEY where it is another key's.
            NotPermitted: NTE_PERM: it is the manufacturer's.
        """

    def remove_owned_certificate(self, key: EndorsementKey, certificate: bytes) -> None:
        """Removes a certificate that was added.

        Raises:
            NotPermitted: NTE_PERM: it is the manufacturer's.
            KeyStoreError: CRYPT_E_NOT_FOUND: it was not added.
        """
