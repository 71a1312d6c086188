"""The tree as the commands of one unit see and change it: an overlay that is written as a whole, or dropped.

Says by the table of ``nodes`` what a command may do. Knows no SyncML, and not what a node's change does beside the tree.
The status codes are those of OMA's representation protocol; where Microsoft's pages leave one open, docs/analysis/mdm.md
says which was chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from certenroll.engine.workspace import Workspace
from certenroll.mdm.model import Code, Refused
from certenroll.mdm.nodes import PFX, SCEP, Location, sibling
from certenroll.stores.mdm_nodes import NodeRecord, NodeStore, node_key
from keystores.base import Scope

Workspaces = Callable[[Scope], Workspace]
_LONGEST_VALUE: Final = 4 * 1024 * 1024  # characters: a PFX of 3 MB in base64
# What servers call leaves of another format, a PFX too; the value is judged by the node's own.
_ALSO_CALLED: Final = {"int": ("chr",), "bool": ("chr",), "bin": ("chr", "b64"), "chr": (), "null": (), "node": ()}


class View:
    """The nodes of both profiles with the changes of a unit over them.

    Args:
        workspaces: gives the workspace of a scope.
    """

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self._changed: dict[tuple[Scope, str], NodeRecord] = {}
        self._deleted: list[tuple[Scope, str]] = []

    def copy(self) -> View:
        """Another view with the same changes."""
        made = View(self._workspaces)
        made._changed, made._deleted = dict(self._changed), list(self._deleted)
        return made

    # Reading -------------------------------------------------------------------------------------------------------

    def record(self, location: Location) -> NodeRecord | None:
        """The node as it was set, or None."""
        return self._record(location.scope, location.path)

    def exists(self, location: Location) -> bool:
        """Whether a server can see the node: a permanent one always, a computed one where its instance is there."""
        if location.node.computed:
            return self._record(location.scope, location.instance_path) is not None
        return location.node.permanent or self.record(location) is not None

    def value(self, location: Location, name: str) -> str | None:
        """The value of another node of the same instance.

        Args:
            location: any node of the instance.
            name: the node's path below the unique id ("KeyLocation", "Install/KeyLength").

        Returns:
            the value, the DDF's default where it was not set, None where there is none.
        """
        other = sibling(location, name)
        found = self.record(other)
        return found.data if found is not None else other.node.default

    def children(self, location: Location) -> list[str]:
        """The names of the nodes right below one, by name; "" as a path is above both subtrees."""
        if not location.path:
            return [PFX, SCEP]
        store = self._store(location.scope)
        names = {one.key: one.name for one in store.children(location.path) if self._survives(location.scope, one.key)}
        above = node_key(location.path)
        for (scope, key), one in self._changed.items():
            if scope is location.scope and key.rpartition("/")[0] == above:
                names[key] = one.name
        if location.node.children and location.unique_id and location.path == location.instance_path:
            names |= {node_key(f"{location.path}/{one.name}"): one.name for one in location.node.children if one.computed}
        return [names[key] for key in sorted(names)]

    # Changing ------------------------------------------------------------------------------------------------------

    def add(self, location: Location, kind: str | None, data: str | None) -> None:
        """Adds a node, and those above it that are missing.

        Args:
            location: the node.
            kind: the format that the command gives, or None.
            data: its value; None for an interior node.

        Raises:
            Refused: 405 where the node cannot be added, 418 where it is there, 415 for another format than the node's,
                400 for a value that it does not take.
        """
        _allow(location, "Add")
        if self.record(location) is not None:
            raise Refused(Code.ALREADY_EXISTS, f"{location.uri} is there already")
        made = _checked(location, kind, data)
        names = location.names
        for depth in range(2, len(names)):
            self._add_missing(location.scope, "/".join(names[:depth]))
        self._put(location.scope, made)

    def replace(self, location: Location, kind: str | None, data: str | None) -> None:
        """Gives a node another value. Raises Refused as ``add``, and 404 where it is not there."""
        _allow(location, "Replace")
        if self.record(location) is None:
            raise Refused(Code.NOT_FOUND, f"{location.uri} is not there")
        self._put(location.scope, _checked(location, kind, data))

    def delete(self, location: Location) -> None:
        """Removes a node and all below it. Raises Refused: 405 where it cannot be removed, 404 where it is not there."""
        _allow(location, "Delete")
        if self.record(location) is None:
            raise Refused(Code.NOT_FOUND, f"{location.uri} is not there")
        self.remove(location.scope, location.path)

    def remove(self, scope: Scope, path: str) -> None:
        """Removes a node and all below it, whatever the table allows; one that is not there is no error."""
        key = node_key(path)
        for changed in [one for one in self._changed if one[0] is scope and _within(one[1], key)]:
            del self._changed[changed]
        self._deleted.append((scope, key))

    def blank(self, scope: Scope, path: str) -> None:
        """Empties a node's value and leaves the node."""
        found = self._record(scope, path)
        if found is not None:
            self._put(scope, NodeRecord(found.path, found.format))

    # Writing -------------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Writes the changes; called within the transaction of the profile that they are in."""
        for scope, key in self._deleted:
            self._store(scope).delete(key)
        for (scope, _), record in self._changed.items():
            self._store(scope).put(record)

    def workspace(self, scope: Scope) -> Workspace:
        """The workspace of a scope."""
        return self._workspaces(scope)

    def _store(self, scope: Scope) -> NodeStore:
        return NodeStore(self._workspaces(scope).profile.database)

    def _record(self, scope: Scope, path: str) -> NodeRecord | None:
        key = node_key(path)
        changed = self._changed.get((scope, key))
        if changed is not None or not self._survives(scope, key):
            return changed
        return self._store(scope).get(path)

    def _survives(self, scope: Scope, key: str) -> bool:
        return not any(owner is scope and _within(key, above) for owner, above in self._deleted)

    def _add_missing(self, scope: Scope, path: str) -> None:
        if self._record(scope, path) is None:
            self._put(scope, NodeRecord(path, "node"))

    def _put(self, scope: Scope, record: NodeRecord) -> None:
        self._changed[scope, record.key] = record


def _within(key: str, above: str) -> bool:
    return key == above or key.startswith(above + "/")


def _allow(location: Location, verb: str) -> None:
    if verb not in location.node.access:
        allowed = " and ".join(sorted(location.node.access))
        raise Refused(Code.NOT_ALLOWED, f"{location.uri} allows {allowed}, not {verb}")


def _checked(location: Location, kind: str | None, data: str | None) -> NodeRecord:
    """The node as it is kept, where format and value are the node's."""
    node = location.node
    _check_format(location, kind)
    if node.format == "node":
        if data and data.strip():
            raise Refused(Code.BAD_REQUEST, f"{location.uri} is an interior node and has no value")
        return NodeRecord(location.path, "node")
    text = data if data is not None else ""
    if len(text) > _LONGEST_VALUE:
        raise Refused(Code.TOO_LARGE, f"{location.uri} takes at most {_LONGEST_VALUE} characters")
    if not node.values.fits(text):
        raise Refused(Code.BAD_REQUEST, f"{location.uri} takes {node.values.said}")
    return NodeRecord(location.path, node.format, text)


def _check_format(location: Location, kind: str | None) -> None:
    given = (kind or location.node.format).strip().lower()
    wanted = location.node.format
    if given not in (wanted, *_ALSO_CALLED[wanted]):
        raise Refused(Code.UNSUPPORTED_FORMAT, f"{location.uri} has the format {wanted}, not {given}")
