"""What a warehouse's table holds against what Mixpanel holds, value for value."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timezone
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

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

_UNFIT = re.compile("[\ud800-\udfff\x00]")
"""Half a character, which UTF-8 cannot hold, and NUL, which PostgreSQL cannot."""

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
    """As PyAirbyte's tables hold it, which reads whole numbers beyond 64 bits as doubles."""
    far = not -_FIRST_FREE <= number < 2 * _FIRST_FREE
    return nine_decimals(double(number) if far else number)


def is_unfit(value: Any) -> bool:
    """Whether a JSON value holds text that no column can."""
    if isinstance(value, str):
        return _UNFIT.search(value) is not None
    if isinstance(value, Mapping):
        return any(is_unfit(name) or is_unfit(item) for name, item in value.items())
    return isinstance(value, list) and any(map(is_unfit, value))


def json_text(value: Any) -> str:
    """A value's JSON text, in ASCII."""
    return json.dumps(value, separators=(",", ":"))


def fitting(value: Any) -> Any:
    """A value as it may be kept: its JSON text where it holds text that no column can."""
    return json_text(value) if is_unfit(value) else value


def _instant(value: datetime) -> int:
    moment = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    return round(moment.timestamp() * 1000)


def _read_instant(value: Any) -> Any:
    """Milliseconds since 1970 of a text that tells a moment; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return datetime_in_ms(value)
    except ValueError:
        return value


def datetime_in_ms(text: str) -> int:
    """Milliseconds since 1970 of an ISO text; one without a zone is in UTC."""
    return _instant(datetime.fromisoformat(text.replace("Z", "+00:00")))


def canonical(value: Any, number: Number) -> Any:
    """A hashable that is equal for equal JSON values; 1 is 1.0, but neither true nor "1"."""
    if isinstance(value, bool) or value is None:
        return ("is", value)
    if isinstance(value, (int, float, Decimal)):
        exactly = value if isinstance(value, Decimal) else Decimal(repr(value))
        return ("number", str(number(exactly).normalize(_EXACT) + 0))
    if isinstance(value, (datetime, date)):
        return ("time", value.isoformat())
    if isinstance(value, Mapping):
        return ("object", frozenset((k, canonical(v, number)) for k, v in value.items()))
    if isinstance(value, list):
        return ("array", tuple(canonical(item, number) for item in value))
    return ("text", value)


class Rows:
    """Reads rows of a stream's table as Mixpanel would tell them.

    Args:
        stream: Its declaration in the configured catalog.
    """

    def __init__(self, stream: Mapping[str, Any]) -> None:
        core = _CORE.get(stream["name"], {})
        self._raw = {
            column: spec.get(RAW_NAME) or core.get(column, column)
            for column, spec in stream["json_schema"]["properties"].items()
        }

    def told(self, row: Mapping[str, Any]) -> Row:
        """A row's values by raw name, each from its column or rescued.

        Raises:
            AssertionError: A value is there twice.
        """
        found: Row = {}
        for column, value in row.items():
            if value is not None and column not in (RESCUED, KEY):
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


def normal(row: Row, number: Number) -> frozenset[Any]:
    """A row as it is compared: without nulls, moments as numbers."""
    return frozenset(
        (raw, canonical(_moment(raw, fitting(value)), number))
        for raw, value in row.items()
        if value is not None
    )


def _moment(raw: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return _instant(value)
    return _read_instant(value) if raw == "$last_seen" else value


def differences(
    want: Iterable[Row], have: Iterable[Row], number: Number = exact, most: int = 12
) -> list[str]:
    """How the rows differ, in a few lines; none if they do not."""
    ours, theirs = (Counter(normal(row, number) for row in rows) for rows in (want, have))
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


def _shown(values: Iterable[Any]) -> str:
    return ascii(sorted(values, key=repr))[:400]
