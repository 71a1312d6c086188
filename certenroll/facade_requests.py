"""The part of the facade that concerns requests: what signs them besides, which key they may use again, and where it went.

None of it has a counterpart in CertEnroll. ``facade`` exports it; docs/analysis/xenroll.md says what it is for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from certenroll import pvk
from certenroll.asn1 import der
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.com import observed
from certenroll.encodings import decode_text
from certenroll.engine.opening import open_workspace
from certenroll.enums import EncodingType, X509CertificateEnrollmentContext, X509KeySpec
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores import properties
from certenroll.stores.atomic_files import write_atomically
from keystores.base import KeyAlgorithm, KeyInfo, KeyUse, Prober
from keystores.errors import KeyStoreError
from keystores.providers import provider_of
from keystores.routing import key_location, location_from, route

if TYPE_CHECKING:
    from certenroll.attributes import ICryptAttribute
    from certenroll.enrollments import IX509Enrollment
    from certenroll.pkcs7_requests import IX509CertificateRequestPkcs7
    from certenroll.private_keys import IX509PrivateKey

_USER = X509CertificateEnrollmentContext.ContextUser
_BINARY: Final = EncodingType.XCN_CRYPT_STRING_BINARY
_LONGEST_NAME: Final = 255  # of a file; a key blob in base64 is longer
# The form of a key blob that a .pvk file holds, as providers name it: whether it is a CSP -> the form.
_PVK_FORMS: Final = {True: "PRIVATEBLOB", False: "CAPIPRIVATEBLOB"}


def checked_certificate(data: bytes) -> bytes:
    """A certificate in DER as it was given. A look alone, so observers are told nothing of it.

    Raises:
        ComError: CRYPT_E_ASN1_* where it is none.
    """
    try:
        return read_certificate(data).der
    except DecodeError as error:
        raise ComError(error.hresult, "this is no certificate: its DER, or the base64 of that, is needed") from error


@observed
def read_attributes(data: bytes) -> list[ICryptAttribute]:
    """The attributes of a CRYPT_ATTRIBUTES structure, encoded as PKCS_ATTRIBUTES: a SET OF (or SEQUENCE OF) Attribute.

    Raises:
        DecodeError: (CRYPT_E_ASN1_*) the bytes are malformed.
    """
    from certenroll.attribute_types import crypt_attribute_from

    outer = der.SET if data[:1] == bytes([der.SET]) else der.SEQUENCE
    return [crypt_attribute_from(der.decode_attribute(one)) for one in der.children(data, outer)]


@observed
def sign_attributes(request: IX509CertificateRequestPkcs7, attributes: Iterable[ICryptAttribute]) -> None:
    """Has the signer of a PKCS #7 request sign more attributes than CertEnroll knows of (it has RequesterName alone).

    Args:
        request: the request, before it is encoded.
        attributes: what is signed besides content type and hash.

    Raises:
        ComError: WIN32_ALREADY_INITIALIZED where the request is encoded, CERTSRV_E_PROPERTY_EMPTY for an attribute without
            a value.
    """
    request.check_unsealed()
    request.signed_attributes = (*request.signed_attributes, *(one.to_attribute() for one in attributes))


@observed
def reusable_container(stores: Iterable[str], key_spec: int, context: int = _USER) -> str:
    """The container of an RSA key on a device that a request may use again where the device has no room for a new one.

    Args:
        stores: the key stores to look through; software has no end of room and is passed over.
        key_spec: AT_SIGNATURE for a key that signs, AT_KEYEXCHANGE for one that decrypts too.
        context: whose keys.

    Returns:
        the first container that fits, or "" for none.
    """
    key_stores = open_workspace(context).key_stores
    for name in stores:
        if name != "software":
            found = next((one for one in key_stores.get(name).list() if _fits(one, key_spec)), None)
            if found is not None:
                return found.container
    return ""


def key_holder(location: int, provider: str, provider_type: int, context: int = _USER) -> tuple[str, tuple[int, ...]]:
    """Where a new key would end: the provider's name, and the lengths of RSA keys that its device offers, shortest first.

    A device is asked; one that is away is passed over, and where none answers, or software is asked for, no length is
    told: the provider's own table holds. A look alone: observers see what is done with it.

    Args:
        location: a KeyLocation, 0 where none is named: then the environment or the provider decides.
        provider: the provider's name, or "".
        provider_type: the type of provider where none is named.
        context: whose key it would be.

    Raises:
        KeyStoreError: E_INVALIDARG for a location other than 0 to 4, NTE_KEYSET_NOT_DEF or NTE_PROV_TYPE_NOT_DEF for an
            unknown provider.
    """
    stores = route(key_location(location) if location else None, location_from(os.environ), provider or None).stores
    for name in stores:
        lengths: tuple[int, ...] = ()
        if name != "software":
            try:
                lengths = _offered(open_workspace(context).key_stores.get(name))
            except KeyStoreError:
                continue
        return provider_of(name, provider, provider_type).name, lengths
    return provider_of(stores[0], provider, provider_type).name, ()


@observed
def write_key_file(key: IX509PrivateKey, file: str, key_spec: int) -> None:
    """Writes a private key to a new .pvk file without a password, which its owner alone can read: whole or not at all.

    Args:
        key: a key that is open and may be exported; it stays where it is.
        file: the file's name; its folder must exist.
        key_spec: an X509KeySpec, which the file says of its key.

    Raises:
        FileExistsError: (WIN32_FILE_EXISTS) there is such a file.
        ComError: NTE_BAD_KEY_STATE where the key may not be exported, CERTSRV_E_PROPERTY_EMPTY where no key is open.
        OSError: it cannot be written.
    """
    if os.path.lexists(file):
        raise FileExistsError(f"{file} is there already; a key is not written over it")
    blob = key.Export(_PVK_FORMS[bool(key.LegacyCsp)], _BINARY)
    write_atomically(Path(file), pvk.encode(decode_text(blob, _BINARY), key_spec))


def asked_bytes(given: str) -> bytes:
    """Bytes as their owner gives them to a program that asks for them. A look alone, so observers are told nothing.

    Args:
        given: the name of a file, of which a .pvk file stands for the key blob in it; or the bytes in base64.

    Raises:
        ComError: as pvk.decode for a .pvk file.
        BadText: (WIN32_INVALID_DATA) it is neither a file's name nor base64.
        OSError: the file cannot be read.
    """
    if len(given) > _LONGEST_NAME or not Path(given).is_file():
        return decode_text(given, EncodingType.XCN_CRYPT_STRING_BASE64)
    data = Path(given).read_bytes()
    return pvk.decode(data) if pvk.is_pvk(data) else data


@observed
def leave_key_in_file(enrollment: IX509Enrollment, file: str) -> None:
    """Takes the key of a request that was just made out of its key store, for it is in a file now.

    The certificate that stands for the request, and the one that is installed for it, then name the file
    (CERT_PVK_FILE_PROP_ID) in the place of a container.

    Args:
        enrollment: whose request it is.
        file: the file's name; a relative one is noted from the root.

    Raises:
        ComError: CERTSRV_E_PROPERTY_EMPTY where no request was made.
        KeyStoreError: the key cannot be deleted.
    """
    record = enrollment.request_record
    if record is None or record.certificate_sha1 is None:
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no request was made")
    workspace = open_workspace(enrollment.EnrollmentContext)
    store, sha1 = enrollment.install_options.request_store, record.certificate_sha1
    with workspace.profile.database.transaction():
        workspace.certificates.set_property(store, sha1, properties.PVK_FILE, properties.encode_text(os.path.abspath(file)))
        workspace.certificates.remove_property(store, sha1, properties.KEY_PROV_INFO)
    workspace.key_stores.delete(record.key.store, record.key.container)


def _offered(store: object) -> tuple[int, ...]:
    offers = store.supported() if isinstance(store, Prober) else ()
    return tuple(sorted(bits for algorithm, bits in offers if algorithm is KeyAlgorithm.RSA))


def _fits(key: KeyInfo, key_spec: int) -> bool:
    wanted = KeyUse.SIGN if key_spec == X509KeySpec.XCN_AT_SIGNATURE else KeyUse.SIGN | KeyUse.DECRYPT
    return key.algorithm is KeyAlgorithm.RSA and wanted in key.use
