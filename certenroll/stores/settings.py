"""What profile.toml says. One table of its keys and their types; a key that is not in it is an error, with its name.

    legacy_hashes = false
    default_ca = 'ca.example.com\\Issuing CA'

    [cas.'ca.example.com\\Issuing CA']
    transport = "scep"
    url = "http://ca.example.com/scep"

    [keys]
    passphrase_file = "passphrase"

    [tpm]
    tcti = "device:/dev/tpmrm0"

    [pkcs11]
    module = "/usr/lib/softhsm/libsofthsm2.so"
    token = "xenroll"

Knows no transport: what it does not know itself of a CA it hands on. No secret stands here: a passphrase has a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from certenroll.stores.errors import ProfileError, os_code

Scalar = str | int | bool


@dataclass(frozen=True)
class CASettings:
    """How one CA is reached.

    Attributes:
        config: its configuration string, ``host\\name``.
        transport: which of the transports, by name.
        url, path: where it is, or "".
        options: what else its table says; the transport judges it.
    """

    config: str
    transport: str
    url: str = ""
    path: str = ""
    options: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """The settings of a profile.

    Attributes:
        legacy_hashes: whether a hash name of SHA-1 or MD5 is signed with, and not only accepted.
        default_ca: the configuration string of the CA for whoever names none, or None for the local CA.
        cas: the CAs by configuration string.
        tpm_tcti: the TCTI string of the TPM, or "" for the system's own.
        pkcs11_module: path of the card's PKCS#11 library, or "".
        pkcs11_token: label of the token, or "" for the only one.
        key_passphrase_file: the file that holds the passphrase of software keys, or "" for none.
    """

    legacy_hashes: bool = False
    default_ca: str | None = None
    cas: Mapping[str, CASettings] = field(default_factory=dict)
    tpm_tcti: str = ""
    pkcs11_module: str = ""
    pkcs11_token: str = ""
    key_passphrase_file: str = ""


# The dotted key -> (the attribute of Settings, its type).
_KEYS: Final[dict[str, tuple[str, type]]] = {
    "legacy_hashes": ("legacy_hashes", bool),
    "default_ca": ("default_ca", str),
    "keys.passphrase_file": ("key_passphrase_file", str),
    "tpm.tcti": ("tpm_tcti", str),
    "pkcs11.module": ("pkcs11_module", str),
    "pkcs11.token": ("pkcs11_token", str),
}
_TABLES: Final = frozenset(key.split(".")[0] for key in _KEYS if "." in key)
_KINDS: Final = {bool: "true or false", str: "a string", dict: "a table"}


def read_settings(path: Path) -> Settings:
    """Reads a profile.toml; a file that is not there sets nothing.

    Args:
        path: the file.

    Raises:
        ProfileError: WIN32_INVALID_DATA with the line where it is no TOML, and with the key where that is unknown or has
            the wrong type; E_ACCESSDENIED where the file may not be read.
    """
    import tomllib

    try:
        text = path.read_bytes().decode("utf-8")
        return parse_settings(tomllib.loads(text))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror}", hresult=os_code(error)) from error
    except ProfileError as error:
        raise ProfileError(f"{path}: {error}", key=error.key) from None
    except ValueError as error:  # tomllib's own error, which tells line and column, and bytes that are no UTF-8
        raise ProfileError(f"{path}: {error}") from None


def parse_settings(tables: Mapping[str, Any]) -> Settings:
    """The settings that a parsed TOML document makes. Raises ProfileError with the key at fault."""
    values: dict[str, Any] = {}
    for name, value in tables.items():
        if name == "cas":
            cas = _typed(name, value, dict).items()
            values["cas"] = MappingProxyType({config: _ca(config, facts) for config, facts in cas})
        elif name in _TABLES:
            for inner, each in _typed(name, value, dict).items():
                values |= _setting(f"{name}.{inner}", each)
        else:
            values |= _setting(name, value)
    return Settings(**values)


def _setting(key: str, value: Any) -> dict[str, Any]:
    if key not in _KEYS:
        raise ProfileError(f"the key {key} is unknown; known are cas, {', '.join(_KEYS)}", key=key)
    attribute, kind = _KEYS[key]
    return {attribute: _typed(key, value, kind)}


def _typed(key: str, value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ProfileError(f"{key} must be {_KINDS[kind]}", key=key)
    return value


def _ca(config: str, facts: Any) -> CASettings:
    key = f"cas.'{config}'"
    _typed(key, facts, dict)
    known = {name: _typed(f"{key}.{name}", facts[name], str) for name in _CA_TEXTS if name in facts}
    options = {name: value for name, value in facts.items() if name not in _CA_TEXTS}
    if not known.get("transport"):
        raise ProfileError(f"{key}.transport is missing or empty", key=f"{key}.transport")
    for name, value in options.items():
        if not isinstance(value, (str, int, bool)):
            raise ProfileError(f"{key}.{name} must be a string, a whole number, true or false", key=f"{key}.{name}")
    return CASettings(config, options=MappingProxyType(options), **known)


_CA_TEXTS: Final = ("transport", "url", "path")
