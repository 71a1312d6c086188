"""SCEP requests in the profile: noted with all that their answers need, found again by another process, settled, installed.

The record holds the message as it goes to the server, in which the request is encrypted: so no challenge password stands
in a profile. What else an answer needs stands on the request's certificate in REQUEST, in the properties that Windows has
for it. Knows no HTTP and no objects of the model. Source: IX509SCEPEnrollment; XCN_CERT_SCEP_*_PROP_ID.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from certenroll.asn1.certificates import read_certificate, request_certificate
from certenroll.asn1.cms import encode_certificate_bag
from certenroll.asn1.responses import read_response
from certenroll.asn1.scep import read_degenerate
from certenroll.ca.base import Answer
from certenroll.ca.base import Disposition as CADisposition
from certenroll.engine import submission
from certenroll.engine.certificate_lookup import find_certificate, key_of_certificate
from certenroll.engine.installation import Installation, InstallOptions, install_response
from certenroll.engine.scep_exchange import Identity, Sent, Terms, Verdict
from certenroll.engine.scep_servers import ScepServers
from certenroll.engine.submission import Enrollable
from certenroll.enums import CERTENROLL_PROPERTYID as ID
from certenroll.enums import InstallResponseRestrictionFlags as Flags
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores import properties
from certenroll.stores.chains import ChainVerdict
from certenroll.stores.requests import RequestRecord
from certenroll.stores.states import OUTSTANDING, State
from keystores.base import Secret

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace
    from certenroll.stores.certificates import StoredCertificate

FORMAT: Final = "scep"  # request_type of the records
ANCHOR: Final = "scep_anchor"  # facts of a record, by name
MESSAGE: Final = "scep_message"
KIND: Final = "scep_message_type"
RENEWED: Final = "scep_renewed"
FLAGS: Final = "install_flags"

_SERVERS: Final = int(ID.XCN_CERT_SCEP_SERVER_CERTS_PROP_ID)
_SIGNATURE: Final = int(ID.XCN_CERT_SCEP_RA_SIGNATURE_CERT_PROP_ID)
_ENCRYPTION: Final = int(ID.XCN_CERT_SCEP_RA_ENCRYPTION_CERT_PROP_ID)
_CA: Final = int(ID.XCN_CERT_SCEP_CA_CERT_PROP_ID)
_SIGNER: Final = int(ID.XCN_CERT_SCEP_SIGNER_CERT_PROP_ID)
_NONCE: Final = int(ID.XCN_CERT_SCEP_NONCE_PROP_ID)
_ALGORITHMS: Final = int(ID.XCN_CERT_SCEP_ENCRYPT_HASH_CNG_ALG_PROP_ID)
_ACTIVITY: Final = int(ID.XCN_CERT_SCEP_GUID_PROP_ID)

_VALIDITY: Final = timedelta(days=365)  # of the certificate that stands for the request

# CNG's names of the ciphers, as the property writes them: "AES/SHA256".
_CNG_CIPHERS: Final = {"aes128-cbc": "AES", "des-ede3-cbc": "3DES", "des-cbc": "DES"}


@dataclass(frozen=True)
class Transaction:
    """What is known of a transaction before its request is noted.

    Attributes:
        servers: the server's certificates.
        terms: cipher and hash.
        identity: who signs.
        sent: the message that was made.
        activity: a GUID by which logs are told apart, or "".
        server_url: where the message goes, or "".
        renewed: SHA-1 of the certificate that the new one replaces, or b"".
    """

    servers: ScepServers
    terms: Terms
    identity: Identity
    sent: Sent
    activity: str = ""
    server_url: str = ""
    renewed: bytes = b""


def note(
    workspace: Workspace,
    request: Enrollable,
    message: bytes,
    transaction: Transaction,
    options: InstallOptions,
    friendly_name: str,
) -> RequestRecord:
    """Writes a request down with what its answers need. One transaction, which confirms a new key too.

    Args:
        workspace: the stores.
        request: the encoded PKCS#10 inside; it is not kept, for it may hold a challenge password.
        message: the SCEP message, which is kept.
        transaction: what is known of it.
        options: where an install will put things.
        friendly_name: for the certificate.

    Raises:
        ComError: CERTSRV_E_PROPERTY_EMPTY where the request's private key is not here.
    """
    key = request.key_object
    if key is None:
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request has no private key here; it cannot be enrolled for")
    info, now = key.provider_info(), workspace.clock()
    serial = secrets.randbits(126) + 1
    stand_in = request_certificate(request.subject_der(), request.spki_bytes(), now, now + _VALIDITY, serial)
    shown = options.properties | _properties_of(transaction)
    shown |= {properties.KEY_PROV_INFO: properties.encode_key_info(info)}
    shown |= {properties.FRIENDLY_NAME: properties.encode_text(friendly_name)} if friendly_name else {}
    with workspace.profile.database.transaction():
        record = workspace.requests.begin(
            info,
            new_key=not request.reuses_key,
            public_key=request.spki_bytes(),
            request_type=FORMAT,
            certificate_sha1=read_certificate(stand_in).sha1,
            ca_config=transaction.server_url,
            ca_request_id=transaction.sent.transaction_id,
            template=request.template_name,
            friendly_name=friendly_name,
            properties=_facts_of(transaction, message, options),
        )
        workspace.certificates.add(options.request_store, stand_in, shown)
        key.confirm_creation()
    return record


def _facts_of(transaction: Transaction, message: bytes, options: InstallOptions) -> dict[str, str]:
    """A root that nobody vouched for is kept with the other CA certificates: it is not trusted for having answered."""
    anchor = transaction.servers.anchor
    root_store = options.root_store if anchor else options.ca_store
    return replace(options, root_store=root_store).facts() | {
        ANCHOR: read_certificate(anchor).sha1.hex() if anchor else "",
        RENEWED: transaction.renewed.hex(),
        FLAGS: str(int(Flags.AllowUntrustedRoot)),
        KIND: str(transaction.sent.message_type),
        MESSAGE: base64.b64encode(message).decode("ascii"),
    }


def kept_message(record: RequestRecord) -> bytes:
    """The message with the request, as it was made first."""
    return base64.b64decode(record.properties.get(MESSAGE, ""))


def _properties_of(transaction: Transaction) -> dict[int, bytes]:
    servers, terms = transaction.servers, transaction.terms
    found = {
        _SERVERS: encode_certificate_bag(servers.certificates),
        _SIGNATURE: read_certificate(servers.signature).sha1,
        _ENCRYPTION: read_certificate(servers.encryption).sha1,
        _CA: read_certificate(servers.ca).sha1,
        _SIGNER: transaction.identity.certificate,
        _NONCE: transaction.sent.nonce,
        _ALGORITHMS: properties.encode_text(f"{_CNG_CIPHERS[terms.cipher]}/{terms.hash_name.upper()}"),
    }
    return found | ({_ACTIVITY: properties.encode_text(transaction.activity)} if transaction.activity else {})


def find(workspace: Workspace, transaction_id: str = "") -> RequestRecord:
    """The outstanding request of a transaction.

    Args:
        workspace: the stores.
        transaction_id: which one; may be empty where there is just one.

    Raises:
        ComError: CERTSRV_E_PROPERTY_EMPTY where several wait and none is named, CRYPT_E_NOT_FOUND where there is none.
    """
    records = _outstanding(workspace, transaction_id)
    if not transaction_id and len(records) > 1:
        text = f"{len(records)} SCEP requests wait for an answer: set TransactionId to say which one is meant"
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, text)
    if not records:
        named = f" of transaction {transaction_id}" if transaction_id else ""
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"no SCEP request{named} waits for an answer")
    return records[0]


def is_waiting(workspace: Workspace, transaction_id: str) -> bool:
    """Whether the request of a transaction is outstanding."""
    return bool(transaction_id and _outstanding(workspace, transaction_id))


def _outstanding(workspace: Workspace, transaction_id: str) -> list[RequestRecord]:
    """The outstanding requests of a transaction, or all where it is ""."""
    requests = workspace.requests
    found = requests.find_by_ca_request_id(transaction_id) if transaction_id else requests.list(OUTSTANDING)
    return [one for one in found if one.request_type == FORMAT and one.state in OUTSTANDING]


def stand_in(workspace: Workspace, record: RequestRecord) -> StoredCertificate:
    """The certificate in REQUEST that stands for a request. Raises ComError CRYPT_E_NOT_FOUND where it was taken away."""
    store = InstallOptions.from_facts(record.properties).request_store
    found = workspace.certificates.get(store, record.certificate_sha1 or b"")
    if found is None:
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"the certificate of request {record.id} is gone from {store}")
    return found


def servers_of(workspace: Workspace, stored: StoredCertificate) -> ScepServers:
    """The server's certificates, from the properties of a certificate that stands for a request, or came of one.

    Raises:
        ComError: CERTSRV_E_PROPERTY_EMPTY where the certificate has nothing to do with SCEP.
    """
    held = stored.properties
    certificates = read_degenerate(held[_SERVERS])[0] if _SERVERS in held else ()
    by_sha1 = {read_certificate(one).sha1: one for one in certificates}
    ca, signature, encryption = (by_sha1.get(held.get(name, b""), b"") for name in (_CA, _SIGNATURE, _ENCRYPTION))
    if not (ca and signature and encryption):
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, f"the certificate {stored.sha1.hex()} did not come by SCEP")
    record = workspace.requests.find_by_certificate(stored.sha1)
    anchor = record.properties.get(ANCHOR, "") if record is not None else ""
    return ScepServers(ca, signature, encryption, certificates, by_sha1.get(bytes.fromhex(anchor), b""))


def terms_of(stored: StoredCertificate) -> Terms | None:
    """With what the messages of a transaction were made, or None where a certificate does not say."""
    held = stored.properties.get(_ALGORITHMS)
    cipher, _, hash_name = properties.decode_text(held).partition("/") if held is not None else ("", "", "")
    named = next((name for name, cng in _CNG_CIPHERS.items() if cng == cipher), None)
    return Terms(named, hash_name.lower(), renewal=False) if named is not None else None


def nonce_of(workspace: Workspace, record: RequestRecord) -> bytes:
    """The nonce of the last message of a request's transaction."""
    return stand_in(workspace, record).properties.get(_NONCE, b"")


def note_nonce(workspace: Workspace, record: RequestRecord, nonce: bytes) -> None:
    """Remembers the nonce of a message that is about to be sent."""
    found = stand_in(workspace, record)
    workspace.certificates.set_property(found.store, found.sha1, _NONCE, nonce)


def identity_of(workspace: Workspace, record: RequestRecord, pin: Secret | None = None) -> Identity:
    """Who signed a request's messages: its own key, or that of the certificate that it renews.

    Raises:
        ComError: CRYPT_E_NOT_FOUND or CRYPT_E_UNEXPECTED_MSG_TYPE where the renewed certificate or its key is gone.
        KeyStoreError: the key's store cannot be asked, or has the key no more.
    """
    certificate = stand_in(workspace, record).properties.get(_SIGNER, b"")
    if read_certificate(certificate).public_key_info == record.public_key:
        key = workspace.key_stores.open(record.key.store, record.key.container, pin)
        return Identity(certificate, key.private_key)
    return identity_from(workspace, find_certificate(workspace, certificate, digits=False, with_key=True), pin)


def identity_from(workspace: Workspace, found: StoredCertificate, pin: Secret | None = None) -> Identity:
    """A certificate of MY and its key. Raises as ``identity_of``; NTE_BAD_PUBLIC_KEY where the key is another's."""
    info = key_of_certificate(workspace, found)
    key = workspace.key_stores.open(info.store, info.container, pin)
    if key.info.public_key != read_certificate(found.der).public_key_info:
        raise ComError(HRESULT.NTE_BAD_PUBLIC_KEY, f"the key in container {info.container!r} is not the certificate's")
    return Identity(found.der, key.private_key)


def settle_refusal(workspace: Workspace, record: RequestRecord, verdict: Verdict) -> RequestRecord:
    """Ends a request that the server refused: its place in REQUEST goes, and a key that was made for it."""
    answer = Answer(CADisposition.DENIED, record.ca_request_id, verdict.code, verdict.text)
    return submission.settle(workspace, record, answer).record


def settle_waiting(workspace: Workspace, record: RequestRecord, verdict: Verdict) -> RequestRecord:
    """Notes that the server has the request and has not decided."""
    answer = Answer(CADisposition.UNDER_SUBMISSION, record.ca_request_id, 0, verdict.text)
    return submission.settle(workspace, record, answer).record


def leaf_of(record: RequestRecord, verdict: Verdict) -> bytes:
    """The certificate of an answer that was asked for, in DER. Raises ComError CRYPT_E_NOT_FOUND where it is not there."""
    for der in verdict.certificates:
        if read_certificate(der).public_key_info == record.public_key:
            return der
    raise ComError(HRESULT.CRYPT_E_NOT_FOUND, "none of the certificates in the answer has the request's key")


def install(
    workspace: Workspace, record: RequestRecord, verdict: Verdict, servers: ScepServers, pin: Secret | None = None
) -> Installation:
    """Installs what the server issued. The answer is written down first, so that a crash loses nothing.

    The chain goes where InstallResponse puts it; the root to ROOT only where the thumbprint vouches for it.

    Raises:
        ComError: CRYPT_E_NOT_FOUND where the answer holds no certificate of the request's key; what InstallResponse
            raises for a chain that is not sound. The request waits on then.
        KeyStoreError: the card refused the certificate, as ``install_response``.
    """
    leaf = leaf_of(record, verdict)
    others = tuple(one for one in verdict.certificates if one != leaf)
    chain = servers.judge(leaf, others, workspace.clock())
    options = replace(InstallOptions.from_facts(record.properties), pin=pin)
    if not servers.vouches_for(chain):
        return _install_by_own_trust(workspace, (leaf, *others, *servers.certificates), options)
    answer = Answer(
        CADisposition.ISSUED, record.ca_request_id, certificate=leaf, chain=chain.chain[1:], crls=verdict.crls
    )
    outcome = submission.settle(workspace, record, answer)
    return install_kept(workspace, outcome.record, pin)


def install_kept(workspace: Workspace, record: RequestRecord, pin: Secret | None = None) -> Installation:
    """Installs the answer that a record keeps. Raises as ``install``, and WIN32_INVALID_STATE where it keeps none."""
    if record.state is not State.ISSUED or not record.answer:
        raise ComError(HRESULT.WIN32_INVALID_STATE, f"request {record.id} keeps no answer that is to be installed")
    options = replace(InstallOptions.from_facts(record.properties), pin=pin)
    flags = int(record.properties.get(FLAGS, "0"))
    installed = install_response(workspace, read_response(record.answer), flags, options)
    _retire(workspace, record, installed, options)
    return installed


def _install_by_own_trust(workspace: Workspace, certificates: tuple[bytes, ...], options: InstallOptions) -> Installation:
    """Where the server's certificates do not explain the chain: only what the profile trusts anyway lets it in."""
    return install_response(workspace, read_response(encode_certificate_bag(certificates)), Flags.AllowNone, options)


def _retire(workspace: Workspace, record: RequestRecord, installed: Installation, options: InstallOptions) -> None:
    """Marks the certificate that was replaced: it names its heir and is archived, as after every renewal here."""
    old = bytes.fromhex(record.properties.get(RENEWED, ""))
    new = read_certificate(installed.certificate).sha1 if installed.certificate is not None else old
    if old and old != new and workspace.certificates.get(options.my_store, old) is not None:
        workspace.certificates.set_property(options.my_store, old, properties.RENEWAL, new)
        workspace.certificates.set_property(options.my_store, old, properties.ARCHIVED, b"")


def install_retrieved(
    workspace: Workspace, leaf: bytes, chain: ChainVerdict, servers: ScepServers, options: InstallOptions
) -> Installation:
    """Installs a certificate that was issued before, for a key that is here and whose request is long over.

    Raises as ``install_response``.
    """
    flags = Flags.AllowNoOutstandingRequest | Flags.AllowUntrustedRoot
    bag = encode_certificate_bag((leaf, *chain.chain[1:]))
    placed = options if servers.anchor else replace(options, root_store=options.ca_store)
    return install_response(workspace, read_response(bag), flags, placed)
