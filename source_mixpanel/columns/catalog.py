"""What the configured catalog says of a stream's columns: it alone decides them. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from source_mixpanel.columns.naming import Core
from source_mixpanel.columns.types import JSON_TYPES, PYTHON_TYPES, RESCUED, declared_types
from source_mixpanel.texts.json_lines import as_text

RAW_NAME = "mixpanel_property"
"""The keyword that tells, in a column's schema, which property it holds."""

EVENT_KEY = "event_key"

_ANY_TYPE = frozenset(PYTHON_TYPES["any"])
_SIXTY_FOUR_BITS = range(-(1 << 63), 1 << 63)
_DECIMAL = 10**29
"""What the widest decimals of warehouses, of 38 digits with 9 of them decimals, can't hold."""

_WHOLE = re.compile(r"-?[1-9]\d{0,17}|0", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_ZONELESS = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WHOLE_SECONDS = len("2026-01-31T00:00:00")

Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the catalog.

    Attributes:
        name: The column's.
        takes: The Python types of values that its JSON types allow; null is always among them.
        checks: By Python type: what a value of it has to be besides.
    """

    name: str
    takes: frozenset[type]
    checks: Mapping[type, Check]

    @property
    def named(self) -> list[str]:
        """Its JSON types, without null."""
        kinds = {JSON_TYPES[kind] for kind in self.takes if kind is not type(None)}
        return sorted(kinds - ({"integer"} if "number" in kinds else set()))

    def converted(self, value: Any) -> Any:
        """An id as the column takes it: its JSON text, or the whole number that a text is."""
        if type(value) not in self.takes and str in self.takes:
            return as_text(value)
        if type(value) is str and str not in self.takes and int in self.takes:
            return int(value) if _WHOLE.fullmatch(value) else value
        return value

    def fits(self, value: Any) -> bool:
        """Whether a value can be in the column."""
        kind = type(value)
        return kind in self.takes and (kind not in self.checks or self.checks[kind](value))


@dataclass(frozen=True)
class CatalogColumns:
    """The columns that a configured catalog declares for a stream.

    Attributes:
        columns: By name.
        properties: The column of each property, by raw name.
        is_older: Whether the catalog is one of before there were `rescued_properties`; values then
            come in columns of their own even if these are not declared, and as they are.
    """

    columns: Mapping[str, Column]
    properties: Mapping[str, str]
    is_older: bool

    @property
    def rescues(self) -> bool:
        """Whether there is a column for what fits nowhere else."""
        return RESCUED in self.columns

    @cached_property
    def raw_names(self) -> Mapping[str, str]:
        """The property of each column of one."""
        return {column: raw for raw, column in self.properties.items()}

    def core(self, core: Core) -> tuple[str, ...]:
        """The core columns that records have."""
        if self.is_older:
            return tuple(column for column in core.columns if column != EVENT_KEY)
        return tuple(column for column in core.columns if column in self.columns)


def any_column(name: str) -> Column:
    """A column that nobody has declared, and that takes everything."""
    return Column(name, _ANY_TYPE, {})


def parse_columns(schema: Mapping[str, Any] | None, core: Core) -> CatalogColumns:
    """What a configured schema says; one that says nothing is an older one.

    A column that does not name its property holds the one that would be called like it.
    """
    told = (schema or {}).get("properties")
    specs: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    columns = {name: _column(name, spec) for name, spec in specs.items()}
    marked = {
        spec[RAW_NAME]: name
        for name, spec in specs.items()
        if isinstance(spec, Mapping) and isinstance(spec.get(RAW_NAME), str)
    }
    is_older = RESCUED not in columns and EVENT_KEY not in columns
    if not is_older:
        known = {*marked.values(), *core.columns, RESCUED, EVENT_KEY}
        for name in columns.keys() - known:
            own = f"${name}"
            marked.setdefault(own if own in core.reserved else name, name)
    properties = {raw: name for raw, name in marked.items() if raw not in core.properties}
    return CatalogColumns(columns, properties, is_older)


def _column(name: str, spec: Any) -> Column:
    types = declared_types(spec)
    if not types:
        return any_column(name)
    kinds = {kind for told in types for kind in PYTHON_TYPES.get(told, ())}
    return Column(name, frozenset({type(None), *kinds}), dict(_checks(types, spec)))


def _checks(types: Iterable[str], spec: Mapping[str, Any]) -> Iterable[tuple[type, Check]]:
    """What the types of a column leave out that the types of Python do not."""
    if "string" in types:
        moment = _of_form(spec)
        return [(str, moment)] if moment else []
    if "number" in types:
        return [(int, is_decimal), (float, is_decimal)]
    return [(int, _SIXTY_FOUR_BITS.__contains__)] if "integer" in types else []


def is_decimal(value: float) -> bool:
    """Whether warehouses' widest decimals have room for a number."""
    return -_DECIMAL < value < _DECIMAL


def _of_form(spec: Mapping[str, Any]) -> Check | None:
    """Whether a text is of the form that the schema names."""
    if spec.get("format") == "date":
        return lambda text: is_time(text, _DAY)
    if spec.get("format") != "date-time":
        return None
    zoneless = spec.get("airbyte_type") == "timestamp_without_timezone"
    form = _ZONELESS if zoneless else _MOMENT
    return lambda text: is_time(text, form)


def is_time(text: str, form: re.Pattern[str]) -> bool:
    """Whether a text is of a form, and a time that there is."""
    if not form.fullmatch(text):
        return False
    try:
        # There are texts of this form that are no time, such as 30 February.
        datetime.fromisoformat(text[:_WHOLE_SECONDS])
    except ValueError:
        return False
    return True
