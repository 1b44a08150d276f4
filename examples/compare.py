"""What Mixpanel holds against what DuckDB holds: events as multisets, value for value. Pure.

An event is compared by its canonical text: name, time, distinct id, insert id and every property,
with `1`, `1.0`, `true` and `"1"` all different. The one thing that is put right on both sides is a
lone surrogate (half of a character), which UTF-8, and so every warehouse, has no way to hold: it
becomes U+FFFD, and each text so changed is counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
_MAYBE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SHOWN = 160


def mend(value: Any) -> tuple[Any, int]:
    """A JSON value with U+FFFD for each lone surrogate, and how many texts that changed."""
    if isinstance(value, str):
        mended = LONE_SURROGATE.sub(_REPLACEMENT, value)
        return mended, int(mended != value)
    if isinstance(value, list):
        items = [mend(item) for item in value]
        return [item for item, _ in items], sum(count for _, count in items)
    if isinstance(value, dict):
        changed = 0
        result = {}
        for name, inner in value.items():
            (new_name, in_name), (new_inner, in_inner) = mend(name), mend(inner)
            result[new_name] = new_inner
            changed += in_name + in_inner
        return result, changed
    return value, 0


def mend_line(line: str) -> tuple[str, int]:
    """A line of JSON with U+FFFD for each lone surrogate; the same line if it has none."""
    if not _MAYBE_SURROGATE.search(line):
        return line, 0
    try:
        value, changed = mend(json.loads(line))
    except ValueError:
        return line, 0
    return (json.dumps(value, ensure_ascii=False) + "\n", changed) if changed else (line, 0)


class Event(NamedTuple):
    """One event, as either side tells it.

    Attributes:
        event: Its name.
        time_us: When it happened, UTC microseconds since 1970.
        distinct_id: Whose it is, as text.
        insert_id: Its `$insert_id`, as text.
        properties: Every property under its raw name, `time` in it.
    """

    event: str
    time_us: int | None
    distinct_id: str | None
    insert_id: str | None
    properties: Mapping[str, Any]


def told_by_mixpanel(told: Mapping[str, Any]) -> Event:
    """An event as the control plane of the local Mixpanel tells it (a project of kind `utc`)."""
    properties = told["properties"]
    return Event(
        told["event"],
        told["time_ms"] * 1000,
        as_text(properties.get("distinct_id")),
        as_text(properties.get("$insert_id")),
        {**properties, "time": told["time_ms"]},
    )


def landed_in_duckdb(row: Mapping[str, Any]) -> Event:
    """An event as a row of the table holds it; `properties` is the column's JSON text."""
    properties = json.loads(row["properties"])
    return Event(row["event"], row["time_us"], row["distinct_id"], row["insert_id"], properties)


def as_text(value: Any) -> str | None:
    """A value as a text column keeps it: text as it is, anything else as its JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))


@dataclass
class Holding:
    """A multiset of events.

    Attributes:
        events: How many there are of each, by canonical text.
        mended: Properties whose name or value held a lone surrogate.
        values: Property values in all.
    """

    events: Counter[str] = field(default_factory=Counter)
    mended: int = 0
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
        text = _canonical(event)
        if _MAYBE_SURROGATE.search(text):
            mended, changed = mend(list(event))
            # A core property is told twice: as a column and among the properties.
            holding.mended += changed - mend([event.distinct_id, event.insert_id])[1]
            text = _canonical(mended)
        holding.events[text] += 1
        holding.values += len(event.properties)
    return holding


def _canonical(event: Iterable[Any]) -> str:
    return json.dumps(list(event), sort_keys=True, separators=(",", ":"))


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
    return event, insert_id, properties.get("mp_processing_time_ms")


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
