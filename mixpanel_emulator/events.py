"""Stored events: the JSON text of their properties, indexed by day.

An event's key packs (shard, UTC day, scrambled counter), so that a window is a few ranges of the
clustered table. Rows come out in a fixed order, but not that of time: no documentation promises any
order of the export.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from mixpanel_emulator import json_text
from mixpanel_emulator.database import transaction
from mixpanel_emulator.dates import DAY_MS, offset_ms

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence

SHARDS = 4
_SHARD_SHIFT = 60
_DAY_SHIFT = 40
_MIX_MASK = (1 << _DAY_SHIFT) - 1
_MIX_FACTOR = 0x9E3779B97F | 1
_PAGE = 1000
_INSERT = (
    "INSERT INTO events (id, name, time_ms, offset_ms, visible_at_ms, distinct_id, insert_id, tail,"
    " has_float_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_COLUMNS = "id, name, time_ms, offset_ms, tail, has_float_time"
_SEQUENCE = "INSERT OR REPLACE INTO meta VALUES ('sequence', ?)"
_COUNT = (
    "INSERT INTO property_counts VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET count = count + excluded.count"
)


class NewEvent(NamedTuple):
    """An event to store.

    Attributes:
        name: Event name.
        time_ms: True UTC epoch milliseconds.
        properties: Everything but `time`.
        visible_at_ms: From when the export shows it.
        has_float_time: Whether its seconds were sent, and are exported, with a fraction.
    """

    name: str
    time_ms: int
    properties: dict[str, Any]
    visible_at_ms: int
    has_float_time: bool = False


class StoredEvent(NamedTuple):
    """A stored event.

    Attributes:
        id: Key in the table.
        name: Event name as ASCII JSON text.
        time_ms: True UTC epoch milliseconds.
        offset_ms: Offset of the zone in force when the event came in, at the event's time.
        tail: The export line from just after the number of `time` to the newline.
        has_float_time: Whether the export writes its seconds with a fraction.
    """

    id: int
    name: str
    time_ms: int
    offset_ms: int
    tail: bytes
    has_float_time: int

    def properties(self) -> dict[str, Any]:
        """The properties, without `time`."""
        inner = self.tail[:-2]
        parsed = json_text.loads(b"{" + inner[1:] if inner[:1] == b"," else b"{}")
        return dict(parsed)


@dataclass(frozen=True)
class EventQuery:
    """A selection of events.

    Attributes:
        start_ms: First instant, in the frame `local` names.
        end_ms: First instant after the window.
        local: Compare the wall clock of the ingestion zone instead of UTC.
        visible_at_ms: Leave out what is not visible by then; None takes all.
        names: Event names; None takes all.
    """

    start_ms: int
    end_ms: int
    local: bool = False
    visible_at_ms: int | None = None
    names: tuple[str, ...] | None = None


@lru_cache(maxsize=4096)
def name_text(name: str) -> str:
    """An event name as the database keeps it."""
    return json_text.ascii_text(name)


def _text_or_none(value: Any) -> str | None:
    return None if value is None else json_text.ascii_text(value)


def _tail(properties: dict[str, Any]) -> bytes:
    """The export line from just after the number of `time` to the newline."""
    return b"," + json_text.export_bytes(properties)[1:] + b"}\n" if properties else b"}}\n"


def _unfold(shapes: Counter[tuple[str, tuple[str, ...]]]) -> Counter[tuple[str, str]]:
    """Turn counts of (event, all its properties) into counts of (event, property)."""
    counts: Counter[tuple[str, str]] = Counter()
    for (event, properties), count in shapes.items():
        for key in properties:
            counts[name_text(event), name_text(key)] += count
    return counts


class EventStore:
    """The events table and the property counts kept beside it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        row = connection.execute("SELECT value FROM meta WHERE name = 'sequence'").fetchone()
        self._sequence = int(row[0]) if row else 0

    def clear(self) -> None:
        """Forget all events."""
        self._sequence = 0

    def add(self, events: Iterable[NewEvent], zone: ZoneInfo) -> int:
        """Store events; each keeps for good the offset that the zone gives its time."""
        rows = []
        shapes: Counter[tuple[str, tuple[str, ...]]] = Counter()
        for event in events:
            rows.append(self._row(event, zone))
            shapes[event.name, tuple(event.properties)] += 1
        rows.sort(key=lambda row: row[0])
        with transaction(self._db):
            self._db.executemany(_INSERT, rows)
            self._count(_unfold(shapes), 1)
            self._db.execute(_SEQUENCE, (str(self._sequence),))
        return len(rows)

    def _count(self, counts: Counter[tuple[str, str]], sign: int) -> None:
        self._db.executemany(
            _COUNT, [(event, key, sign * count) for (event, key), count in counts.items()]
        )
        self._db.execute("DELETE FROM property_counts WHERE count <= 0")

    def rewrite(self, who: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Change the properties of every stored event of one distinct_id."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM events WHERE distinct_id = ?",  # noqa: S608 - ours
            (name_text(who),),
        ).fetchall()
        for row in rows:
            event = StoredEvent._make(row)
            old = event.properties()
            new = change(old)
            self._db.execute(
                "UPDATE events SET distinct_id = ?, tail = ? WHERE id = ?",
                (_text_or_none(new.get("distinct_id")), _tail(new), event.id),
            )
            for names, sign in ((old, -1), (new, 1)):
                self._count(Counter((event.name, name_text(key)) for key in names), sign)

    def _row(self, event: NewEvent, zone: ZoneInfo) -> tuple[Any, ...]:
        mix = (self._sequence * _MIX_FACTOR) & _MIX_MASK
        shard = mix % SHARDS
        self._sequence += 1
        key = shard << _SHARD_SHIFT | event.time_ms // DAY_MS << _DAY_SHIFT | mix
        return (
            key,
            name_text(event.name),
            event.time_ms,
            offset_ms(zone, event.time_ms),
            event.visible_at_ms,
            _text_or_none(event.properties.get("distinct_id")),
            _text_or_none(event.properties.get("$insert_id")),
            _tail(event.properties),
            event.has_float_time,
        )

    def pages(self, window: EventQuery) -> Iterator[list[StoredEvent]]:
        """A window's events, page by page, in the fixed unsorted order.

        Each page is a query of its own, so a slow reader neither holds memory nor blocks writers.
        """
        slack = 1 if window.local else 0
        first = max(window.start_ms // DAY_MS - slack, 0)
        last = max((window.end_ms - 1) // DAY_MS + slack, 0)
        statement, values = _select(window)
        for shard in range(SHARDS):
            after = (shard << _SHARD_SHIFT | first << _DAY_SHIFT) - 1
            end = shard << _SHARD_SHIFT | last + 1 << _DAY_SHIFT
            while True:
                rows = self._db.execute(statement, (after, end, *values)).fetchall()
                if not rows:
                    break
                page = [StoredEvent._make(row) for row in rows]
                after = page[-1].id
                yield page

    def truth(self) -> Iterator[dict[str, Any]]:
        """Every stored event, visible or not, as the control plane shows it."""
        query = f"SELECT {_COLUMNS}, visible_at_ms FROM events ORDER BY id"  # noqa: S608 - ours
        for *stored, visible in self._db.execute(query):
            event = StoredEvent._make(stored)
            event_entry = {
                "event": json_text.loads(event.name),
                "time_ms": event.time_ms,
                "properties": event.properties(),
                "visible_at_ms": visible,
            }
            yield {**event_entry, "has_float_time": True} if event.has_float_time else event_entry

    def remove(self, insert_ids: Sequence[Any]) -> int:
        """Delete all events with one of the insert ids; return how many."""
        removed = 0
        for insert_id in insert_ids:
            key = json_text.ascii_text(insert_id)
            rows = self._db.execute(
                f"DELETE FROM events WHERE insert_id = ? RETURNING {_COLUMNS}",  # noqa: S608 - ours
                (key,),
            ).fetchall()
            removed += len(rows)
            counts: Counter[tuple[str, str]] = Counter()
            for row in rows:
                event = StoredEvent._make(row)
                counts.update((event.name, name_text(key)) for key in event.properties())
            self._count(counts, -1)
        return removed

    def property_totals(self, event: str | None) -> Counter[str]:
        """How many events carry each property, for one event name or for all."""
        query = "SELECT property, sum(count) FROM property_counts"
        values: tuple[str, ...] = ()
        if event is not None:
            query += " WHERE event = ?"
            values = (name_text(event),)
        rows = self._db.execute(query + " GROUP BY property", values)
        return Counter({json_text.loads(key): count for key, count in rows})

    def name_totals(self, start_ms: int = 0, end_ms: int = 1 << 62) -> Counter[str]:
        """How many events of each name fall in a range of true UTC."""
        rows = self._db.execute(
            "SELECT name, count(*) FROM events INDEXED BY events_by_name"
            " WHERE time_ms >= ? AND time_ms < ? GROUP BY name",
            (start_ms, end_ms),
        )
        return Counter({json_text.loads(name): count for name, count in rows})

    def people(self, names: Sequence[str], start_ms: int, end_ms: int) -> Counter[str]:
        """How many events of the given names each distinct_id has in a range of UTC."""
        found: Counter[str] = Counter()
        for name in names:
            for _, who in self.moments(name, start_ms, end_ms):
                if isinstance(who, str):
                    found[who] += 1
        return found

    def moments(self, name: str, start_ms: int, end_ms: int) -> Iterator[tuple[int, Any]]:
        """(true UTC ms, distinct_id) of the events of one name, in order of time."""
        rows = self._db.execute(
            "SELECT time_ms, distinct_id FROM events INDEXED BY events_by_name"
            " WHERE name = ? AND time_ms >= ? AND time_ms < ? ORDER BY time_ms",
            (name_text(name), start_ms, end_ms),
        )
        for moment, who in rows.fetchall():
            yield moment, None if who is None else json_text.loads(who)

    def count(self) -> int:
        """How many events there are."""
        return int(self._db.execute("SELECT count(*) FROM events").fetchone()[0])


def _select(window: EventQuery) -> tuple[str, list[Any]]:
    frame = "time_ms + offset_ms" if window.local else "time_ms"
    parts = ["id > ?", "id < ?", f"{frame} >= ?", f"{frame} < ?"]
    values: list[Any] = [window.start_ms, window.end_ms]
    if window.visible_at_ms is not None:
        parts.append("visible_at_ms <= ?")
        values.append(window.visible_at_ms)
    if window.names is not None:
        parts.append(f"name IN ({','.join('?' * len(window.names))})")
        values.extend(name_text(name) for name in window.names)
    # NOT INDEXED: the clustered range is the point; the index on names would sort by time.
    table = f"SELECT {_COLUMNS} FROM events NOT INDEXED"  # noqa: S608 - ours
    return f"{table} WHERE {' AND '.join(parts)} ORDER BY id LIMIT {_PAGE}", values
