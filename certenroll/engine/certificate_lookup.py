"""Which certificate of the stores a script means: by the certificate itself, its thumbprint or its serial number.

Knows no objects of the model. Source: the strCertificate parameter of ICertProperty::InitializeFromCertificate and its
like: where a private key is needed only MY and REQUEST are searched, else CA and ROOT too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.engine.key_lookup import key_of
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores.certificates import CA, MY, REQUEST, ROOT, StoredCertificate
from certenroll.stores.properties import KEY_PROV_INFO, KeyProviderInfo, decode_key_info
from keystores.base import KeyInfo

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace

_WITH_KEY: Final = (MY, REQUEST)
_ANYWHERE: Final = (MY, REQUEST, CA, ROOT)
LONGEST_NAME: Final = 21  # octets of a serial number with its sign; a certificate is longer


def find_certificate(workspace: Workspace, named: bytes, *, digits: bool, with_key: bool = False) -> StoredCertificate:
    """The first certificate of the stores that ``named`` means.

    Args:
        workspace: the stores of the user or of the machine.
        named: a certificate in DER; a thumbprint or serial number (most significant octet first) where ``digits``.
        digits: whether the script wrote hexadecimal digits (XCN_CRYPT_STRING_HEXRAW).
        with_key: whether the private key is needed, so that CA and ROOT are left out.

    Raises:
        ComError: CRYPT_E_NOT_FOUND where no store has it.
        DecodeError: ``named`` is no certificate, nor short enough to be the digits of one.
    """
    stores = _WITH_KEY if with_key else _ANYWHERE
    if digits and len(named) <= LONGEST_NAME:
        found = _by_thumbprint(workspace, named, stores) or _by_serial(workspace, named, stores)
        shown = f"thumbprint or serial number {named.hex()}"
    else:
        thumbprint = read_certificate(named).sha1
        found = _by_thumbprint(workspace, thumbprint, stores)
        shown = f"thumbprint {thumbprint.hex()}"
    if found is None:
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"none of the stores {', '.join(stores)} has a certificate with {shown}")
    return found


def _by_thumbprint(workspace: Workspace, thumbprint: bytes, stores: Iterable[str]) -> StoredCertificate | None:
    found = (workspace.certificates.get(store, thumbprint) for store in stores)
    return next((one for one in found if one is not None), None)


def _by_serial(workspace: Workspace, digits: bytes, stores: Iterable[str]) -> StoredCertificate | None:
    """There is no index of serial numbers without their issuers: this reads the stores from end to end."""
    wanted = {int.from_bytes(digits, "big"), int.from_bytes(digits, "big", signed=True)}
    listed = (one for store in stores for one in workspace.certificates.list(store, archived=True))
    return next((one for one in listed if one.serial in wanted), None)


def certificate_bytes(workspace: Workspace, named: bytes, *, digits: bool) -> bytes:
    """The certificate that ``named`` is or means, in DER; one that is given whole need not be in a store.

    Raises as find_certificate does.
    """
    if digits and len(named) <= LONGEST_NAME:
        return find_certificate(workspace, named, digits=True).der
    try:
        return read_certificate(named).der
    except DecodeError as error:
        raise ComError(error.hresult, "this is no certificate: its DER, or the base64 of that, is needed") from error


def key_of_certificate(workspace: Workspace, found: StoredCertificate) -> KeyProviderInfo:
    """Where the private key of a stored certificate is: by its own property, else by asking the key stores.

    Raises:
        ComError: CRYPT_E_UNEXPECTED_MSG_TYPE where no key is known.
    """
    if KEY_PROV_INFO in found.properties:
        return decode_key_info(found.properties[KEY_PROV_INFO])
    info = key_of(workspace, read_certificate(found.der).public_key_info)
    if info is None:
        raise ComError(
            HRESULT.CRYPT_E_UNEXPECTED_MSG_TYPE, f"the certificate {found.sha1.hex()} is here and its private key is not"
        )
    return info


def check_key_info(workspace: Workspace, found: StoredCertificate, info: KeyProviderInfo) -> None:
    """Makes sure that a key property which is about to be set leads to the certificate's own key.

    Args:
        workspace: the stores of the scope that ``info`` names.
        found: the certificate.
        info: what the property will say.

    Raises:
        ComError: CRYPT_E_UNEXPECTED_MSG_TYPE where the container is not there, NTE_BAD_PUBLIC_KEY where it holds another
            certificate's key.
        KeyStoreError: the key store cannot be asked, or there is none of that name.
    """
    held: list[KeyInfo] = [key for key in workspace.key_stores.get(info.store).list() if key.container == info.container]
    if not held:
        raise ComError(
            HRESULT.CRYPT_E_UNEXPECTED_MSG_TYPE, f"the {info.store} key store has no container {info.container!r}"
        )
    if held[0].public_key != read_certificate(found.der).public_key_info:
        raise ComError(
            HRESULT.NTE_BAD_PUBLIC_KEY, f"the key in container {info.container!r} does not fit the certificate's public key"
        )
