"""Raw events to records: the hot path. Blocks of lines in, rows out.

What is the same for many events is worked out once: a prefix for each minute, and what
`columns` keeps for each tuple of property names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from source_mixpanel.errors import DataError
from source_mixpanel.instants import Stamper
from source_mixpanel.records.columns import PropertyColumns, Shape
from source_mixpanel.records.decode import holds_long_number, parse_exactly
from source_mixpanel.records.naming import EVENT_COLUMN, ColumnNames

__all__ = ["EventRows", "Shape"]

_NEVER = -(1 << 63)
_PLAIN = 2
_CORE_DEFAULTS = dict.fromkeys((EVENT_COLUMN, "time", "distinct_id", "insert_id"))


class EventRows:
    """Makes rows of raw events, and keeps count of what a log should tell.

    Attributes:
        stamper: As given; another one counts for the blocks that follow.
        timeless: Rows whose `time` is missing or no time; it is null in them.
    """

    def __init__(self, names: ColumnNames, stamper: Stamper, shape: Shape) -> None:
        self.columns = PropertyColumns(names, shape, _CORE_DEFAULTS, _parse_again)
        self.stamper = stamper
        self._make_row = _object_row if shape.as_object else self.columns.row
        self._latest_ms = _NEVER
        self.timeless = 0
        self.seen = 0

    @property
    def latest_ms(self) -> int | None:
        """The latest `time` of any row so far, UTC; None while there is none."""
        return None if self._latest_ms == _NEVER else self._latest_ms

    def rows(self, block: bytes, since_ms: int, until_ms: int) -> Iterator[dict[str, Any]]:
        """The rows of a block whose time lies in [since_ms, until_ms], in order.

        Raises:
            DataError: A line is no JSON or no event.
        """
        loads, stamp, make_row = orjson.loads, self.stamper.stamp, self._make_row
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
                text = None
            else:
                if not since_ms <= ms <= until_ms:
                    continue
                if ms > latest:  # noqa: PLR1730 - max() takes twice as long
                    latest = ms
            row = make_row(properties, line)
            row["event"] = event["event"]
            row["time"] = text
            yield row
        self.seen += seen
        self._latest_ms = latest


def _object_row(properties: Mapping[str, Any], line: bytes) -> dict[str, Any]:
    """As `PropertyColumns.row`."""
    if holds_long_number(line):
        properties = _parse_again(line)
    return {
        "event": None,
        "time": None,
        "distinct_id": properties.get("distinct_id"),
        "insert_id": properties.get("$insert_id"),
        "properties": properties,
    }


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
    if len(event) == _PLAIN:
        return properties
    extras = {k: v for k, v in event.items() if k not in ("event", "properties")}
    return {**extras, **properties}


def _parse_again(line: bytes) -> dict[str, Any]:
    return _properties(parse_exactly(line))


def _no_event(value: Any) -> DataError:
    keys = sorted(value) if isinstance(value, dict) else type(value).__name__
    return DataError(
        "Mixpanel sent a line that is no event, so the sync stops rather than drop it. The state "
        "is that of the last whole slice; the next sync asks again.",
        detail=f"a line with {keys} instead of 'event' and 'properties'",
    )
