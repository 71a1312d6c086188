"""TPM keys as pyca private keys: they go into every pyca builder, and every signature is verified before it is given out.

Knows no TPM commands. What a TPM cannot do is refused before it is asked: hashes other than SHA-1, SHA-256, SHA-384 and
SHA-512, a PSS salt that is not as long as the digest, a mask or OAEP hash that differs, OAEP labels.
"""

from __future__ import annotations

from typing import Final, Never, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, KeySerializationEncryption, PrivateFormat
from cryptography.utils import Buffer

from keystores.base import PrivateKey
from keystores.errors import BadKeyData, DeviceFailure, NotPermitted, UnsupportedKey
from keystores.tpm.device import TpmKey
from keystores.tpm.errors import BAD_ALGID, STORE, DecryptionFailed

RSASSA: Final = 0x0014
RSAES: Final = 0x0015
RSAPSS: Final = 0x0016
OAEP: Final = 0x0017
ECDSA: Final = 0x0018
_Hashing = hashes.HashAlgorithm | Prehashed | NoDigestInfo
HASHES: Final = {"sha1": 0x0004, "sha256": 0x000B, "sha384": 0x000C, "sha512": 0x000D}


def private_key(key: TpmKey) -> PrivateKey:
    """The pyca private key of a TPM key."""
    if isinstance(key.facts.key, rsa.RSAPublicKey):
        return TpmRSAPrivateKey(key, key.facts.key)
    return TpmECPrivateKey(key, key.facts.key)


class _InTpm:
    """What TPM keys of every family refuse, and that a copy of one is itself."""

    _key: TpmKey

    def private_numbers(self) -> Never:
        """Refused. Raises NotPermitted: the key cannot leave the TPM."""
        raise self._kept_inside()

    def private_bytes(
        self,
        encoding: Encoding,
        format: PrivateFormat,  # noqa: A002  pyca's name
        encryption_algorithm: KeySerializationEncryption,
    ) -> Never:
        """Refused. Raises NotPermitted: the key cannot leave the TPM."""
        raise self._kept_inside()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self

    def _kept_inside(self) -> NotPermitted:
        message = f"the private key of container {self._key.container!r} is in a TPM and cannot leave it"
        return NotPermitted(message, store=STORE)


class TpmRSAPrivateKey(_InTpm, rsa.RSAPrivateKey):
    """An RSA key in a TPM. Errors are those of key stores (keystores.errors)."""

    def __init__(self, key: TpmKey, public: rsa.RSAPublicKey) -> None:
        self._key = key
        self._public = public

    def sign(self, data: Buffer, padding: padding.AsymmetricPadding, algorithm: _Hashing) -> bytes:
        """Signs with PKCS #1 v1.5, or PSS with a salt as long as the digest.

        Raises:
            UnsupportedKey: TPMs cannot do this hash, padding or salt.
            NotPermitted, DeviceFailure, StoreUnavailable: as their names say.
        """
        digest_algorithm, digest = _digest(data, algorithm)
        scheme = self._scheme(padding, digest_algorithm)
        signature = self._key.sign(scheme, _hash_id(digest_algorithm), digest)
        try:
            self._public.verify(signature, digest, padding, Prehashed(digest_algorithm))
        except InvalidSignature as error:
            raise _wrong_signature(self._key) from error
        return signature

    def decrypt(self, ciphertext: bytes, padding: padding.AsymmetricPadding) -> bytes:
        """Decrypts PKCS #1 v1.5, or OAEP without a label.

        Raises:
            DecryptionFailed: it was not encrypted for this key, or was changed.
            UnsupportedKey, NotPermitted, DeviceFailure, StoreUnavailable: as their names say.
        """
        scheme, algorithm = _decryption(padding)
        if len(ciphertext) != (self.key_size + 7) // 8:
            raise DecryptionFailed("the ciphertext is not as long as the key", store=STORE)
        return self._key.decrypt(scheme, algorithm, ciphertext)

    def public_key(self) -> rsa.RSAPublicKey:
        """The public key, a plain pyca one."""
        return self._public

    @property
    def key_size(self) -> int:
        """Its size in bits."""
        return self._public.key_size

    def _scheme(self, chosen: padding.AsymmetricPadding, algorithm: hashes.HashAlgorithm) -> int:
        if isinstance(chosen, padding.PKCS1v15):
            return RSASSA
        if not isinstance(chosen, padding.PSS):
            raise UnsupportedKey(f"a TPM signs with PKCS #1 v1.5 or PSS, not with {chosen.name}", store=STORE)
        room = (self.key_size + 6) // 8 - algorithm.digest_size - 2
        salts = {padding.PSS.DIGEST_LENGTH: algorithm.digest_size, padding.PSS.MAX_LENGTH: room}
        salt = salts.get(chosen._salt_length, chosen._salt_length)
        if salt != algorithm.digest_size or room < algorithm.digest_size or chosen.mgf._algorithm.name != algorithm.name:
            message = "a TPM makes PSS with a salt as long as the digest, one hash, and a key with room for both"
            raise UnsupportedKey(message, store=STORE)
        return RSAPSS


class TpmECPrivateKey(_InTpm, ec.EllipticCurvePrivateKey):
    """An EC key in a TPM. Errors are those of key stores (keystores.errors)."""

    def __init__(self, key: TpmKey, public: ec.EllipticCurvePublicKey) -> None:
        self._key = key
        self._public = public

    def sign(self, data: Buffer, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """Signs with ECDSA; DER.

        Raises:
            UnsupportedKey: TPMs cannot do this hash, or deterministic signatures.
            NotPermitted, DeviceFailure, StoreUnavailable: as their names say.
        """
        if not isinstance(signature_algorithm, ec.ECDSA) or signature_algorithm.deterministic_signing:
            raise UnsupportedKey("a TPM signs with ECDSA and random numbers of its own only", store=STORE)
        digest_algorithm, digest = _digest(data, signature_algorithm.algorithm)
        signature = self._key.sign(ECDSA, _hash_id(digest_algorithm), digest)
        try:
            self._public.verify(signature, digest, ec.ECDSA(Prehashed(digest_algorithm)))
        except InvalidSignature as error:
            raise _wrong_signature(self._key) from error
        return signature

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        """The secret shared with the owner of ``peer_public_key``.

        Raises:
            BadKeyData: the other key is on another curve.
            NotPermitted, DeviceFailure, StoreUnavailable: as their names say.
        """
        if peer_public_key.curve.name != self.curve.name:
            raise BadKeyData(f"the other key is on {peer_public_key.curve.name}, this one on {self.curve.name}", store=STORE)
        size = (self.key_size + 7) // 8
        point = peer_public_key.public_numbers()
        return self._key.exchange(point.x.to_bytes(size, "big"), point.y.to_bytes(size, "big")).rjust(size, b"\0")

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public key, a plain pyca one."""
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        """Its curve."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """Its size in bits."""
        return self._public.key_size


def _digest(data: Buffer, algorithm: _Hashing) -> tuple[hashes.HashAlgorithm, bytes]:
    if isinstance(algorithm, Prehashed):
        inner: hashes.HashAlgorithm = algorithm._algorithm
        _hash_id(inner)
        if len(data) != inner.digest_size:
            raise BadKeyData(f"a {inner.name} digest has {inner.digest_size} bytes, this one {len(data)}", store=STORE)
        return inner, bytes(data)
    if isinstance(algorithm, NoDigestInfo):
        raise UnsupportedKey("a TPM signs digests of a named hash only", store=STORE)
    _hash_id(algorithm)
    state = hashes.Hash(algorithm)
    state.update(data)
    return algorithm, state.finalize()


def _hash_id(algorithm: hashes.HashAlgorithm) -> int:
    found = HASHES.get(algorithm.name)
    if found is None:
        message = f"TPM keys take {', '.join(HASHES)}; {algorithm.name} is none of them"
        raise UnsupportedKey(message, store=STORE, hresult=BAD_ALGID)
    return found


def _decryption(chosen: padding.AsymmetricPadding) -> tuple[int, int | None]:
    if isinstance(chosen, padding.PKCS1v15):
        return RSAES, None
    if not isinstance(chosen, padding.OAEP):
        raise UnsupportedKey(f"a TPM decrypts PKCS #1 v1.5 or OAEP, not {chosen.name}", store=STORE)
    if chosen.mgf._algorithm.name != chosen.algorithm.name or chosen._label:
        raise UnsupportedKey("a TPM decrypts OAEP with one hash for label and mask, and no label", store=STORE)
    return OAEP, _hash_id(chosen.algorithm)


def _wrong_signature(key: TpmKey) -> DeviceFailure:
    message = f"the TPM made a wrong signature with the key of container {key.container!r}; it was not given out"
    return DeviceFailure(message, store=STORE)

