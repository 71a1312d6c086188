"""What Xenroll and the command line need and CertEnroll's object model lacks. None of it has a Microsoft counterpart.

Names of stores, side effects of an install, pending requests, keys and certificates as plain frozen values: what
xenroll_compat does beyond IX509Enrollment, it does through these functions, and a port says so where it meets one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from certenroll.asn1.attributes import NameValuePair
from certenroll.asn1.attributes import encode_name_value_pair as encode_pair
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.asn1.names import decode_name
from certenroll.asn1.responses import read_response
from certenroll.com import observed
from certenroll.engine import answers, submission
from certenroll.engine.answers import AnswerContents
from certenroll.engine.full_responses import core_of
from certenroll.engine.installation import Installation, InstallOptions, install_response
from certenroll.engine.key_lookup import owned_containers
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enums import PFXExportOptions, X500NameFlags, X509CertificateEnrollmentContext
from certenroll.errors import ComError
from certenroll.facade_requests import asked_bytes as asked_bytes  # noqa: PLC0414 - exported
from certenroll.facade_requests import checked_certificate as checked_certificate  # noqa: PLC0414 - exported
from certenroll.facade_requests import key_holder as key_holder  # noqa: PLC0414 - exported
from certenroll.facade_requests import leave_key_in_file as leave_key_in_file  # noqa: PLC0414 - exported
from certenroll.facade_requests import read_attributes as read_attributes  # noqa: PLC0414 - exported
from certenroll.facade_requests import reusable_container as reusable_container  # noqa: PLC0414 - exported
from certenroll.facade_requests import sign_attributes as sign_attributes  # noqa: PLC0414 - exported
from certenroll.facade_requests import write_key_file as write_key_file  # noqa: PLC0414 - exported
from certenroll.facade_stores import StoreHandle as StoreHandle  # noqa: PLC0414 - exported
from certenroll.facade_stores import choose_stores as choose_stores  # noqa: PLC0414 - exported
from certenroll.facade_stores import copy_pending as copy_pending  # noqa: PLC0414 - exported
from certenroll.facade_stores import drop_copy as drop_copy  # noqa: PLC0414 - exported
from certenroll.facade_stores import install_certificates as install_certificates  # noqa: PLC0414 - exported
from certenroll.facade_stores import open_store as open_store  # noqa: PLC0414 - exported
from certenroll.facade_stores import store_provider as store_provider  # noqa: PLC0414 - exported
from certenroll.facade_values import CertificateEntry, KeyEntry, KeyStoreReport, PendingRequest
from certenroll.hresults import HRESULT
from certenroll.stores import properties
from certenroll.stores.chains import ChainVerdict, judge
from certenroll.stores.properties import KEY_PROV_INFO, KeyProviderInfo
from certenroll.stores.requests import RequestRecord
from certenroll.stores.states import OUTSTANDING, Event, State
from keystores.base import Secret
from keystores.errors import NoSuchKey
from keystores.routing import key_location, location_from, route

if TYPE_CHECKING:
    from certenroll.enrollments import IX509Enrollment
    from certenroll.stores.certificates import StoredCertificate

_USER = X509CertificateEnrollmentContext.ContextUser
_SHOWN = X500NameFlags.XCN_CERT_NAME_STR_REVERSE_FLAG  # the order in which Windows shows names: CN first


@observed
def configure(enrollment: IX509Enrollment, **changes: object) -> None:
    """Sets where an enrollment installs and what it does besides.

    Args:
        enrollment: the enrollment, before InstallResponse or Enroll.
        changes: attributes of ``engine.installation.InstallOptions`` by name (my_store, ca_store, root_store, request_store,
            keep_request, write_certificate, pin, properties).
    """
    enrollment.install_options = replace(enrollment.install_options, **changes)  # type: ignore[arg-type]


@observed
def check_ca(config: str = "", context: int = _USER) -> str:
    """The configuration string of the CA that ``config`` names, or of the profile's own. Raises CAError for none."""
    return open_workspace(context).authority(config).config


@observed
def choose_ca(enrollment: IX509Enrollment, config: str) -> None:
    """Has Enroll send to the CA of a configuration string ("host\\name") in place of the profile's own."""
    enrollment.ca_config = config


@observed
def installation_of(enrollment: IX509Enrollment) -> Installation:
    """What the enrollment's last install did. Raises CERTSRV_E_PROPERTY_EMPTY where there was none."""
    if enrollment.installation_result is None:
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "nothing was installed")
    return enrollment.installation_result


@observed
def read_answer(data: bytes, request_store: str = "REQUEST", context: int = _USER) -> AnswerContents:
    """Takes a CA's answer apart and changes nothing. Raises as ``engine.answers.read_contents``."""
    return answers.read_contents(open_workspace(context), data, InstallOptions(request_store=request_store))


@observed
def encode_name_value_pair(name: str, value: str) -> bytes:
    """DER of a request attribute that is a name and a value (szOID_ENROLLMENT_NAME_VALUE_PAIR, 1.3.6.1.4.1.311.13.2.1)."""
    return encode_pair(NameValuePair(name, value))


@observed
def key_store_names(location: int, provider: str) -> tuple[str, ...]:
    """The key stores that a key of this location (0: none named) and provider may be in, in order.

    Raises KeyStoreError E_INVALIDARG for a location other than 0 to 4, NTE_KEYSET_NOT_DEF for an unknown provider.
    """
    explicit = key_location(location) if location else None
    return route(explicit, location_from(os.environ), provider or None).stores


@observed
def request_thumbprint(enrollment: IX509Enrollment) -> str:
    """The thumbprint of the certificate that stands for the request in REQUEST, or "" before it was made."""
    record = enrollment.request_record
    return record.certificate_sha1.hex().upper() if record is not None and record.certificate_sha1 is not None else ""


@observed
def key_of_request(enrollment: IX509Enrollment) -> KeyProviderInfo | None:
    """Where the key of the enrollment's request is, or None before it was made."""
    return enrollment.request_record.key if enrollment.request_record is not None else None


@observed
def pending_requests(context: int = _USER) -> list[PendingRequest]:
    """The outstanding requests of a context, oldest first."""
    workspace = open_workspace(context)
    return [_pending(record) for record in reversed(workspace.requests.list(OUTSTANDING))]


@observed
def find_pending(identifier: str, context: int = _USER) -> PendingRequest:
    """The outstanding request of a number, a CA's request id or a thumbprint (or a part of one, eight digits or more).

    Raises ComError CRYPT_E_NOT_FOUND where there is none.
    """
    wanted = identifier.replace(" ", "").upper()
    for request in pending_requests(context) if wanted else ():
        thumb = request.thumbprint
        if wanted in (str(request.id), request.ca_request_id) or (len(wanted) >= 8 and thumb.startswith(wanted)):
            return request
    raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"no outstanding request is known as {identifier}")


@observed
def request_bytes(identifier: str, context: int = _USER) -> bytes:
    """DER of an outstanding request, for whoever lost its file. Raises ComError CRYPT_E_NOT_FOUND where there is none."""
    return open_workspace(context).requests.get(find_pending(identifier, context).id).request or b""


@observed
def set_pending_info(thumbprint: str, request_id: str, ca_config: str, friendly_name: str, context: int = _USER) -> None:
    """Notes which CA has a request that a script sent by itself, and under which id."""
    workspace = open_workspace(context)
    record = _record(workspace, thumbprint)
    workspace.requests.advance(
        record.id, Event.HELD, ca_config=ca_config, ca_request_id=request_id, friendly_name=friendly_name
    )


@observed
def remove_pending(thumbprint: str, context: int = _USER) -> None:
    """Withdraws a request: its place in REQUEST, its record, and the key that was made for it.

    Raises ComError CRYPT_E_NOT_FOUND where there is no such request.
    """
    workspace = open_workspace(context)
    record = _record(workspace, thumbprint)
    submission.withdraw(workspace, record)


@observed
def retrieve_pending(identifier: str, flags: int = 0, context: int = _USER) -> tuple[PendingRequest, Installation | None]:
    """Asks the CA for an outstanding request's answer and installs it where there is one.

    Args:
        identifier: as for find_pending.
        flags: InstallResponseRestrictionFlags.
        context: whose request.

    Returns:
        the request as it stands now, and what was installed (None where it is still pending or was denied).

    Raises:
        ComError: CRYPT_E_NOT_FOUND for no such request, CERTSRV_E_PROPERTY_EMPTY for one that was never sent, and what
            InstallResponse raises.
        CAError: the CA does not answer.
    """
    workspace = open_workspace(context)
    record = workspace.requests.get(find_pending(identifier, context).id)
    if record.state is State.MADE:
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request was not sent to a CA")
    if record.state is State.PENDING:
        record = submission.retrieve(workspace, record).record
    elif record.state is State.SUBMITTING:
        record = submission.submit(workspace, record, {}).record
    if record.state is not State.ISSUED or record.answer is None:
        return _pending(record), None
    options = InstallOptions.from_facts(record.properties)
    installation = install_response(workspace, read_response(record.answer), flags, options)
    return _pending(workspace.requests.get(record.id)), installation


@observed
def store_names(context: int = _USER) -> Sequence[str]:
    """The names of the stores that hold or held something."""
    return open_workspace(context).certificates.names()


@observed
def certificates(store: str, context: int = _USER) -> list[CertificateEntry]:
    """The certificates of a store."""
    return [_entry(found) for found in open_workspace(context).certificates.list(store)]


@observed
def find_certificate(store: str, thumbprint: str, context: int = _USER) -> CertificateEntry:
    """The certificate of a thumbprint (eight digits of it or more). Raises ComError CRYPT_E_NOT_FOUND."""
    wanted = thumbprint.replace(" ", "").replace(":", "")
    found = open_workspace(context).certificates.find_by_thumbprint(store, wanted) if len(wanted) >= 8 else ()
    if len(found) == 1:
        return _entry(found[0])
    raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"{store} holds no certificate (or several) with the thumbprint {thumbprint}")


@observed
def chain_of(entry: CertificateEntry, context: int = _USER) -> tuple[bytes, ...]:
    """DER of a certificate and of those above it, as far as CA and ROOT have them."""
    return _verdict(open_workspace(context), entry).chain


@observed
def export_pfx(
    store: str,
    thumbprint: str,
    password: Secret,
    *,
    chain: bool = False,
    pin: Secret | None = None,
    context: int = _USER,
) -> bytes:
    """A certificate with its private key as PKCS#12.

    Args:
        store: where the certificate is.
        thumbprint: as for find_certificate.
        password: encrypts the file.
        chain: whether the certificates above it come along.
        pin: the key's PIN, or None for the profile's.
        context: whose store.

    Raises:
        ComError: CRYPT_E_NOT_FOUND, CRYPT_E_NO_KEY_PROPERTY where it has no key here, WIN32_FILE_NOT_FOUND where its chain
            is not here.
        KeyStoreError: NTE_BAD_KEY_STATE where the key may not leave its store.
    """
    from certenroll.engine.pfx_export import export_pfx as export

    entry = find_certificate(store, thumbprint, context)
    if entry.key is None:
        raise ComError(HRESULT.CRYPT_E_NO_KEY_PROPERTY, f"the certificate {entry.thumbprint} has no private key here")
    workspace = open_workspace(context)
    verdict = _verdict(workspace, entry)
    installed = Installation(entry.der, verdict.chain, 0, entry.key, verdict)
    options = PFXExportOptions.PFXExportChainWithRoot if chain else PFXExportOptions.PFXExportEEOnly
    return export(workspace, installed, password.reveal(), options, entry.friendly_name, pin)


@observed
def add_certificate(store: str, der: bytes, values: Mapping[int, bytes] | None = None, context: int = _USER) -> bool:
    """Puts a certificate into a store. Gives whether it is new there."""
    return open_workspace(context).certificates.add(store, der, dict(values or {}))


@observed
def delete_certificate(store: str, thumbprint: str, *, with_key: bool = False, context: int = _USER) -> CertificateEntry:
    """Removes a certificate, and its private key where that is asked for. Raises ComError CRYPT_E_NOT_FOUND."""
    entry = find_certificate(store, thumbprint, context)
    workspace = open_workspace(context)
    workspace.certificates.remove(store, _digits(entry.thumbprint))
    if with_key and entry.key is not None:
        try:
            workspace.key_stores.delete(entry.key.store, entry.key.container)
        except NoSuchKey:
            return entry
    return entry


@observed
def key_reports(context: int = _USER) -> list[KeyStoreReport]:
    """Every key store with its keys, orphans marked, or with what stands in its way."""
    workspace = open_workspace(context)
    owned = owned_containers(workspace)
    return [
        KeyStoreReport(
            report.store,
            tuple(KeyEntry(info, (info.store, info.container) not in owned) for info in report.keys),
            str(report.error) if report.error is not None else "",
        )
        for report in workspace.key_stores.list_all()
    ]


@observed
def delete_key(store: str, container: str, pin: Secret | None = None, context: int = _USER) -> None:
    """Deletes a key with its container. Raises KeyStoreError NTE_BAD_KEYSET where there is none."""
    open_workspace(context).key_stores.delete(store, container, pin=pin)


@observed
def containers(store: str, context: int = _USER) -> list[str]:
    """The names of the containers of a key store. Raises KeyStoreError where it is not there."""
    return [info.container for info in open_workspace(context).key_stores.get(store).list()]


def _verdict(workspace: Workspace, entry: CertificateEntry) -> ChainVerdict:
    stores = workspace.certificates

    def held(store: str, subject: bytes) -> list[bytes]:
        return [found.der for found in stores.find_by_subject(store, subject)]

    return judge(entry.der, lambda name: held("CA", name), lambda name: held("ROOT", name), workspace.clock())


def _record(workspace: Workspace, thumbprint: str) -> RequestRecord:
    record = workspace.requests.find_by_certificate(_digits(thumbprint))
    if record is None or record.state not in OUTSTANDING:
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"no outstanding request has the thumbprint {thumbprint}")
    return record


def _digits(thumbprint: str) -> bytes:
    try:
        return bytes.fromhex(thumbprint.replace(":", ""))
    except ValueError:
        raise ComError(HRESULT.E_INVALIDARG, f"{thumbprint!r} is no thumbprint") from None


def _pending(record: RequestRecord) -> PendingRequest:
    return PendingRequest(
        id=record.id,
        state=record.state.value,
        thumbprint=(record.certificate_sha1 or b"").hex().upper(),
        subject=_subject_of(record),
        ca_config=record.ca_config,
        ca_request_id=record.ca_request_id,
        message=record.message,
        template=record.template,
        friendly_name=record.friendly_name,
        key=record.key,
        created=datetime.fromtimestamp(record.created, UTC),
    )


def _subject_of(record: RequestRecord) -> str:
    core = core_of(record.request) if record.request is not None else None
    return decode_name(core.subject, _SHOWN) if core is not None else ""


def _shown(name: bytes) -> str:
    """The text of a name; one that is malformed, in hexadecimal: it must not hide the other certificates of its store."""
    try:
        return decode_name(name, _SHOWN)
    except DecodeError:
        return f"#{name.hex().upper()}"


def _entry(found: StoredCertificate) -> CertificateEntry:
    facts = read_certificate(found.der)
    held = found.properties
    return CertificateEntry(
        store=found.store,
        thumbprint=found.sha1.hex().upper(),
        subject=_shown(facts.subject),
        issuer=_shown(facts.issuer),
        not_before=facts.not_before,
        not_after=facts.not_after,
        der=found.der,
        key=properties.decode_key_info(held[KEY_PROV_INFO]) if KEY_PROV_INFO in held else None,
        friendly_name=properties.decode_text(held.get(properties.FRIENDLY_NAME, b"")),
        description=properties.decode_text(held.get(properties.DESCRIPTION, b"")),
        properties=held,
    )
