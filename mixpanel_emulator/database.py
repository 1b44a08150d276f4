"""The embedded database: one SQLite file, or temporary pages that SQLite spills by itself."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  time_ms INTEGER NOT NULL,
  offset_ms INTEGER NOT NULL,
  visible_at_ms INTEGER NOT NULL,
  distinct_id TEXT,
  insert_id TEXT,
  tail BLOB NOT NULL,
  has_float_time INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS events_by_name ON events (name, time_ms, offset_ms, distinct_id);
CREATE TABLE IF NOT EXISTS property_counts (
  event TEXT NOT NULL,
  property TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (event, property)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS profiles (
  group_id TEXT NOT NULL,
  distinct_id TEXT NOT NULL,
  properties TEXT NOT NULL,
  PRIMARY KEY (group_id, distinct_id)
);
CREATE TABLE IF NOT EXISTS entities (
  kind TEXT NOT NULL,
  position INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, position)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identities (
  id TEXT PRIMARY KEY,
  became TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_TABLES = ("events", "property_counts", "profiles", "entities", "identities", "meta")


def connect(path: str | None) -> sqlite3.Connection:
    """Open the world's database.

    Args:
        path: A file, or None for a private temporary database that SQLite keeps in memory as
            long as it is small and on disk beyond that.
    """
    # The server's loop thread is the only user after start-up.
    connection = sqlite3.connect(path or "", check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA page_size = 16384")
    connection.execute("PRAGMA journal_mode = " + ("WAL" if path else "MEMORY"))
    connection.execute("PRAGMA synchronous = " + ("NORMAL" if path else "OFF"))
    connection.execute("PRAGMA cache_size = -65536")
    connection.executescript(_SCHEMA)
    return connection


def clear(connection: sqlite3.Connection) -> None:
    """Empty every table."""
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the tuple above


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run statements as one unit, undone if one of them fails."""
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
