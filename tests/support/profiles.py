"""Profiles for tests: a folder with a local CA that the profile trusts, and what may be compared of it before and after.

The folder is the one that XENROLL_HOME names when a function is called.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from certenroll import facade
from certenroll.ca.local import LocalCA
from certenroll.ca.templates import Mode
from certenroll.stores.certificates import CertificateStore
from certenroll.stores.profile import open_profile
from keystores.base import KeyAlgorithm

TABLES = ("stores", "certificates", "properties", "requests", "intents")


def home() -> Path:
    """The folder of the profile."""
    return Path(os.environ["XENROLL_HOME"])


def make_ca(policy: Mode = Mode.ISSUE) -> LocalCA:
    """The profile's own CA: P-256, a root above it, trusted in ROOT."""
    made = LocalCA.create(
        home() / "ca", "Test CA", host="ca.test", algorithm=KeyAlgorithm.EC, bits=256, two_tier=True, policy=policy
    )
    profile = open_profile()  # and not by the facade: a test may want to be the first that opens a workspace here
    CertificateStore(profile.database).add("ROOT", made.certificates()[-1])
    profile.database.close()
    return made


def rows(*tables: str) -> dict[str, list[tuple[object, ...]]]:
    """All rows of tables of the profile's database, of every table where none is named."""
    with sqlite3.connect(home() / "store.db") as database:
        found = {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in tables or TABLES}
    database.close()
    return found


def keys() -> dict[str, list[str]]:
    """The containers of each key store that can be asked."""
    return {report.store: [entry.info.container for entry in report.keys] for report in facade.key_reports()}


def orphans() -> list[str]:
    """The containers that no certificate and no outstanding request has."""
    return [entry.info.container for report in facade.key_reports() for entry in report.keys if entry.orphan]


def everything() -> tuple[object, ...]:
    """What a failure must leave as it was: keys, key files, stores, requests and the journal."""
    folder = home() / "keys"
    files = {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return keys(), files, rows()
