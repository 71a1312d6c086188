"""Which request of the CA a SCEP transaction is: kept in the CA's database, so that polls work across restarts.

A transaction is named by its requester, and two requesters may choose the same name. So what counts is the name together
with the key that signs the messages, and with the certificate that is renewed: clients that make the name of their key use
it again for every renewal. Rows in and rows out: knows no message and no policy.

Source: RFC 8894 sections 3.2.1.1 and 4.3 (a message that is sent again belongs to the same transaction).
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from certenroll.ca.database import Database

Prepare = Callable[[sqlite3.Connection], None]
"""What happens in the same step of the database; what it raises undoes the step."""

_COLUMNS: Final = "request, opened, request_id"


@dataclass(frozen=True)
class Transaction:
    """What names a transaction.

    Attributes:
        name: the transaction id.
        key: SHA-256 of the SubjectPublicKeyInfo of whoever signs its messages.
        renewed: SHA-256 of the certificate that is renewed; empty for a first request.
    """

    name: str
    key: bytes
    renewed: bytes = b""


@dataclass(frozen=True)
class Kept:
    """What is kept of a transaction.

    Attributes:
        request: SHA-256 of its PKCS #10 request.
        opened: when it began, in seconds since 1970.
        request_id: the number of the CA's request; None where it was not noted before the server was interrupted.
    """

    request: bytes
    opened: int
    request_id: int | None


def transaction_of(name: str, signer_key: bytes, renewed: bytes | None = None) -> Transaction:
    """The transaction of a message.

    Args:
        name: the transaction id.
        signer_key: the SubjectPublicKeyInfo of whoever signed it, in DER.
        renewed: the certificate that is renewed, in DER; None for a first request.
    """
    return Transaction(name, hashlib.sha256(signer_key).digest(), hashlib.sha256(renewed).digest() if renewed else b"")


class Transactions:
    """The transactions of a CA.

    Args:
        database: the CA's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, transaction: Transaction) -> Kept | None:
        """What is kept of a transaction, or None."""
        where = "name = ? AND key = ? AND renewed = ?"
        return self._one(where, transaction.name, transaction.key, transaction.renewed)

    def latest(self, transaction: Transaction) -> Kept | None:
        """What is kept of the newest transaction with that name and key, whatever it renews; or None.

        A poll does not say what was asked for, and may be signed by another certificate for the same key.
        """
        return self._one("name = ? AND key = ? ORDER BY id DESC LIMIT 1", transaction.name, transaction.key)

    def open(self, transaction: Transaction, request: bytes, moment: int, prepare: Prepare) -> None:
        """Notes a transaction before its request goes to the CA; what was kept of an ended one by this name is replaced.

        Args:
            transaction: its name.
            request: the PKCS #10 request in DER.
            moment: the time, in seconds since 1970.
            prepare: what happens in the same step.
        """
        values = (transaction.name, transaction.key, transaction.renewed, hashlib.sha256(request).digest(), moment)
        with self._database.transaction() as connection:
            prepare(connection)
            add = "INSERT OR REPLACE INTO scep_transactions (name, key, renewed, request, opened) VALUES (?, ?, ?, ?, ?)"
            connection.execute(add, values)

    def settle(self, transaction: Transaction, request_id: int) -> None:
        """Notes the number that the CA gave to the request."""
        change = "UPDATE scep_transactions SET request_id = ? WHERE name = ? AND key = ? AND renewed = ?"
        with self._database.transaction() as connection:
            connection.execute(change, (request_id, transaction.name, transaction.key, transaction.renewed))

    def _one(self, where: str, *values: str | bytes) -> Kept | None:
        with self._database.transaction() as connection:
            query = f"SELECT {_COLUMNS} FROM scep_transactions WHERE {where}"  # noqa: S608
            found = connection.execute(query, values).fetchone()
        return Kept(*found) if found is not None else None
