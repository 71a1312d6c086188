"""The password of a PFX: in the clear, or encrypted for a certificate whose private key is here.

An encrypted password is base64 of a CMS EnvelopedData; the message itself names the certificate that opens it, among those
of one store. Knows no PFX: what it opens may be the password in two encodings, and both readings are given. Source:
PFXCertPasswordEncryptionType and PFXCertPasswordEncryptionStore of the ClientCertificateInstall CSP; RFC 5652 section 6.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from certenroll.asn1 import enveloped
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.engine.certificate_lookup import key_of_certificate
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.mdm.pfx_settings import FAILURES, PasswordEncryption, PfxSettings, refusal

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace
    from certenroll.stores.certificates import StoredCertificate

MDM_STORE: Final = "MDM"  # the certificates by which a management server knows this device
_NODE: Final = "PFXCertPassword"
_ENCODINGS: Final = ("utf-16-le", "utf-8")  # as Windows' own strings are, and as most servers write text


def readings(workspace: Workspace, settings: PfxSettings) -> tuple[str | None, ...]:
    """The passwords that the node may mean, the likelier first; the PFX tells which of them it is.

    Args:
        workspace: the stores of the instance's scope.
        settings: the instance's.

    Raises:
        Refused: 500; an encrypted password that is missing, malformed, for a certificate that is not in the store, or whose
            key is not here or does not open it.
    """
    if settings.encryption is PasswordEncryption.NONE:
        return (settings.password,)
    store = settings.encryption_store or MDM_STORE
    try:
        return _texts(_opened(workspace, store, _message(settings)))
    except FAILURES as error:
        raise refusal(_NODE, error) from error


def _message(settings: PfxSettings) -> bytes:
    try:
        found = base64.b64decode("".join((settings.password or "").split()), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not found:
        raise DecodeError("an encrypted password is base64 of a CMS EnvelopedData", HRESULT.WIN32_INVALID_DATA)
    return found


def _opened(workspace: Workspace, store: str, message: bytes) -> bytes:
    """What the message holds, opened with the first certificate of the store that it is encrypted for and that has a key."""
    keyless: ComError | None = None
    for certificate in _addressed(workspace, store, message):
        try:
            key = key_of_certificate(workspace, certificate)
        except ComError as error:
            keyless = error
            continue
        opener = workspace.key_stores.open(key.store, key.container)
        return enveloped.open_enveloped(message, opener.private_key, certificate.der)
    if keyless is not None:
        raise ComError(HRESULT.CRYPT_E_NO_KEY_PROPERTY, f"{keyless.detail}; it is needed to open the password")
    raise ComError(
        HRESULT.CRYPT_E_NO_DECRYPT_CERT, f"it is encrypted for none of the certificates of the store {store}; add that one"
    )


def _addressed(workspace: Workspace, store: str, message: bytes) -> Iterator[StoredCertificate]:
    for recipient in enveloped.decode(message).recipients:
        if not recipient.key_identifier:
            yield from workspace.certificates.find_by_issuer_serial(store, recipient.issuer, recipient.serial)
            continue
        for certificate in workspace.certificates.list(store, archived=True):
            if recipient.is_named_by(read_certificate(certificate.der)):
                yield certificate


def _texts(octets: bytes) -> tuple[str, ...]:
    """Each encoding's reading up to its terminating NUL, where it is one."""
    found = [text for encoding in _ENCODINGS if (text := _text(octets, encoding)) is not None]
    if not found:
        raise DecodeError("what was encrypted is no text in UTF-16 or UTF-8", HRESULT.WIN32_INVALID_DATA)
    return tuple(dict.fromkeys(found))


def _text(octets: bytes, encoding: str) -> str | None:
    try:
        text = octets.decode(encoding)
    except UnicodeDecodeError:
        return None
    text = text.removesuffix("\0").removeprefix("\ufeff")
    return text if "\0" not in text else None
