"""Cohorts, saved reports and legacy annotations (OpenAPI: query; observed)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mixpanel_emulator.dates import offset_ms, zone_start_of
from mixpanel_emulator.event_counts import Question, counted
from mixpanel_emulator.http import ApiError, Call, Family, Reply, json_reply
from mixpanel_emulator.options import CREDENTIALS
from mixpanel_emulator.routes.reading import required
from mixpanel_emulator.routing import READ_OR_POST, Route, params

if TYPE_CHECKING:
    from datetime import date

    from mixpanel_emulator.world import World


def cohorts(_call: Call, world: World) -> Reply:
    """The cohorts as a bare array."""
    return json_reply(world.entities.get("cohorts"))


def legacy_annotations(call: Call, world: World) -> Reply:
    """Annotations of a range of days in the form of the old API (observed)."""
    first, last = call.text("from_date") or "", call.text("to_date") or "9999"
    found = [
        {
            "id": note["id"],
            "project_id": CREDENTIALS.project_id,
            "date": note["date"],
            "description": note["description"],
        }
        for note in world.entities.get("annotations")
        if first <= note["date"][:10] <= last
    ]
    return json_reply({"annotations": found, "error": False})


def _stamp(day: date, world: World) -> str:
    """A day's start as insights prints it: with the project's offset."""
    zone = world.settings.zone()
    minutes = offset_ms(zone, zone_start_of(day, zone)) // 60_000
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    return f"{day.isoformat()}T00:00:00{sign}{hours:02d}:{rest:02d}"


def insights(call: Call, world: World) -> Reply:
    """A saved report's result over its own date range (OpenAPI: query).

    A result stored under the truth kind "insights" ({"bookmark_id", "result"}) wins over one
    computed from the bookmark's event.
    """
    number = required(call, "bookmark_id")
    stored = world.entities.find("insights", "bookmark_id", number)
    if stored is not None:
        return json_reply(stored["result"])
    bookmark = world.entities.find("bookmarks", "id", number)
    if bookmark is None:
        raise ApiError(404, f"Bookmark {number} not found")
    end = world.query_today()
    start = end - timedelta(days=6)
    event = str(bookmark.get("params", {}).get("event", ""))
    found = counted(world, Question((event,), start, end, "day"), "general").get(event, {})
    days = [start + timedelta(days=n) for n in range(7)]
    row = {_stamp(day, world): found.get(day.isoformat(), 0) for day in days}
    last = _stamp(end, world).replace("T00:00:00", "T23:59:59.999000")
    return json_reply(
        {
            "computed_at": f"{end.isoformat()}T00:00:00.0+00:00",
            "date_range": {"from_date": _stamp(start, world), "to_date": last},
            "headers": ["$event"],
            "series": {event: row},
            "meta": {"report_sections": {}},
        }
    )


def funnel_list(_call: Call, world: World) -> Reply:
    """The saved funnels' ids and names as a bare array."""
    found = [
        {"funnel_id": funnel["funnel_id"], "name": funnel["name"]}
        for funnel in world.entities.get("funnels")
    ]
    return json_reply(found)


ROUTES = (
    Route(Family.QUERY, "cohorts/list", cohorts, methods=READ_OR_POST),
    Route(Family.QUERY, "annotations", legacy_annotations, params("from_date to_date")),
    Route(Family.QUERY, "insights", insights, params("bookmark_id")),
    Route(Family.QUERY, "funnels/list", funnel_list),
)
