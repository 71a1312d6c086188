"""IX509Enrollment::CreatePFX: an installed certificate with its key as PKCS#12. Knows no objects of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.pfx import write_pfx
from certenroll.enums import PFXExportOptions
from certenroll.errors import ComError
from certenroll.hresults import HRESULT

if TYPE_CHECKING:
    from certenroll.engine.installation import Installation
    from certenroll.engine.workspace import Workspace
    from keystores.base import Secret


def export_pfx(
    workspace: Workspace, installation: Installation, password: str, options: int, friendly_name: str, pin: Secret | None
) -> bytes:
    """The PFX of an installed certificate.

    Args:
        workspace: the stores.
        installation: what was installed.
        password: encrypts it.
        options: PFXExportOptions.
        friendly_name: the name that it carries.
        pin: the key's PIN, or None for the profile's.

    Raises:
        ComError: CERTSRV_E_PROPERTY_EMPTY where there is no certificate with a key, WIN32_FILE_NOT_FOUND where the
            chain is asked for and is not here.
        KeyStoreError: the key may not be exported (NTE_BAD_KEY_STATE).
    """
    if installation.certificate is None or installation.key is None:
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no certificate with a key is installed")
    chain = _chain(installation, options)
    key = workspace.key_stores.export(installation.key.store, installation.key.container, pin=pin)
    return write_pfx(key, installation.certificate, chain, password, friendly_name)


def _chain(installation: Installation, options: int) -> tuple[bytes, ...]:
    if options == PFXExportOptions.PFXExportEEOnly:
        return ()
    above = installation.chain[1:]
    if not above and not read_certificate(installation.chain[0]).is_self_issued:
        raise ComError(HRESULT.WIN32_FILE_NOT_FOUND, "the certificate's chain is not in the stores")
    if options == PFXExportOptions.PFXExportChainNoRoot:
        return tuple(der for der in above if not read_certificate(der).is_self_issued)
    return above
