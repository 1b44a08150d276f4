"""Ingestion as the official SDKs use it: /track and /import (OpenAPI: ingestion)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mixpanel_emulator import json_text
from mixpanel_emulator.auth import Scheme, identify, read_header
from mixpanel_emulator.dates import DAY_MS, HOUR_MS
from mixpanel_emulator.events import NewEvent
from mixpanel_emulator.http import ApiError, Call, Family, Reply, json_reply
from mixpanel_emulator.identity import take
from mixpanel_emulator.options import CREDENTIALS
from mixpanel_emulator.routes.ingest_batch import (
    BadRecordError,
    accept_all,
    acknowledge,
    problem_of,
    read_batch,
)
from mixpanel_emulator.routing import POST, READ_OR_POST, Route, params

if TYPE_CHECKING:
    from mixpanel_emulator.world import World

TRACK_AGE_MS = 5 * DAY_MS
MAX_BATCH = 2_000
# As the OpenAPI file words them; Python calls 413 differently from 3.13 on.
_PHRASES = {400: "Bad Request", 413: "Request Entity Too Large"}
# Numbers above this are milliseconds: as seconds they would lie past the year 5000.
_MS_FROM = 10**11
_EARLIEST_MS = 365 * DAY_MS
_INSERT_ID = re.compile(r"[A-Za-z0-9-]{1,36}", re.ASCII)


def _time_ms(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadRecordError(
            "'properties.time' is invalid: must be specified as seconds since epoch"
        )
    return int(value) if abs(value) > _MS_FROM else int(value * 1000)


def _has_fraction(value: Any) -> bool:
    return isinstance(value, float) and not value.is_integer()


def _parts(item: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(item, dict) or not isinstance(item.get("event"), str):
        raise BadRecordError("'event' is invalid: must be a string")
    properties = item.get("properties")
    if not isinstance(properties, dict):
        raise BadRecordError("'properties' is invalid: must be an object")
    return item["event"], dict(properties)


def _stamped(properties: dict[str, Any], now: int) -> dict[str, Any]:
    """The properties as they are stored: control fields out, service fields in."""
    control = {"token", "time", "ip"}
    kept = {name: value for name, value in properties.items() if name not in control}
    return {
        **kept,
        "$mp_api_endpoint": "api.mixpanel.com",
        "$mp_api_timestamp_ms": now,
        "mp_processing_time_ms": now,
    }


def track(call: Call, world: World) -> Reply:
    """Take live events: those older than 5 days are refused (Mixpanel docs: SDKs)."""
    now = world.clock.now_ms()
    taken: list[NewEvent] = []

    def accept(item: Any) -> None:
        name, properties = _parts(item)
        if properties.get("token") != CREDENTIALS.token:
            raise BadRecordError("token, missing or invalid")
        moment = min(_time_ms(properties.get("time", now)), now)
        if moment < now - TRACK_AGE_MS:
            raise BadRecordError("'properties.time' is invalid: event is older than 5 days")
        fraction = _has_fraction(properties.get("time"))
        shown = world.visible_at(now)
        taken.append(NewEvent(name, moment, _stamped(properties, now), shown, fraction))

    reply = accept_all(call, accept)
    take(world, taken)
    return reply


def _authenticate(call: Call) -> None:
    scheme = identify(read_header(call.headers.get("authorization")))
    project = call.text("project_id")
    if scheme is Scheme.NONE or (project or str(CREDENTIALS.project_id)) != str(
        CREDENTIALS.project_id
    ):
        raise _strict_error(401, "Invalid credentials", "Unauthorized")
    if scheme is Scheme.SERVICE_ACCOUNT and project is None:
        raise _strict_error(400, "project_id is required", "Bad Request")


def _strict_error(code: int, text: str, status: str, **extra: Any) -> ApiError:
    return ApiError(code, text, body={"code": code, "error": text, "status": status, **extra})


def _imported(item: Any, world: World, *, strict: bool) -> NewEvent:
    name, properties = _parts(item)
    now = world.clock.now_ms()
    moment = _time_ms(properties.get("time"))
    if moment > now + HOUR_MS:
        raise BadRecordError("'properties.time' is invalid: must not be in the future")
    if moment < _EARLIEST_MS:
        raise BadRecordError("'properties.time' is invalid: must be after 1971-01-01")
    if strict:
        _check_strict(properties)
    size = len(json_text.export_bytes(item))
    stored = {**_stamped(properties, now), "$import": True, "$mp_event_size": size}
    fraction = _has_fraction(properties.get("time"))
    return NewEvent(name, moment, stored, world.visible_at(now), fraction)


def _check_strict(properties: dict[str, Any]) -> None:
    insert_id = properties.get("$insert_id")
    if not isinstance(insert_id, str) or not _INSERT_ID.fullmatch(insert_id):
        raise BadRecordError(
            "'properties.$insert_id' is invalid: 1 to 36 letters, digits or dashes"
        )
    if "distinct_id" not in properties:
        raise BadRecordError("'properties.distinct_id' is invalid: must be present")


def _failure(index: int, item: Any, problem: str) -> dict[str, Any]:
    properties = item.get("properties") if isinstance(item, dict) else None
    insert_id = properties.get("$insert_id", "") if isinstance(properties, dict) else ""
    field = problem.split("'")[1] if problem.startswith("'") else ""
    return {"index": index, "insert_id": insert_id, "field": field, "message": problem}


def import_events(call: Call, world: World) -> Reply:
    """Take events of any age; with strict=1 the answer names each that failed."""
    _authenticate(call)
    strict = call.text("strict") == "1"
    try:
        batch = read_batch(call)
    except ApiError as error:
        phrase = _PHRASES[error.status]
        raise _strict_error(error.status, error.text, phrase) from error
    if len(batch) > MAX_BATCH:
        raise _strict_error(413, f"batch exceeds {MAX_BATCH} events", "Request Entity Too Large")
    good: list[NewEvent] = []

    def accept(item: Any) -> None:
        good.append(_imported(item, world, strict=strict))

    problems = [(index, item, problem_of(accept, item)) for index, item in enumerate(batch)]
    failed = [_failure(index, item, problem) for index, item, problem in problems if problem]
    take(world, good)
    if not strict:
        return acknowledge(call, None if good else "no valid events")
    if failed:
        text = "some data points in the request failed validation"
        raise _strict_error(
            400, text, "Bad Request", num_records_imported=len(good), failed_records=failed
        )
    return json_reply({"code": 200, "num_records_imported": len(good), "status": "OK"})


ROUTES = (
    Route(
        Family.INGEST, "track", track, params("data verbose ip img callback strict"), READ_OR_POST
    ),
    # A JSON body's own fields (a single event) are no parameters, so any are taken.
    Route(Family.INGEST, "import", import_events, None, POST),
)
