"""The nodes that management servers have set: paths, formats, values. Knows no node's meaning, and which there may be.

Paths are names joined by "/", without the root that says whose profile it is; names match without regard to case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from certenroll.stores.database import Database


@dataclass(frozen=True)
class NodeRecord:
    """One node.

    Attributes:
        path: names joined by "/", as they were written.
        format: "node", "chr", "int", "bool", "bin".
        data: its value as text; "" for an interior node.
    """

    path: str
    format: str
    data: str = field(default="", repr=False)  # may be a password

    @property
    def key(self) -> str:
        """The path as it is compared."""
        return node_key(self.path)

    @property
    def name(self) -> str:
        """The last name of the path."""
        return self.path.rpartition("/")[2]


def node_key(path: str) -> str:
    """A path as it is compared: without regard to case."""
    return path.lower()


class NodeStore:
    """The nodes of a profile.

    Args:
        database: where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, path: str) -> NodeRecord | None:
        """The node of a path, or None."""
        rows = self._database.query("SELECT path, format, data FROM mdm_nodes WHERE key = ?", (node_key(path),))
        return NodeRecord(*rows[0]) if rows else None

    def children(self, path: str) -> list[NodeRecord]:
        """The nodes right below a path, by name."""
        rows = self._database.query(
            "SELECT path, format, data FROM mdm_nodes WHERE parent = ? ORDER BY key", (node_key(path),)
        )
        return [NodeRecord(*row) for row in rows]

    def put(self, record: NodeRecord) -> None:
        """Writes a node, in place of one of the same path, which keeps its spelling."""
        key = record.key
        self._database.execute(
            "INSERT INTO mdm_nodes (key, parent, path, format, data) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET format = excluded.format, data = excluded.data",
            (key, key.rpartition("/")[0], record.path, record.format, record.data),
        )

    def delete(self, path: str) -> None:
        """Removes a node with all below it; a path that is not there is no error."""
        key = node_key(path)
        below = (key + "/", key + "0")  # "0" is the character after "/"
        self._database.execute("DELETE FROM mdm_nodes WHERE key = ? OR (key >= ? AND key < ?)", (key, *below))
