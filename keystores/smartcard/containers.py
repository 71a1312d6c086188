"""Keys on a card by container: made, opened, removed, listed, imported.

Knows the card and its objects, and nothing of certificates but that they belong to a container.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pkcs11 import exceptions
from pkcs11.constants import Attribute, MechanismFlag, ObjectClass
from pkcs11.mechanisms import KeyType, Mechanism
from pkcs11.types import Object, Session
from pkcs11.util.ec import decode_ec_public_key

from keystores.base import KeyAlgorithm, KeyInfo, KeyTemplate, KeyUse, PrivateKey, Scope, Secret, StoredKey
from keystores.errors import BadKeyData, KeyExists, KeyStoreError, NoSuchKey, NotPermitted, PinRequired, UnsupportedKey
from keystores.smartcard import objects
from keystores.smartcard.errors import BAD_CONTAINER, BAD_LENGTH, STORE
from keystores.smartcard.keys import CardECPrivateKey, CardRSAPrivateKey
from keystores.smartcard.token import Access, Card, Connection

T = TypeVar("T")

_LONGEST_NAME: Final = 260  # characters, as Windows allows
_RSA_SIZES: Final = (1024, 2048, 3072, 4096)
_GENERATORS: Final = {KeyAlgorithm.RSA: Mechanism.RSA_PKCS_KEY_PAIR_GEN, KeyAlgorithm.EC: Mechanism.EC_KEY_PAIR_GEN}
_SIZES: Final = {KeyAlgorithm.RSA: _RSA_SIZES, KeyAlgorithm.EC: tuple(objects.CURVES)}

_LOCKED_IN: Final = {Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
# For each use: the flags of the private key and of the public key.
_PRIVATE_FLAGS: Final = {KeyUse.SIGN: Attribute.SIGN, KeyUse.DECRYPT: Attribute.DECRYPT, KeyUse.AGREE: Attribute.DERIVE}
_PUBLIC_FLAGS: Final = {KeyUse.SIGN: Attribute.VERIFY, KeyUse.DECRYPT: Attribute.ENCRYPT, KeyUse.AGREE: Attribute.DERIVE}
_FAMILY_USES: Final = {KeyAlgorithm.RSA: KeyUse.SIGN | KeyUse.DECRYPT, KeyAlgorithm.EC: KeyUse.SIGN | KeyUse.AGREE}


@dataclass(frozen=True)
class Containers:
    """The containers of one card.

    Attributes:
        card: the card.
        scope: what KeyInfo says; a card has no scopes of its own.
    """

    card: Card
    scope: Scope

    def create(self, container: str, template: KeyTemplate, pin: Secret | None) -> StoredKey:
        """Makes a key pair; see KeyStore.create."""
        check_name(container)
        if template.exportable:
            raise NotPermitted(f"{container!r}: a key on a card is never exportable; ask for one that is not", store=STORE)
        use = _use_for(template.algorithm, template.use)

        def work(connection: Connection) -> tuple[Object, ...]:
            self._require_free(connection.session, container)
            _require_size(connection, template)
            return _generate(connection.session, container, template, use)

        return self._new(container, pin, work, "making")

    def import_key(self, container: str, key: PrivateKey, *, exportable: bool, use: KeyUse, pin: Secret | None) -> StoredKey:
        """Puts a key there; see Importer.import_key."""
        check_name(container)
        if exportable:
            raise NotPermitted(f"{container!r}: a key on a card is never exportable; import it so", store=STORE)
        algorithm = KeyAlgorithm.RSA if isinstance(key, rsa.RSAPrivateKey) else KeyAlgorithm.EC
        private, public = _contents(key)
        private |= _flags(_PRIVATE_FLAGS, _use_for(algorithm, use)) | _LOCKED_IN
        public |= _flags(_PUBLIC_FLAGS, _use_for(algorithm, use))
        common = {Attribute.TOKEN: True, Attribute.ID: objects.key_id(container), Attribute.LABEL: container}

        def work(connection: Connection) -> tuple[Object, ...]:
            self._require_free(connection.session, container)
            _require_size(connection, KeyTemplate(algorithm, key.key_size))
            stored = objects.create(connection.session, private | common)
            try:
                return stored, objects.create(connection.session, public | common)
            except BaseException:
                stored.destroy()
                raise

        return self._new(container, pin, work, "importing")

    def open(self, container: str, pin: Secret | None) -> StoredKey:
        """The key of a container; see KeyStore.open."""
        check_name(container)
        access = Access(container, pin)

        def work(connection: Connection) -> StoredKey:
            found = objects.of_container(connection.session, container)
            if not objects.of_class(found, ObjectClass.PRIVATE_KEY):
                raise _missing(container)
            return self._stored(found, access)

        return run_as_owner(self.card, work, access, "opening")

    def delete(self, container: str, pin: Secret | None) -> None:
        """Removes all objects of a container; see KeyStore.delete."""
        check_name(container)

        def work(connection: Connection) -> None:
            found = objects.of_container(connection.session, container)
            if not found:
                raise _missing(container)
            # The private key first: what is left after an interruption can be seen, and removed, without it.
            for item in sorted(found, key=lambda one: one[Attribute.CLASS] is not ObjectClass.PRIVATE_KEY):
                with contextlib.suppress(exceptions.ObjectHandleInvalid):  # another process was faster
                    item.destroy()

        with self.card.writing():
            run_as_owner(self.card, work, Access(container, pin), "removing")

    def list(self) -> Sequence[KeyInfo]:
        """What the card shows without a PIN; see KeyStore.list. Keys of other kinds than the store's are left out."""

        def work(connection: Connection) -> Sequence[KeyInfo]:
            found = []
            for name, items in objects.containers(connection.session):
                with contextlib.suppress(BadKeyData, exceptions.ObjectHandleInvalid):
                    found.append(objects.describe(items, objects.public_key(items), name, self.scope))
            return sorted(found, key=lambda info: (info.container, info.reference))

        return self.card.run(work, None, "listing the keys of the token")

    def supported(self) -> Sequence[tuple[KeyAlgorithm, int]]:
        """What the card says it makes; see Prober.supported."""

        def work(connection: Connection) -> Sequence[tuple[KeyAlgorithm, int]]:
            return [(family, size) for family, sizes in _SIZES.items() for size in sizes if _makes(connection, family, size)]

        return self.card.run(work, None, "asking what the token makes")

    def _new(
        self, container: str, pin: Secret | None, work: Callable[[Connection], tuple[Object, ...]], doing: str
    ) -> StoredKey:
        access = Access(container, pin)

        def make(connection: Connection) -> StoredKey:
            made = work(connection)
            try:
                return self._stored(made, access)
            except BaseException:
                for item in made:
                    item.destroy()
                raise

        with self.card.writing():  # between looking for the name and taking it
            return self.card.run(make, access, f"{doing} container {container!r}")

    def _stored(self, found: Sequence[Object], access: Access) -> StoredKey:
        public = objects.public_key(found)
        info = objects.describe(found, public, access.container, self.scope)
        identifier = objects.of_class(found, ObjectClass.PRIVATE_KEY)[0][Attribute.ID]
        if isinstance(public, rsa.RSAPublicKey):
            return StoredKey(info, CardRSAPrivateKey(self.card, access, identifier, public))
        return StoredKey(info, CardECPrivateKey(self.card, access, identifier, public))

    @staticmethod
    def _require_free(session: Session, container: str) -> None:
        if objects.of_container(session, container):
            raise KeyExists(f"the token has a container {container!r}; delete it first or choose another name", store=STORE)


def run_as_owner(card: Card, work: Callable[[Connection], T], access: Access, doing: str) -> T:
    """Does ``work`` on an existing container, logged in. Where nobody has a PIN, a missing container is what is said."""
    doing = f"{doing} container {access.container!r}"
    try:
        return card.run(work, access, doing)
    except PinRequired:
        if card.run(lambda connection: objects.of_container(connection.session, access.container), None, doing):
            raise
        raise _missing(access.container) from None


def check_name(container: str) -> None:
    """Raises KeyStoreError with NTE_BAD_KEYSET_PARAM where a container cannot have this name."""
    try:
        fits = 1 <= len(container) <= _LONGEST_NAME and bool(container.encode())
    except UnicodeEncodeError:
        fits = False
    if not fits:
        raise KeyStoreError(
            f"a container's name is 1 to {_LONGEST_NAME} Unicode characters", store=STORE, hresult=BAD_CONTAINER
        )


def _generate(session: Session, container: str, template: KeyTemplate, use: KeyUse) -> tuple[Object, ...]:
    shape: dict[str, Any] = {
        "id": objects.key_id(container),
        "label": container,
        "store": True,
        "capabilities": MechanismFlag(0),
        "public_template": _flags(_PUBLIC_FLAGS, use),
        "private_template": _flags(_PRIVATE_FLAGS, use) | _LOCKED_IN,
    }
    if template.algorithm is KeyAlgorithm.RSA:
        public, private = session.generate_keypair(KeyType.RSA, template.length, **shape)
        return private, public
    curve = session.create_domain_parameters(
        KeyType.EC, {Attribute.EC_PARAMS: objects.curve_parameters(template.length)}, local=True
    )
    public, private = curve.generate_keypair(**shape)
    return private, public


def _contents(key: PrivateKey) -> tuple[dict[Attribute, Any], dict[Attribute, Any]]:
    """The attributes of the private and of the public key object that make up the key."""
    if isinstance(key, rsa.RSAPrivateKey):
        return _rsa_contents(key.private_numbers())
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadKeyData("only RSA and EC private keys can be put on a card", store=STORE)
    if key.key_size not in objects.CURVES or key.curve.name != objects.CURVES[key.key_size].name:
        raise UnsupportedKey(f"cards take keys on P-256, P-384 and P-521, not on {key.curve.name}", store=STORE)
    public = decode_ec_public_key(objects.spki(key.public_key()))
    private = {
        Attribute.CLASS: ObjectClass.PRIVATE_KEY,
        Attribute.KEY_TYPE: KeyType.EC,
        Attribute.EC_PARAMS: objects.curve_parameters(key.key_size),
        Attribute.VALUE: key.private_numbers().private_value.to_bytes((key.key_size + 7) // 8),
    }
    return private, public


def _rsa_contents(numbers: rsa.RSAPrivateNumbers) -> tuple[dict[Attribute, Any], dict[Attribute, Any]]:
    open_part = {
        Attribute.KEY_TYPE: KeyType.RSA,
        Attribute.MODULUS: _big(numbers.public_numbers.n),
        Attribute.PUBLIC_EXPONENT: _big(numbers.public_numbers.e),
    }
    private = {
        Attribute.CLASS: ObjectClass.PRIVATE_KEY,
        Attribute.PRIVATE_EXPONENT: _big(numbers.d),
        Attribute.PRIME_1: _big(numbers.p),
        Attribute.PRIME_2: _big(numbers.q),
        Attribute.EXPONENT_1: _big(numbers.dmp1),
        Attribute.EXPONENT_2: _big(numbers.dmq1),
        Attribute.COEFFICIENT: _big(numbers.iqmp),
    }
    return private | open_part, {Attribute.CLASS: ObjectClass.PUBLIC_KEY} | open_part


def _big(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)


def _use_for(algorithm: KeyAlgorithm, use: KeyUse) -> KeyUse:
    """What of ``use`` the family can do; a use that leaves nothing is answered with all of it."""
    return use & _FAMILY_USES[algorithm] or _FAMILY_USES[algorithm]


def _flags(names: dict[KeyUse, Attribute], use: KeyUse) -> dict[Attribute, Any]:
    return {name: True for meaning, name in names.items() if meaning in use}


def _require_size(connection: Connection, template: KeyTemplate) -> None:
    family, size = template.algorithm, template.length
    if family is KeyAlgorithm.EC and size not in objects.CURVES:
        raise UnsupportedKey(f"EC keys have 256, 384 or 521 bits, not {size}", store=STORE, hresult=BAD_LENGTH)
    if (family is KeyAlgorithm.RSA and (size < _RSA_SIZES[0] or size % 8)) or not _makes(connection, family, size):
        label = connection.token.label
        raise UnsupportedKey(f"token {label!r} makes no {family.value} keys of {size} bits", store=STORE, hresult=BAD_LENGTH)


def _makes(connection: Connection, family: KeyAlgorithm, size: int) -> bool:
    slot = connection.token.slot
    if _GENERATORS[family] not in slot.get_mechanisms():
        return False
    facts = slot.get_mechanism_info(_GENERATORS[family])
    return (facts.min_key_length or 0) <= size <= (facts.max_key_length or size)


def _missing(container: str) -> NoSuchKey:
    return NoSuchKey(f"the token has no container {container!r}", store=STORE)
