"""The project's definitions: lists of JSON objects, one list a kind, in a fixed order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixpanel_emulator import json_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


class EntityStore:
    """Lists by kind: what a complete read of an endpoint must give."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def put(self, kind: str, items: Sequence[Any]) -> None:
        """Replace a kind's list."""
        rows = [(kind, position, json_text.ascii_text(item)) for position, item in enumerate(items)]
        self._db.execute("DELETE FROM entities WHERE kind = ?", (kind,))
        self._db.executemany("INSERT INTO entities VALUES (?, ?, ?)", rows)

    def get(self, kind: str) -> list[Any]:
        """A kind's list; an unknown kind is empty."""
        rows = self._db.execute(
            "SELECT body FROM entities WHERE kind = ? ORDER BY position", (kind,)
        )
        return [json_text.loads(body) for (body,) in rows]

    def find(self, kind: str, name: str, value: str) -> Any | None:
        """The first item whose field prints as the given text."""
        for item in self.get(kind):
            if str(item.get(name)) == value:
                return item
        return None

    def kinds(self) -> list[str]:
        """The kinds that hold something."""
        rows = self._db.execute("SELECT DISTINCT kind FROM entities ORDER BY kind")
        return [kind for (kind,) in rows]
