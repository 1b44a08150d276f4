"""Names of events and properties, by how common they are (OpenAPI: query)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixpanel_emulator.buckets import span
from mixpanel_emulator.dates import DAY_MS
from mixpanel_emulator.http import ApiError, Call, Family, Reply, json_reply
from mixpanel_emulator.routes.reading import choice, days, whole
from mixpanel_emulator.routing import Route, params

if TYPE_CHECKING:
    from mixpanel_emulator.world import World

TYPES = ("general", "unique", "average")
NAMES_WINDOW_MS = 31 * DAY_MS


def names(call: Call, world: World) -> Reply:
    """The most common event names of the last 31 days, in descending alphabetical order.

    The undocumented from_date and to_date choose other days.
    """
    choice(call, "type", TYPES)
    limit = whole(call, "limit", 255, 1, 5_000)
    if call.text("from_date") is None and call.text("to_date") is None:
        now = world.clock.now_ms()
        start, end = now - NAMES_WINDOW_MS, now + 1
    else:
        start, end = span(*days(call, world.query_today(), world), world.settings.zone())
    totals = world.events.name_totals(start, end)
    return json_reply(sorted((name for name, _ in totals.most_common(limit)), reverse=True))


def top_properties(call: Call, world: World) -> Reply:
    """The most common properties of one event, or of all when none is named."""
    event = call.text("event")
    if event is None and not world.settings.top_without_event:
        raise ApiError(400, "Missing required parameter: event")
    limit = whole(call, "limit", 10, 1)
    totals = world.events.property_totals(event)
    ranked = sorted(totals.items(), key=lambda entry: (-entry[1], entry[0]))
    found: dict[str, Any] = {name: {"count": count} for name, count in ranked[:limit]}
    return json_reply(found)


ROUTES = (
    Route(Family.QUERY, "events/names", names, params("type limit from_date to_date")),
    Route(Family.QUERY, "events/properties/top", top_properties, params("event limit")),
)
