"""Raw events to records: the hot path. Blocks of lines in, rows out.

What is the same for many events is worked out once: a `_Plan` for each distinct tuple of
property names, a prefix for each minute, a tally for each tuple of value types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from source_mixpanel.errors import DataError
from source_mixpanel.instants import Stamper
from source_mixpanel.records.decode import dump, parse_lines
from source_mixpanel.records.naming import CORE_COLUMNS, EVENT_COLUMN, ColumnNames
from source_mixpanel.records.types import JSON_TYPES, fits

_NEVER = -(1 << 63)
_MANY_PLANS = 20_000
_PLAIN = 2
_CORE_DEFAULTS = dict.fromkeys((EVENT_COLUMN, "time", "distinct_id", "insert_id"))


@dataclass(frozen=True)
class Shape:
    """How rows are to look.

    Attributes:
        as_object: One `properties` column with raw names instead of a column each.
        only: The columns to emit, None for all.
        to_text: Whether custom properties become text.
        native: Raw names of properties that keep their JSON type even then.
        declared: The JSON types each column is declared with.
    """

    as_object: bool = False
    only: frozenset[str] | None = None
    to_text: bool = False
    native: frozenset[str] = frozenset()
    declared: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass
class _Plan:
    """What to do with events of one tuple of property names."""

    columns: tuple[str, ...]
    selectors: tuple[bool, ...] | None
    text: tuple[str, ...]
    signatures: Counter[tuple[type, ...]] = field(default_factory=Counter)


class EventRows:
    """Makes rows of raw events, and keeps count of what a log should tell.

    Args:
        names: The columns of properties; grows as new ones come by.
        stamper: What `time` means.
        shape: How rows are to look.

    Attributes:
        latest_ms: The latest `time` of any row so far, UTC.
        timeless: Rows whose `time` is missing or no time; it is null in them.
        seen: Events read, emitted or not.
    """

    def __init__(self, names: ColumnNames, stamper: Stamper, shape: Shape) -> None:
        self._names = names
        self._stamper = stamper
        self._shape = shape
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._misfits: Counter[tuple[str, str]] = Counter()
        self.latest_ms = _NEVER
        self.timeless = 0
        self.seen = 0

    def rows(self, block: bytes, since_ms: int, until_ms: int) -> Iterator[dict[str, Any]]:
        """The rows of a block whose time lies in [since_ms, until_ms], in order.

        Raises:
            DataError: A line is no JSON or no event.
        """
        make_row = _object_row if self._shape.as_object else self._column_row
        stamp = self._stamper.text
        for event in parse_lines(block):
            properties = _properties(event)
            self.seen += 1
            ms = self._utc_ms(properties)
            if ms is None:
                yield make_row(event["event"], None, properties)
            elif since_ms <= ms <= until_ms:
                self.latest_ms = max(self.latest_ms, ms)
                yield make_row(event["event"], stamp(ms), properties)

    def _column_row(
        self, name: Any, text: str | None, properties: Mapping[str, Any]
    ) -> dict[str, Any]:
        keys = tuple(properties)
        plan = self._plans.get(keys) or self._plan(keys)
        values: Iterable[Any] = properties.values()
        plan.signatures[tuple(map(type, values))] += 1
        if plan.selectors is not None:
            values = compress(values, plan.selectors)
        row = _CORE_DEFAULTS.copy()
        row.update(zip(plan.columns, values))  # noqa: B905 - as long as each other by make
        row["event"] = name
        row["time"] = text
        for column in plan.text:
            row[column] = _as_text(row[column])
        return row

    def _utc_ms(self, properties: Mapping[str, Any]) -> int | None:
        try:
            return self._stamper.utc_ms(properties.get("time"), properties)
        except ValueError:
            self.timeless += 1
            return None

    def _plan(self, keys: tuple[str, ...]) -> _Plan:
        if len(self._plans) >= _MANY_PLANS:
            self._settle_tallies()
            self._plans.clear()
        self._names.add_all(keys)
        all_columns = [self._names.column(key) for key in keys]
        only = self._shape.only
        core = frozenset(CORE_COLUMNS.values())
        selectors = [only is None or c in only or c in core for c in all_columns]
        columns = tuple(compress(all_columns, selectors))
        custom = {self._names.column(key) for key in keys if key not in self._shape.native} - core
        plan = self._plans[keys] = _Plan(
            columns=columns,
            selectors=None if all(selectors) else tuple(selectors),
            text=tuple(c for c in columns if c in custom) if self._shape.to_text else (),
        )
        return plan

    def _settle_tallies(self) -> None:
        """Turn tallies of type signatures into misfits by column and type."""
        for plan_keys, plan in self._plans.items():
            for signature, count in plan.signatures.items():
                for key, kind in zip(plan_keys, signature, strict=True):
                    column = self._names.column(key)
                    declared = self._shape.declared.get(column)
                    found = JSON_TYPES.get(kind, kind.__name__)
                    if declared and column not in _CORE_DEFAULTS and not fits(found, declared):
                        self._misfits[column, found] += count
            plan.signatures.clear()

    def misfits(self) -> dict[str, dict[str, int]]:
        """By column: how many values of which JSON type did not fit what it is declared as."""
        self._settle_tallies()
        found: dict[str, dict[str, int]] = {}
        for (column, kind), count in sorted(self._misfits.items()):
            found.setdefault(column, {})[kind] = count
        return found


def _object_row(name: Any, text: str | None, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "event": name,
        "time": text,
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


def _as_text(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return dump(value).decode()


def _no_event(value: Any) -> DataError:
    keys = sorted(value) if isinstance(value, dict) else type(value).__name__
    return DataError(
        "Mixpanel sent a line that is no event, so the sync stops rather than drop it. The state "
        "is that of the last whole slice; the next sync asks again.",
        detail=f"a line with {keys} instead of 'event' and 'properties'",
    )
