"""Profiles of users and groups, kept as JSON text by (group key, id)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixpanel_emulator import json_text
from mixpanel_emulator.database import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

USERS = ""


class ProfileStore:
    """The profiles table; `group_id` is a data group id as text, or `USERS`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def put(self, group_id: str, profiles: Iterable[tuple[str, dict[str, Any]]]) -> int:
        """Create or replace profiles given as (id, properties)."""
        rows = [
            (group_id, json_text.ascii_text(key), json_text.ascii_text(properties))
            for key, properties in profiles
        ]
        with transaction(self._db):
            self._db.executemany("INSERT OR REPLACE INTO profiles VALUES (?, ?, ?)", rows)
        return len(rows)

    def get(self, group_id: str, key: str) -> dict[str, Any] | None:
        """One profile's properties."""
        row = self._db.execute(
            "SELECT properties FROM profiles WHERE group_id = ? AND distinct_id = ?",
            (group_id, json_text.ascii_text(key)),
        ).fetchone()
        return dict(json_text.loads(row[0])) if row else None

    def delete(self, group_id: str, key: str) -> None:
        """Remove one profile."""
        self._db.execute(
            "DELETE FROM profiles WHERE group_id = ? AND distinct_id = ?",
            (group_id, json_text.ascii_text(key)),
        )

    def clear(self, group_id: str) -> None:
        """Remove all profiles of a group key."""
        self._db.execute("DELETE FROM profiles WHERE group_id = ?", (group_id,))

    def each(self, group_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(id, properties), in order of insertion."""
        rows = self._db.execute(
            "SELECT distinct_id, properties FROM profiles WHERE group_id = ? ORDER BY rowid",
            (group_id,),
        )
        for key, properties in rows:
            yield json_text.loads(key), json_text.loads(properties)

    def groups(self) -> list[str]:
        """The data group ids that hold profiles."""
        rows = self._db.execute("SELECT DISTINCT group_id FROM profiles ORDER BY group_id")
        return [group for (group,) in rows if group != USERS]
