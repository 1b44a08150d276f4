"""Properties to columns: the part of the hot path that every kind of row shares. Pure.

What is the same for many rows is worked out once: a `_Plan` for each distinct tuple of property
names, and a count for each tuple of value types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Any

from source_mixpanel.records.decode import dump, holds_long_number
from source_mixpanel.records.naming import ColumnNames
from source_mixpanel.records.types import JSON_TYPES, declared_types, fits

_MANY = 20_000
_EXACT = 2.0**63
"""orjson makes a float of an integer that is not below this, or below its negative."""


@dataclass(frozen=True)
class Shape:
    """How rows are to look, as the user wants it and as the configured catalog has it.

    Attributes:
        as_object: One `properties` column with raw names instead of a column each.
        to_text: Whether custom properties become text.
        only_declared: Emit only the columns of the configured catalog.
        native: Raw names of Mixpanel's own properties, which keep their JSON type even as text.
        declared: The JSON types that each column of the configured catalog is declared with.
    """

    as_object: bool = False
    to_text: bool = False
    only_declared: bool = False
    native: frozenset[str] = frozenset()
    declared: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def declared_by(self, schema: Mapping[str, Any] | None, native: Iterable[str]) -> Shape:
        """The same for a configured schema."""
        columns = (schema or {}).get("properties") or {}
        declared = {column: declared_types(spec) for column, spec in columns.items()}
        return replace(self, native=frozenset(native), declared=declared)

    def emits(self, column: str) -> bool:
        """Whether a column of properties is wanted."""
        return not self.only_declared or column in self.declared


class _Kinds:
    """Rows of one tuple of property names whose values have the same types.

    Attributes:
        inexact: Whether a very large integer may be among them, as a float.
    """

    __slots__ = ("_floats", "_nested", "count", "inexact", "names", "signature")

    def __init__(
        self,
        names: tuple[str, ...],
        signature: tuple[type, ...],
        emitted: Iterable[tuple[str, type]],
    ) -> None:
        self.names = names
        self.signature = signature
        self.count = 0
        kinds = dict(emitted)
        self._floats = tuple(column for column, kind in kinds.items() if kind is float)
        self._nested = list in kinds.values() or dict in kinds.values()
        self.inexact = bool(self._floats) or self._nested

    def may_be_rounded(self, row: Mapping[str, Any], line: bytes) -> bool:
        """Whether orjson may have made floats of integers when it parsed this row's line."""
        for column in self._floats:
            if not -_EXACT < row[column] < _EXACT:
                return True
        return self._nested and holds_long_number(line)


@dataclass(slots=True, eq=False)
class _Plan:
    """What to do with rows of one tuple of property names.

    Attributes:
        blank: A row with every column, all null: copying it is cheaper than growing a new one.
        selectors: Which values are wanted, None for all.
        kinds: The types of the last row's values; mostly the next row has the same.
        known: All of them, by signature.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    blank: dict[str, Any]
    selectors: tuple[bool, ...] | None
    text: tuple[str, ...]
    known: dict[tuple[type, ...], _Kinds] = field(default_factory=dict)
    kinds: _Kinds = field(init=False)

    def __post_init__(self) -> None:
        self.kinds = _Kinds(self.names, (), ())

    def kinds_of(self, signature: tuple[type, ...]) -> _Kinds:
        """A new one, for values of these types."""
        emitted = compress(signature, self.selectors) if self.selectors else signature
        made = _Kinds(self.names, signature, zip(self.columns, emitted, strict=True))
        self.known[signature] = made
        return made


class PropertyColumns:
    """Puts properties in their columns, and keeps count of values that do not fit them.

    Args:
        core: The columns that every row has, in front: always emitted, never counted as misfits.
        parse_again: The properties of a line, with integers beyond 64 bits exact.
    """

    def __init__(
        self,
        names: ColumnNames,
        shape: Shape,
        core: Iterable[str],
        parse_again: Callable[[bytes], Mapping[str, Any]] | None = None,
    ) -> None:
        self._names = names
        self._shape = shape
        self._blank = dict.fromkeys(core)
        self._core = frozenset(self._blank)
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._kinds: list[_Kinds] = []
        self._misfits: Counter[tuple[str, str]] = Counter()
        self._parse_again = parse_again

    def row(self, properties: Mapping[str, Any], line: bytes = b"") -> dict[str, Any]:
        """A row with the properties in it; core columns have to be set after it.

        The line they were parsed from is not needed if very large integers are exact.
        """
        names = tuple(properties)
        plan = self._plans.get(names) or self._plan(names)
        values: Iterable[Any] = properties.values()
        signature = tuple(map(type, values))
        kinds = plan.kinds
        if signature != kinds.signature:
            kinds = plan.kinds = plan.known.get(signature) or self._learn(plan, signature)
        if plan.selectors is not None:
            values = compress(values, plan.selectors)
        row = plan.blank.copy()
        row.update(zip(plan.columns, values))  # noqa: B905 - as long as each other by make
        if kinds.inexact and self._parse_again and line and kinds.may_be_rounded(row, line):
            return self.row(self._parse_again(line))
        kinds.count += 1
        for column in plan.text:
            row[column] = _as_text(row[column])
        return row

    def _plan(self, names: tuple[str, ...]) -> _Plan:
        if len(self._plans) >= _MANY:
            self._forget()
        self._names.add_all(names)
        all_columns = [self._names.column(name) for name in names]
        selectors = [c in self._core or self._shape.emits(c) for c in all_columns]
        columns = tuple(compress(all_columns, selectors))
        native = self._shape.native
        custom = {self._names.column(name) for name in names if name not in native} - self._core
        plan = self._plans[names] = _Plan(
            names,
            columns,
            dict.fromkeys((*self._blank, *columns)),
            selectors=None if all(selectors) else tuple(selectors),
            text=tuple(c for c in columns if c in custom) if self._shape.to_text else (),
        )
        return plan

    def _learn(self, plan: _Plan, signature: tuple[type, ...]) -> _Kinds:
        if len(self._kinds) >= _MANY:
            self._forget()
        kinds = plan.kinds_of(signature)
        self._kinds.append(kinds)
        return kinds

    def _forget(self) -> None:
        """Give memory back; what was counted is kept as misfits."""
        self._count_misfits()
        self._plans.clear()
        self._kinds.clear()

    def _count_misfits(self) -> None:
        """Turn counts of type signatures into misfits by column and type."""
        for kinds in self._kinds:
            if not kinds.count:
                continue
            for name, kind in zip(kinds.names, kinds.signature, strict=True):
                column = self._names.column(name)
                declared = self._shape.declared.get(column)
                found = JSON_TYPES.get(kind, kind.__name__)
                if declared and column not in self._core and not fits(found, declared):
                    self._misfits[column, found] += kinds.count
            kinds.count = 0

    def misfits(self) -> dict[str, dict[str, int]]:
        """By column: how many values of which JSON type did not fit what it is declared as."""
        self._count_misfits()
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
