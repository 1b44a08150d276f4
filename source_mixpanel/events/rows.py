"""Raw events to rows: the hot path. Blocks of lines in, rows out.

What is the same for many events is cached: the text of each hour, and the placing of each tuple
of property names in `columns`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from source_mixpanel.columns.catalog import EVENT_KEY, CatalogColumns
from source_mixpanel.columns.naming import Core
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.columns.properties import PropertyColumns, Shape
from source_mixpanel.columns.reserved import EVENT_PROPERTIES
from source_mixpanel.columns.tally import Counts
from source_mixpanel.columns.types import OBJECT
from source_mixpanel.errors import DataError
from source_mixpanel.events.key import INSERT_ID, event_key
from source_mixpanel.texts.json_lines import as_text, holds_long_number, parse_exactly
from source_mixpanel.texts.masking import quoted
from source_mixpanel.times.event_time import Stamper

_NEVER = -(1 << 63)
_USUAL_KEYS = 2
_IDS = {"distinct_id": "distinct_id", INSERT_ID: "insert_id"}

EVENT_CORE = Core(
    properties={"time": "time", **_IDS},
    others=(EVENT_KEY, "event"),
    reserved=frozenset(EVENT_PROPERTIES),
)
"""The core columns of events."""


@dataclass(frozen=True)
class Found:
    """Facts about events besides their rows.

    Attributes:
        seen: Events, also those out of bounds.
        latest_ms: The latest `time` of any row, UTC; None if there is none.
        timeless: Rows without a readable time.
        unfit: Counts of values that do not fit their columns.
    """

    seen: int
    latest_ms: int | None
    timeless: int
    unfit: Counts


class EventRows:
    """Makes rows of raw events, and counts unusual ones for the log.

    Attributes:
        columns: Puts properties into columns.
        stamper: Parses times; may be replaced between blocks.
        timeless: Rows whose `time` is missing or not a time; it is null in them.
        seen: Events read, also those out of bounds.
    """

    def __init__(
        self, catalog: CatalogColumns, stamper: Stamper, shape: Shape, privacy: Privacy
    ) -> None:
        again = None if privacy else _parse_again
        self.columns = PropertyColumns(catalog, shape, EVENT_CORE, again)
        self._privacy = privacy
        self.stamper = stamper
        self._has_key = EVENT_KEY in self.columns.blank
        self._as_object = shape.as_object
        self._left_out = [c for c in ("event", "time") if c not in self.columns.blank]
        self._make_row = self._object_row if shape.as_object else self.columns.row
        self._latest_ms = _NEVER
        self.timeless = 0
        self.seen = 0

    @property
    def latest_ms(self) -> int | None:
        """The latest `time` of any row so far, UTC; None while there is none."""
        return None if self._latest_ms == _NEVER else self._latest_ms

    def taken(self) -> Found:
        """The facts so far, which are reset."""
        found = Found(self.seen, self.latest_ms, self.timeless, self.columns.taken())
        self.seen, self._latest_ms, self.timeless = 0, _NEVER, 0
        return found

    def absorb(self, found: Found) -> None:
        """Add the facts of another instance."""
        self.seen += found.seen
        self.timeless += found.timeless
        if found.latest_ms is not None:
            self._latest_ms = max(self._latest_ms, found.latest_ms)
        self.columns.absorb(found.unfit)

    def rows(self, block: bytes, since_ms: int, until_ms: int) -> Iterator[dict[str, Any]]:
        """The rows of a block whose time lies in [since_ms, until_ms], in order.

        Raises:
            DataError: A line is not JSON or not an event.
        """
        loads, stamp = orjson.loads, self.stamper.stamp
        make = self._guarded if self._privacy else self._row
        seen, latest = 0, self._latest_ms
        for line in block.split(b"\n"):
            try:
                event = loads(line)
            except orjson.JSONDecodeError:
                if not line.strip():
                    continue
                event = parse_exactly(line)
            properties = _properties(event)
            seen += 1
            try:
                ms, text = stamp(properties)
            except ValueError:
                self.timeless += 1
                yield self._timeless(event["event"], properties, line)
                continue
            if not since_ms <= ms <= until_ms:
                continue
            if ms > latest:  # noqa: PLR1730 - max() takes twice as long
                latest = ms
            yield make(event["event"], ms, text, properties, line)
        self.seen += seen
        self._latest_ms = latest

    def _guarded(
        self, name: str, ms: int | None, time: str | None, properties: dict[str, Any], line: bytes
    ) -> dict[str, Any]:
        """The same as `_row`, with properties excluded and hashed; the line itself is not used."""
        exact = _parse_again(line) if holds_long_number(line) else properties
        return self._row(name, ms, time, self._privacy.guard(exact), b"")

    def _row(
        self, name: str, ms: int | None, time: str | None, properties: dict[str, Any], line: bytes
    ) -> dict[str, Any]:
        row = self._make_row(properties, line)
        row["event"] = name
        row["time"] = time
        who, insert_id = properties.get("distinct_id"), properties.get(INSERT_ID)
        if type(who) is not str or type(insert_id) is not str:
            self._convert_ids(row, properties)
        if self._has_key:
            if not insert_id and holds_long_number(line):
                properties = _parse_again(line)
            row[EVENT_KEY] = event_key(name, ms, properties)
        for column in self._left_out:
            del row[column]
        return row

    def _convert_ids(self, row: dict[str, Any], properties: Mapping[str, Any]) -> None:
        """Convert ids to text; those that would lose something are rescued as well."""
        for raw, column in _IDS.items():
            value = properties.get(raw)
            if column not in row or value is None or type(value) is str:
                continue
            if self._has_key:
                row[column] = as_text(value)
            if not self._as_object and not (self._has_key and type(value) is int):
                self.columns.rescue(row, raw, value)

    def _timeless(self, name: str, properties: dict[str, Any], line: bytes) -> dict[str, Any]:
        make = self._guarded if self._privacy else self._row
        row = make(name, None, None, properties, line)
        if self._has_key and not self._as_object and properties.get("time") is not None:
            self.columns.rescue(row, "time", properties["time"])
        return row

    def _object_row(self, properties: dict[str, Any], line: bytes) -> dict[str, Any]:
        """The same as `PropertyColumns.row`, with all properties in one column."""
        if holds_long_number(line):
            properties = _parse_again(line)
        ids = {column: properties.get(raw) for raw, column in _IDS.items()}
        return {**self.columns.blank, **ids, OBJECT: properties}


def _properties(event: Any) -> dict[str, Any]:
    """The properties of a parsed line.

    Older answers have further top-level keys (`labels`, `dataset`); they become columns too.
    """
    try:
        name, properties = event["event"], event["properties"]
    except (KeyError, TypeError) as error:
        raise _no_event(event) from error
    if type(name) is not str or type(properties) is not dict:
        raise _no_event(event)
    if len(event) == _USUAL_KEYS:
        return properties
    extras = {k: v for k, v in event.items() if k not in ("event", "properties")}
    return {**extras, **properties}


def _parse_again(line: bytes) -> dict[str, Any]:
    return _properties(parse_exactly(line))


def _no_event(value: Any) -> DataError:
    kind = type(value).__name__
    keys = quoted(", ".join(value)) if isinstance(value, dict) else f"a value of type {kind}"
    return DataError(
        "Mixpanel sent a line that is no event, so the sync stops rather than drop it. The state "
        "is that of the last whole slice; the next sync asks again.",
        detail=f"a line with {keys} instead of 'event' and 'properties'",
    )
