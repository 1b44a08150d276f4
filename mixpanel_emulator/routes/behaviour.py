"""Funnels, retention and frequency (mixpanel-api 7.2 to 7.4), computed from the stored events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixpanel_emulator import journeys
from mixpanel_emulator.buckets import label, series, span
from mixpanel_emulator.http import ApiError, Call, Family, Reply, json_reply
from mixpanel_emulator.routes.reading import choice, days, required, whole
from mixpanel_emulator.routing import Route, params
from mixpanel_emulator.tally import Question, expression, hits

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from mixpanel_emulator.world import World

_LENGTHS = {"second": 1_000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
MAX_LENGTH_MS = 90 * _LENGTHS["day"]


def _labeller(world: World, unit: str) -> Callable[[int], str]:
    zone = world.settings.zone()
    return lambda moment: label(moment, unit, zone)


def _step(count: int, walks: list[list[int]], number: int, names: list[str]) -> dict[str, Any]:
    arrived = [walk for walk in walks if len(walk) > number]
    before = sum(1 for walk in walks if len(walk) >= number) if number else count
    spans = [(walk[number] - walk[number - 1]) / 1000 for walk in arrived] if number else []
    totals = [(walk[number] - walk[0]) / 1000 for walk in arrived] if number else []
    return {
        "count": len(arrived),
        "avg_time": sum(spans) / len(spans) if spans else None,
        "avg_time_from_start": sum(totals) / len(totals) if totals else None,
        "step_conv_ratio": len(arrived) / before if before else 0,
        "overall_conv_ratio": len(arrived) / count if count else 0,
        "goal": names[number],
        "event": names[number],
    }


def _bucket(walks: list[list[int]], names: list[str]) -> dict[str, Any]:
    steps = [_step(len(walks), walks, number, names) for number in range(len(names))]
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


def _refuse(call: Call, *names: str) -> None:
    """Refuse parameters the service takes but this module does not model: better than a lie."""
    for name in names:
        if call.text(name) is not None:
            raise ApiError(400, f"{name} is not modelled by the local Mixpanel")


def _length_ms(call: Call, funnel: dict[str, Any]) -> int:
    unit = choice(call, "length_unit", tuple(_LENGTHS), "day")
    length = whole(call, "length", int(funnel.get("length", 14)), 1) * _LENGTHS[unit]
    if length > MAX_LENGTH_MS:
        raise ApiError(400, "length cannot be more than 90 days")
    return length


def funnels(call: Call, world: World) -> Reply:
    """Return a saved funnel by bucket; completions after to_date count while the window is open."""
    _refuse(call, "on", "where", "interval")
    number = required(call, "funnel_id")
    funnel = world.entities.find("funnels", "funnel_id", number)
    if funnel is None:
        raise ApiError(404, f"Funnel {number} not found")
    start, end = days(call, world.query_today(), world)
    unit = choice(call, "unit", ("day", "week", "month"), "day")
    zone = world.settings.zone()
    first, last = span(start, end, zone)
    length = _length_ms(call, funnel)
    names = [step["event"] for step in funnel["steps"]]
    moments = {
        name: journeys.by_person(world.events.moments(name, first, last + length))
        for name in set(names)
    }
    steps = [moments[name] for name in names]
    found = journeys.funnel(steps, _labeller(world, unit), first, last, length)
    dates = series(start, end, unit, zone)
    data = {day: _bucket(found.get(day, []), names) for day in dates}
    return json_reply({"meta": {"dates": dates}, "data": data})


def _people(call: Call, world: World, which: tuple[str, str], dates: tuple[date, date]) -> Any:
    """Return the instants by person of the event (None: any) a pair of parameters selects."""
    event, where = call.text(which[0]), expression(which[1], call.text(which[1]))
    names = (event,) if event else tuple(world.events.name_totals())
    if where is None:
        first, last = span(*dates, world.settings.zone())
        rows = [row for name in names for row in world.events.moments(name, first, last)]
        return journeys.by_person(rows)
    question = Question(names, *dates, "minute", where)
    return journeys.by_person((hit.moment, hit.who) for hit in hits(world, question))


def retention(call: Call, world: World) -> Reply:
    """Return how many came back; unit day, week or month."""
    _refuse(call, "on", "interval", "unbounded_retention", "bookmark_id")
    kind = choice(call, "retention_type", ("birth", "compounded"), "birth")
    if kind == "birth":
        required(call, "born_event")
    unit = choice(call, "unit", ("day", "week", "month"), "day")
    dates = days(call, world.query_today(), world)
    again = _people(call, world, ("event", "where"), dates)
    born = _people(call, world, ("born_event", "born_where"), dates) if kind == "birth" else again
    ages = whole(call, "interval_count", 1, 1, 90)
    buckets = series(*dates, unit, world.settings.zone())
    found = journeys.retention(born, again, buckets, ages, _labeller(world, unit))
    return json_reply(found)


def addiction(call: Call, world: World) -> Reply:
    """Return how often people come back within a unit."""
    _refuse(call, "on")
    unit = choice(call, "unit", ("day", "week", "month"))
    inner = choice(call, "addiction_unit", ("hour", "day"))
    dates = days(call, world.query_today(), world)
    people = _people(call, world, ("event", "where"), dates)
    parts = {"day": 1, "week": 7, "month": 31}[unit] * (24 if inner == "hour" else 1)
    found = journeys.frequency(people, _labeller(world, unit), _labeller(world, inner), parts)
    buckets = series(*dates, unit, world.settings.zone())
    return json_reply({"data": {bucket: found.get(bucket, [0] * parts) for bucket in buckets}})


ROUTES = (
    Route(
        Family.QUERY,
        "funnels",
        funnels,
        params("funnel_id from_date to_date length length_unit interval unit on where limit"),
    ),
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
