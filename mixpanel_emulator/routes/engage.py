"""Profiles by query, with sessions of cached results (OpenAPI: query; observed)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from mixpanel_emulator.http import ApiError, Call, Family, Reply, json_reply
from mixpanel_emulator.routes.engage_filter import matching
from mixpanel_emulator.routes.reading import whole
from mixpanel_emulator.routing import READ_OR_POST, Route, params
from mixpanel_emulator.world import ProfileSession

if TYPE_CHECKING:
    from mixpanel_emulator.world import World

UNCACHED = "request for page in uncached query for params"
_PAGING = frozenset(("session_id", "page", "page_size", "project_id", "workspace_id"))
FILTERS = (
    "distinct_id distinct_ids data_group_id where selector output_properties filter_by_cohort"
    " include_all_users behaviors as_of_timestamp sort_key sort_order search limit"
)


def engage(call: Call, world: World) -> Reply:
    """One page of profiles; the first page opens a session for the others."""
    page = whole(call, "page", 0, 0)
    session_id = call.text("session_id")
    if session_id:
        session = _resume(call, world, session_id)
    elif page:
        raise ApiError(400, UNCACHED)
    else:
        session_id, session = _open(call, world)
    return json_reply(_page(world, session_id, session, page))


def _query(call: Call) -> dict[str, str]:
    return {name: call.text(name) or "" for name in call.params if name not in _PAGING}


def _resume(call: Call, world: World, session_id: str) -> ProfileSession:
    """A living session of the same query.

    Raises:
        ApiError: 400 for a session that is unknown, over its time, or of another query; and for
            one with behaviors but no as_of_timestamp, whose results are never cached.
    """
    session = world.sessions.get(session_id)
    if session is None or session.query != _query(call):
        raise ApiError(400, UNCACHED)
    age_ms = world.clock.now_ms() - session.born_ms
    uncached = "behaviors" in session.query and "as_of_timestamp" not in session.query
    if uncached or age_ms >= world.settings.engage_session_lifetime * 1000:
        raise ApiError(400, UNCACHED)
    return session


def _open(call: Call, world: World) -> tuple[str, ProfileSession]:
    size = whole(call, "page_size", world.settings.engage_page_size, 1)
    session = ProfileSession(
        results=matching(call, world),
        page_size=min(size, world.settings.engage_max_page_size),
        born_ms=world.clock.now_ms(),
        query=_query(call),
    )
    _forget_dead(world)
    session_id = f"{session.born_ms // 1000}-{len(world.sessions):06x}"
    while session_id in world.sessions:
        session_id += "x"
    world.sessions[session_id] = session
    return session_id, session


def _forget_dead(world: World) -> None:
    """Drop sessions over their time, so that long runs do not pile up results."""
    oldest = world.clock.now_ms() - world.settings.engage_session_lifetime * 1000
    for key in [key for key, held in world.sessions.items() if held.born_ms < oldest]:
        del world.sessions[key]


def _page(world: World, session_id: str, session: ProfileSession, page: int) -> dict[str, Any]:
    start = page * session.page_size
    body: dict[str, Any] = {"page": page}
    if page == 0 or world.settings.engage_total_everywhere:
        body["page_size"] = session.page_size
    body["session_id"] = session_id
    body["status"] = "ok"
    if page == 0 or world.settings.engage_total_everywhere:
        body["total"] = len(session.results)
    body["results"] = session.results[start : start + session.page_size]
    return body


def stats(call: Call, world: World) -> Reply:
    """How many profiles match; of the undocumented actions only count() is known."""
    if (call.text("action") or "count()") != "count()":
        raise ApiError(400, "Invalid parameter: action must be count()")
    return json_reply({"results": len(matching(call, world)), "status": "ok"})


def revenue(call: Call, world: World) -> Reply:
    """The legacy revenue report (observed), or the refusal it is set to."""
    status = world.settings.revenue_status
    if status != HTTPStatus.OK:
        raise ApiError(status, "engage/revenue is no longer supported")
    days = {row["date"]: row for row in world.entities.get("revenue")}
    results = {
        day: {"amount": row["amount"], "count": row["count"], "paid_count": row["paid_count"]}
        for day, row in days.items()
        if (call.text("from_date") or "") <= day <= (call.text("to_date") or "9999")
    }
    overall = {
        name: sum(row[name] for row in results.values())
        for name in ("amount", "count", "paid_count")
    }
    body = {"$overall": overall, **results}
    return json_reply({"status": "ok", "session_id": "1767400000-r", "results": body})


ROUTES = (
    Route(
        Family.QUERY,
        "engage",
        engage,
        params(FILTERS + " session_id page page_size"),
        READ_OR_POST,
    ),
    Route(
        Family.QUERY,
        "engage/stats",
        stats,
        params(FILTERS + " action segment_by_cohorts"),
        READ_OR_POST,
    ),
    Route(Family.QUERY, "engage/revenue", revenue, params("from_date to_date unit")),
)
