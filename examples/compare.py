"""What Mixpanel holds against what DuckDB holds: events as multisets, value for value. Pure.

An event is compared by its canonical text: name, time, distinct id, insert id and every property
that is not null, wherever it landed: in its column or in `rescued_properties`. `true`, `1` and
`"1"` are all different; a number is told as a DECIMAL(38, 9) holds it, so that `1` is `1.0`.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, NamedTuple

RESCUED = "rescued_properties"
_CORE = ("event", "time", "distinct_id", "insert_id")
_IDS = {"distinct_id": "distinct_id", "$insert_id": "insert_id"}
_UNSTORABLE = re.compile("[\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as PyAirbyte's tables have it, in UTC
_EXACT = Context(prec=400)
_NINE = Decimal(1).scaleb(-9)
_FAR = 1 << 63
_SHOWN = 160


class Event(NamedTuple):
    """One event, as either side tells it.

    Attributes:
        event: Its name.
        time_us: When it happened, UTC microseconds since 1970.
        distinct_id: Whose it is, as text.
        insert_id: Its `$insert_id`, as text.
        properties: Every other property that is not null, by raw name, as a table holds it.
    """

    event: str
    time_us: int | None
    distinct_id: str | None
    insert_id: str | None
    properties: Mapping[str, Any]


class Column(NamedTuple):
    """A column of DuckDB's table.

    Attributes:
        raw: The property that it holds.
        is_json: Whether it holds JSON.
        is_mixed: Whether it is of texts for being declared with several types.
    """

    raw: str
    is_json: bool = False
    is_mixed: bool = False


def columns_of(properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Column]:
    """The columns of properties that a discovered JSON schema has, by name."""
    found = {}
    for name, spec in properties.items():
        types = {*spec["type"]} - {"null"}
        if "mixpanel_property" in spec:
            is_json = types in ({"array"}, {"object"})
            found[name] = Column(spec["mixpanel_property"], is_json, len(types) > 1)
    return found


def told_by_mixpanel(told: Mapping[str, Any], mixed: Collection[str] = ()) -> Event:
    """An event as the control plane of the local Mixpanel tells it (a project of kind `utc`).

    Args:
        told: Name, time and properties.
        mixed: Properties whose columns hold texts for being declared with several types.
    """
    properties = told["properties"]
    return Event(
        escaped(told["event"]),
        told["time_ms"] * 1000,
        as_text(properties.get("distinct_id")),
        as_text(properties.get("$insert_id")),
        {
            escaped(name): as_held(value, is_mixed=name in mixed)
            for name, value in properties.items()
            if value is not None and name not in _IDS
        },
    )


def landed_in_duckdb(row: Mapping[str, Any], columns: Mapping[str, Column]) -> Event:
    """An event as a row of the table holds it; what is JSON there may be text or parsed."""
    found = {}
    for name, column in columns.items():
        value = row[name]
        if value is not None:
            told = _parsed(value) if column.is_json else value
            found[column.raw] = as_held(told, is_mixed=column.is_mixed)
    rescued = _parsed(row[RESCUED]) or {}
    found.update((name, as_held(value)) for name, value in rescued.items() if name not in _IDS)
    time = row["time"] and round((row["time"] - _EPOCH) / timedelta(microseconds=1))
    return Event(row["event"], time, row["distinct_id"], row["insert_id"], found)


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def escaped(text: str) -> str:
    """A text with JSON escapes for half characters, which no warehouse can hold."""
    return _UNSTORABLE.sub(lambda found: json.dumps(found[0])[1:-1], text)


def as_text(value: Any) -> str | None:
    """An id as its column of texts has it: text as it is, anything else as its JSON."""
    if value is None:
        return None
    return escaped(value) if isinstance(value, str) else _json(value)


def as_held(value: Any, *, is_mixed: bool = False) -> Any:
    """A property's value as a table holds it; a number is marked as one."""
    if is_mixed and not isinstance(value, str):
        return _json(value)
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return {"number": _decimal(value)}
    return _json(value) if _is_unstorable(value) else value


def _decimal(value: float | Decimal) -> str:
    """A number as a DECIMAL(38, 9) holds it; DuckDB makes far ones of doubles."""
    exactly = Decimal(str(value) if -_FAR < value < _FAR else repr(float(value)))
    nine = exactly.quantize(_NINE, ROUND_HALF_UP, _EXACT)
    return str(nine.normalize(_EXACT)) if nine else "0"


def _is_unstorable(value: Any) -> bool:
    if isinstance(value, str):
        return _UNSTORABLE.search(value) is not None
    if isinstance(value, Mapping):
        return any(_is_unstorable(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(map(_is_unstorable, value))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


@dataclass
class Holding:
    """A multiset of events.

    Attributes:
        events: How many there are of each, by canonical text.
        values: Property values in all.
    """

    events: Counter[str] = field(default_factory=Counter)
    values: int = 0

    @property
    def total(self) -> int:
        """How many events, copies included."""
        return self.events.total()

    @property
    def copies(self) -> int:
        """How many events are exact copies of another one."""
        return self.total - len(self.events)


def hold(events: Iterable[Event]) -> Holding:
    """Gather events by their canonical text."""
    holding = Holding()
    for event in events:
        holding.events[json.dumps(event, sort_keys=True, separators=(",", ":"))] += 1
        holding.values += len(event.properties)
    return holding


@dataclass(frozen=True)
class Difference:
    """How far two multisets are from equal.

    Attributes:
        missing: Events that Mixpanel holds and DuckDB does not (or fewer of).
        extra: Events that DuckDB holds and Mixpanel does not (or fewer of).
    """

    missing: Counter[str]
    extra: Counter[str]

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra)


def once(first: Counter[str], second: Counter[str]) -> Counter[str]:
    """What two appended syncs hold of a source, without what the second only repeated.

    Of an event that a sync asked for it landed every copy that the source had, so an event is
    there as often as in the sync that saw more of it: copies within one sync are the source's own
    and stay, the same event in both is the overlap of the two.
    """
    return first | second


def differences(mixpanel: Counter[str], duckdb: Counter[str]) -> Difference:
    """What has to be told if the two are not equal."""
    return Difference(mixpanel - duckdb, duckdb - mixpanel)


def explain(difference: Difference, limit: int = 5) -> Iterator[str]:
    """Lines that tell some of the differences; the same event on both sides by its properties."""
    partners: defaultdict[tuple[Any, ...], list[str]] = defaultdict(list)
    for text in difference.extra:
        partners[_identity(text)].append(text)
    extra = Counter(difference.extra)
    for text, count in list(difference.missing.items())[:limit]:
        likely = partners[_identity(text)]
        if likely:
            partner = likely.pop()
            del extra[partner]
            yield f"differs: {_brief(text)}"
            yield from _by_property(text, partner)
        else:
            yield f"missing in DuckDB ({count}): {_brief(text)}"
    for text, count in list(extra.items())[:limit]:
        yield f"only in DuckDB ({count}): {_brief(text)}"


def _identity(text: str) -> tuple[Any, ...]:
    event, _, _, insert_id, properties = json.loads(text)
    return event, insert_id, str(properties.get("mp_processing_time_ms"))


def _brief(text: str) -> str:
    event, time_us, distinct_id, insert_id, _ = json.loads(text)
    return json.dumps(
        {"event": event, "time_us": time_us, "distinct_id": distinct_id, "insert_id": insert_id}
    )


def _by_property(text: str, partner: str) -> Iterator[str]:
    names = ("event", "time_us", "distinct_id", "insert_id")
    *ours, properties = json.loads(text)
    *theirs, landed = json.loads(partner)
    here = {**{f"column {n}": v for n, v in zip(names, ours, strict=True)}, **properties}
    there = {**{f"column {n}": v for n, v in zip(names, theirs, strict=True)}, **landed}
    for name in sorted(here.keys() | there.keys()):
        one, other = _shown(here, name), _shown(there, name)
        if one != other:
            yield f"    {json.dumps(name)}: Mixpanel {one[:_SHOWN]} | DuckDB {other[:_SHOWN]}"


def _shown(values: Mapping[str, Any], name: str) -> str:
    return json.dumps(values[name], sort_keys=True) if name in values else "(absent)"
