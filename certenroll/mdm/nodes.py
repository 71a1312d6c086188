"""The ClientCertificateInstall tree as its DDF describes it: a table of nodes, and the node that a LocURI names.

Knows no values. Names match without regard to case: management servers ask for ``CertThumbPrint``. Source: Microsoft's
pages "ClientCertificateInstall CSP" and "ClientCertificateInstall DDF file".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from certenroll.mdm.model import Code, Refused
from keystores.base import Scope

NAME: Final = "ClientCertificateInstall"
PFX: Final = "PFXCertInstall"
SCEP: Final = "SCEP"
INSTALL: Final = "Install"

_ROOTS: Final = {
    "./device/vendor/msft/": Scope.MACHINE,
    "./user/vendor/msft/": Scope.USER,
    "./vendor/msft/": Scope.MACHINE,
}
_LONGEST_URI: Final = 2048  # characters; no path of the tree comes near it
_LONGEST_ID: Final = 255
_FULL: Final = frozenset({"Add", "Delete", "Get", "Replace"})
_KEPT: Final = frozenset({"Add", "Get", "Replace"})
_READ: Final = frozenset({"Get"})
_INTEGER: Final = re.compile(r"\s*([+-]?[0-9]{1,10})\s*")


def _integer(text: str) -> int | None:
    found = _INTEGER.fullmatch(text)
    return int(found[1]) if found else None


@dataclass(frozen=True)
class Values:
    """The values that a node takes.

    Attributes:
        said: in words.
        fits: whether a text is one.
    """

    said: str
    fits: Callable[[str], bool]


def _one_of(*values: str) -> Values:
    return Values(f"one of {', '.join(values)}", lambda text: text.strip() in values)


def _number(low: int = -(2**31), high: int = 2**31 - 1) -> Values:
    def fits(text: str) -> bool:
        value = _integer(text)
        return value is not None and low <= value <= high

    return Values(f"a whole number from {low} to {high}", fits)


_ANYTHING: Final = Values("any text", lambda _text: True)
_TRUTH: Final = Values("true or false", lambda text: text.strip().lower() in ("true", "false", "1", "0"))


@dataclass(frozen=True)
class NodeType:
    """One node of the DDF.

    Attributes:
        name: its name; "" for the unique id that a server chooses.
        format: "node", "chr", "int", "bool", "bin" or "null".
        access: the verbs that it allows.
        occurrence: "One", "ZeroOrOne" or "ZeroOrMore".
        default: its value where it was not set, or None.
        values: what it takes.
        computed: whether its value is found out when it is read, and never set.
        children: the nodes below it.
    """

    name: str
    format: str
    access: frozenset[str]
    occurrence: str = "ZeroOrOne"
    default: str | None = None
    values: Values = _ANYTHING
    computed: bool = False
    children: tuple[NodeType, ...] = ()

    @property
    def permanent(self) -> bool:
        """Whether it is always there."""
        return self.format == "node" and self.access == _READ

    def child(self, name: str) -> NodeType | None:
        """The node below it of that name, without regard to case; the one with a chosen id where there is such."""
        key = name.lower()
        return next((one for one in self.children if not one.name or one.name.lower() == key), None)


def _leaf(
    name: str,
    kind: str,
    occurrence: str,
    default: str | None = None,
    values: Values | None = None,
    access: frozenset[str] = _FULL,
) -> NodeType:
    return NodeType(name, kind, access, occurrence, default, values or _NATURAL.get(kind, _ANYTHING))


def _computed(name: str, kind: str, occurrence: str = "One") -> NodeType:
    return NodeType(name, kind, _READ, occurrence, computed=True)


_NATURAL: Final = {"int": _number(), "bool": _TRUTH}
_PFX_NODES: Final = (
    _leaf("KeyLocation", "int", "One", values=_one_of("1", "2", "3", "4"), access=_KEPT),
    _leaf("ContainerName", "chr", "ZeroOrOne", access=_KEPT),
    _leaf("PFXCertBlob", "bin", "One", access=_KEPT),
    _leaf("PFXCertPassword", "chr", "ZeroOrOne", access=_KEPT),
    _leaf("PFXCertPasswordEncryptionType", "int", "ZeroOrOne", "0", _one_of("0", "1", "2"), _KEPT),
    _leaf("PFXKeyExportable", "bool", "ZeroOrOne", "true", access=_KEPT),
    _computed("Thumbprint", "chr"),
    _computed("Status", "int"),
    _leaf("PFXCertPasswordEncryptionStore", "chr", "ZeroOrOne", access=_KEPT),
)
_INSTALL_NODES: Final = (
    _leaf("ServerURL", "chr", "One"),
    _leaf("Challenge", "chr", "One"),
    _leaf("EKUMapping", "chr", "One"),
    _leaf("KeyUsage", "int", "One"),
    _leaf("AttestPrivateKey", "int", "One", values=_one_of("0", "1", "2"), access=frozenset({"Add", "Get"})),
    _leaf("SubjectName", "chr", "One"),
    _leaf("KeyProtection", "int", "ZeroOrOne", "3", _one_of("1", "2", "3", "4")),
    _leaf("RetryDelay", "int", "ZeroOrOne", "5", _number(0, 2**32 - 1)),
    _leaf("RetryCount", "int", "ZeroOrOne", "3", _number(0, 2**32 - 1)),  # above 30 counts as 30
    _leaf("TemplateName", "chr", "ZeroOrOne"),
    _leaf("KeyLength", "int", "One", values=_one_of("1024", "2048", "4096")),
    _leaf("HashAlgorithm", "chr", "One"),
    _leaf("CAThumbprint", "chr", "One"),
    _leaf("SubjectAlternativeNames", "chr", "ZeroOrOne"),
    _leaf("ValidPeriod", "chr", "ZeroOrOne", "Days", _one_of("Days", "Months", "Years")),
    _leaf("ValidPeriodUnits", "int", "ZeroOrOne", "0", _number(0)),
    _leaf("ContainerName", "chr", "ZeroOrOne"),
    _leaf("CustomTextToShowInPrompt", "chr", "ZeroOrOne"),
    NodeType("Enroll", "null", frozenset({"Exec"}), "One"),
    _leaf("AADKeyIdentifierList", "chr", "ZeroOrOne"),
)
_SCEP_NODES: Final = (
    NodeType(INSTALL, "node", _FULL, "One", children=_INSTALL_NODES),
    _computed("CertThumbprint", "chr", "ZeroOrOne"),
    _computed("Status", "int"),
    _computed("ErrorCode", "int", "ZeroOrOne"),
    _computed("RespondentServerUrl", "chr"),
)


def _subtree(name: str, children: tuple[NodeType, ...]) -> NodeType:
    instance = NodeType("", "node", _FULL, "ZeroOrMore", children=children)
    return NodeType(name, "node", _READ, "One", children=(instance,))


TREE: Final = NodeType(NAME, "node", _READ, "One", children=(_subtree(PFX, _PFX_NODES), _subtree(SCEP, _SCEP_NODES)))
SECRETS: Final = frozenset({"Challenge", "PFXCertPassword", "PFXCertBlob"})  # what no listing shows


@dataclass(frozen=True)
class Location:
    """A node of somebody's tree.

    Attributes:
        scope: whose profile.
        uri: the LocURI, as it was written.
        path: names below ClientCertificateInstall in the DDF's spelling, joined by "/"; "" for ClientCertificateInstall.
        node: what the DDF says of it.
    """

    scope: Scope
    uri: str
    path: str
    node: NodeType

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the path."""
        return tuple(self.path.split("/")) if self.path else ()

    @property
    def subtree(self) -> str:
        """ "PFXCertInstall", "SCEP", or "" for the node above them."""
        return self.names[0] if self.names else ""

    @property
    def unique_id(self) -> str:
        """The id that the server chose, or "" above it."""
        return self.names[1] if len(self.names) > 1 else ""

    @property
    def instance_path(self) -> str:
        """The path of the node with the unique id, or "" above it."""
        return "/".join(self.names[:2]) if self.unique_id else ""


def locate(uri: str) -> Location:
    """The node that a LocURI names.

    Args:
        uri: ``./User/Vendor/MSFT/ClientCertificateInstall/...``, or the same with Device, or with neither, which is Device.

    Raises:
        Refused: 400 for a URI that is malformed, 404 for one that names no node of this tree, 406 for one with a query
            (``?list=StructData``).
    """
    text = uri.strip()
    if not text or len(text) > _LONGEST_URI or text.startswith("/"):
        raise Refused(Code.BAD_REQUEST, f"a LocURI begins with ./ and has at most {_LONGEST_URI} characters")
    root = next((one for one in _ROOTS if text.lower().startswith(one)), None)
    if root is None:
        raise Refused(Code.NOT_FOUND, f"{text} is in no tree of this device")
    if "?" in text:
        raise Refused(Code.NOT_SUPPORTED, f"{text}: a query of the tree's structure is not answered here")
    first, *names = [_plain(name, text) for name in text[len(root) :].rstrip("/").split("/")]
    if first.lower() != NAME.lower():
        raise Refused(Code.NOT_FOUND, f"{text} is not in the {NAME} tree")
    found, canonical = TREE, []
    for name in names:
        found, spelled = _below(found, name, text)
        canonical.append(spelled)
    return Location(_ROOTS[root], text, "/".join(canonical), found)


def _plain(name: str, uri: str) -> str:
    try:
        return unquote(name, errors="strict")
    except UnicodeDecodeError:
        raise Refused(Code.BAD_REQUEST, f"{uri}: {name} is no name in UTF-8") from None


def sibling(location: Location, name: str) -> Location:
    """Another node of the same instance.

    Args:
        location: any node of the instance.
        name: the node's path below the unique id, in the DDF's spelling ("KeyLocation", "Install/KeyLength").
    """
    node = TREE
    for one in (location.subtree, location.unique_id, *name.split("/")):
        node, _ = _below(node, one, location.uri)
    return Location(location.scope, f"{location.uri} ({name})", f"{location.instance_path}/{name}", node)


def _below(above: NodeType, name: str, uri: str) -> tuple[NodeType, str]:
    if not name or name == "*" or len(name) > _LONGEST_ID or any(ord(one) < 32 or one == "/" for one in name):
        what = f"a node's name is neither empty nor *, and has at most {_LONGEST_ID} characters"
        raise Refused(Code.BAD_REQUEST, f"{uri}: {what}")
    found = above.child(name)
    if found is None:
        raise Refused(Code.NOT_FOUND, f"{uri}: {above.name or 'this node'} has no node {name}")
    return found, found.name or name


def every_node(above: NodeType = TREE, path: str = "") -> Iterator[tuple[str, NodeType]]:
    """Each node of the table with its path below ClientCertificateInstall; "{}" stands for a unique id."""
    yield path, above
    for one in above.children:
        yield from every_node(one, f"{path}/{one.name or '{}'}".lstrip("/"))
