"""The tables of a profile's database, one script for each schema version that added to them.

A script that was released is never changed: a later version adds one of its own to MIGRATIONS.
"""

from __future__ import annotations

VERSION_1 = """
CREATE TABLE stores (
    id   INTEGER PRIMARY KEY,
    key  TEXT NOT NULL UNIQUE,          -- the name without regard to case
    name TEXT NOT NULL                  -- as it was first written
);

CREATE TABLE certificates (
    id              INTEGER PRIMARY KEY,
    store_id        INTEGER NOT NULL REFERENCES stores(id),
    sha1            BLOB NOT NULL,
    der             BLOB NOT NULL,
    subject         BLOB NOT NULL,      -- DER of the name
    issuer          BLOB NOT NULL,
    serial          BLOB NOT NULL,      -- contents of the INTEGER
    public_key_hash BLOB NOT NULL,      -- SHA-256 of the SubjectPublicKeyInfo
    UNIQUE (store_id, sha1)
);
CREATE INDEX certificates_in_order ON certificates (store_id, id);
CREATE INDEX certificates_by_public_key ON certificates (public_key_hash);
CREATE INDEX certificates_by_subject ON certificates (subject);
CREATE INDEX certificates_by_issuer ON certificates (issuer, serial);

CREATE TABLE properties (
    certificate_id INTEGER NOT NULL REFERENCES certificates(id) ON DELETE CASCADE,
    property_id    INTEGER NOT NULL,
    value          BLOB NOT NULL,
    PRIMARY KEY (certificate_id, property_id)
) WITHOUT ROWID;
CREATE INDEX properties_archived ON properties (certificate_id) WHERE property_id = 19;

CREATE TABLE requests (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    state            TEXT NOT NULL,
    key              BLOB NOT NULL,     -- properties.encode_key_info
    new_key          INTEGER NOT NULL,
    public_key       BLOB,
    public_key_hash  BLOB,
    request          BLOB,
    request_type     TEXT NOT NULL,
    request_hash     BLOB,
    certificate_sha1 BLOB,
    ca_config        TEXT NOT NULL,
    ca_request_id    TEXT NOT NULL,
    status           INTEGER NOT NULL,
    message          TEXT NOT NULL,
    answer           BLOB,
    template         TEXT NOT NULL,
    friendly_name    TEXT NOT NULL,
    description      TEXT NOT NULL,
    properties       TEXT NOT NULL,     -- JSON object of strings
    owner            TEXT NOT NULL,     -- owners.current of the process that changed it last
    created          REAL NOT NULL,
    updated          REAL NOT NULL
);
CREATE INDEX requests_by_state ON requests (state);
CREATE INDEX requests_by_public_key ON requests (public_key_hash);
CREATE INDEX requests_by_request ON requests (request_hash);
CREATE INDEX requests_by_certificate ON requests (certificate_sha1);
CREATE INDEX requests_by_ca ON requests (ca_request_id);

CREATE TABLE intents (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    TEXT NOT NULL,
    payload TEXT NOT NULL,              -- JSON object of strings
    owner   TEXT NOT NULL,
    created REAL NOT NULL
);
"""

VERSION_2 = """
CREATE TABLE mdm_nodes (
    key    TEXT PRIMARY KEY,            -- the path without regard to case
    parent TEXT NOT NULL,               -- the parent's key
    path   TEXT NOT NULL,               -- as it was written
    format TEXT NOT NULL,
    data   TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX mdm_nodes_by_parent ON mdm_nodes (parent, key);

CREATE TABLE mdm_instances (
    kind    TEXT NOT NULL,              -- the subtree: "PFXCertInstall", "SCEP"
    key     TEXT NOT NULL,              -- the unique id without regard to case
    name    TEXT NOT NULL,              -- as it was written
    state   TEXT NOT NULL,
    due     REAL,                       -- UTC, seconds since 1970; NULL where nothing is to be done
    facts   TEXT NOT NULL,              -- JSON object
    owner   TEXT NOT NULL,              -- owners.current of the process that has it in hand, or ""
    created REAL NOT NULL,
    updated REAL NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX mdm_instances_due ON mdm_instances (kind, due) WHERE due IS NOT NULL;
"""

# The version that a script leads to -> the script. A profile of an older version takes all those above its own.
MIGRATIONS: dict[int, str] = {1: VERSION_1, 2: VERSION_2}
