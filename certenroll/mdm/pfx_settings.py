"""What the nodes of a PFXCertInstall instance say together: their values as one frozen object, or the node that is at fault.

Knows the nodes and what may stand together in them; opens neither the password nor the PFX. Source: Microsoft's pages
"ClientCertificateInstall CSP" and "ClientCertificateInstall DDF file"; docs/analysis/pfx-install.md.
"""

from __future__ import annotations

import base64
import binascii
import enum
from dataclasses import dataclass, field
from typing import Final, NoReturn

from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.der import DecodeError
from certenroll.asn1.pfx import WrongPassword
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.mdm.model import Code, Refused
from certenroll.mdm.nodes import Location, sibling
from certenroll.mdm.tree import View
from certenroll.stores.errors import StoreError
from keystores.base import KeyLocation
from keystores.errors import BadKeyData, KeyExists, KeyStoreError

BLOB: Final = "PFXCertBlob"
_LOCATION: Final = "KeyLocation"
_CONTAINER: Final = "ContainerName"
_PASSWORD: Final = "PFXCertPassword"  # noqa: S105  the name of a node
_ENCRYPTION: Final = "PFXCertPasswordEncryptionType"
_ENCRYPTION_STORE: Final = "PFXCertPasswordEncryptionStore"
_EXPORTABLE: Final = "PFXKeyExportable"
_TRUE: Final = ("true", "1")

Failure = DecodeError | BadSignature | UnsupportedAlgorithm | WrongPassword | KeyStoreError | StoreError | ComError
FAILURES: Final = (DecodeError, BadSignature, UnsupportedAlgorithm, WrongPassword, KeyStoreError, StoreError, ComError)

# Which node an error is about; the first that fits.
_AT_FAULT: Final[tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...]] = (
    (WrongPassword, _PASSWORD),
    (KeyExists, _CONTAINER),
    (BadKeyData, BLOB),
    (KeyStoreError, _LOCATION),
    (StoreError, ""),
    (FAILURES, BLOB),
)


class PasswordEncryption(enum.IntEnum):
    """The values of PFXCertPasswordEncryptionType."""

    NONE = 0  # the password stands in the clear
    MDM_CERTIFICATE = 1  # encrypted for the certificate by which the server knows the device
    CUSTOM_CERTIFICATE = 2  # encrypted for a certificate of the store that PFXCertPasswordEncryptionStore names


@dataclass(frozen=True)
class PfxSettings:
    """How a PFX is to be installed.

    Attributes:
        blob: the PFX.
        location: where its keys go.
        container: the container's name; "" but for KeyLocation 4.
        password: as the node holds it, or None where there is none.
        encryption: what the password's node holds.
        encryption_store: the store with the certificate that opens it; "" but for a custom one.
        exportable: whether the keys may leave their store again.
    """

    blob: bytes = field(repr=False)
    location: KeyLocation
    container: str = ""
    password: str | None = field(default=None, repr=False)
    encryption: PasswordEncryption = PasswordEncryption.NONE
    encryption_store: str = ""
    exportable: bool = False


def read_settings(view: View, location: Location) -> PfxSettings:
    """The settings of an instance, as its nodes are at the end of a unit.

    Args:
        view: the tree.
        location: any node of the instance.

    Returns:
        the settings. PFXKeyExportable's default of true counts for software keys only, for no other may be exportable.

    Raises:
        Refused: 400 for a blob that is no base64; 500 for a node that is missing, or does not fit another. The reason begins
            with the node's name and shows no value of a password's node.
    """
    key_location = _key_location(view, location)
    encryption = PasswordEncryption(int(view.value(location, _ENCRYPTION) or 0))
    return PfxSettings(
        blob=_blob(view, location),
        location=key_location,
        container=_container(view, location, key_location),
        password=view.value(location, _PASSWORD) or None,
        encryption=encryption,
        encryption_store=_encryption_store(view, location, encryption),
        exportable=_exportable(view, location, key_location),
    )


def refusal(node: str, error: Failure) -> Refused:
    """The refusal that an error of a layer below comes to: the install failed (500), with that error's code.

    Args:
        node: the name of the node at fault, or "" where the whole install is.
        error: the error.
    """
    text = error.detail if isinstance(error, ComError) and error.detail else str(error)
    return Refused(Code.COMMAND_FAILED, f"{node}: {text}" if node else text, error.hresult & 0xFFFFFFFF)


def refused_install(error: Failure) -> Refused:
    """The refusal of an install that read its nodes and then failed: the reason begins with the node at fault.

    Args:
        error: of the PFX, of its password, or of the key store that KeyLocation names. The profile's own stores are no node.
    """
    if isinstance(error, DecodeError):
        return Refused(Code.COMMAND_FAILED, f"{BLOB}: it cannot be read as a PFX: {error}", error.hresult & 0xFFFFFFFF)
    return refusal(next(node for kinds, node in _AT_FAULT if isinstance(error, kinds)), error)


def _blob(view: View, location: Location) -> bytes:
    text = "".join((view.value(location, BLOB) or "").split())
    try:
        blob = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(Code.BAD_REQUEST, f"{BLOB}: its value is no base64", HRESULT.WIN32_INVALID_DATA) from None
    if not blob:
        raise Refused(Code.BAD_REQUEST, f"{BLOB}: it is empty; give the PFX in base64", HRESULT.WIN32_INVALID_DATA)
    return blob


def _key_location(view: View, location: Location) -> KeyLocation:
    text = view.value(location, _LOCATION)
    if text is None:
        _fail(f"{_LOCATION}: it has to be set before the PFX is added, or in one Atomic with it")
    return KeyLocation(int(text))


def _container(view: View, location: Location, key_location: KeyLocation) -> str:
    if key_location is not KeyLocation.NAMED_CONTAINER:
        return ""
    name = view.value(location, _CONTAINER)
    if not name:
        _fail(f"{_CONTAINER}: {_LOCATION} 4 needs the name of a container", HRESULT.NTE_BAD_KEYSET_PARAM)
    return name


def _encryption_store(view: View, location: Location, encryption: PasswordEncryption) -> str:
    if encryption is not PasswordEncryption.CUSTOM_CERTIFICATE:
        return ""  # what the node says has no meaning then
    name = (view.value(location, _ENCRYPTION_STORE) or "").strip()
    if not name:
        _fail(f"{_ENCRYPTION_STORE}: {_ENCRYPTION} 2 needs the name of the store whose certificate opens the password")
    return name


def _exportable(view: View, location: Location, key_location: KeyLocation) -> bool:
    node = sibling(location, _EXPORTABLE)
    found = view.record(node)
    text = found.data if found is not None else node.node.default
    wanted = (text or "").strip().lower() in _TRUE
    if key_location is KeyLocation.SOFTWARE:
        return wanted
    if wanted and found is not None:
        _fail(f"{_EXPORTABLE}: true goes with {_LOCATION} 3 only, not with {key_location.value}", HRESULT.NTE_NOT_SUPPORTED)
    return False


def _fail(reason: str, hresult: int = HRESULT.E_INVALIDARG) -> NoReturn:
    raise Refused(Code.COMMAND_FAILED, reason, int(hresult))
