"""A CA with its SCEP server, and a client that sends it messages, right ones and wrong ones."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certenroll.asn1 import attributes, der, enveloped, extensions, general_names, pkcs10, scep
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.der import Attribute, Extension
from certenroll.asn1.general_names import Kind
from certenroll.asn1.scep import MessageType, PkiMessage
from certenroll.ca.database import Database
from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Policy
from certenroll.ca.scep.challenges import ChallengePasswords, Made
from certenroll.ca.scep.responder import CA_CERTIFICATE, ScepResponder
from certenroll.ca.scep.settings import ScepRules, ScepSettings
from tests.ca.conftest import Clock
from tests.stores.pki import key
from tests.support.ca_messages import pkcs10_of

Send = Callable[[bytes], bytes]
OPEN = ScepSettings(ScepRules(challenge=False))
SIGNS, DECRYPTS, SIGNS_ALL = b"\x03\x02\x07\x80", b"\x03\x02\x05\x20", b"\x03\x02\x01\x86"


def usage_of(certificate: bytes) -> bytes:
    """The key usage of a certificate, as it is encoded."""
    found = read_certificate(certificate).extension(extensions.KEY_USAGE)
    return found.value if found is not None else b""


def alternative(*hosts: str) -> Extension:
    """The subject alternative names of these hosts."""
    names = [general_names.text_name(Kind.DNS, host) for host in hosts]
    return Extension(extensions.SUBJECT_ALTERNATIVE_NAME, False, general_names.encode_all(names))


@dataclass(frozen=True)
class Said:
    """An answer, verified and opened."""

    message: PkiMessage
    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()

    @property
    def status(self) -> int | None:
        return self.message.status

    @property
    def fail_info(self) -> int | None:
        return self.message.fail_info

    @property
    def text(self) -> str:
        return self.message.fail_info_text

    @property
    def certificate(self) -> bytes:
        assert self.status == 0, f"{self.fail_info} {self.text}"
        (found,) = self.certificates
        return found


@dataclass
class ScepClient:
    """One who asks.

    Attributes:
        send: carries a message to the server and the answer back.
        server: the certificates of the server: whom to encrypt for, and who signs its answers.
        name: the common name that is asked for.
        private: the key that it is asked for.
        signer: (certificate, key) that sign in the place of a self-signed one.
        challenge: the challenge password; empty for none.
        extensions, more: what else stands in the request.
        transaction: the transaction's name; that of the key by default.
    """

    send: Send
    server: Sequence[bytes]
    name: str = "client"
    private: Any = None
    signer: tuple[bytes, Any] | None = None
    challenge: str = ""
    extensions: tuple[Extension, ...] = ()
    more: tuple[Attribute, ...] = ()
    transaction: str = ""
    cipher: str = "aes128-cbc"
    hash_name: str = "sha256"
    _own: tuple[bytes, Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.private = self.private or key(self.name, 2048)
        self.transaction = self.transaction or scep.transaction_id_of(self.spki)

    @property
    def spki(self) -> bytes:
        return bytes(self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    @property
    def request(self) -> bytes:
        found = list(self.more)
        if self.challenge:
            found.append(Attribute(attributes.CHALLENGE_PASSWORD, (der.utf8_string(self.challenge),)))
        if self.extensions:
            found.append(Attribute(attributes.EXTENSION_REQUEST, (der.encode_extensions(self.extensions),)))
        return pkcs10.encode(pkcs10_of(self.private, self.name, *found))

    @property
    def signing(self) -> tuple[bytes, Any]:
        """Who signs; a self-signed certificate is made once."""
        if self.signer is None and self._own is None:
            now = datetime.now(UTC).replace(microsecond=0)
            subject = pkcs10_of(self.private, self.name).subject
            made = scep.self_signed(self.private, subject, now - timedelta(hours=1), now + timedelta(days=30))
            self._own = made, self.private
        found = self.signer or self._own
        assert found is not None
        return found

    @property
    def recipient(self) -> bytes:
        """The server's certificate that is encrypted for: the one whose use is that alone, else the first."""
        return next((one for one in self.server if usage_of(one) == DECRYPTS), self.server[0])

    def build(self, message_type: int, content: bytes | None, **changes: Any) -> bytes:
        """A message around a content that is encrypted here; ``enveloped`` among the changes stands in its place."""
        certificate, private = self.signing
        sealed = enveloped.seal(content, [self.recipient], self.cipher) if content is not None else None
        values: dict[str, Any] = {
            "transaction_id": self.transaction,
            "sender_nonce": secrets.token_bytes(16),
            "private_key": private,
            "certificate": certificate,
            "hash_name": self.hash_name,
        }
        return scep.build_message(message_type, changes.pop("enveloped", sealed), **(values | changes))

    def enroll(self, message_type: int = MessageType.PKCSReq) -> Said:
        return self.ask(self.build(message_type, self.request))

    def poll(self) -> Said:
        names = scep.encode_issuer_and_subject(self._issuer, pkcs10_of(self.private, self.name).subject)
        return self.ask(self.build(MessageType.CertPoll, names))

    def get(self, message_type: int, serial: int, issuer: bytes = b"") -> Said:
        return self.ask(self.build(message_type, scep.encode_issuer_and_serial(issuer or self._issuer, serial)))

    @property
    def _issuer(self) -> bytes:
        return read_certificate(self.server[-1]).subject

    def renewing(self, certificate: bytes, **changes: Any) -> ScepClient:
        """Who renews a certificate of this one."""
        return replace(self, **{"signer": (certificate, self.private), "_own": None} | changes)

    def ask(self, message: bytes) -> Said:
        """Sends a message, and checks of the answer what RFC 8894 section 3.2 has a client check."""
        asked = scep.decode(message)
        answer = scep.decode(self.send(message))
        scep.verify(answer, self.server)
        assert answer.message_type == MessageType.CertRep
        assert answer.transaction_id == asked.transaction_id
        assert answer.recipient_nonce == asked.sender_nonce
        assert len(answer.sender_nonce) == 16
        if answer.status != 0:
            assert answer.enveloped == b""
            return Said(answer)
        assert answer.enveloped
        return Said(answer, *scep.read_degenerate(self._open(answer.enveloped)))

    def _open(self, data: bytes) -> bytes:
        certificate, private = self.signing
        if isinstance(private, rsa.RSAPrivateKey):
            return enveloped.open_enveloped(data, private, certificate)
        return enveloped.open_with_password(data, self.challenge)


class Site:
    """A CA in a folder with its SCEP server, as an administrator and a network see them."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder, self.clock = folder, clock
        self.ca = LocalCA(folder, clock)
        self.told: list[str] = []
        self.serve()

    def serve(self, settings: ScepSettings | None = None) -> None:
        """Starts the server (again)."""
        self.responder = ScepResponder(self.folder, settings, self.clock)

    def policy(self, policy: Policy) -> None:
        """Other rules, with a server that has read them."""
        policy.save(self.folder)
        self.ca = LocalCA(self.folder, self.clock)
        self.serve(self.responder.settings)

    def challenge(self, **how: Any) -> Made:
        challenges = ChallengePasswords(Database(self.folder), self.clock, lambda size: b"\xc5" * size)
        return challenges.make(**how)

    def send(self, message: bytes) -> bytes:
        reply = self.responder.operate("PKIOperation", message)
        assert reply is not None
        self.told.append(reply.told)
        return reply.body

    @property
    def certificates(self) -> tuple[bytes, ...]:
        reply = self.responder.operate("GetCACert")
        assert reply is not None
        return (reply.body,) if reply.content_type == CA_CERTIFICATE else scep.read_degenerate(reply.body)[0]

    def client(self, name: str = "client", **how: Any) -> ScepClient:
        ours = self.certificates
        root = self.ca.certificates()[0]
        return ScepClient(self.send, (*(one for one in ours if one != root), root), name, **how)
