"""The key stores' settings: what the environment says, else the profile, else the machine's own. Knows no COM."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from certenroll.stores.profile import Profile
from keystores.access import MODULE_VARIABLE, TCTI_VARIABLE, TOKEN_VARIABLE, KeyStoreSettings
from keystores.pins import FilePin


def key_store_settings(profile: Profile, environ: Mapping[str, str] = os.environ) -> KeyStoreSettings:
    """The settings of the key stores of ``profile``; a variable of the environment goes before profile.toml."""
    passphrase_file = profile.key_passphrase_file
    passphrase = FilePin(passphrase_file) if passphrase_file is not None else None
    settings = KeyStoreSettings.from_environment(profile.directory, profile.scope, environ, passphrase=passphrase)
    said = profile.settings
    return replace(
        settings,
        tcti=environ.get(TCTI_VARIABLE) or said.tpm_tcti or settings.tcti,
        pkcs11_module=environ.get(MODULE_VARIABLE) or said.pkcs11_module or settings.pkcs11_module,
        token=environ.get(TOKEN_VARIABLE) or _uri(said.pkcs11_token) or settings.token,
    )


def _uri(token: str) -> str:
    """A token's label as a PKCS#11 URI; a URI stays as it is."""
    return token if not token or token.startswith("pkcs11:") else f"pkcs11:token={quote(token)}"
