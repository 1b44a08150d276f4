"""Saved funnels, computed from the stored events (OpenAPI: query)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixpanel_emulator import person_events
from mixpanel_emulator.buckets import span
from mixpanel_emulator.http import ApiError, Call, Family, Reply, json_reply
from mixpanel_emulator.routes.marks import Wanted, buckets, largest, people, people_of
from mixpanel_emulator.routes.reading import choice, days, required, whole
from mixpanel_emulator.routing import Route, params

if TYPE_CHECKING:
    from mixpanel_emulator.world import World

OVERALL = "$overall"
_LENGTHS = {"second": 1_000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
MAX_LENGTH_MS = 90 * _LENGTHS["day"]


def _step(count: int, walks: list[list[int]], number: int, names: list[str]) -> dict[str, Any]:
    arrived = [walk for walk in walks if len(walk) > number]
    before = sum(1 for walk in walks if len(walk) >= number) if number else count
    spans = [walk[number] - walk[number - 1] for walk in arrived] if number else []
    totals = [walk[number] - walk[0] for walk in arrived] if number else []
    return {
        "count": len(arrived),
        "avg_time": sum(spans) / len(spans) / 1000 if spans else None,
        "avg_time_from_start": sum(totals) / len(totals) / 1000 if totals else None,
        "step_conv_ratio": len(arrived) / before if before else 0,
        "overall_conv_ratio": len(arrived) / count if count else 0,
        "goal": names[number],
        "event": names[number],
    }


def _steps(walks: list[list[int]], names: list[str]) -> list[dict[str, Any]]:
    return [_step(len(walks), walks, number, names) for number in range(len(names))]


def _bucket(walks: list[list[int]], names: list[str]) -> dict[str, Any]:
    steps = _steps(walks, names)
    ratios = [step["step_conv_ratio"] for step in steps[1:]] or [1]
    return {
        "steps": steps,
        "analysis": {
            "completion": steps[-1]["count"],
            "starting_amount": len(walks),
            "steps": len(steps),
            "worst": ratios.index(min(ratios)) + 1,
        },
    }


def _length_ms(call: Call, funnel: dict[str, Any]) -> int:
    unit = choice(call, "length_unit", tuple(_LENGTHS), "day")
    length = whole(call, "length", int(funnel.get("length", 14)), 1) * _LENGTHS[unit]
    if length > MAX_LENGTH_MS:
        raise ApiError(400, "length cannot be more than 90 days")
    return length


def funnels(call: Call, world: World) -> Reply:
    """A saved funnel by bucket; completions after to_date count while the window is open.

    With `on` each date holds lists of steps by the first step's segment, `$overall` among them.
    """
    number = required(call, "funnel_id")
    funnel = world.entities.find("funnels", "funnel_id", number)
    if funnel is None:
        raise ApiError(404, f"Funnel {number} not found")
    dates = days(call, world.query_today(), world)
    zone = world.settings.zone()
    grid = buckets(call, dates, zone)
    first, last = span(*dates, zone)
    length = _length_ms(call, funnel)
    limit = whole(call, "limit", 255, 1, 10_000)
    names = [step["event"] for step in funnel["steps"]]
    on, where = call.text("on"), ("where", call.text("where"))
    marks = {
        name: Wanted((name,), first, last + length, where, on).marks(world) for name in set(names)
    }
    path = person_events.Path(names, {name: people(found) for name, found in marks.items()}, length)
    starts = [mark for mark in marks[names[0]] if mark.moment < last]

    def walks(moments: person_events.Moments) -> dict[str, list[list[int]]]:
        return person_events.funnel(moments, path, grid.label, last)

    everybody = walks(people(starts))
    if on is None:
        data = {day: _bucket(everybody.get(day, []), names) for day in grid.names()}
    else:
        split = {name: walks(people_of(starts, name)) for name in largest(starts, limit)}
        data = {
            day: {
                name: _steps(found.get(day, []), names)
                for name, found in {OVERALL: everybody, **split}.items()
            }
            for day in grid.names()
        }
    return json_reply({"meta": {"dates": grid.names()}, "data": data})


ROUTES = (
    Route(
        Family.QUERY,
        "funnels",
        funnels,
        params("funnel_id from_date to_date length length_unit interval unit on where limit"),
    ),
)
