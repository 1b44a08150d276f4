"""Properties to columns: the hot path that all kinds of rows share. Pure.

A property goes to its column in the catalog if its value fits; else to `rescued_properties`.
`_Placing` caches what is the same for all rows with the same names and types of values, so that
most rows are one copy of a dictionary. Rows whose names come for the first time, and rows with a
value that does not pass a check, are made value by value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from source_mixpanel.columns.catalog import (
    CatalogColumns,
    Check,
    Column,
    any_column,
    is_decimal,
)
from source_mixpanel.columns.naming import ColumnNames, Core
from source_mixpanel.columns.tally import Counts, Tally
from source_mixpanel.columns.types import RESCUED
from source_mixpanel.texts.json_lines import as_text, holds_long_number

_MAX_CACHED_NAMES = 150_000
"""Names in all cached placings: some 20 MB."""
_MAX_SEEN = 50_000
_EXACT = 2.0**63
"""orjson parses integers from this size on, positive or negative, as floats."""


@dataclass(frozen=True)
class Shape:
    """The layout of rows in the settings.

    Attributes:
        as_object: Whether there is one column `properties` instead of a column each.
        to_text: Whether custom properties become text if their columns accept text.
        only_declared: Whether properties without a column are left out.
    """

    as_object: bool = False
    to_text: bool = False
    only_declared: bool = False


@dataclass(slots=True, eq=False)
class _Placing:
    """Where values go in rows with the same names and types of values.

    Attributes:
        signature: The types.
        columns: The columns of the selected values.
        blank: A row with null in all columns: copying it is faster than building a new one.
        selectors: Which values go to `columns`; None for all.
        text: Columns whose values become text.
        rescued: Names of values that have no column or do not fit it.
        unfit: Names and types of values to report.
        floats: Names of floats, which may be rounded integers.
        nested: Whether there are lists or objects, which may contain long integers.
        checks: Names whose values have to be checked, and how.
        count: Rows made, if there is something to report.
    """

    signature: tuple[type, ...]
    columns: tuple[str, ...] = ()
    blank: dict[str, Any] = field(default_factory=dict)
    selectors: tuple[bool, ...] | None = None
    text: tuple[str, ...] = ()
    rescued: tuple[str, ...] = ()
    unfit: tuple[tuple[str, type], ...] = ()
    floats: tuple[str, ...] = ()
    nested: bool = False
    checks: tuple[tuple[str, Check], ...] = ()
    count: int = 0

    def needs_checks(self, properties: Mapping[str, Any], line: bytes) -> bool:
        """Whether a value of a row fails a check, or may have been rounded."""
        for name in self.floats:
            if not -_EXACT < properties[name] < _EXACT:
                return True
        for name, fits in self.checks:
            if not fits(properties[name]):
                return True
        return self.nested and holds_long_number(line)


class _Plan:
    """The placings of one tuple of names, and the last one used, which most rows repeat."""

    __slots__ = ("last", "placings")

    def __init__(self) -> None:
        self.last = _Placing((object,))
        self.placings: dict[tuple[type, ...], _Placing] = {}


class PropertyColumns:
    """Puts properties into their columns.

    The values of core properties are not checked: the caller has to do that.

    Args:
        catalog: The configured columns.
        shape: The layout of rows.
        core: The columns of every row, in front.
        parse_again: Parses the properties of a line with exact integers beyond 64 bits.

    Attributes:
        blank: A row of nulls: the core columns and `rescued_properties`.
        cached_names: Names in all cached placings.
    """

    def __init__(
        self,
        catalog: CatalogColumns,
        shape: Shape,
        core: Core,
        parse_again: Callable[[bytes], Mapping[str, Any]] | None = None,
    ) -> None:
        self._catalog = catalog
        self._shape = shape
        self._core = core
        blank = dict.fromkeys(catalog.core(core))
        self.blank: Mapping[str, Any] = {**blank, RESCUED: None} if catalog.rescues else blank
        self._names = ColumnNames(core, catalog.properties) if catalog.is_older else None
        self._parse_again = parse_again
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._seen: set[int] = set()
        self.cached_names = 0
        self._tally = Tally(catalog)

    @property
    def is_older(self) -> bool:
        """Whether values are emitted unchanged even if they do not fit."""
        return self._catalog.is_older

    def row(self, properties: Mapping[str, Any], line: bytes = b"") -> dict[str, Any]:
        """A row with the properties; the caller sets its core columns after that.

        `line` is their JSON text; it is not needed if integers beyond 64 bits are exact.
        """
        plan = self._plans.get(names := tuple(properties)) or self._plan(names)
        if plan is None:
            return self._row_by_value(properties, line)
        values: Iterable[Any] = properties.values()
        signature = tuple(map(type, values))
        placing = plan.last
        if signature != placing.signature:
            placing = plan.last = self._placing(plan, names, signature)
        if placing.needs_checks(properties, line):
            return self._row_by_value(properties, line)
        if placing.selectors is not None:
            values = compress(values, placing.selectors)
        row = placing.blank.copy()
        row.update(zip(placing.columns, values))  # noqa: B905 - as long as each other by make
        for column in placing.text:
            row[column] = as_text(row[column])
        if placing.unfit:
            placing.count += 1
            if placing.rescued:
                row[RESCUED] = {name: properties[name] for name in placing.rescued}
        return row

    def rescue(self, row: dict[str, Any], raw: str, value: Any) -> None:
        """Put a value that fits no column into `rescued_properties`, and count it."""
        self._tally.add(raw, type(value))
        if self._catalog.rescues:
            row[RESCUED] = {**(row[RESCUED] or {}), raw: value}

    def sentences(self, stream: str) -> Iterable[str]:
        """Sentences about values that do not fit; none if there are none."""
        self._count()
        return self._tally.sentences(stream)

    def taken(self) -> Counts:
        """The counts of values that do not fit, which are reset."""
        self._count()
        return self._tally.taken()

    def absorb(self, counts: Counts) -> None:
        """Add the counts of another instance."""
        self._tally.absorb(counts)

    # -- value by value --------------------------------------------------------------------

    def _row_by_value(self, properties: Mapping[str, Any], line: bytes) -> dict[str, Any]:
        """The same as `row` without the cache, for any values."""
        if self._parse_again and holds_long_number(line):
            properties = self._parse_again(line)
        row = dict(self.blank)
        for raw, value in properties.items():
            if raw in self._core.properties:
                self._put_core(row, raw, value)
                continue
            column = self._column(raw)
            if column is None:
                if not self._shape.only_declared and value is not None:
                    self.rescue(row, raw, value)
                continue
            converted = as_text(value) if self._is_to_be_text(column, type(value), raw) else value
            if column.fits(converted):
                row[column.name] = converted
                continue
            row[column.name] = value if self._catalog.is_older else None
            self.rescue(row, raw, value)
        return row

    def _put_core(self, row: dict[str, Any], raw: str, value: Any) -> None:
        column = self._core.properties[raw]
        if column in row:
            row[column] = value

    def _column(self, raw: str) -> Column | None:
        """The column of a property that is not a core one; None if it has none."""
        name = self._catalog.properties.get(raw)
        if name is not None:
            return self._catalog.columns[name]
        if self._names is None:
            return None
        name = self._names.columns[raw]
        declared = self._catalog.columns.get(name)
        return declared or (None if self._shape.only_declared else any_column(name))

    def _is_to_be_text(self, column: Column, kind: type, raw: str) -> bool:
        if not self._shape.to_text or kind is str or kind is type(None):
            return False
        return str in column.takes and raw not in self._core.reserved

    # -- what is remembered ----------------------------------------------------------------

    def _plan(self, names: tuple[str, ...]) -> _Plan | None:
        """The plan for rows of these names; None if they come for the first time."""
        if self._names is not None:
            self._names.add(names)
        known = hash(names)
        if known not in self._seen:
            if len(self._seen) >= _MAX_SEEN:
                self._seen.clear()
            self._seen.add(known)
            return None
        plan = self._plans[names] = _Plan()
        return plan

    def _placing(
        self, plan: _Plan, names: tuple[str, ...], signature: tuple[type, ...]
    ) -> _Placing:
        if (known := plan.placings.get(signature)) is not None:
            return known
        self.cached_names += len(names)
        if self.cached_names > _MAX_CACHED_NAMES:
            self._clear_cache()
            self.cached_names = len(names)
            self._plans[names] = plan
            plan.placings.clear()
        placing = plan.placings[signature] = self._place_all(names, signature)
        return placing

    def _clear_cache(self) -> None:
        """Empty the cache; counts are kept."""
        self._count()
        self._plans.clear()
        self._seen.clear()

    def _count(self) -> None:
        for plan in self._plans.values():
            for placing in plan.placings.values():
                for raw, kind in placing.unfit if placing.count else ():
                    self._tally.add(raw, kind, placing.count)
                placing.count = 0

    def _place_all(self, names: tuple[str, ...], signature: tuple[type, ...]) -> _Placing:
        """The placing for values of these types."""
        placing = _Placing(signature)
        placed = [
            self._place_one(placing, raw, kind) for raw, kind in zip(names, signature, strict=True)
        ]
        columns = [column_name for column_name in placed if column_name is not None]
        placing.columns = tuple(columns)
        mapped = (self._column(raw) for raw in names if raw not in self._core.properties)
        placing.blank = {**self.blank, **{column.name: None for column in mapped if column}}
        if len(columns) < len(placed):
            placing.selectors = tuple(column_name is not None for column_name in placed)
        return placing

    def _place_one(self, placing: _Placing, raw: str, kind: type) -> str | None:
        """The column of values of a type; None, and noted in the placing, if there is none."""
        if kind is float:
            placing.floats += (raw,)
        placing.nested = placing.nested or kind in (list, dict)
        if raw in self._core.properties:
            name = self._core.properties[raw]
            return name if name in self.blank else None
        column = self._column(raw)
        if column is None:
            if not self._shape.only_declared and kind is not type(None):
                self._no_column(placing, raw, kind)
            return None
        if self._is_to_be_text(column, kind, raw):
            placing.text += (column.name,)
        elif kind in column.takes:
            check = column.checks.get(kind)
            if check is not None and not self._is_checked_elsewhere(check, kind):
                placing.checks += ((raw, check),)
        else:
            self._no_column(placing, raw, kind)
            return column.name if self._catalog.is_older else None
        return column.name

    def _no_column(self, placing: _Placing, raw: str, kind: type) -> None:
        placing.unfit += ((raw, kind),)
        if self._catalog.rescues:
            placing.rescued += (raw,)

    def _is_checked_elsewhere(self, check: Check, kind: type) -> bool:
        """Whether another check finds all numbers that are too large for a decimal.

        Floats are checked for being rounded integers; integers, if they are parsed again.
        """
        return check is is_decimal and (kind is float or self._parse_again is not None)
