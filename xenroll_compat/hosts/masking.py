"""What no trace may show: a table of (interface, member, argument), and what was once masked, wherever it comes again.

Holds for traces alone; what an object does with a secret is its own affair. Knows no language and no output.

Sources: the pages of the members named, in Microsoft's documentation of CertEnroll, Xenroll and CertCli.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from certenroll.com import Call, ComObject
from certenroll.errors import ComError
from xenroll_compat.hosts.secret_octets import SecretOctets, is_private_key

MASK: Final = "****"
_FACADE: Final = "certenroll.facade"
RESULT: Final = -1  # in a row of the table: what the member gives
_SHORTEST: Final = 4  # a shorter text comes again by chance: it is masked where it is a whole value
_CHALLENGE_PASSWORD: Final = "1.2.840.113549.1.9.7"  # noqa: S105  PKCS #9's attribute, not a password

# The name of a value, an attribute, a header or a field that holds a secret.
_NAMED: Final = re.compile(r"challenge|passw|passphrase|\bpin\b|secret|authorization|credential", re.IGNORECASE)
_PARAMETER: Final = re.compile(r"password|passphrase|\bpin\b|challenge_password|secret", re.IGNORECASE)
# "challenge:1234" and "Authorization: Basic ..." within a text that has such lines.
_LINE: Final = re.compile(
    r"((?:challenge\w*|passw\w*|passphrase|pin|secret|authorization)[ \t]*[:=][ \t]*)([^\r\n&]+)", re.IGNORECASE
)

# (interface, member in lower case) -> positions of its secret arguments. An interface stands for its later versions too.
TABLE: Final[dict[tuple[str, str], tuple[int, ...]]] = {
    ("IX509PrivateKey", "pin"): (0,),
    ("IX509PrivateKey", "import"): (1,),
    ("IX509PrivateKey", "export"): (RESULT,),
    ("ISignerCertificate", "pin"): (0,),
    ("IX509CertificateRequestPkcs10", "challengepassword"): (0, RESULT),
    ("IX509Enrollment", "installresponse"): (3,),
    ("IX509Enrollment", "installresponse2"): (3,),
    ("IX509Enrollment", "createpfx"): (0, RESULT),
    ("IX509EnrollmentHelper", "addpolicyserver"): (5,),
    ("IX509EnrollmentHelper", "addenrollmentserver"): (3,),
    ("IX509EnrollmentPolicyServer", "setcredential"): (3,),
    ("ICertRequest", "setcredential"): (3,),
    ("ICertificateAttestationChallenge", "keyblob"): (0, 1),
    ("ICertificateAttestationChallenge", "setkeyblob"): (1,),
    ("CEnroll", "createpfx"): (0, RESULT),
    ("CEnroll", "createpfxwstr"): (0, RESULT),
    ("CEnroll", "createfilepfx"): (0,),
    ("CEnroll", "createfilepfxwstr"): (0,),
    ("facade", "export_pfx"): (1, 4, RESULT),
}
# The same where the argument before it is a name that says so: (interface, member) -> (position of the name, of the value).
NAMED_VALUES: Final[dict[tuple[str, str], tuple[int, int]]] = {
    ("IX509NameValuePair", "initialize"): (0, 1),
    ("CEnroll", "addnamevaluepairtosignature"): (0, 1),
    ("CEnroll", "addnamevaluepairtosignaturewstr"): (0, 1),
    ("CEnroll", "addnamevaluepairtorequest"): (1, 2),
    ("CEnroll", "addnamevaluepairtorequestwstr"): (1, 2),
    ("CEnroll", "addattributetorequest"): (1, 2),
    ("CEnroll", "addattributetorequestwstr"): (1, 2),
    ("IX509Attribute", "initialize"): (0, 2),
    ("facade", "encode_name_value_pair"): (0, 1),
    ("WshEnvironment", "setitem"): (0, 1),
    ("Dictionary", "add"): (0, 1),
    ("Dictionary", "setitem"): (0, 1),
}
# What an object gives of itself where it has such a name or type: (interface, member) -> the members that say so.
_TELLING: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("IX509NameValuePair", "value"): ("Name",),
    ("HTMLInputElement", "value"): ("type", "name", "id"),
    ("HTMLInputElement", "defaultvalue"): ("type", "name", "id"),
}


def is_secret_name(name: str) -> bool:
    """Whether what is called so (a field, a value, an attribute) holds a secret."""
    return bool(_NAMED.search(name))
# Members that open a file; the stream that they fill or give has ``_whole_()``, all that is in it.
_OPENING: Final = ("loadfromfile", "opentextfile", "openastextstream")


def named_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Where the secrets of a text begin and end that has them by name: "challenge:1234", "Authorization: Basic ...".

    The signs at the end of a base64 text are none.
    """
    return (found.span(2) for found in _LINE.finditer(text) if found[2].strip("= \t"))


class Masking:
    """What is secret in one run."""

    def __init__(self, known: tuple[str, ...] = ()) -> None:
        """``known`` are texts that the command line says are secret."""
        self._texts: set[str] = set()
        self._octets = SecretOctets()
        for text in known:
            self._learn(text)

    def positions(self, call: Call) -> frozenset[int]:
        """Which arguments of a call, and whether its result (RESULT), are secret; what they hold is masked from now on."""
        member = call.member.lower()
        found: set[int] = set()
        for interface in _interfaces(call):
            found.update(TABLE.get((interface, member), ()))
            found.update(_named_value(call, NAMED_VALUES.get((interface, member))))
            if _tells(call.target, _TELLING.get((interface, member), ())):
                found.update((0, RESULT))
        found.update(_by_parameter(call))
        if found and _is_miscounted(call):  # who knows which of them is the secret
            found.update(range(len(call.arguments)))
        for position, value in enumerate((*call.arguments, call.result)):
            if (position if position < len(call.arguments) else RESULT) in found:
                self._learn(value)
        for name, value in call.named:
            if self.named(name):
                self._learn(value)
        self._look_into(call)
        return frozenset(found)

    def named(self, name: str) -> bool:
        """Whether an argument that is given by this name is secret."""
        return bool(_PARAMETER.search(name))

    def hides(self, value: str | bytes) -> bool:
        """Whether a value has a known secret in it in some encoding, is a part of one, or is a private key."""
        return self._octets.hides(value)

    def clean(self, text: str) -> str:
        """A text without what is known to be secret."""
        if text in self._texts:
            return MASK
        for secret in self._texts:
            if len(secret) >= _SHORTEST:
                text = text.replace(secret, MASK)
        return _LINE.sub(lambda found: found[1] + MASK, text)

    def _learn(self, value: Any) -> None:
        if isinstance(value, str) and value:
            self._texts.add(value)
        if isinstance(value, (str, bytes)):
            self._octets.learn(value)

    def _look_into(self, call: Call) -> None:
        """Learns a private key that a script opened a file of, before it reads the file piece by piece."""
        for stream in (call.target, call.result):
            whole = getattr(stream, "_whole_", None) if call.member.lower() in _OPENING else None
            content = whole() if whole is not None else b""
            if is_private_key(content):
                self._octets.learn(content)


def _interfaces(call: Call) -> tuple[str, ...]:
    if call.target is None:
        return ("facade",)
    classes = type(call.target).__mro__
    return tuple(str(vars(one).get("_type_name_", one.__name__)) for one in classes) + tuple(one.__name__ for one in classes)


def _named_value(call: Call, row: tuple[int, int] | None) -> tuple[int, ...]:
    if row is None or len(call.arguments) <= max(row):
        return ()
    name = call.arguments[row[0]]
    text = str(_quietly(name, "Value")) if isinstance(name, ComObject) else str(name)
    return (row[1],) if _NAMED.search(text) or text == _CHALLENGE_PASSWORD else ()


def _tells(target: ComObject | None, members: tuple[str, ...]) -> bool:
    return target is not None and any(_NAMED.search(str(_quietly(target, member))) for member in members)


def _quietly(target: ComObject, member: str) -> Any:
    """A property as its own code reads it: no observer is told. Nothing where it cannot be read."""
    found = inspect.getattr_static(type(target), member, None)
    if not isinstance(found, property):
        return ""
    try:
        return inspect.unwrap(found.fget)(target) if found.fget is not None else ""
    except ComError:
        return ""


def _by_parameter(call: Call) -> tuple[int, ...]:
    """Arguments whose parameter has a telling name: no member that is added later is forgotten."""
    return tuple(at for at, name in enumerate(_parameters(call) or ()) if _PARAMETER.search(name))


def _is_miscounted(call: Call) -> bool:
    """Whether a method was given more arguments than it has, or fewer than it needs."""
    parameters = _parameters(call)
    if parameters is None or call.target is None:
        return False
    needed = sum(one.default is one.empty and one.kind is not one.VAR_POSITIONAL for one in parameters.values())
    more = not any(one.kind is one.VAR_POSITIONAL for one in parameters.values())
    return len(call.arguments) < needed or (more and len(call.arguments) > len(parameters))


def _parameters(call: Call) -> dict[str, inspect.Parameter] | None:
    """The parameters of a method or of a function of the facade by name, without the object; None for a property."""
    if call.target is None:
        function: Callable[..., Any] | None = getattr(sys.modules.get(_FACADE), call.member, None)
    else:
        function = getattr(type(call.target), type(call.target)._members_.get(call.member.lower(), ""), None)
    if not inspect.isfunction(function):
        return None
    parameters = dict(inspect.signature(function).parameters)
    if call.target is not None:
        del parameters[next(iter(parameters))]
    return parameters
