"""The file of a software key: PKCS#8 PEM, and before it a few lines of facts that PEM readers pass over.

    Public-Key: <base64 of the DER SubjectPublicKeyInfo>
    Exportable: yes | no
    Generated: yes | no
    Use: sign decrypt agree
    SHA-256: <hex, over every other byte of the file>
    -----BEGIN PRIVATE KEY-----  or  -----BEGIN ENCRYPTED PRIVATE KEY-----

The facts can be read without a passphrase. The digest finds a damaged file before its key is used: keys that this module
wrote are loaded without the costly validation of RSA keys. Knows no folders and no container names.

Source: RFC 7468 section 2 (explanatory text), RFC 5958 (PKCS#8).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
)

from keystores.base import KeyAlgorithm, KeyUse, PrivateKey, Secret
from keystores.errors import BadKeyData, PinError, PinRequired, WrongPin

LARGEST_FILE: Final = 65_536  # bytes; an RSA key of 16384 bits takes 17 000
_STORE = "software"
_LONGEST_PASSPHRASE = 1023  # bytes, OpenSSL's limit
_BEGIN = b"-----BEGIN "
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_DIGEST_LABEL = b"SHA-256: "
_YES_NO: Final = {"yes": True, "no": False}
_USES: Final = {"sign": KeyUse.SIGN, "decrypt": KeyUse.DECRYPT, "agree": KeyUse.AGREE}


@dataclass(frozen=True)
class KeyFile:
    """What the file of a software key holds.

    Attributes:
        public_key: DER SubjectPublicKeyInfo.
        exportable: whether the key may leave the store.
        generated: True where the key was made in the store.
        use: what it may do.
        pem: the PKCS#8 block.
    """

    public_key: bytes = field(repr=False)
    exportable: bool
    generated: bool
    use: KeyUse
    pem: bytes = field(repr=False)

    @property
    def encrypted(self) -> bool:
        """Whether a passphrase is needed to load the key."""
        return self.pem.startswith(_ENCRYPTED)

    def algorithm(self) -> tuple[KeyAlgorithm, int]:
        """The family and the length in bits. Raises BadKeyData where the public key is of neither family."""
        try:
            key = load_der_public_key(self.public_key)
        except (ValueError, UnsupportedAlgorithm):
            raise BadKeyData("the public key in the key file cannot be read", store=_STORE) from None
        if isinstance(key, RSAPublicKey):
            return KeyAlgorithm.RSA, key.key_size
        if isinstance(key, EllipticCurvePublicKey):
            return KeyAlgorithm.EC, key.curve.key_size
        raise BadKeyData("the key is neither RSA nor EC", store=_STORE)

    def load(self, passphrase: Secret | None) -> PrivateKey:
        """The private key.

        Raises:
            PinRequired: the file is encrypted and no passphrase is given.
            WrongPin: the passphrase does not open it.
            BadKeyData: what is in it is no RSA or EC key, or not the one of ``public_key``.
        """
        password = _password(passphrase) if self.encrypted else None
        if self.encrypted and password is None:
            raise PinRequired("the key is encrypted; set its Pin, or the passphrase of the profile", store=_STORE)
        try:
            key = load_pem_private_key(self.pem, password, unsafe_skip_rsa_key_validation=True)
        except (ValueError, UnsupportedAlgorithm):
            if self.encrypted:  # the digest has shown that the file is as it was written
                raise WrongPin("the passphrase does not open the key", store=_STORE) from None
            raise BadKeyData("the private key in the key file cannot be read", store=_STORE) from None
        if not isinstance(key, (RSAPrivateKey, EllipticCurvePrivateKey)) or spki(key) != self.public_key:
            raise BadKeyData("the private key in the key file is not that of its public key", store=_STORE)
        return key


def seal(key: PrivateKey, *, exportable: bool, generated: bool, use: KeyUse, passphrase: Secret | None) -> KeyFile:
    """The file for a key.

    Args:
        key: the key; its bytes must be at hand.
        exportable, generated, use: as KeyFile.
        passphrase: encrypts the key (PBES2); None and an empty one leave it in the clear.

    Raises:
        BadKeyData: a device holds the key.
        PinError: the passphrase is longer than 1023 bytes.
    """
    return KeyFile(spki(key), exportable, generated, use, private_bytes(key, Encoding.PEM, passphrase))


def encode(key_file: KeyFile, first_line: str = "") -> bytes:
    """The bytes of the file.

    Args:
        key_file: what to write.
        first_line: a line, with its line end, to put before all others.
    """
    lines = (
        f"Public-Key: {base64.b64encode(key_file.public_key).decode()}",
        f"Exportable: {'yes' if key_file.exportable else 'no'}",
        f"Generated: {'yes' if key_file.generated else 'no'}",
        f"Use: {' '.join(name for name, use in _USES.items() if use in key_file.use)}",
    )
    head = first_line.encode() + "".join(f"{line}\n" for line in lines).encode()
    digest = hashlib.sha256(head + key_file.pem).hexdigest()
    return head + _DIGEST_LABEL + digest.encode() + b"\n" + key_file.pem


def decode(data: bytes) -> KeyFile:
    """What the bytes of a file say.

    Raises:
        BadKeyData: they are not those of a key file, or have been changed.
    """
    start = data.find(_BEGIN)
    head, digest_line, rest = data[: max(start, 0)].rpartition(_DIGEST_LABEL)
    pem = data[start:]
    if start < 0 or not digest_line or len(data) > LARGEST_FILE:
        raise BadKeyData("this is not a key file of the software key store", store=_STORE)
    if hashlib.sha256(head + pem).hexdigest().encode() != rest.rstrip(b"\n"):
        raise BadKeyData("the key file is damaged: its digest does not fit its bytes", store=_STORE)
    return _facts(head.decode("utf-8", "replace"), pem)


def _facts(head: str, pem: bytes) -> KeyFile:
    fields = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    try:
        return KeyFile(
            public_key=base64.b64decode(fields["Public-Key"], validate=True),
            exportable=_YES_NO[fields["Exportable"]],
            generated=_YES_NO[fields["Generated"]],
            use=_use_of(fields["Use"]),
            pem=pem,
        )
    except (KeyError, binascii.Error):
        raise BadKeyData("the key file lacks one of its facts", store=_STORE) from None


def _use_of(text: str) -> KeyUse:
    use = KeyUse(0)
    for word in text.split():
        use |= _USES[word]
    return use


def spki(key: PrivateKey) -> bytes:
    """The DER SubjectPublicKeyInfo of a private key."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def private_bytes(key: PrivateKey, encoding: Encoding, passphrase: Secret | None) -> bytes:
    """PKCS#8 of a key. Raises BadKeyData where a device holds it."""
    password = _password(passphrase)
    if password is not None and len(password) > _LONGEST_PASSPHRASE:
        raise PinError(f"a passphrase has at most {_LONGEST_PASSPHRASE} bytes", store=_STORE)
    encryption: KeySerializationEncryption = BestAvailableEncryption(password) if password else NoEncryption()
    try:
        return key.private_bytes(encoding, PrivateFormat.PKCS8, encryption)
    except (ValueError, TypeError, UnsupportedAlgorithm, NotImplementedError):
        raise BadKeyData("the private key does not leave the device that holds it", store=_STORE) from None


def _password(passphrase: Secret | None) -> bytes | None:
    return (passphrase.reveal().encode("utf-8", "surrogatepass") or None) if passphrase is not None else None


def checked(key: PrivateKey) -> PrivateKey:
    """``key`` once more from its own bytes, fully validated: for keys that come from outside.

    Raises:
        BadKeyData: its numbers do not fit each other, or a device holds it.
    """
    try:
        again = load_der_private_key(private_bytes(key, Encoding.DER, None), None)
    except (ValueError, UnsupportedAlgorithm):
        raise BadKeyData("the numbers of the private key do not fit each other", store=_STORE) from None
    if not isinstance(again, (RSAPrivateKey, EllipticCurvePrivateKey)):
        raise BadKeyData("the key is neither RSA nor EC", store=_STORE)
    return again
