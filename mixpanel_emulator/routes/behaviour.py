"""Retention and frequency, computed from the stored events (OpenAPI: query)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from mixpanel_emulator import person_events
from mixpanel_emulator.buckets import span
from mixpanel_emulator.dates import DAY_MS, zone_start_of
from mixpanel_emulator.http import ApiError, Call, Family, Reply, json_reply
from mixpanel_emulator.routes.marks import (
    MOST_DAYS,
    UNITS,
    Buckets,
    Mark,
    Wanted,
    buckets,
    largest,
    people,
    people_of,
)
from mixpanel_emulator.routes.reading import choice, days, flag, required, whole
from mixpanel_emulator.routing import Route, params

if TYPE_CHECKING:
    from mixpanel_emulator.person_events import Cohorts, Moments
    from mixpanel_emulator.world import World

_UNIT_DAYS = {"day": 1, "week": 7, "month": 30}
_SEGMENTS = 255
_MOST_SEGMENTS = 10_000


def _refuse(call: Call, *names: str) -> None:
    """Refuse parameters the service takes and this module does not: an answer would be wrong."""
    for name in names:
        if call.text(name) is not None:
            raise ApiError(400, f"{name} is not modelled by the local Mixpanel")


def _names(call: Call, world: World, parameter: str) -> tuple[str, ...]:
    """The event of a parameter, or all events."""
    event = call.text(parameter)
    return (event,) if event else tuple(world.events.name_totals())


def _limit(call: Call) -> int:
    return whole(call, "limit", _SEGMENTS, 1, _MOST_SEGMENTS)


def _born(call: Call, world: World, grid: Buckets, kind: str) -> Cohorts:
    """The cohorts: of the first born_event in the days asked for, or of every event."""
    parameter, where = ("born_event", "born_where") if kind == "birth" else ("event", "where")
    first, last = span(grid.start, grid.end, grid.zone)
    names = _names(call, world, parameter)
    marks = Wanted(names, first, last, (where, call.text(where))).marks(world)
    return person_events.cohorts(people(marks), grid.label, once=kind == "birth")


def retention(call: Call, world: World) -> Reply:
    """How many came back in each interval after their own entry, even past to_date."""
    _refuse(call, "bookmark_id")
    kind = choice(call, "retention_type", ("birth", "compounded"), "birth")
    if kind == "birth":
        required(call, "born_event")
    dates = days(call, world.query_today(), world)
    grid = buckets(call, dates, world.settings.zone())
    intervals = whole(call, "interval_count", 1, 1, MOST_DAYS)
    limit = _limit(call)
    counting = person_events.Return(
        (grid.days or _UNIT_DAYS[grid.unit]) * DAY_MS, flag(call, "unbounded_retention")
    )
    cohorts = _born(call, world, grid, kind)
    now = world.clock.now_ms()
    first, _ = span(*dates, grid.zone)
    names = _names(call, world, "event")
    on = call.text("on")
    marks = Wanted(names, first, now + 1, ("where", call.text("where")), on).marks(world)

    def table(again: Moments, bucket: str) -> dict[str, Any]:
        entered = cohorts.get(bucket, {})
        start = zone_start_of(max(date.fromisoformat(bucket), grid.start), grid.zone)
        begun = min((now - start) // counting.step_ms, intervals) + 1
        return {"counts": counting.counts(entered, again, begun), "first": len(entered)}

    return json_reply(_split(marks, on, limit, grid.names(), table))


def _split(marks: list[Mark], on: str | None, limit: int, names: list[str], table: Any) -> Any:
    """Each bucket's table, or with `on` one for each of the largest segments."""
    if on is None:
        everybody = people(marks)
        return {bucket: table(everybody, bucket) for bucket in names}
    segments = {name: people_of(marks, name) for name in largest(marks, limit)}
    return {
        bucket: {name: table(moments, bucket) for name, moments in segments.items()}
        for bucket in names
    }


def addiction(call: Call, world: World) -> Reply:
    """How often people come back within a unit."""
    unit = choice(call, "unit", UNITS)
    inner = choice(call, "addiction_unit", ("hour", "day"))
    zone = world.settings.zone()
    dates = days(call, world.query_today(), world)
    grid, within = Buckets(*dates, zone, unit), Buckets(*dates, zone, inner)
    on, limit = call.text("on"), _limit(call)
    names = _names(call, world, "event")
    where = ("where", call.text("where"))
    marks = Wanted(names, *span(*dates, zone), where, on).marks(world)
    parts = {"day": 1, "week": 7, "month": 31}[unit] * (24 if inner == "hour" else 1)

    def table(moments: Moments, bucket: str) -> list[int]:
        found = person_events.frequency(moments, grid.label, within.label, parts)
        return found.get(bucket, [0] * parts)

    return json_reply({"data": _split(marks, on, limit, grid.names(), table)})


ROUTES = (
    Route(
        Family.QUERY,
        "retention",
        retention,
        params(
            "from_date to_date retention_type born_event event born_where where interval"
            " interval_count unit unbounded_retention on limit bookmark_id"
        ),
    ),
    Route(
        Family.QUERY,
        "retention/addiction",
        addiction,
        params("from_date to_date unit addiction_unit event where on limit"),
    ),
)
