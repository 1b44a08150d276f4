"""What a warehouse's table holds against what Mixpanel holds, value for value."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from integration_tests.warehouses.columns import Kind, kinds
from integration_tests.warehouses.truth import NAME, TIME, WHO, Row

RESCUED = "rescued_properties"
KEY = "event_key"
RAW_NAME = "mixpanel_property"

_CORE: Mapping[str, Mapping[str, str]] = {
    "export": {"event": NAME, "time": TIME, "insert_id": "$insert_id"},
    "engage": {"distinct_id": f"({WHO})", "last_seen": "$last_seen"},
}
_CORE = {
    **_CORE,
    "groups": {**_CORE["engage"], "data_group_id": "(data_group_id)"},
    "cohort_members": {**_CORE["engage"], "cohort_id": "(cohort_id)"},
}
"""By stream: what its columns hold that name no property."""

IDS = {"distinct_id", "$insert_id", f"({WHO})", "$last_seen"}
"""What is in its column as text, and rescued besides where it is no text."""

IN_PLACE = {NAME, "distinct_id", "$insert_id", f"({WHO})"}

_MOMENTS = (Kind.INSTANT, Kind.CLOCK)

_HALF = re.compile("[\ud800-\udfff]")
"""Half a character, which UTF-8 cannot hold."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_EXACT = Context(prec=5_000)
_NINE = Decimal(1).scaleb(-9)
_FIRST_FREE = 1 << 63

Number = Callable[[Decimal], Decimal]


def exact(number: Decimal) -> Decimal:
    """As it is."""
    return number


def nine_decimals(number: Decimal) -> Decimal:
    """As DECIMAL(38, 9) holds it."""
    return number.quantize(_NINE, ROUND_HALF_UP, _EXACT)


def double(number: Decimal) -> Decimal:
    """As a double holds it."""
    return Decimal(repr(float(number)))


def by_pyairbyte(number: Decimal) -> Decimal:
    """As PyAirbyte's tables in DuckDB hold it, the far ones by way of doubles."""
    far = not -_FIRST_FREE <= number < 2 * _FIRST_FREE
    return nine_decimals(double(number) if far else number)


def by_pandas(number: Decimal) -> Decimal:
    """As PyAirbyte's tables in PostgreSQL hold it, by way of doubles."""
    return nine_decimals(double(number))


def is_unfit(value: Any) -> bool:
    """Whether a JSON value holds text that no column can."""
    if isinstance(value, str):
        return _HALF.search(value) is not None
    if isinstance(value, Mapping):
        return any(is_unfit(name) or is_unfit(item) for name, item in value.items())
    return isinstance(value, list) and any(map(is_unfit, value))


def json_text(value: Any) -> str:
    """A value's JSON text, in ASCII."""
    return json.dumps(value, separators=(",", ":"), default=float)


def escaped(text: str) -> str:
    """A text with what no column can hold as escapes."""
    return _HALF.sub(lambda found: json_text(found[0])[1:-1], text)


def without_nul(value: Any) -> Any:
    """A value as Airbyte's destination writes it to PostgreSQL, which has no room for NUL."""
    if isinstance(value, Mapping):
        return {name: without_nul(item) for name, item in value.items()}
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    return value.replace("\x00", "") if isinstance(value, str) else value


def instant(value: Any) -> Any:
    """Microseconds since 1970 of a moment, or of a text that tells one; anything else as it is."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return value
    if not isinstance(value, datetime):
        return value
    moment = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    return round((moment - _EPOCH) / timedelta(microseconds=1))


def canonical(value: Any, number: Number) -> Any:
    """A hashable that is equal for equal JSON values; 1 is 1.0, but neither true nor "1"."""
    if isinstance(value, bool) or value is None:
        return ("is", value)
    if isinstance(value, (int, float, Decimal)):
        exactly = value if isinstance(value, Decimal) else Decimal(repr(value))
        held = number(exactly).normalize(_EXACT)
        return ("number", str(held) if held else "0")
    if isinstance(value, Mapping):
        return ("object", frozenset((k, canonical(v, number)) for k, v in value.items()))
    if isinstance(value, list):
        return ("array", tuple(canonical(item, number) for item in value))
    return ("text", value)


class Table:
    """Reads rows of a stream's table as Mixpanel would tell them.

    Args:
        stream: Its declaration in the configured catalog.
        number: How the table holds numbers.
        is_mixed_text: Whether columns of several types are text.
        drops_nul: Whether texts lose their NUL.
    """

    def __init__(
        self,
        stream: Mapping[str, Any],
        number: Number = exact,
        *,
        is_mixed_text: bool = False,
        drops_nul: bool = False,
    ) -> None:
        core = _CORE.get(stream["name"], {})
        specs = stream["json_schema"]["properties"]
        self._beside = {RESCUED, *([KEY] if stream["name"] == "export" else [])}
        self._number = number
        self._drops_nul = drops_nul
        self._raw = {
            column: spec.get(RAW_NAME, core.get(column, column)) for column, spec in specs.items()
        }
        of_kind = {self._raw[column]: kind for column, kind in kinds(stream).items()}
        self._times = {raw for raw, kind in of_kind.items() if kind in _MOMENTS}
        mixed = {raw for raw, kind in of_kind.items() if kind is Kind.ANY}
        self._texts = mixed if is_mixed_text else set()

    def told(self, row: Mapping[str, Any]) -> Row:
        """A row's values by raw name, each from its column or rescued.

        Raises:
            AssertionError: A value is there twice.
        """
        found: Row = {}
        for column, value in row.items():
            if value is not None and column not in self._beside:
                raw = self._raw[column]
                assert raw not in found, f"{raw!r} is in two columns"
                found[raw] = value
        for raw, value in (row.get(RESCUED) or {}).items():
            place = f"({raw})" if f"({raw})" in IDS else raw
            in_column = found.get(place)
            if in_column is not None:
                same = place in IDS and in_column == json_text(value)
                assert same, f"{raw!r} is in its column, {in_column!r}, and rescued, {value!r}"
            found[place] = value
        return found

    def differences(self, want: Iterable[Row], have: Iterable[Row], most: int = 12) -> list[str]:
        """How rows that were told differ from Mixpanel's, in a few lines; none if they do not."""
        ours, theirs = Counter(map(self._normal, want)), Counter(map(self._normal, have))
        lacking, more = list((ours - theirs).elements()), list((theirs - ours).elements())
        told = []
        for row in lacking:
            nearest = max(more, key=lambda other: len(row & other), default=frozenset())
            if len(row & nearest) * 2 > len(row):
                more.remove(nearest)
                told += [f"  lacks {_shown(row - nearest)}, has {_shown(nearest - row)}"]
            else:
                told += [f"  no row {_shown(row)}"]
        told += [f"  a row too many: {_shown(row)}" for row in more]
        return [*told[:most], f"  and {len(told) - most} more"] if len(told) > most else told

    def _normal(self, row: Row) -> frozenset[Any]:
        """A row as it is compared: without nulls, moments as numbers."""
        return frozenset(
            (escaped(raw), canonical(self._one(raw, value), self._number))
            for raw, value in row.items()
            if value is not None
        )

    def _one(self, raw: str, value: Any) -> Any:
        if raw in self._times:
            return instant(value)
        if isinstance(value, date):
            return value.isoformat()
        if raw in IDS and type(value) is int:
            return str(value)
        if self._drops_nul:
            value = without_nul(value)
        if isinstance(value, str) and raw in IN_PLACE:
            return escaped(value)
        as_json = is_unfit(value) or (raw in self._texts and not isinstance(value, str))
        return json_text(value) if as_json else value


def _shown(values: Iterable[Any]) -> str:
    return ascii(sorted(values, key=repr))[:400]
