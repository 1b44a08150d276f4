"""Properties to columns: the part of the hot path that every kind of row shares. Pure.

What is the same for many rows is worked out once: a `_Plan` for each distinct tuple of property
names, a tally for each tuple of value types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from source_mixpanel.records.decode import dump
from source_mixpanel.records.naming import ColumnNames
from source_mixpanel.records.types import JSON_TYPES, fits

_MANY_PLANS = 20_000


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


class _Plan:
    """What to do with rows of one tuple of property names, and what types their values had.

    Args:
        columns: Where the values go, in their order.
        blank: A row with every column, all null: copying it is cheaper than growing a new one.
        selectors: Which values are wanted, None for all.
        text: The columns to make text of.

    Attributes:
        signature: The types of the last rows' values; mostly the next row has the same.
        count: How many those rows are.
    """

    __slots__ = ("_tally", "blank", "columns", "count", "selectors", "signature", "text")

    def __init__(
        self,
        columns: tuple[str, ...],
        blank: dict[str, Any],
        *,
        selectors: tuple[bool, ...] | None,
        text: tuple[str, ...],
    ) -> None:
        self.columns = columns
        self.blank = blank
        self.selectors = selectors
        self.text = text
        self._tally: Counter[tuple[type, ...]] = Counter()
        self.signature: tuple[type, ...] = ()
        self.count = 0

    def turn_to(self, signature: tuple[type, ...]) -> None:
        """Begin to count rows whose values have other types."""
        if self.count:
            self._tally[self.signature] += self.count
        self.signature, self.count = signature, 0

    def take_tally(self) -> Counter[tuple[type, ...]]:
        """How often each signature came since the last time."""
        self.turn_to(())
        tally, self._tally = self._tally, Counter()
        return tally


class PropertyColumns:
    """Puts properties in their columns, and keeps count of values that do not fit them.

    Args:
        names: The columns of properties; grows as new ones come by.
        shape: How rows are to look.
        core: The columns that every row has, in front: always emitted, never counted as misfits.
    """

    def __init__(self, names: ColumnNames, shape: Shape, core: Iterable[str]) -> None:
        self._names = names
        self._shape = shape
        self._blank = dict.fromkeys(core)
        self._core = frozenset(self._blank)
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._misfits: Counter[tuple[str, str]] = Counter()

    def row(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """A row with the properties in it; core columns have to be set after it."""
        keys = tuple(properties)
        plan = self._plans.get(keys) or self._plan(keys)
        values: Iterable[Any] = properties.values()
        signature = tuple(map(type, values))
        if signature != plan.signature:
            plan.turn_to(signature)
        plan.count += 1
        if plan.selectors is not None:
            values = compress(values, plan.selectors)
        row = plan.blank.copy()
        row.update(zip(plan.columns, values))  # noqa: B905 - as long as each other by make
        for column in plan.text:
            row[column] = _as_text(row[column])
        return row

    def _plan(self, keys: tuple[str, ...]) -> _Plan:
        if len(self._plans) >= _MANY_PLANS:
            self._settle_tallies()
            self._plans.clear()
        self._names.add_all(keys)
        all_columns = [self._names.column(key) for key in keys]
        only = self._shape.only
        selectors = [only is None or c in only or c in self._core for c in all_columns]
        columns = tuple(compress(all_columns, selectors))
        native = self._shape.native
        custom = {self._names.column(key) for key in keys if key not in native} - self._core
        plan = self._plans[keys] = _Plan(
            columns,
            dict.fromkeys((*self._blank, *columns)),
            selectors=None if all(selectors) else tuple(selectors),
            text=tuple(c for c in columns if c in custom) if self._shape.to_text else (),
        )
        return plan

    def _settle_tallies(self) -> None:
        """Turn tallies of type signatures into misfits by column and type."""
        for plan_keys, plan in self._plans.items():
            for signature, count in plan.take_tally().items():
                for key, kind in zip(plan_keys, signature, strict=True):
                    column = self._names.column(key)
                    declared = self._shape.declared.get(column)
                    found = JSON_TYPES.get(kind, kind.__name__)
                    if declared and column not in self._core and not fits(found, declared):
                        self._misfits[column, found] += count

    def misfits(self) -> dict[str, dict[str, int]]:
        """By column: how many values of which JSON type did not fit what it is declared as."""
        self._settle_tallies()
        found: dict[str, dict[str, int]] = {}
        for (column, kind), count in sorted(self._misfits.items()):
            found.setdefault(column, {})[kind] = count
        return found

    def sentences(self, stream: str) -> list[str]:
        """The misfits, one sentence a column."""
        told = []
        for column, kinds in self.misfits().items():
            found = ", ".join(f"{count} x {kind}" for kind, count in kinds.items())
            declared = " or ".join(sorted(self._shape.declared[column] - {"null"}))
            told.append(
                f"Stream {stream!r}, column {column!r}: declared as {declared}, but came as "
                f"{found}. The values were emitted as they are."
            )
        return told


def _as_text(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return dump(value).decode()
