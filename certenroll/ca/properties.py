"""The CR_PROP_* properties of a CA: their types and names, and what a CA says of itself under each.

A table, and the reading of one property. Binary values are DER here; how a script wants them written is not known. No COM.
Source: the page of ICertAdmin2::GetCAProperty (types and meanings); MS-WCCE section 3.2.1.4.3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from certenroll import enums
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.cms import encode_certificate_bag
from certenroll.ca.base import Archiver, CAError, CertificationAuthority, Describer, Description, Exchanger, Revoker
from certenroll.ca.names import sanitized, sanitized_short, split_config
from certenroll.enums import CERT_PROPERTY_TYPE
from certenroll.hresults import HRESULT

INDEXED_FLAG: Final = 0x10000  # PROPFLAGS_INDEXED
CURRENT: Final = 0xFFFFFFFF  # as an index: the newest

_CA_DISP_VALID: Final = 3
_CA_DISP_INVALID: Final = 4
_KRA_EXPIRED: Final = 0
_KRA_VALID: Final = 3
_CPF_BASE_COMPLETE: Final = 5
_STANDALONE_ROOT: Final = 3
_LOCALE: Final = "en-US"
_LARGEST: Final = enums.CR_PROP_PARTITIONED_DELTACRLPUBLISHSTATUS

Value = int | str | bytes


class Source:
    """What the properties of a CA are read from.

    Args:
        authority: the CA.
        moment: the time, for what depends on it.
    """

    def __init__(self, authority: CertificationAuthority, moment: datetime) -> None:
        self._authority = authority
        self._moment = moment

    @cached_property
    def description(self) -> Description:
        """What the CA says of itself, or what follows from its configuration string."""
        if isinstance(self._authority, Describer):
            return self._authority.describe()
        host, name = split_config(self._authority.config)
        return Description(name, host)

    @cached_property
    def certificates(self) -> Sequence[bytes]:
        """The CA's certificate and those above it."""
        return self._authority.certificates()

    @cached_property
    def crls(self) -> Sequence[bytes]:
        """The CRLs of the CA and of those above it; empty where it has none to give."""
        return self._authority.crls() if isinstance(self._authority, Revoker) else ()

    @cached_property
    def exchange(self) -> Sequence[bytes]:
        """The exchange certificate and those above it; empty where it has none to give."""
        if not isinstance(self._authority, Exchanger):
            return ()
        return (self._authority.exchange_certificate(), *self.certificates)

    @cached_property
    def agents(self) -> Sequence[bytes]:
        """The certificates of the key recovery agents."""
        return self._authority.recovery_agents() if isinstance(self._authority, Archiver) else ()

    @property
    def agent_states(self) -> Sequence[int]:
        """KRA_DISP_* of each: 3 valid, 0 expired."""
        read = [read_certificate(one) for one in self.agents]
        return [_KRA_VALID if one.not_before <= self._moment <= one.not_after else _KRA_EXPIRED for one in read]

    @property
    def is_valid(self) -> bool:
        """Whether the CA's certificate is valid now."""
        own = read_certificate(self.certificates[0])
        return own.not_before <= self._moment <= own.not_after

    @property
    def kind(self) -> int:
        """ENUM_CATYPES: 0 and 1 enterprise root and subordinate, 3 and 4 stand-alone root and subordinate."""
        own = read_certificate(self.certificates[0])
        return (0 if self.description.enterprise else _STANDALONE_ROOT) + (own.subject != own.issuer)


@dataclass(frozen=True)
class Property:
    """One property.

    Attributes:
        kind: its type.
        title: its display name.
        indexed: whether PropIndex counts.
        read: its values, one for a property that is not indexed; None where a CA of this product has none.
    """

    kind: CERT_PROPERTY_TYPE
    title: str
    indexed: bool = False
    read: Callable[[Source], Sequence[Value]] | None = None

    @property
    def flags(self) -> int:
        """The type, and 0x10000 where it is indexed."""
        return self.kind | (INDEXED_FLAG if self.indexed else 0)


def _long(title: str, read: Callable[[Source], int] | None, *, indexed: bool = False) -> Property:
    return Property(CERT_PROPERTY_TYPE.PROPTYPE_LONG, title, indexed, (lambda source: [read(source)]) if read else None)


def _string(title: str, read: Callable[[Source], str] | None) -> Property:
    return Property(CERT_PROPERTY_TYPE.PROPTYPE_STRING, title, read=(lambda source: [read(source)]) if read else None)


def _strings(title: str, read: Callable[[Source], Sequence[str]] | None) -> Property:
    return Property(CERT_PROPERTY_TYPE.PROPTYPE_STRING, title, indexed=True, read=read)


def _binary(title: str, read: Callable[[Source], Sequence[bytes]] | None = None, *, indexed: bool = True) -> Property:
    return Property(CERT_PROPERTY_TYPE.PROPTYPE_BINARY, title, indexed, read)


def _templates(source: Source) -> str:
    return "".join(f"{name}\n{oid}\n" for name, oid in source.description.templates)


def _state(source: Source) -> int:
    return _CA_DISP_VALID if source.is_valid else _CA_DISP_INVALID


def _crl_state(source: Source) -> int:
    return _CA_DISP_VALID if source.crls else _CA_DISP_INVALID


def _exchange_bag(source: Source) -> Sequence[bytes]:
    return [encode_certificate_bag(source.exchange, source.crls)] if source.exchange else []


def _agents_in_use(source: Source) -> int:
    return sum(state == _KRA_VALID for state in source.agent_states)


PROPERTIES: Final[dict[int, Property]] = {
    enums.CR_PROP_FILEVERSION: _string("File version", lambda source: source.description.version),
    enums.CR_PROP_PRODUCTVERSION: _string("Product version", lambda source: source.description.version),
    enums.CR_PROP_EXITCOUNT: _long("Exit module count", lambda _: 0),
    enums.CR_PROP_EXITDESCRIPTION: _strings("Exit module description", None),
    enums.CR_PROP_POLICYDESCRIPTION: _string("Policy module description", lambda source: source.description.policy),
    enums.CR_PROP_CANAME: _string("CA name", lambda source: source.description.name),
    enums.CR_PROP_SANITIZEDCANAME: _string("Sanitized CA name", lambda source: sanitized(source.description.name)),
    enums.CR_PROP_SHAREDFOLDER: _string("Shared folder", None),
    enums.CR_PROP_PARENTCA: _string("Parent CA", lambda source: source.description.parent),
    enums.CR_PROP_CATYPE: _long("CA type", lambda source: source.kind),
    enums.CR_PROP_CASIGCERTCOUNT: _long("CA certificate count", lambda _: 1),
    enums.CR_PROP_CASIGCERT: _binary("CA certificate", lambda source: source.certificates[:1]),
    enums.CR_PROP_CASIGCERTCHAIN: _binary(
        "CA certificate chain", lambda source: [encode_certificate_bag(source.certificates)]
    ),
    enums.CR_PROP_CAXCHGCERTCOUNT: _long("CA exchange certificate count", lambda source: len(source.exchange[:1])),
    enums.CR_PROP_CAXCHGCERT: _binary("CA exchange certificate", lambda source: source.exchange[:1]),
    enums.CR_PROP_CAXCHGCERTCHAIN: _binary(
        "CA exchange certificate chain", lambda source: [encode_certificate_bag(source.exchange)] if source.exchange else []
    ),
    enums.CR_PROP_BASECRL: _binary("Base CRL", lambda source: source.crls[:1]),
    enums.CR_PROP_DELTACRL: _binary("Delta CRL"),
    enums.CR_PROP_CACERTSTATE: _long("CA certificate state", _state, indexed=True),
    enums.CR_PROP_CRLSTATE: _long("CRL state", _crl_state, indexed=True),
    enums.CR_PROP_CAPROPIDMAX: _long("Largest property identifier", lambda _: _LARGEST),
    enums.CR_PROP_DNSNAME: _string("DNS name", lambda source: source.description.host),
    enums.CR_PROP_ROLESEPARATIONENABLED: _long("Role separation enabled", lambda _: 0),
    enums.CR_PROP_KRACERTUSEDCOUNT: _long("Count of recovery agents in use", _agents_in_use),
    enums.CR_PROP_KRACERTCOUNT: _long("Count of recovery agents", lambda source: len(source.agents)),
    enums.CR_PROP_KRACERT: _binary("Recovery agent certificate", lambda source: source.agents),
    enums.CR_PROP_KRACERTSTATE: Property(
        CERT_PROPERTY_TYPE.PROPTYPE_LONG, "Recovery agent certificate state", True, lambda source: source.agent_states
    ),
    enums.CR_PROP_ADVANCEDSERVER: _long("Advanced server", lambda _: 0),
    enums.CR_PROP_TEMPLATES: _string("Templates", _templates),
    enums.CR_PROP_BASECRLPUBLISHSTATUS: _long("Base CRL publish status", lambda _: _CPF_BASE_COMPLETE, indexed=True),
    enums.CR_PROP_DELTACRLPUBLISHSTATUS: _long("Delta CRL publish status", None, indexed=True),
    enums.CR_PROP_CASIGCERTCRLCHAIN: _binary(
        "CA certificate chain and CRLs", lambda source: [encode_certificate_bag(source.certificates, source.crls)]
    ),
    enums.CR_PROP_CAXCHGCERTCRLCHAIN: _binary("CA exchange certificate chain and CRLs", _exchange_bag),
    enums.CR_PROP_CACERTSTATUSCODE: _long(
        "CA certificate status", lambda source: 0 if source.is_valid else HRESULT.CERT_E_EXPIRED.signed, indexed=True
    ),
    enums.CR_PROP_CAFORWARDCROSSCERT: _binary("CA forward cross certificate"),
    enums.CR_PROP_CABACKWARDCROSSCERT: _binary("CA backward cross certificate"),
    enums.CR_PROP_CAFORWARDCROSSCERTSTATE: _long("CA forward cross certificate state", None, indexed=True),
    enums.CR_PROP_CABACKWARDCROSSCERTSTATE: _long("CA backward cross certificate state", None, indexed=True),
    enums.CR_PROP_CACERTVERSION: _long("CA certificate version", lambda _: 0, indexed=True),
    enums.CR_PROP_SANITIZEDCASHORTNAME: _string(
        "Sanitized CA short name", lambda source: sanitized_short(source.description.name)
    ),
    enums.CR_PROP_CERTCDPURLS: _strings("CRL distribution point URLs", lambda source: source.description.crl_urls),
    enums.CR_PROP_CERTAIAURLS: _strings("CA certificate URLs", lambda source: source.description.certificate_urls),
    enums.CR_PROP_CERTAIAOCSPURLS: _strings("OCSP URLs", None),
    enums.CR_PROP_LOCALENAME: _string("CA locale name", lambda _: _LOCALE),
    enums.CR_PROP_SUBJECTTEMPLATE_OIDS: _string("Subject template identifiers", None),
    enums.CR_PROP_CRLPARTITIONCOUNT: _long("CRL partition count", lambda _: 0),
    enums.CR_PROP_PARTITIONED_BASECRL: _binary("Partitioned base CRL"),
    enums.CR_PROP_PARTITIONED_DELTACRL: _binary("Partitioned delta CRL"),
    enums.CR_PROP_PARTITIONED_BASECRLPUBLISHSTATUS: _long("Partitioned base CRL publish status", None, indexed=True),
    enums.CR_PROP_PARTITIONED_DELTACRLPUBLISHSTATUS: _long("Partitioned delta CRL publish status", None, indexed=True),
    enums.CR_PROP_SCEPSERVERCERTS: _binary("SCEP server certificates", indexed=False),
    enums.CR_PROP_SCEPSERVERCAPABILITIES: _string("SCEP server capabilities", None),
    enums.CR_PROP_SCEPSERVERCERTSCHAIN: _binary("SCEP server certificate chain", indexed=False),
}


def find_property(number: int) -> Property:
    """The property of that identifier. Raises CAError (E_INVALIDARG) where there is none."""
    found = PROPERTIES.get(number)
    if found is None:
        raise CAError(HRESULT.E_INVALIDARG, f"{number} identifies no property of a CA")
    return found


def read_property(source: Source, number: int, index: int, kind: int) -> Value:
    """The value of a property.

    Args:
        source: the CA.
        number: CR_PROP_*.
        index: from 0, or 0xFFFFFFFF for the newest; not regarded where the property is not indexed.
        kind: the type that the caller expects.

    Raises:
        CAError: E_INVALIDARG where there is no such property, it is of another type, or has no such index;
            CERTSRV_E_PROPERTY_EMPTY where this CA has no value for it.
    """
    found = find_property(number)
    if kind != found.kind:
        raise CAError(HRESULT.E_INVALIDARG, f"{found.title} is of type {found.kind.name}, not {kind}")
    values = found.read(source) if found.read is not None else ()
    if not values or values[0] == "":
        raise CAError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, f"this CA has no {found.title}")
    position = index & 0xFFFFFFFF if found.indexed else 0
    position = 0 if position == CURRENT else position
    if position >= len(values):
        raise CAError(HRESULT.E_INVALIDARG, f"{found.title} has {len(values)} values, and none of index {position}")
    return values[position]
