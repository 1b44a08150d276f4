"""The raw event export (OpenAPI: export)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixpanel_emulator import json_text
from mixpanel_emulator.dates import DAY_MS, iso_seconds, start_of
from mixpanel_emulator.events import EventQuery, StoredEvent
from mixpanel_emulator.http import TEXT_TYPE, ApiError, Call, Family, Reply
from mixpanel_emulator.profiles import USERS
from mixpanel_emulator.routes.reading import days, flag, names, whole
from mixpanel_emulator.routing import Route, params
from mixpanel_emulator.where import UNDEFINED, ExpressionError, compile_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mixpanel_emulator.where import Lookup
    from mixpanel_emulator.world import World

MAX_LIMIT = 100_000


def export(call: Call, world: World) -> Reply:
    """Stream the events of whole days, one JSON object a line."""
    start, end = days(call, world.export_today(), world)
    limit = _limit(call)
    window = EventQuery(
        start_of(start),
        start_of(end) + DAY_MS,
        local=world.settings.project_kind == "local",
        visible_at_ms=world.clock.now_ms(),
        names=names(call, "event"),
    )
    keep = _filter(call, world)
    stamp = _stamp(call, world)
    return Reply(200, _lines(world.events.pages(window), keep, stamp, limit), TEXT_TYPE)


def _limit(call: Call) -> int | None:
    return None if call.text("limit") is None else whole(call, "limit", 0, 1, MAX_LIMIT)


def event_lookup(event: StoredEvent, world: World) -> Lookup:
    """What an expression sees of an event.

    `$time` (or `time`) is in seconds, in the frame the project exports.
    """
    properties = event.properties()
    local = world.settings.project_kind == "local"
    seconds = (event.time_ms + (event.offset_ms if local else 0)) / 1000
    special: dict[str, Any] = {"$time": seconds, "time": seconds}

    def lookup(scope: str, name: str) -> Any:
        if scope == "user":
            owner = properties.get("distinct_id")
            profile = world.profiles.get(USERS, owner) if isinstance(owner, str) else None
            return (profile or {}).get(name, UNDEFINED)
        if name in ("$event_name", "event_name") and scope == "event":
            return json_text.loads(event.name)
        return special[name] if name in special else properties.get(name, UNDEFINED)

    return lookup


def _filter(call: Call, world: World) -> Callable[[StoredEvent], bool] | None:
    text = call.text("where")
    if not text:
        return None
    try:
        condition = compile_expression(text)
    except ExpressionError as error:
        raise ApiError(400, f"Invalid parameter: where: {error}") from error
    return lambda event: bool(condition(event_lookup(event, world)))


def _stamp(call: Call, world: World) -> Callable[[StoredEvent], bytes]:
    local = world.settings.project_kind == "local"
    in_ms = flag(call, "time_in_ms")
    suffix = "" if local else "Z"

    def number(event: StoredEvent) -> bytes:
        ms = event.time_ms + event.offset_ms if local else event.time_ms
        if event.has_float_time and not in_ms:
            return repr(ms / 1000).encode()
        return b"%d" % (ms if in_ms else ms // 1000)

    def text(event: StoredEvent) -> bytes:
        ms = event.time_ms + event.offset_ms if local else event.time_ms
        return b'"%s"' % iso_seconds(ms, suffix).encode()

    return text if world.settings.time_as_iso else number


def _lines(
    pages: Iterator[list[StoredEvent]],
    keep: Callable[[StoredEvent], bool] | None,
    stamp: Callable[[StoredEvent], bytes],
    limit: int | None,
) -> Iterator[bytes]:
    """Blocks of whole lines; a line is head, time, tail, all but the time ready-made."""
    heads: dict[str, bytes] = {}
    left = limit
    for page in pages:
        chosen = page if keep is None else [event for event in page if keep(event)]
        if left is not None:
            chosen = chosen[:left]
            left -= len(chosen)
        lines = []
        for event in chosen:
            head = heads.get(event.name) or heads.setdefault(event.name, _head(event.name))
            lines.append(b"%b%b%b" % (head, stamp(event), event.tail))
        yield b"".join(lines)
        if left == 0:
            return


def _head(name: str) -> bytes:
    text = json_text.export_bytes(json_text.loads(name))
    return b'{"event":%b,"properties":{"time":' % text


ROUTES = (
    Route(
        Family.EXPORT,
        "export",
        export,
        params("from_date to_date limit event where time_in_ms"),
    ),
)
