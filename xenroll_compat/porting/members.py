"""What a port has to know of single members: the types of their arguments, secrets, answers, effects, objects' ProgIDs.

Tables, and look-ups by annotation. Knows no script and no language.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Hashable
from dataclasses import dataclass
from enum import IntFlag
from functools import lru_cache
from typing import Any, Final, cast

from certenroll import facade, registry
from certenroll.com import ComObject

KEY_LOCATION: Final = "KeyLocation"  # of IX509PrivateKey here, and not Microsoft's

# (interface, member) -> the position of the text that a CA answers with.
ANSWERS: Final[dict[tuple[str, str], int]] = {
    ("IX509Enrollment", "InstallResponse"): 1,
    ("IX509Enrollment", "InstallResponse2"): 1,
    ("IX509SCEPEnrollment", "ProcessResponseMessage"): 0,
    ("IX509SCEPEnrollment", "ProcessResponseMessage2"): 1,
    ("ICertificateAttestationChallenge", "Initialize"): 1,
    ("", "install_certificates"): 0,
    ("", "read_answer"): 0,
}

# Members that change nothing: where nobody reads what they give, they are left out, unless the script itself called them.
READERS: Final = frozenset({
    "ItemByIndex", "ItemByName", "ItemByType", "ItemByObjectId", "ItemByOid", "ItemByOperations", "IndexByObjectId",
    "GetCspStatusFromProviderName", "GetCspStatusesFromOperations", "GetDefaultCsp", "GetCspAlgorithms",
    "GetAlgorithmOid", "GetHashAlgorithms", "GetEncryptionCspAlgorithms", "RawData", "RawDataToBeSigned", "Certificate",
    "Response", "EncodedName", "Verify", "CheckPublicKeySignature", "GetEncodedKey", "EncodedKey", "EncodedParameters",
    "RawValue", "Thumbprint", "Property", "GetConfig", "GetField", "GetRequestIdString", "StringToString",
})

# Members that have an effect outside the object; what leads to them is what a port consists of.
EFFECTS: Final = frozenset({
    "CreateRequest", "Enroll", "InstallResponse", "InstallResponse2", "Create", "Import", "Delete", "Encode", "Submit",
    "RetrievePending", "GetIssuedCertificate", "SetValueOnCertificate", "RemoveFromCertificate", "CreatePFX",
    "CreateRequestMessage", "CreateRetrievePendingMessage", "CreateRetrieveCertificateMessage", "ProcessResponseMessage",
    "ProcessResponseMessage2", "AddPolicyServer", "AddEnrollmentServer", "ResetForEncode", "Commit", "Export",
})

# Interfaces on which "Encode" makes an object of a text and no request.
QUIET_ENCODERS: Final = frozenset({"IX500DistinguishedName"})

# Functions of the facade that change nothing.
FACADE_READERS: Final = frozenset({
    "check_ca", "installation_of", "read_answer", "encode_name_value_pair", "key_store_names", "request_thumbprint",
    "key_of_request", "pending_requests", "find_pending", "request_bytes", "store_names", "certificates",
    "find_certificate", "chain_of", "key_reports", "containers", "export_pfx", "read_attributes", "reusable_container",
    "store_provider", "checked_certificate",
})

# Function of the facade -> why Windows has none like it.
FACADE_NOTES: Final[dict[str, str]] = {
    "configure": "CertEnroll installs into MY, CA and ROOT, offers a card its certificate, and clears REQUEST",
    "choose_stores": "CertEnroll takes no store from a caller",
    "choose_ca": "CertEnroll finds the CA by the template, or by CAConfigString of the enrollment's policy",
    "set_pending_info": "CertEnroll tells nothing of outstanding requests",
    "remove_pending": "CertEnroll tells nothing of outstanding requests",
    "retrieve_pending": "ICertRequest.RetrievePending and IX509Enrollment.InstallResponse do it",
    "install_certificates": "IX509Enrollment.InstallResponse with AllowNoOutstandingRequest (1) is the nearest",
    "sign_attributes": "which attributes of a PKCS #7 request are signed is CertEnroll's choice",
    "write_key_file": "CertEnroll writes no .pvk file; IX509PrivateKey.Export gives the key that would be in it",
    "leave_key_in_file": "CertEnroll writes no .pvk file",
}

# (interface, member) whose result is a request's number -> the member that gives its text, and how it is called.
RUN_NUMBERS: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("ICertRequest", "GetRequestId"): ("GetRequestIdString", "call"),
    ("IX509Enrollment", "RequestId"): ("RequestIdString", "get"),
}

# (interface, member) -> the position of a request's number, which belongs to the run; "" for the facade.
REQUEST_NUMBERS: Final[dict[tuple[str, str], int]] = {
    ("ICertRequest", "RetrievePending"): 0,
    ("ICertRequest", "GetIssuedCertificate"): 1,
    ("ICertRequest", "GetIssuedCertificate2"): 1,
    ("ICertPropertyEnrollment", "Initialize"): 0,
    ("", "set_pending_info"): 1,
    ("", "retrieve_pending"): 0,
    ("", "find_pending"): 0,
}

# Properties without parameters whose texts belong to the run; others say what the script, or Windows, says in every run.
RUN_PROPERTIES: Final = frozenset({"TransactionId", "UniqueContainerName", "RequestIdString"})

# Functions of the facade -> the position of a file's name.
FILES: Final[dict[str, int]] = {"write_key_file": 1, "leave_key_in_file": 1}

# Parameters whose texts are names of Windows: nobody puts them together of what a user types.
NAMES_OF_WINDOWS: Final = frozenset({"provider_name", "algorithm_name", "alg_name"})

# What the object of an interface is called; others are called after their interface.
_OBJECT_WORDS: Final[dict[str, str]] = {
    "IX509PrivateKey": "key",
    "IX500DistinguishedName": "subject",
    "IX509CertificateRequestPkcs10": "request",
    "IX509CertificateRequestPkcs7V2": "pkcs7_request",
    "IX509CertificateRequestCmc": "cmc_request",
    "IX509CertificateRequestCertificate": "certificate_request",
    "IX509Enrollment": "enrollment",
    "IX509ExtensionKeyUsage": "key_usage",
    "IX509ExtensionEnhancedKeyUsage": "enhanced_key_usage",
    "ICertRequest": "cert_request",
    "ICertConfig": "cert_config",
}
# Names of parameters that say nothing by themselves.
_BARE_WORDS: Final = frozenset({"value", "name", "text"})

RESULT_WORDS: Final[dict[str, str]] = {
    "CreateRequest": "request_text",
    "RawData": "encoded",
    "CreatePFX": "pfx",
    "GetCertificate": "certificate",
    "request_thumbprint": "thumbprint",
}
# Functions of the facade whose result is the same in every run.
FACADE_VALUES: Final = frozenset(
    {"encode_name_value_pair", "check_ca", "key_store_names", "store_names", "store_provider", "reusable_container"}
)

_PROG_IDS: Final = {
    "CCertRequest": "CertificateAuthority.Request",
    "CCertConfig": "CertificateAuthority.Config",
    "CCertGetConfig": "CertificateAuthority.GetConfig",
}
_HUNGARIAN: Final = re.compile(r"^(?:p?(?:wsz|bstr|str)|pp?|[lf])(?=[A-Z])")
_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class Part:
    """A parameter of a member.

    Attributes:
        name: as it is declared.
        kind: its annotation as it is written.
        owner: what the object is called that it belongs to.
    """

    name: str
    kind: str
    owner: str = ""

    @property
    def hint(self) -> str:
        """What its value is called: "container_name"."""
        words = snake(_HUNGARIAN.sub("", self.name))
        if words not in _BARE_WORDS or not self.owner:
            return words
        return "oid" if self.owner == "object_id" else f"{self.owner}_{words}"


def parts_of(target: ComObject, member: str, kind: str) -> tuple[Part, ...]:
    """The parameters of a member, in order; those of a put are called as the property is."""
    return _parts(cast(Hashable, type(target)), member, kind)


@lru_cache(maxsize=4096)
def _parts(owner: Hashable, member: str, kind: str) -> tuple[Part, ...]:
    found: Any = inspect.getattr_static(owner, member)
    if isinstance(found, property):
        found = found.fset if kind == "put" else found.fget
    function = inspect.unwrap(found)
    names = list(inspect.signature(function).parameters)[1:]
    annotations = {name: _spelled(function.__annotations__.get(name, "object")) for name in names}
    return tuple(Part(member if kind == "put" else name, annotations[name]) for name in names)


@lru_cache(maxsize=256)
def parts_of_function(function: str) -> tuple[Part, ...]:
    """The positional parameters of a function of the facade; their types are Python's, so that nothing is converted."""
    return tuple(Part(name, "object") for name in inspect.signature(getattr(facade, function)).parameters)


def _spelled(annotation: object) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def is_indexed_put(target: ComObject, member: str, kind: str) -> bool:
    """Whether a method is the put of a property with parameters: ``SetX`` where there is an ``X``."""
    return kind == "call" and member.startswith("Set") and member[3:].lower() in type(target)._members_


def prog_id_of(target: ComObject) -> str:
    """The ProgID by which a script creates an object of this class, or "" where it cannot be created."""
    for coclass, (_, interface) in registry.COCLASSES.items():
        module = f"certenroll.{registry.MODULES.get(interface, '')}"
        if module == type(target).__module__ and _is_class(target, interface):
            return _PROG_IDS.get(coclass, f"X509Enrollment.{coclass}")
    return ""


def _is_class(target: ComObject, interface: str) -> bool:
    return registry.public_class(interface) is type(target)


def interface_of(target: ComObject) -> str:
    """The interface of an object as Microsoft spells it."""
    return type(target).__name__


def is_reader(interface: str, member: str, kind: str) -> bool:
    """Whether a call changes nothing."""
    return kind == "get" or member in READERS


def has_effect(interface: str, member: str, kind: str) -> bool:
    """Whether a call has an effect outside its object."""
    return kind == "call" and member in EFFECTS and (member != "Encode" or interface not in QUIET_ENCODERS)


def snake(text: str) -> str:
    """A name of Microsoft's in words: "ContainerName" is "container_name"."""
    return re.sub(r"\W+", "_", _WORDS.sub("_", text)).strip("_").lower()

def object_words(target: ComObject, member: str) -> str:
    """What an object is called: after its interface, or after the property that it was read from."""
    interface = interface_of(target)
    words = _OBJECT_WORDS.get(interface)
    if words is not None:
        return words
    by_member = snake(member) if member and not member.startswith(("Item", "CreateObject", "_")) else ""
    return by_member or snake(re.sub(r"^I(?:X509)?(?=[A-Z])", "", interface))


def set_bits(value: IntFlag) -> list[str]:
    """The names of the flags that make up a value, or [] where there is no name for a bit of it (0 among them)."""
    kind = type(value)
    exact = next((name for name, one in kind.__members__.items() if one == value), "")
    if exact:
        return [exact]
    names: list[str] = []
    rest = int(value)
    for name, one in sorted(kind.__members__.items(), key=lambda pair: -int(pair[1])):
        if int(one) and rest & int(one) == int(one):
            names.append(name)
            rest &= ~int(one)
    return [] if rest else names
