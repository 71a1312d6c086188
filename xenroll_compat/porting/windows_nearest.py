"""What the control does beside CertEnroll, done with what CertEnroll has: certificates without a request, and properties.

Model to model, for the ports for Windows. Knows no language. Source: IX509Enrollment::InstallResponse, ICertProperty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from certenroll.enums import CERTENROLL_PROPERTYID as ID
from certenroll.enums import EncodingType, InstallResponseRestrictionFlags, X509CertificateEnrollmentContext
from xenroll_compat.porting.model import (
    VALUE,
    Argument,
    Call,
    Comment,
    Facade,
    Listed,
    Literal,
    Name,
    New,
    Port,
    Step,
    names_used,
)

_ENROLLMENT: Final = "IX509Enrollment"
_MACHINE: Final = X509CertificateEnrollmentContext.ContextMachine
_BASE64: Final = EncodingType.XCN_CRYPT_STRING_BASE64
_BINARY: Final = EncodingType.XCN_CRYPT_STRING_BINARY
_BASE64_ANY: Final = EncodingType.XCN_CRYPT_STRING_BASE64_ANY
_ANY_ANSWER: Final = (
    InstallResponseRestrictionFlags.AllowNoOutstandingRequest | InstallResponseRestrictionFlags.AllowUntrustedRoot
)
_STORES: Final = {"my": "MY", "ca": "CA", "root": "ROOT"}
_NEAREST: Final = (
    "Nearest on Windows: an answer without a request. CertEnroll wants the key of its end-entity certificate, and asks "
    "its user about a root; the control took certificates of any kind"
)
_OTHER_STORES: Final = "Not on Windows: the stores that the script chose. CertEnroll installs into MY, CA and ROOT"
_LATER: Final = "Property {id} is put on the certificate with ICertProperty.SetValueOnCertificate, after InstallResponse"
_WHOSE: Final = "Not written: property {id}. Which request is answered here, the run does not tell"
# Properties with an interface of their own, which Microsoft's page of ICertProperty asks for -> ProgID and interface.
_PROPERTIES: Final = {
    ID.XCN_CERT_ARCHIVED_PROP_ID: "Archived",
    ID.XCN_CERT_ARCHIVED_KEY_HASH_PROP_ID: "ArchivedKeyHash",
    ID.XCN_CERT_AUTO_ENROLL_PROP_ID: "AutoEnroll",
    ID.XCN_CERT_BACKED_UP_PROP_ID: "BackedUp",
    ID.XCN_CERT_ENROLLMENT_PROP_ID: "Enrollment",
    ID.XCN_CERT_RENEWAL_PROP_ID: "Renewal",
    ID.XCN_CERT_REQUEST_ORIGINATOR_PROP_ID: "RequestOriginator",
}
_Pairs = tuple[tuple[Argument, Argument], ...]


def with_nearest(port: Port) -> tuple[Step, ...]:
    """The steps of a port, with the functions of ``certenroll.facade`` that CertEnroll has something near to."""
    return tuple(_Writer(port).steps())


class _Writer:
    """Writes the steps of one port anew."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._taken = {name for step in port.steps for name in (*names_used(step), getattr(step, "result", ""))}
        self._taken |= {one.name for one in port.constants} | {one.name for one in port.parameters}
        self._octets = {one.name for one in port.constants if isinstance(one.value, bytes)}
        self._octets |= {one.name for one in port.parameters if isinstance(one.example, bytes)}
        self._machine: set[str] = set()  # enrollments of the machine
        self._waiting: dict[str, _Pairs] = {}  # enrollment -> the properties of its certificate to come

    def steps(self) -> Iterator[Step]:
        """The steps."""
        for step in self._port.steps:
            if isinstance(step, Facade) and step.function == "install_certificates":
                yield from self._installed(step)
            elif isinstance(step, Facade) and step.function == "configure":
                yield from self._configured(step)
            else:
                yield step
                if isinstance(step, Call) and step.member == "StringToVariantByteArray":
                    self._octets.add(step.result)
                if isinstance(step, Call) and step.interface == _ENROLLMENT:
                    yield from self._after(step)

    def _installed(self, step: Facade) -> Iterator[Step]:
        """Certificates of a message that answers no request."""
        named = dict(step.named)
        context = named.get("context", Literal(X509CertificateEnrollmentContext.ContextUser))
        yield Comment(_NEAREST)
        if any(self._value(named.get(role, Literal(name))) != name for role, name in _STORES.items()):
            yield Comment(_OTHER_STORES)
        name = self._free("enrollment_of_certificates")
        data = step.arguments[0]
        encoding = _BINARY if self._is_octets(data) else _BASE64_ANY
        given = (Literal(_ANY_ANSWER), data, Literal(encoding), Literal(""))
        yield New(name, "X509Enrollment.CX509Enrollment")
        yield Call(name, _ENROLLMENT, "Initialize", "call", (context,))
        yield Call(name, _ENROLLMENT, "InstallResponse", "call", given, failure=step.failure)
        if step.result:
            yield replace(step, note="InstallResponse does not tell how many certificates were new")

    def _configured(self, step: Facade) -> Iterator[Step]:
        """What is set of an enrollment: properties come after the install, and the rest stays what it is."""
        named = dict(step.named)
        properties, enrollment = named.pop("properties", None), step.arguments[0]
        if named:
            yield replace(step, named=tuple(named.items()))
        if isinstance(properties, Listed) and isinstance(enrollment, Name):
            pairs: _Pairs = tuple((one.items[0], one.items[1]) for one in properties.items if isinstance(one, Listed))
            self._waiting[enrollment.name] = pairs
            for number, _ in pairs:
                yield Comment(_LATER.format(id=self._value(number)))

    def _after(self, step: Call) -> Iterator[Step]:
        """What follows a call of an enrollment: after an install, the properties of the certificate."""
        if step.member == "Initialize" and step.arguments and self._value(step.arguments[0]) == _MACHINE:
            self._machine.add(step.target)
        if step.member != "InstallResponse" or step.failure:
            return
        whose = step.target if step.target in self._waiting else ""
        found = [self._waiting.pop(whose)] if whose else list(self._waiting.values())
        if len(found) == 1 or (found and all(one == found[0] for one in found)):
            self._drop_first(whose)
            yield from self._set(step.target, found[0])
        else:
            yield from (Comment(_WHOSE.format(id=self._value(number))) for pairs in found for number, _ in pairs)

    def _drop_first(self, whose: str) -> None:
        """One request is answered: of several with the same properties, it is no matter which."""
        if not whose:
            del self._waiting[next(iter(self._waiting))]

    def _set(self, enrollment: str, pairs: _Pairs) -> Iterator[Step]:
        """Properties are put on the certificate that an enrollment installed."""
        certificate = self._free("certificate_of_properties")
        yield Call(enrollment, _ENROLLMENT, "Certificate", "call", (Literal(_BASE64),), certificate, gives=VALUE)
        place = (Literal(enrollment in self._machine), Literal(_BASE64), Name(certificate))
        for number, value in pairs:
            words = _PROPERTIES.get(self._value(number), "")  # type: ignore[call-overload]
            interface, name = f"ICertProperty{words}", self._free("cert_property")
            yield New(name, f"X509Enrollment.CCertProperty{words}")
            if not words:
                yield Call(name, interface, "PropertyId", "put", (number,))
            yield Call(name, interface, "InitializeDecode", "call", (Literal(_BINARY), value))
            yield Call(name, interface, "SetValueOnCertificate", "call", place)

    def _value(self, argument: Argument) -> object:
        """The value of a literal or a constant."""
        if isinstance(argument, Name):
            return next((one.value for one in self._port.constants if one.name == argument.name), None)
        return argument.value if isinstance(argument, Literal) else None

    def _is_octets(self, argument: Argument) -> bool:
        if isinstance(argument, Name):
            return argument.name in self._octets
        return isinstance(argument, Literal) and isinstance(argument.value, bytes)

    def _free(self, words: str) -> str:
        name, number = words, 1
        while name in self._taken:
            number += 1
            name = f"{words}_{number}"
        self._taken.add(name)
        return name
