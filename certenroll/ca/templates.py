"""Certificate templates: what a CA puts into a certificate and asks of a request, by the template's name.

A table and what reads it. Knows nothing of requests in their encoding. The names, uses and periods are those of the default
templates that AD CS installs (Microsoft's documentation of AD CS, "Default certificate templates").
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from certenroll.asn1 import extensions
from certenroll.ca.base import CAError
from certenroll.hresults import HRESULT

CLIENT_AUTH: Final = "1.3.6.1.5.5.7.3.2"
SERVER_AUTH: Final = "1.3.6.1.5.5.7.3.1"
CODE_SIGNING: Final = "1.3.6.1.5.5.7.3.3"
EMAIL_PROTECTION: Final = "1.3.6.1.5.5.7.3.4"
SMARTCARD_LOGON: Final = "1.3.6.1.4.1.311.20.2.2"
ENROLLMENT_AGENT: Final = "1.3.6.1.4.1.311.20.2.1"
ENCRYPTING_FILE_SYSTEM: Final = "1.3.6.1.4.1.311.10.3.4"
IPSEC_IKE_INTERMEDIATE: Final = "1.3.6.1.5.5.8.2.2"

# KeyUsage (RFC 5280 section 4.2.1.3): the names that policy.json uses, and the bits as Windows counts them.
KEY_USAGES: Final = {
    "digital_signature": 0x80,
    "content_commitment": 0x40,
    "key_encipherment": 0x20,
    "data_encipherment": 0x10,
    "key_agreement": 0x08,
    "key_cert_sign": 0x04,
    "crl_sign": 0x02,
    "encipher_only": 0x01,
    "decipher_only": 0x8000,
}


class Mode(enum.Enum):
    """What the CA does with a request that its rules allow."""

    ISSUE = "issue"
    HOLD = "hold"
    DENY = "deny"


class SubjectSource(enum.Enum):
    """Where the subject of a certificate comes from."""

    REQUEST = "request"  # the request's; an empty one needs a subject alternative name
    REQUESTER = "requester"  # CN = the account that submitted
    EITHER = "either"  # the request's, and the requester's where the request has none


@dataclass(frozen=True)
class Template:
    """One template.

    Attributes:
        name: its name, as CertificateTemplate and the template name extension give it.
        mode: what is done with a request for it; None for the policy's own mode.
        validity_days: how long a certificate is valid, at most to the end of the CA's own.
        ekus: enhanced key usages, in dots; empty for none.
        key_usage: names of KEY_USAGES.
        subject: where the subject comes from.
        minimum_rsa_bits: the smallest RSA modulus taken.
        minimum_ec_bits: the smallest elliptic curve taken.
        requested_extensions: extensions (in dots) that the request may choose; they stand in the template's place.
        oid: the template's object identifier; None where the CA gives it one of its own arc.
        version: (major, minor) where certificates carry the template extension, None where they carry the name.
        ca: whether certificates are for subordinate CAs.
        path_length: of a subordinate CA's certificate.
        signatures: how many signatures a request needs besides that of its own key.
        signature_ekus: application policies (in dots), all of which each of those signers must have.
        signature_policies: issuance policies (in dots), one of which each of them must have.
        archive_key: whether a request must bring its private key to be archived; else it must not.
    """

    name: str
    mode: Mode | None = None
    validity_days: int = 365
    ekus: tuple[str, ...] = ()
    key_usage: tuple[str, ...] = ("digital_signature", "key_encipherment")
    subject: SubjectSource = SubjectSource.REQUEST
    minimum_rsa_bits: int = 2048
    minimum_ec_bits: int = 256
    requested_extensions: tuple[str, ...] = (extensions.SUBJECT_ALTERNATIVE_NAME, extensions.SMIME_CAPABILITIES)
    oid: str | None = None
    version: tuple[int, int] | None = None
    ca: bool = False
    path_length: int | None = None
    signatures: int = 0
    signature_ekus: tuple[str, ...] = ()
    signature_policies: tuple[str, ...] = ()
    archive_key: bool = False

    @property
    def key(self) -> str:
        """The name as it is compared."""
        return template_key(self.name)

    def changed(self, values: Mapping[str, Any]) -> Template:
        """This template with the values that a policy file gives. Raises CAError (0x8007000D) where one is no such value."""
        return replace(self, **{name: _read_value(self.name, name, value) for name, value in values.items()})

    def values(self) -> dict[str, Any]:
        """The fields in the form of a policy file, without the name; ``changed`` reads them."""
        return {f.name: _write_value(getattr(self, f.name)) for f in fields(self) if f.name != "name"}


def template_key(name: str) -> str:
    """A template's or an attribute's name as Certificate Services compares them: no spaces, no hyphens, no case."""
    return name.replace(" ", "").replace("-", "").casefold()


_SIGN: Final = ("digital_signature",)
_EITHER: Final = SubjectSource.EITHER

# Of a request that names no template: as a stand-alone CA, everything that the request says.
NO_TEMPLATE: Final = Template(
    "",
    requested_extensions=(
        extensions.SUBJECT_ALTERNATIVE_NAME,
        extensions.KEY_USAGE,
        extensions.EXTENDED_KEY_USAGE,
        extensions.APPLICATION_POLICIES,
        extensions.CERTIFICATE_POLICIES,
        extensions.SMIME_CAPABILITIES,
    ),
)

# In the order of the identifiers that they get: the first is .1.1 of the CA's arc.
BUILT_IN: Final = (
    Template("User", ekus=(ENCRYPTING_FILE_SYSTEM, EMAIL_PROTECTION, CLIENT_AUTH), subject=_EITHER),
    Template("UserSignature", ekus=(EMAIL_PROTECTION, CLIENT_AUTH), key_usage=_SIGN, subject=_EITHER),
    Template("SmartcardUser", ekus=(EMAIL_PROTECTION, CLIENT_AUTH, SMARTCARD_LOGON), subject=_EITHER),
    Template("ClientAuth", ekus=(CLIENT_AUTH,), key_usage=_SIGN, subject=_EITHER),
    Template("SmartcardLogon", ekus=(CLIENT_AUTH, SMARTCARD_LOGON), subject=_EITHER),
    Template("EFS", ekus=(ENCRYPTING_FILE_SYSTEM,), key_usage=("key_encipherment",), subject=_EITHER),
    Template("CodeSigning", ekus=(CODE_SIGNING,), key_usage=_SIGN, subject=_EITHER),
    Template("EnrollmentAgent", ekus=(ENROLLMENT_AGENT,), key_usage=_SIGN, validity_days=730, subject=_EITHER),
    Template("MachineEnrollmentAgent", ekus=(ENROLLMENT_AGENT,), key_usage=_SIGN, validity_days=730, subject=_EITHER),
    Template("Machine", ekus=(CLIENT_AUTH, SERVER_AUTH), subject=_EITHER),
    Template("WebServer", ekus=(SERVER_AUTH,), validity_days=730),
    Template("IPSECIntermediateOffline", ekus=(IPSEC_IKE_INTERMEDIATE,), validity_days=730),
    Template("Workstation", ekus=(CLIENT_AUTH,), subject=_EITHER),
    # Whoever asks for a CA certificate waits for a decision, whatever the policy's own mode is.
    Template(
        "SubCA",
        mode=Mode.HOLD,
        key_usage=("digital_signature", "key_cert_sign", "crl_sign"),
        validity_days=1825,
        requested_extensions=(),
        ca=True,
    ),
)


def _days(value: Any) -> int:
    if type(value) is int and 0 < value <= 36_500:
        return value
    raise ValueError


def _bits(value: Any) -> int:
    if type(value) is int and 0 <= value <= 32_768:
        return value
    raise ValueError


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError


def _dotted(value: Any) -> str:
    if isinstance(value, str) and _DOTTED.fullmatch(value):
        return value
    raise ValueError


def _list_of(value: Any, read: Callable[[Any], Any]) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise ValueError
    return tuple(read(item) for item in value)


def _usage(value: Any) -> str:
    if value in KEY_USAGES:
        return str(value)
    raise ValueError


def _version(value: Any) -> tuple[int, int]:
    major, minor = _list_of(value, _bits)
    return major, minor


def _or_none(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


_DOTTED: Final = re.compile(r"[0-2](\.[0-9]{1,40}){1,60}")
_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "mode": _or_none(Mode),
    "validity_days": _days,
    "ekus": lambda value: _list_of(value, _dotted),
    "key_usage": lambda value: _list_of(value, _usage),
    "subject": SubjectSource,
    "minimum_rsa_bits": _bits,
    "minimum_ec_bits": _bits,
    "requested_extensions": lambda value: _list_of(value, _dotted),
    "oid": _or_none(_dotted),
    "version": _or_none(_version),
    "ca": _truth,
    "path_length": _or_none(_bits),
    "signatures": _bits,
    "signature_ekus": lambda value: _list_of(value, _dotted),
    "signature_policies": lambda value: _list_of(value, _dotted),
    "archive_key": _truth,
}


def _read_value(template: str, name: str, value: Any) -> Any:
    try:
        return _READERS[name](value)
    except (KeyError, ValueError):
        text = f"policy.json: template {template!r}: {name} cannot be {value!r}"
        raise CAError(HRESULT.WIN32_INVALID_DATA, text) from None


def _write_value(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value
