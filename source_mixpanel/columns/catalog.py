"""The columns of a stream as the configured catalog declares them. Pure."""

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
"""The keyword in a column's schema that names its property."""

EVENT_KEY = "event_key"

_ANY_TYPE = frozenset(PYTHON_TYPES["any"])
_SIXTY_FOUR_BITS = range(-(1 << 63), 1 << 63)
_DECIMAL = 10**29
"""Too large for the widest decimals of warehouses: 38 digits, 9 of them after the point."""

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
        name: Its name.
        takes: The Python types of its JSON types, always with that of null.
        checks: By Python type: a further condition on values of that type.
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
        """An id in a type of the column: a JSON text, or the integer of a text with digits."""
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
        is_older: Whether the catalog is of a version without `rescued_properties`; then values are
            emitted unchanged, and in their own columns even if these are not declared.
    """

    columns: Mapping[str, Column]
    properties: Mapping[str, str]
    is_older: bool

    @property
    def rescues(self) -> bool:
        """Whether there is a column `rescued_properties`."""
        return RESCUED in self.columns

    @cached_property
    def raw_names(self) -> Mapping[str, str]:
        """The property of each column that has one."""
        return {column: raw for raw, column in self.properties.items()}

    def core(self, core: Core) -> tuple[str, ...]:
        """The core columns that records have."""
        if self.is_older:
            return tuple(column for column in core.columns if column != EVENT_KEY)
        return tuple(column for column in core.columns if column in self.columns)


def any_column(name: str) -> Column:
    """A column without a declared type, which accepts all values."""
    return Column(name, _ANY_TYPE, {})


def parse_columns(schema: Mapping[str, Any] | None, core: Core) -> CatalogColumns:
    """The columns of a configured schema; one without columns counts as an older one.

    A column that does not name its property has the property that would get its name.
    """
    declared = (schema or {}).get("properties")
    specs: Mapping[str, Any] = declared if isinstance(declared, Mapping) else {}
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
            reserved_name = f"${name}"
            marked.setdefault(reserved_name if reserved_name in core.reserved else name, name)
    properties = {raw: name for raw, name in marked.items() if raw not in core.properties}
    return CatalogColumns(columns, properties, is_older)


def _column(name: str, spec: Any) -> Column:
    types = declared_types(spec)
    if not types:
        return any_column(name)
    kinds = {kind for json_type in types for kind in PYTHON_TYPES.get(json_type, ())}
    return Column(name, frozenset({type(None), *kinds}), dict(_checks(types, spec)))


def _checks(types: Iterable[str], spec: Mapping[str, Any]) -> Iterable[tuple[type, Check]]:
    """The conditions of a column's types that Python's types do not express."""
    if "string" in types:
        moment = _of_form(spec)
        return [(str, moment)] if moment else []
    if "number" in types:
        return [(int, is_decimal), (float, is_decimal)]
    return [(int, _SIXTY_FOUR_BITS.__contains__)] if "integer" in types else []


def is_decimal(value: float) -> bool:
    """Whether a number fits the widest decimals of warehouses."""
    return -_DECIMAL < value < _DECIMAL


def _of_form(spec: Mapping[str, Any]) -> Check | None:
    """The check for the `format` of a schema; None without one."""
    if spec.get("format") == "date":
        return lambda text: is_time(text, _DAY)
    if spec.get("format") != "date-time":
        return None
    zoneless = spec.get("airbyte_type") == "timestamp_without_timezone"
    form = _ZONELESS if zoneless else _MOMENT
    return lambda text: is_time(text, form)


def is_time(text: str, form: re.Pattern[str]) -> bool:
    """Whether a text has a form, and is a time that exists."""
    if not form.fullmatch(text):
        return False
    try:
        # Texts of this form need not be a time, such as 30 February.
        datetime.fromisoformat(text[:_WHOLE_SECONDS])
    except ValueError:
        return False
    return True
