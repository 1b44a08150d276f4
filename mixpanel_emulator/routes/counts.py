"""Counts of events and property values over time (OpenAPI: query)."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from mixpanel_emulator.buckets import UNITS, series
from mixpanel_emulator.event_counts import TYPES, Question, counted, expression, hits, segment_name
from mixpanel_emulator.http import ApiError, Call, Family, Reply, json_reply
from mixpanel_emulator.routes.reading import choice, days, names, required, whole
from mixpanel_emulator.routing import Route, params

if TYPE_CHECKING:
    from mixpanel_emulator.world import World

Values = dict[str, dict[str, float]]


def _range(call: Call, world: World) -> tuple[date, date]:
    """The days asked for: from_date and to_date, or the last `interval` ones."""
    today = world.query_today()
    if call.text("from_date") is None and call.text("interval") is not None:
        return today - timedelta(days=whole(call, "interval", 1, 1) - 1), today
    return days(call, today, world)


def _kind(call: Call, default: str | None = None) -> str:
    kind = choice(call, "type", TYPES, default)
    if kind == "unique" and call.text("unit") == "hour":
        raise ApiError(400, "no hourly uniques")
    return kind


def _chart(call: Call, world: World, question: Question, values: Values) -> Reply:
    zone = world.settings.zone()
    steps = series(question.start, question.end, question.unit, zone)
    full = {name: {step: row.get(step, 0) for step in steps} for name, row in values.items()}
    if choice(call, "format", ("json", "csv"), "json") == "csv":
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(["date", *full])
        writer.writerows([step, *(row[step] for row in full.values())] for step in steps)
        return Reply(200, out.getvalue().encode("utf-8", "backslashreplace"), "text/csv")
    return json_reply({"data": {"series": steps, "values": full}, "legend_size": len(full)})


def _largest(values: Values, limit: int) -> Values:
    ranked = sorted(values.items(), key=lambda entry: (-sum(entry[1].values()), entry[0]))
    return dict(ranked[:limit])


def events(call: Call, world: World) -> Reply:
    """Count some events over time."""
    wanted = names(call, "event")
    if not wanted:
        raise ApiError(400, "Missing required parameter: event")
    kind = _kind(call)
    question = Question(wanted, *_range(call, world), choice(call, "unit", UNITS))
    values = counted(world, question, kind)
    return _chart(call, world, question, {name: values.get(name, {}) for name in wanted})


def top(call: Call, world: World) -> Reply:
    """Today's most common events, and their change against yesterday."""
    kind = choice(call, "type", TYPES)
    today = world.query_today()
    everything = tuple(world.events.name_totals())
    question = Question(everything, today - timedelta(days=1), today, "day")
    now, before = today.isoformat(), (today - timedelta(days=1)).isoformat()
    rows = [
        {"amount": row[now], "event": name, "percent_change": _change(row[now], row.get(before, 0))}
        for name, row in counted(
            world, question, "unique" if kind == "unique" else "general"
        ).items()
        if now in row
    ]
    rows.sort(key=lambda row: (-float(str(row["amount"])), str(row["event"])))
    return json_reply({"events": rows[: whole(call, "limit", 100, 1)], "type": kind})


def _change(now: float, before: float) -> float:
    return round(now / before - 1, 4) if before else 0.0


def properties(call: Call, world: World) -> Reply:
    """Count the values of one property over time."""
    event, name = required(call, "event"), required(call, "name")
    kind = _kind(call)
    on = expression("name", f"properties[{_quoted(name)}]")
    question = Question((event,), *_range(call, world), choice(call, "unit", UNITS), on=on)
    values = counted(world, question, kind)
    wanted = names(call, "values")
    if wanted is not None:
        values = {value: values.get(value, {}) for value in wanted}
    return _chart(call, world, question, _largest(values, whole(call, "limit", 255, 1)))


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def values(call: Call, world: World) -> Reply:
    """The most common values of one property in the last 31 days."""
    event, name = required(call, "event"), required(call, "name")
    today = world.query_today()
    on = expression("name", f"properties[{_quoted(name)}]")
    question = Question((event,), today - timedelta(days=31), today, "month", on=on)
    found = Counter(segment_name(hit.segment) for hit in hits(world, question))
    found.pop("undefined", None)
    return json_reply([value for value, _ in found.most_common(whole(call, "limit", 255, 1))])


def _segmented(call: Call, world: World) -> Question:
    return Question(
        (required(call, "event"),),
        *_range(call, world),
        choice(call, "unit", UNITS, "day"),
        expression("where", call.text("where")),
        expression("on", call.text("on")),
    )


def segmentation(call: Call, world: World) -> Reply:
    """Count one event over time, split by an expression if asked."""
    question = _segmented(call, world)
    kind = _kind(call, "general")
    limit = whole(call, "limit", 60, 1, 10_000)
    found = _largest(counted(world, question, kind), limit)
    if question.on is None and not found:
        found = {question.names[0]: {}}
    return _chart(call, world, question, found)


def _numbers(call: Call, world: World) -> tuple[Question, list[tuple[str, float]]]:
    required(call, "on")
    question = _segmented(call, world)
    found = [
        (hit.bucket, hit.segment)
        for hit in hits(world, question)
        if isinstance(hit.segment, (int, float)) and not isinstance(hit.segment, bool)
    ]
    return question, found


def numeric(call: Call, world: World) -> Reply:
    """Count one event by ranges of a number."""
    question, found = _numbers(call, world)
    low = min((number for _, number in found), default=0)
    high = max((number for _, number in found), default=0)
    width = max((high - low) / 10, 1)
    rows: Values = {}
    for bucket, number in found:
        start = low + int((number - low) / width) * width
        row = rows.setdefault(f"{start:,.0f} - {start + width:,.0f}", {})
        row[bucket] = row.get(bucket, 0) + 1
    return _chart(call, world, question, rows)


def _aggregate(call: Call, world: World, *, average: bool) -> dict[str, Any]:
    question, found = _numbers(call, world)
    results: dict[str, Any] = {}
    for step in series(question.start, question.end, question.unit, world.settings.zone()):
        numbers = [number for bucket, number in found if bucket == step]
        total = sum(numbers)
        results[step] = total / len(numbers) if average and numbers else total
    return results


def total(call: Call, world: World) -> Reply:
    """Add up a number over time."""
    results = _aggregate(call, world, average=False)
    stamp = world.query_today().isoformat() + "T00:00:00+00:00"
    return json_reply({"status": "ok", "computed_at": stamp, "results": results})


def average(call: Call, world: World) -> Reply:
    """Average a number over time."""
    return json_reply({"status": "ok", "results": _aggregate(call, world, average=True)})


_SPAN = "from_date to_date interval unit type format"
_SEGMENT = "event from_date to_date on unit interval where limit type format"

ROUTES = (
    Route(Family.QUERY, "events", events, params(f"event {_SPAN}")),
    Route(Family.QUERY, "events/top", top, params("type limit")),
    Route(
        Family.QUERY, "events/properties", properties, params(f"event name values limit {_SPAN}")
    ),
    Route(Family.QUERY, "events/properties/values", values, params("event name limit")),
    Route(Family.QUERY, "segmentation", segmentation, params(_SEGMENT)),
    Route(Family.QUERY, "segmentation/numeric", numeric, params(_SEGMENT)),
    Route(Family.QUERY, "segmentation/sum", total, params(_SEGMENT)),
    Route(Family.QUERY, "segmentation/average", average, params(_SEGMENT)),
)
