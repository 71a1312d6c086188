"""The nodes below SCEP/{id}/Install as what an enrollment needs: read once, when Exec is accepted, and frozen then.

Knows no server and no key store. Source: Microsoft's page "ClientCertificateInstall CSP", the SCEP nodes; what it leaves
open is in docs/analysis/scep-install.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, TypeVar

from certenroll.ca.base import CAError
from certenroll.ca.scep.transport import ScepServer
from certenroll.distinguished_names import IX500DistinguishedName
from certenroll.enums import X509KeyUsageFlags
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.mdm.model import Code, Refused
from certenroll.mdm.nodes import INSTALL, Location
from certenroll.mdm.scep_names import alternative_name, split_names
from certenroll.mdm.tree import View
from keystores.base import KeyLocation

T = TypeVar("T")

MOST_POLLS: Final = 30
SHORTEST_DELAY: Final = 1  # minutes
_USES: Final = X509KeyUsageFlags.XCN_CERT_DIGITAL_SIGNATURE_KEY_USAGE | X509KeyUsageFlags.XCN_CERT_KEY_ENCIPHERMENT_KEY_USAGE
_OID: Final = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,38})){1,40}")
_TEMPLATE_NAME: Final = re.compile(r"[^\W\d][\w .()-]{0,63}")
_HEX: Final = re.compile(r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}")
# The families of the node, and names that servers write instead, without hyphens -> the hash that signs. Of several the
# first of this table counts.
_HASHES: Final = {"SHA2": "sha256", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512", "SHA1": "sha1"}
_CONTAINER_BITS: Final = 2048
_CONTAINER_HASH: Final = "sha256"
_ATTESTED: Final = 2  # AttestPrivateKey: without evidence for its key a request is not to be made


@dataclass(frozen=True)
class ScepSettings:
    """One enrollment as it was ordered.

    Attributes:
        server_urls: where to ask, in turn.
        challenge: the challenge password; "" once it is not needed any more.
        ekus: enhanced key usages, in dots.
        key_usage: X509KeyUsageFlags.
        subject: the subject's name, as CertStrToName reads it; may be empty where there are alternative names.
        key_length: bits.
        hash_name: "sha1", "sha256", "sha384" or "sha512".
        ca_thumbprint: of the CA or of the root above it, in lower-case hexadecimal digits.
        key_location: a KeyLocation.
        retry_delay: minutes between two polls.
        retry_count: how many polls after the server said that it waits.
        template: a template's object identifier, or its name, or "".
        alternative_names: (AlternativeNameType, text) of each.
        valid_period, valid_units: how long the certificate is wished to be valid; 0 units for no wish.
        container: the key's container, or "".
        prompt: a text for whoever is asked for a PIN, or "".
        attest: 0 no attestation, 1 where it is possible.
    """

    server_urls: tuple[str, ...]
    challenge: str = field(repr=False)
    ekus: tuple[str, ...]
    key_usage: int
    subject: str
    key_length: int
    hash_name: str
    ca_thumbprint: str
    key_location: int = int(KeyLocation.SOFTWARE)
    retry_delay: int = 5
    retry_count: int = 3
    template: str = ""
    alternative_names: tuple[tuple[int, str], ...] = ()
    valid_period: str = "Days"
    valid_units: int = 0
    container: str = ""
    prompt: str = ""
    attest: int = 0

    def to_json(self) -> dict[str, Any]:
        """The fields in JSON's types; ``from_json`` reads them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ScepSettings:
        """The settings that ``to_json`` gave."""
        lists = {name: tuple(values[name]) for name in ("server_urls", "ekus")}
        names = tuple((int(kind), str(text)) for kind, text in values["alternative_names"])
        return cls(**{**values, **lists, "alternative_names": names})


def settings_of(view: View, location: Location) -> ScepSettings:
    """What the nodes of an instance order.

    Args:
        view: the tree.
        location: any node of the instance.

    Raises:
        Refused: 500 where a node that is required is missing, or its value cannot be used; the reason names the node.
    """
    read = _Reader(view, location)
    found = ScepSettings(
        server_urls=read("ServerURL", _urls),
        challenge=read("Challenge", str),
        ekus=read("EKUMapping", _ekus),
        key_usage=read("KeyUsage", _key_usage),
        subject=read("SubjectName", _subject),
        key_length=read("KeyLength", int),
        hash_name=read("HashAlgorithm", _hash_name),
        ca_thumbprint=read("CAThumbprint", _thumbprint),
        key_location=read("KeyProtection", int),
        retry_delay=max(SHORTEST_DELAY, read("RetryDelay", int)),
        retry_count=min(MOST_POLLS, read("RetryCount", int)),
        template=read("TemplateName", _template, ""),
        alternative_names=read("SubjectAlternativeNames", _alternative_names, ()),
        valid_period=read("ValidPeriod", str.strip, "Days"),
        valid_units=read("ValidPeriodUnits", int, 0),
        container=read("ContainerName", str.strip, ""),
        prompt=read("CustomTextToShowInPrompt", str, ""),
        attest=read("AttestPrivateKey", int, 0),
    )
    _check_together(found)
    if (view.value(location, f"{INSTALL}/AADKeyIdentifierList") or "").strip(" ;"):
        raise _refused("AADKeyIdentifierList", "no key of Azure Active Directory is on this device", HRESULT.NTE_NOT_FOUND)
    return found


def _check_together(found: ScepSettings) -> None:
    if found.key_location == KeyLocation.NAMED_CONTAINER:
        _check_named_container(found)
    if not found.subject.strip() and not found.alternative_names:
        raise _refused("SubjectName", "it is empty, and no alternative name is there in its place")
    if found.attest == _ATTESTED:
        text = "SCEP brings no certificate that evidence for a key could be encrypted for; 1 goes without"
        raise _refused("AttestPrivateKey", text, HRESULT.NTE_NOT_SUPPORTED)


def _check_named_container(found: ScepSettings) -> None:
    """What the page asks of a key of Windows Hello for Business holds for the card that stands for it here."""
    if not found.container:
        raise _refused("ContainerName", "KeyProtection 4 needs the container's name")
    if found.key_length != _CONTAINER_BITS:
        raise _refused("KeyLength", f"KeyProtection 4 takes {_CONTAINER_BITS} bits and no other length")
    if found.hash_name != _CONTAINER_HASH:
        raise _refused("HashAlgorithm", "KeyProtection 4 takes SHA-256 and no other hash", HRESULT.NTE_BAD_ALGID)


class _Reader:
    """Reads the nodes of one instance."""

    def __init__(self, view: View, location: Location) -> None:
        self._view = view
        self._location = location

    def __call__(self, name: str, read: Callable[[str], T], default: T | None = None) -> T:
        text = self._view.value(self._location, f"{INSTALL}/{name}")
        if text is None or (not text.strip() and default is not None):
            if default is None:
                raise _refused(name, "it is required")
            return default
        try:
            return read(text)
        except (ComError, CAError) as error:
            raise _refused(name, str(error), error.hresult) from None
        except ValueError as error:
            raise _refused(name, str(error)) from None


def _refused(name: str, why: str, hresult: int = HRESULT.E_INVALIDARG) -> Refused:
    return Refused(Code.COMMAND_FAILED, f"{INSTALL}/{name}: {why}", int(hresult) & 0xFFFFFFFF)


def _urls(text: str) -> tuple[str, ...]:
    found = tuple(one.strip() for one in text.split(";") if one.strip())
    if not found:
        raise ValueError("no server is named")
    for one in found:
        ScepServer(one)
    return found


def _oid(text: str) -> str:
    if not _OID.fullmatch(text.strip()):
        raise ValueError(f"{text.strip()[:80]!r} is no object identifier")
    return text.strip()


def _ekus(text: str) -> tuple[str, ...]:
    return tuple(_oid(one) for one in text.split("+"))


def _template(text: str) -> str:
    name = text.strip()
    if name[:1].isdigit():
        return _oid(name)
    if not _TEMPLATE_NAME.fullmatch(name):
        raise ValueError(f"{name[:80]!r} is neither an object identifier nor the name of a template")
    return name


def _key_usage(text: str) -> int:
    found = int(text)
    if not found & _USES:
        raise ValueError("it has neither digital signature (0x80) nor key encipherment (0x20)")
    if not 0 < found <= 0xFFFF:
        raise ValueError("it has at most 16 bits")
    return found


def _subject(text: str) -> str:
    IX500DistinguishedName().Encode(text)
    return text


def _hash_name(text: str) -> str:
    names = {one.strip().upper().replace("-", "") for one in text.split("+")}
    known = [name for name in _HASHES if name in names]
    if not known:
        raise ValueError("it names none of SHA-1 and SHA-2; no key here signs with SHA-3")
    return _HASHES[known[0]]


def _thumbprint(text: str) -> str:
    digits = "".join(text.split())
    if not _HEX.fullmatch(digits):
        raise ValueError("a thumbprint has 40 hexadecimal digits; 32 (MD5) and 64 (SHA-256) are taken too")
    return digits.lower()


def _alternative_names(text: str) -> tuple[tuple[int, str], ...]:
    found = split_names(text)
    for kind, name in found:
        alternative_name(kind, name)
    return found
