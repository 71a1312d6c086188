"""How a container lies on a token: up to three objects (public key, private key, certificate) with one CKA_ID.

Knows a session and no PINs or locks. The CKA_ID of a container made here is a digest of its name, so that one search by
CKA_ID finds it whatever else is on the card; its CKA_LABEL is the name itself. Keys that other programs put on the card
are found by their label.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import exceptions
from pkcs11.constants import Attribute, ObjectClass
from pkcs11.mechanisms import KeyType
from pkcs11.types import Object, Session
from pkcs11.util.ec import encode_named_curve_parameters

from keystores.base import KeyAlgorithm, KeyInfo, KeyUse, Scope
from keystores.errors import BadKeyData, DeviceFailure
from keystores.smartcard.errors import STORE, UNSUPPORTED_FEATURE
from keystores.smartcard.token import uri_of

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

AUTHORITY: Final = 2  # CK_CERTIFICATE_CATEGORY_AUTHORITY
TOKEN_USER: Final = 1  # CK_CERTIFICATE_CATEGORY_TOKEN_USER
CURVES: Final[dict[int, ec.EllipticCurve]] = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
_CURVE_PARAMETERS: Final = {encode_named_curve_parameters(curve.name): curve for curve in CURVES.values()}
_SEARCHES = 4
_ID_BYTES = 20  # as long as the SHA-1 ids that other programs give, so that no tool is surprised
_USES: Final = {Attribute.VERIFY: KeyUse.SIGN, Attribute.ENCRYPT: KeyUse.DECRYPT, Attribute.DERIVE: KeyUse.AGREE}


def key_id(container: str) -> bytes:
    """The CKA_ID of a container made here: the first 20 bytes of the SHA-256 of its name in UTF-8."""
    return hashlib.sha256(container.encode()).digest()[:_ID_BYTES]


def curve_parameters(length: int) -> bytes:
    """CKA_EC_PARAMS of the curve of that size (256, 384, 521)."""
    parameters: bytes = encode_named_curve_parameters(CURVES[length].name)
    return parameters


def find(session: Session, wanted: dict[Attribute, Any]) -> list[Object]:
    """Every object with these attributes. The search is over when this returns: a session has one at a time."""
    _touch(session)
    for _ in range(_SEARCHES - 1):
        with contextlib.suppress(exceptions.ObjectHandleInvalid):  # found, and removed by another process before it was read
            return list(session.get_objects(wanted))
    return list(session.get_objects(wanted))


def _touch(session: Session) -> None:
    """Raises SessionHandleInvalid where the session is gone: python-pkcs11 cannot end a search that never began, and would
    say so on standard error. Random numbers are what every session gives, logged in or not.
    """
    with contextlib.suppress(exceptions.RandomNoRNG, exceptions.FunctionNotSupported):
        session.generate_random(8)


def create(session: Session, attributes: dict[Attribute, Any]) -> Object:
    """Puts an object on the token.

    Raises:
        DeviceFailure: the token took it and does not have it afterwards (SoftHSM on a full disk).
    """
    try:
        return session.create_object(attributes)
    except exceptions.ObjectHandleInvalid as error:
        raise DeviceFailure("the token did not keep what was written; see whether it has room left", store=STORE) from error


def attribute(found: Object, name: Attribute, default: Any = None) -> Any:
    """An attribute, or ``default`` where the object does not have it."""
    try:
        return found[name]
    except (exceptions.AttributeTypeInvalid, exceptions.AttributeSensitive):
        return default


def of_container(session: Session, container: str) -> list[Object]:
    """The objects of a container: by the id made from its name, else by label.

    Raises:
        DeviceFailure: the label is that of several keys of other programs.
    """
    own = _with_id(session, key_id(container))
    if own:
        return own
    labelled = [item for item in find(session, {Attribute.LABEL: container}) if _is_part(item) and not _is_authority(item)]
    ids = {attribute(item, Attribute.ID, b"") for item in labelled}
    if len(ids) > 1:
        raise DeviceFailure(
            f"{len(ids)} keys on the token are labelled {container!r}; give them labels of their own", store=STORE
        )
    return [item for one in ids if one for item in _with_id(session, one)]


def _with_id(session: Session, identifier: bytes) -> list[Object]:
    return [item for item in find(session, {Attribute.ID: identifier}) if _is_part(item)]


def _is_part(item: Object) -> bool:
    kind = attribute(item, Attribute.CLASS)
    if kind is ObjectClass.CERTIFICATE:
        return bool(attribute(item, Attribute.CERTIFICATE_CATEGORY, 0) != AUTHORITY)
    return kind in {ObjectClass.PUBLIC_KEY, ObjectClass.PRIVATE_KEY}


def of_class(items: Sequence[Object], kind: ObjectClass) -> list[Object]:
    """Those of ``items`` that are of one class."""
    return [item for item in items if item[Attribute.CLASS] is kind]


def public_key(items: Sequence[Object]) -> PublicKey:
    """The public key of a container, from its public-key object, its certificate or its private RSA key.

    Raises:
        BadKeyData: it is nowhere on the token, or of a type or curve that key stores do not know.
    """
    for kind, read in _READERS.items():
        for item in of_class(items, kind):
            key = read(item)
            if key is not None:
                return key
    raise BadKeyData("the token holds the private key alone; put its public key or certificate beside it", store=STORE)


def _from_key(item: Object) -> PublicKey | None:
    kind = attribute(item, Attribute.KEY_TYPE)
    modulus, exponent = attribute(item, Attribute.MODULUS), attribute(item, Attribute.PUBLIC_EXPONENT)
    try:
        if kind is KeyType.RSA and modulus and exponent:
            return rsa.RSAPublicNumbers(int.from_bytes(exponent), int.from_bytes(modulus)).public_key()
        point = attribute(item, Attribute.EC_POINT)
        if kind is KeyType.EC and point:
            curve = _curve(item)
            return ec.EllipticCurvePublicKey.from_encoded_point(curve, _bare_point(point, curve))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKeyData("the public key on the token cannot be read", store=STORE) from error
    return None


def _curve(item: Object) -> ec.EllipticCurve:
    curve = _CURVE_PARAMETERS.get(attribute(item, Attribute.EC_PARAMS, b""))
    if curve is None:
        raise BadKeyData("the key on the token is on a curve other than P-256, P-384 and P-521", store=STORE,
                         hresult=UNSUPPORTED_FEATURE)
    return curve


def _bare_point(point: bytes, curve: ec.EllipticCurve) -> bytes:
    """CKA_EC_POINT is an OCTET STRING of the point; some tokens give the point itself. Both end in it."""
    return point[-(1 + 2 * ((curve.key_size + 7) // 8)):]


def _from_certificate(item: Object) -> PublicKey | None:
    try:
        key = x509.load_der_x509_certificate(item[Attribute.VALUE]).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else None


_READERS: Final = {
    ObjectClass.PUBLIC_KEY: _from_key,
    ObjectClass.CERTIFICATE: _from_certificate,
    ObjectClass.PRIVATE_KEY: _from_key,
}


def spki(key: PublicKey) -> bytes:
    """DER SubjectPublicKeyInfo."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def describe(items: Sequence[Object], public: PublicKey, container: str, scope: Scope) -> KeyInfo:
    """The facts about a container with that public key, from what can be read without a PIN."""
    shown = (of_class(items, ObjectClass.PUBLIC_KEY) or items)[0]
    algorithm = KeyAlgorithm.RSA if isinstance(public, rsa.RSAPublicKey) else KeyAlgorithm.EC
    reference = uri_of(shown.session.token)
    return KeyInfo(
        store=STORE, container=container, scope=scope, algorithm=algorithm, length=public.key_size, public_key=spki(public),
        exportable=False, generated=bool(attribute(shown, Attribute.LOCAL, False)),
        reference=str(replace(reference, object=shown[Attribute.LABEL], id=shown[Attribute.ID], type="private")),
        use=_use(shown, algorithm),
    )


def _use(item: Object, algorithm: KeyAlgorithm) -> KeyUse:
    if attribute(item, Attribute.CLASS) is not ObjectClass.PUBLIC_KEY:
        return KeyUse.SIGN
    use = KeyUse(0)
    for name, meaning in _USES.items():
        if attribute(item, name, False):
            use |= meaning
    return use & (KeyUse.SIGN | (KeyUse.DECRYPT if algorithm is KeyAlgorithm.RSA else KeyUse.AGREE))


def containers(session: Session) -> Iterator[tuple[str, list[Object]]]:
    """(name, objects) of every container that shows itself without a PIN, by public keys and certificates of users."""
    groups: dict[bytes, list[Object]] = {}
    for kind in (ObjectClass.PUBLIC_KEY, ObjectClass.CERTIFICATE):
        for item in find(session, {Attribute.CLASS: kind, Attribute.TOKEN: True}):
            if _is_part(item) and attribute(item, Attribute.ID):
                groups.setdefault(item[Attribute.ID], []).append(item)
    for items in groups.values():
        if not all(_is_authority(item) for item in items):
            yield attribute(items[0], Attribute.LABEL, ""), items


def _is_authority(item: Object) -> bool:
    """Whether it is the certificate of a CA: other programs put them on cards without saying so in the category."""
    if item[Attribute.CLASS] is not ObjectClass.CERTIFICATE:
        return False
    try:
        certificate = x509.load_der_x509_certificate(item[Attribute.VALUE])
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (ValueError, x509.ExtensionNotFound):
        return False
