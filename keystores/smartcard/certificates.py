"""Certificates on a card: the one of a container, written in place of its predecessor, and those of CAs, each once.

Knows the card and its objects. A certificate is written before the one that it replaces is removed: whatever interrupts
that, the card has one of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID
from pkcs11 import exceptions
from pkcs11.constants import Attribute, ObjectClass
from pkcs11.types import Object, Session
from pkcs11.util.x509 import decode_x509_certificate

from keystores.base import Secret
from keystores.errors import BadKeyData, NoSuchKey
from keystores.smartcard import objects
from keystores.smartcard.containers import check_name, run_as_owner
from keystores.smartcard.errors import BAD_DATA, STORE
from keystores.smartcard.token import Access, Card, Connection


@dataclass(frozen=True)
class Certificates:
    """The certificates of one card.

    Attributes:
        card: the card.
    """

    card: Card

    def write(self, container: str, certificate: bytes, pin: Secret | None) -> None:
        """Writes a container's certificate; see CertificateHolder.write_certificate."""
        check_name(container)
        parsed = _parse(certificate)

        def work(connection: Connection) -> None:
            found = objects.of_container(connection.session, container)
            keys = [item for item in found if item[Attribute.CLASS] is not ObjectClass.CERTIFICATE]
            if not keys:
                raise NoSuchKey(f"the token has no container {container!r} to write a certificate to", store=STORE)
            _require_same_key(parsed, found, container)
            _replace(connection.session, keys[0], objects.of_class(found, ObjectClass.CERTIFICATE), certificate)

        with self.card.writing():
            run_as_owner(self.card, work, Access(container, pin), "writing the certificate of")

    def write_chain(self, certificates: Sequence[bytes], pin: Secret | None) -> None:
        """Writes CA certificates; see CertificateHolder.write_chain."""
        parsed = [(der, _parse(der)) for der in dict.fromkeys(certificates)]

        def work(connection: Connection) -> None:
            for der, certificate in parsed:
                if not objects.find(connection.session, {Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.VALUE: der}):
                    _put(connection.session, der, _key_id(certificate), _name(certificate), objects.AUTHORITY)

        if parsed:
            with self.card.writing():
                self.card.run(work, Access("CA certificates", pin), "writing CA certificates")

    def read(self, container: str) -> bytes | None:
        """The certificate of a container; see CertificateHolder.read_certificate. No PIN is needed."""
        check_name(container)

        def work(connection: Connection) -> bytes | None:
            found = objects.of_container(connection.session, container)
            values = [bytes(item[Attribute.VALUE]) for item in objects.of_class(found, ObjectClass.CERTIFICATE)]
            # Two are there when a replacement was interrupted between its steps: the newer one is meant.
            return max(values, key=lambda der: _parse(der).not_valid_before_utc, default=None)

        return self.card.run(work, None, f"reading the certificate of container {container!r}")


def _replace(session: Session, key: Object, old: Sequence[Object], der: bytes) -> None:
    kept = [item for item in old if item[Attribute.VALUE] == der]
    if not kept:
        label = objects.attribute(key, Attribute.LABEL, "")
        _put(session, der, key[Attribute.ID], label, objects.TOKEN_USER)
    for item in old:
        if item not in kept[:1]:
            item.destroy()


def _put(session: Session, der: bytes, identifier: bytes, label: str, category: int) -> None:
    attributes = decode_x509_certificate(der) | {
        Attribute.VALUE: der,
        Attribute.TOKEN: True,
        Attribute.PRIVATE: False,
        Attribute.ID: identifier,
        Attribute.LABEL: label,
    }
    try:
        objects.create(session, attributes | {Attribute.CERTIFICATE_CATEGORY: category})
    except (exceptions.AttributeTypeInvalid, exceptions.TemplateInconsistent):  # older tokens know no categories
        objects.create(session, attributes)


def _parse(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise BadKeyData("this is no DER certificate", store=STORE, hresult=BAD_DATA) from error


def _require_same_key(certificate: x509.Certificate, found: list[Object], container: str) -> None:
    others = [item for item in found if item[Attribute.CLASS] is not ObjectClass.CERTIFICATE]
    if certificate.public_key() != objects.public_key(others):
        raise BadKeyData(f"the certificate is for another key than that of container {container!r}", store=STORE)


def _key_id(certificate: x509.Certificate) -> bytes:
    """The key id that the certificate states, or the one that RFC 5280 4.2.1.2 (1) makes of its key."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, ValueError):
        return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def _name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string() or "CA"
