"""Properties to columns: the part of the hot path that every kind of row shares. Pure.

A property goes to the column that the catalog has for it, if its value fits; else to
`rescued_properties`. `_Placing` holds what is the same for all rows of the same names and types of
values, so that most rows are one copy of a dictionary. Rows of names that come for the first time,
and those with a value that needs a closer look, are made value by value.
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

_MOST_HELD = 150_000
"""Names in all placings together: some 20 MB."""
_MOST_SEEN = 50_000
_EXACT = 2.0**63
"""orjson makes a float of an integer that is not below this, or below its negative."""


@dataclass(frozen=True)
class Shape:
    """How the user wants rows to look.

    Attributes:
        as_object: One `properties` column with raw names instead of a column each.
        to_text: Whether custom properties become text where their columns take text.
        only_declared: Emit only the columns of the configured catalog.
    """

    as_object: bool = False
    to_text: bool = False
    only_declared: bool = False


@dataclass(slots=True, eq=False)
class _Placing:
    """Where the values of rows go that have the same names and types of values.

    Attributes:
        signature: The types.
        blank: A row with all its columns null: copying it is cheaper than growing a new one.
        selectors: Which values go to `columns`, None for all.
        text: Columns whose values become text.
        rescued: Names of what has no column, or does not fit it.
        odd: Names and types of what is told in the end; `count` rows have them.
        floats: Names of floats, which may be rounded integers.
        checks: Names whose values have to be looked at, and how.
    """

    signature: tuple[type, ...]
    columns: tuple[str, ...] = ()
    blank: dict[str, Any] = field(default_factory=dict)
    selectors: tuple[bool, ...] | None = None
    text: tuple[str, ...] = ()
    rescued: tuple[str, ...] = ()
    odd: tuple[tuple[str, type], ...] = ()
    floats: tuple[str, ...] = ()
    nested: bool = False
    checks: tuple[tuple[str, Check], ...] = ()
    count: int = 0

    def needs_a_look(self, properties: Mapping[str, Any], line: bytes) -> bool:
        """Whether a value of a row is not what its type promises."""
        for name in self.floats:
            if not -_EXACT < properties[name] < _EXACT:
                return True
        for name, fits in self.checks:
            if not fits(properties[name]):
                return True
        return self.nested and holds_long_number(line)


class _Plan:
    """The placings of one tuple of names; mostly the next row has the types of the last one."""

    __slots__ = ("last", "placings")

    def __init__(self) -> None:
        self.last = _Placing((object,))
        self.placings: dict[tuple[type, ...], _Placing] = {}


class PropertyColumns:
    """Puts properties in their columns.

    Core properties go to theirs whatever they are: whoever makes the rows sees to them.

    Args:
        core: The columns that every row has, in front.
        parse_again: The properties of a line, with integers beyond 64 bits exact.

    Attributes:
        blank: A row of nothing but nulls: the core columns, and the one of what is rescued.
        held: Names that are remembered, in all mixtures of them.
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
        self.held = 0
        self._tally = Tally(catalog)

    @property
    def is_older(self) -> bool:
        """Whether values come as they are, even if they do not fit."""
        return self._catalog.is_older

    def row(self, properties: Mapping[str, Any], line: bytes = b"") -> dict[str, Any]:
        """A row with the properties in it; core columns have to be set after it.

        The line they were parsed from is not needed if very large integers are exact.
        """
        plan = self._plans.get(names := tuple(properties)) or self._plan(names)
        if plan is None:
            return self._by_value(properties, line)
        values: Iterable[Any] = properties.values()
        signature = tuple(map(type, values))
        placing = plan.last
        if signature != placing.signature:
            placing = plan.last = self._placing(plan, names, signature)
        if placing.needs_a_look(properties, line):
            return self._by_value(properties, line)
        if placing.selectors is not None:
            values = compress(values, placing.selectors)
        row = placing.blank.copy()
        row.update(zip(placing.columns, values))  # noqa: B905 - as long as each other by make
        for column in placing.text:
            row[column] = as_text(row[column])
        if placing.odd:
            placing.count += 1
            if placing.rescued:
                row[RESCUED] = {name: properties[name] for name in placing.rescued}
        return row

    def rescue(self, row: dict[str, Any], raw: str, value: Any) -> None:
        """Keep a value that is in no column that it fits."""
        self._tally.add(raw, type(value))
        if self._catalog.rescues:
            row[RESCUED] = {**(row[RESCUED] or {}), raw: value}

    def sentences(self, stream: str) -> Iterable[str]:
        """What is to be told of values that do not fit, if anything."""
        self._count()
        return self._tally.sentences(stream)

    def taken(self) -> Counts:
        """What was counted of values that do not fit; nothing of it is kept."""
        self._count()
        return self._tally.taken()

    def absorb(self, counts: Counts) -> None:
        """Count what was counted elsewhere."""
        self._tally.absorb(counts)

    # -- value by value --------------------------------------------------------------------

    def _by_value(self, properties: Mapping[str, Any], line: bytes) -> dict[str, Any]:
        """As `row`, for any values; the same rules without anything remembered."""
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
            told = as_text(value) if self._is_to_be_text(column, type(value), raw) else value
            if column.fits(told):
                row[column.name] = told
                continue
            row[column.name] = value if self._catalog.is_older else None
            self.rescue(row, raw, value)
        return row

    def _put_core(self, row: dict[str, Any], raw: str, value: Any) -> None:
        column = self._core.properties[raw]
        if column in row:
            row[column] = value

    def _column(self, raw: str) -> Column | None:
        """The column of a property that is no core one; None if it has none."""
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
        """A plan for rows of these names, unless they come for the first time."""
        if self._names is not None:
            self._names.add(names)
        known = hash(names)
        if known not in self._seen:
            if len(self._seen) >= _MOST_SEEN:
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
        self.held += len(names)
        if self.held > _MOST_HELD:
            self._forget()
            self.held = len(names)
            self._plans[names] = plan
            plan.placings.clear()
        made = plan.placings[signature] = self._decided(names, signature)
        return made

    def _forget(self) -> None:
        """Give memory back; what was counted is kept."""
        self._count()
        self._plans.clear()
        self._seen.clear()

    def _count(self) -> None:
        for plan in self._plans.values():
            for placing in plan.placings.values():
                for raw, kind in placing.odd if placing.count else ():
                    self._tally.add(raw, kind, placing.count)
                placing.count = 0

    def _decided(self, names: tuple[str, ...], signature: tuple[type, ...]) -> _Placing:
        """Where values of these types go."""
        placing = _Placing(signature)
        told = [self._one(placing, raw, kind) for raw, kind in zip(names, signature, strict=True)]
        columns = [place for place in told if place is not None]
        placing.columns = tuple(columns)
        known = (self._column(raw) for raw in names if raw not in self._core.properties)
        placing.blank = {**self.blank, **{column.name: None for column in known if column}}
        if len(columns) < len(told):
            placing.selectors = tuple(place is not None for place in told)
        return placing

    def _one(self, placing: _Placing, raw: str, kind: type) -> str | None:
        """The column of values of a type; what has none is noted in the placing."""
        if kind is float:
            placing.floats += (raw,)
        placing.nested = placing.nested or kind in (list, dict)
        if raw in self._core.properties:
            name = self._core.properties[raw]
            return name if name in self.blank else None
        column = self._column(raw)
        if column is None:
            if not self._shape.only_declared and kind is not type(None):
                self._no_place(placing, raw, kind)
            return None
        if self._is_to_be_text(column, kind, raw):
            placing.text += (column.name,)
        elif kind in column.takes:
            check = column.checks.get(kind)
            if check is not None and not self._holds_anyway(check, kind):
                placing.checks += ((raw, check),)
        else:
            self._no_place(placing, raw, kind)
            return column.name if self._catalog.is_older else None
        return column.name

    def _no_place(self, placing: _Placing, raw: str, kind: type) -> None:
        placing.odd += ((raw, kind),)
        if self._catalog.rescues:
            placing.rescued += (raw,)

    def _holds_anyway(self, check: Check, kind: type) -> bool:
        """Whether numbers are looked at before they get too large for a decimal.

        Floats are, for being rounded integers; so are integers where they are parsed again.
        """
        return check is is_decimal and (kind is float or self._parse_again is not None)
