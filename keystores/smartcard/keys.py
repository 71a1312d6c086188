"""Private keys on the card as pyca keys: the hash is taken here, the card signs it, and what it signed is verified.

Knows the card and one CKA_ID; the key itself never leaves. Any pyca builder takes these keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as pyca_serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import exceptions
from pkcs11.constants import Attribute, ObjectClass
from pkcs11.mechanisms import KDF, MGF, KeyType, Mechanism
from pkcs11.types import Object, Session

from keystores.base import Secret
from keystores.errors import DeviceFailure, NoSuchKey, NotPermitted, UnsupportedKey
from keystores.smartcard.errors import BAD_ALGORITHM, BAD_LENGTH, BAD_SIGNATURE, DECRYPTION_FAILURE, STORE
from keystores.smartcard.objects import attribute, find
from keystores.smartcard.token import Access, Card, Connection

T = TypeVar("T")


@dataclass(frozen=True)
class _Hash:
    """A hash in PKCS#11: its mechanism, its mask generation, and what stands before the digest in RFC 8017's DigestInfo."""

    mechanism: Mechanism | None
    mask: MGF | None
    prefix: bytes


_HASHES: Final[dict[str, _Hash]] = {
    "md5": _Hash(None, None, bytes.fromhex("3020300c06082a864886f70d020505000410")),
    "sha1": _Hash(Mechanism.SHA_1, MGF.SHA1, bytes.fromhex("3021300906052b0e03021a05000414")),
    "sha224": _Hash(Mechanism.SHA224, MGF.SHA224, bytes.fromhex("302d300d06096086480165030402040500041c")),
    "sha256": _Hash(Mechanism.SHA256, MGF.SHA256, bytes.fromhex("3031300d060960864801650304020105000420")),
    "sha384": _Hash(Mechanism.SHA384, MGF.SHA384, bytes.fromhex("3041300d060960864801650304020205000430")),
    "sha512": _Hash(Mechanism.SHA512, MGF.SHA512, bytes.fromhex("3051300d060960864801650304020305000440")),
}


_USES: Final = {"sign": "sign", "decrypt": "decrypt", "derive_key": "agree on secrets"}


class _CardKey:
    """The part that both families share: finding the private key object, and what no card key does."""

    def __init__(self, card: Card, access: Access, identifier: bytes, public: Any) -> None:
        self._card = card
        self._access = access
        self._identifier = identifier
        self._public = public
        self._handle: tuple[Session, Object] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._access.container!r}>"

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key on a smart card is not written anywhere")

    def private_bytes(
        self,
        encoding: pyca_serialization.Encoding,
        format: pyca_serialization.PrivateFormat,  # noqa: A002  pyca's name
        encryption_algorithm: pyca_serialization.KeySerializationEncryption,
    ) -> bytes:
        """Raises NotPermitted: the private key does not leave the card."""
        raise self._stays()

    def private_numbers(self) -> Any:
        """Raises NotPermitted: the private key does not leave the card."""
        raise self._stays()

    def _stays(self) -> NotPermitted:
        return NotPermitted(f"the private key of {self._access.container!r} does not leave the card", store=STORE)

    def _use(self, action: Callable[[Any, str | None], T], method: str) -> T:
        """Has ``action`` done with the private key object and the PIN that this one use of it asks for, if any."""

        def work(connection: Connection) -> T:
            found = self._object(connection.session)
            if not hasattr(found, method):  # python-pkcs11 gives an object the methods that its CKA_ flags allow
                raise NotPermitted(f"the key of {self._access.container!r} may not {_USES[method]}", store=STORE)
            return action(found, self._pin_for_one_use(found))

        return self._card.run(work, self._access, f"container {self._access.container!r} is to {_USES[method]}")

    def _object(self, session: Session) -> Object:
        if self._handle is None or self._handle[0] is not session:
            found = find(session, {Attribute.ID: self._identifier, Attribute.CLASS: ObjectClass.PRIVATE_KEY})
            if not found:
                raise NoSuchKey(f"the private key of {self._access.container!r} is no longer on the token", store=STORE)
            self._handle = (session, found[0])
        return self._handle[1]

    def _pin_for_one_use(self, found: Object) -> str | None:
        secret: Secret | None = self._card.known_secret(self._access)
        if secret is None or not attribute(found, Attribute.ALWAYS_AUTHENTICATE, False):
            return None
        return secret.reveal()

    def _check(self, verify: Callable[[], None]) -> None:
        try:
            verify()
        except InvalidSignature as error:
            raise DeviceFailure(
                f"the token's signature for {self._access.container!r} does not verify; its key is another one by now, or "
                "the token is at fault", store=STORE, hresult=BAD_SIGNATURE,
            ) from error


class CardRSAPrivateKey(_CardKey, rsa.RSAPrivateKey):
    """An RSA key on a card."""

    _public: rsa.RSAPublicKey

    @property
    def key_size(self) -> int:
        """The modulus, in bits."""
        return self._public.key_size

    def public_key(self) -> rsa.RSAPublicKey:
        """The public key, as pyca's own."""
        return self._public

    def sign(self, data: Any, padding: Any, algorithm: Any) -> bytes:
        """Signs with PKCS #1 v1.5 or PSS.

        Args:
            data: the message, or its digest where ``algorithm`` is Prehashed.
            padding: PKCS1v15, or PSS whose MGF1 has the hash of the signature and whose salt fits the key.
            algorithm: SHA-1, SHA-2 or MD5, or Prehashed of one.

        Raises:
            UnsupportedKey: the padding or hash is another one, or the token lacks it.
            NoSuchKey, PinError, StoreUnavailable, DeviceFailure: as their names say.
        """
        chosen, digest = _digest(data, algorithm)
        known = _known(chosen)
        scheme, mechanism, parameter = _scheme(padding, chosen, self._public)
        payload = digest if parameter else known.prefix + digest
        signature = self._use(
            lambda key, pin: bytes(key.sign(payload, mechanism=mechanism, mechanism_param=parameter, pin=pin)), "sign"
        )
        self._check(lambda: self._public.verify(signature, digest, scheme, Prehashed(chosen)))
        return signature

    def decrypt(self, ciphertext: Any, padding: Any) -> bytes:
        """Decrypts what was encrypted with PKCS #1 v1.5 or OAEP.

        Raises:
            UnsupportedKey: the padding is another one, or the token lacks it.
            DeviceFailure: with NTE_DECRYPTION_FAILURE where the data is not for this key.
            NoSuchKey, NotPermitted, PinError, StoreUnavailable: as their names say.
        """
        mechanism, parameter = _encryption(padding)

        def action(key: Any, pin: str | None) -> bytes:
            try:
                return bytes(key.decrypt(bytes(ciphertext), mechanism=mechanism, mechanism_param=parameter, pin=pin))
            except exceptions.ArgumentsBad as error:
                raise UnsupportedKey(
                    "the token does not decrypt OAEP with this hash; most know SHA-1 alone", store=STORE,
                    hresult=BAD_ALGORITHM,
                ) from error
            except (exceptions.GeneralError, exceptions.DataInvalid, exceptions.DataLenRange) as error:  # SoftHSM's answers
                raise DeviceFailure(
                    "the data cannot be decrypted with this key", store=STORE, hresult=DECRYPTION_FAILURE
                ) from error

        return self._use(action, "decrypt")


class CardECPrivateKey(_CardKey, ec.EllipticCurvePrivateKey):
    """An EC key on a card."""

    _public: ec.EllipticCurvePublicKey

    @property
    def curve(self) -> ec.EllipticCurve:
        """The curve."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """The curve's size, in bits."""
        return self._public.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public key, as pyca's own."""
        return self._public

    def sign(self, data: Any, signature_algorithm: Any) -> bytes:
        """Signs with ECDSA; the signature is DER, as everywhere in X.509.

        Args:
            data: the message, or its digest where the algorithm's hash is Prehashed.
            signature_algorithm: ECDSA of SHA-1, SHA-2 or MD5, or of Prehashed.

        Raises:
            UnsupportedKey: another algorithm, or a deterministic signature is asked for.
            NoSuchKey, PinError, StoreUnavailable, DeviceFailure: as their names say.
        """
        if not isinstance(signature_algorithm, ec.ECDSA) or signature_algorithm.deterministic_signing:
            raise _unsupported("cards sign ECDSA with a random number of their own alone")
        chosen, digest = _digest(data, signature_algorithm.algorithm)
        _known(chosen)
        payload = digest[: (self.key_size + 7) // 8]  # FIPS 186-5 6.4.1: the leftmost bits; some tokens refuse more
        raw = self._use(lambda key, pin: bytes(key.sign(payload, mechanism=Mechanism.ECDSA, pin=pin)), "sign")
        half = len(raw) // 2
        signature = encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))
        self._check(lambda: self._public.verify(signature, digest, ec.ECDSA(Prehashed(chosen))))
        return signature

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        """The shared secret with another's key (the x coordinate), where the token gives it out.

        Raises:
            UnsupportedKey: the token has no ECDH, keeps what it derives, or the curves differ.
            NoSuchKey, NotPermitted, PinError, StoreUnavailable, DeviceFailure: as their names say.
        """
        if not isinstance(algorithm, ec.ECDH) or peer_public_key.curve.name != self.curve.name:
            raise _unsupported("the keys of an ECDH exchange are on one curve")
        point = peer_public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        length = (self.key_size + 7) // 8

        def action(key: Any, pin: str | None) -> bytes:
            shared = key.derive_key(
                KeyType.GENERIC_SECRET, length * 8, capabilities=0, mechanism=Mechanism.ECDH1_DERIVE,
                mechanism_param=(KDF.NULL, None, point), template={Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True},
            )
            try:
                return bytes(shared[Attribute.VALUE]).rjust(length, b"\0")
            finally:
                shared.destroy()

        return self._use(action, "derive_key")


def _digest(data: Any, algorithm: Any) -> tuple[hashes.HashAlgorithm, bytes]:
    if isinstance(algorithm, Prehashed):
        chosen: hashes.HashAlgorithm = algorithm._algorithm
        if len(data) != chosen.digest_size:
            raise UnsupportedKey(
                f"a {chosen.name} digest has {chosen.digest_size} bytes, and {len(data)} were given", store=STORE,
                hresult=BAD_LENGTH,
            )
        return chosen, bytes(data)
    if not isinstance(algorithm, hashes.HashAlgorithm):
        raise _unsupported("a signature needs a hash algorithm")
    context = hashes.Hash(algorithm)
    context.update(data)
    return algorithm, context.finalize()


def _known(chosen: hashes.HashAlgorithm) -> _Hash:
    found = _HASHES.get(chosen.name)
    if found is None:
        raise _unsupported(f"no signatures are made with {chosen.name}; use one of {', '.join(_HASHES)}")
    return found


def _scheme(scheme: Any, chosen: hashes.HashAlgorithm, public: rsa.RSAPublicKey) -> tuple[Any, Mechanism, Any]:
    """(padding with its salt length worked out, mechanism, mechanism parameter)."""
    if isinstance(scheme, padding.PKCS1v15):
        return scheme, Mechanism.RSA_PKCS, None
    mask = _HASHES[chosen.name].mask
    if not isinstance(scheme, padding.PSS) or mask is None:
        raise _unsupported("RSA keys on cards sign with PKCS #1 v1.5 or PSS")
    if not isinstance(scheme._mgf, padding.MGF1) or scheme._mgf._algorithm.name != chosen.name:
        raise _unsupported("the mask generation of a PSS signature is MGF1 with the hash of the signature")
    salt = _salt_length(scheme._salt_length, chosen, public)
    return (
        padding.PSS(padding.MGF1(chosen), salt),
        Mechanism.RSA_PKCS_PSS,
        (_HASHES[chosen.name].mechanism, mask, salt),
    )


def _salt_length(wanted: Any, chosen: hashes.HashAlgorithm, public: rsa.RSAPublicKey) -> int:
    room = padding.calculate_max_pss_salt_length(public, chosen)
    by_name = {padding.PSS.MAX_LENGTH: room, padding.PSS.DIGEST_LENGTH: chosen.digest_size}
    salt = wanted if isinstance(wanted, int) else by_name.get(wanted, -1)
    if not 0 <= salt <= room:
        raise UnsupportedKey(f"a PSS salt with this key has 0 to {room} bytes", store=STORE, hresult=BAD_LENGTH)
    return salt


def _encryption(scheme: Any) -> tuple[Mechanism, Any]:
    if isinstance(scheme, padding.PKCS1v15):
        return Mechanism.RSA_PKCS, None
    if isinstance(scheme, padding.OAEP) and isinstance(scheme._mgf, padding.MGF1):
        known, mask = _known(scheme._algorithm), _known(scheme._mgf._algorithm).mask
        if known.mechanism is not None and mask is not None:
            return Mechanism.RSA_PKCS_OAEP, (known.mechanism, mask, scheme._label or None)
    raise _unsupported("RSA keys on cards decrypt PKCS #1 v1.5 and OAEP with MGF1")


def _unsupported(why: str) -> UnsupportedKey:
    return UnsupportedKey(why, store=STORE, hresult=BAD_ALGORITHM)
