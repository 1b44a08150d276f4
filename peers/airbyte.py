"""Airbyte's own connector, version 4.0.2."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from mixpanel_emulator.options import service_account
from peers.stage import ROOT, Finding, PeerError, Stage, count, messages

CLIENT = "airbyte-source-mixpanel 4.0.2"
EXECUTABLE = ROOT / ".venv-airbyte" / "bin" / "source-mixpanel"
_QUICK = ("export", "cohorts", "engage", "annotations")
_ZONE = "America/Los_Angeles"
_MONTHS = 120


def try_out(stage: Stage, *, every: bool) -> Iterator[Finding]:
    """Check, discover and read, as the platform does.

    Its streams of the Query API share one request a minute, so that all six take long.
    """
    _spare(stage)
    now = datetime.now(timezone.utc)
    start = (now - timedelta(days=_MONTHS)).date()
    config = stage.write("config.json", _config(start))
    status = _only(stage.run(EXECUTABLE, "check", "--config", config), "connectionStatus")
    succeeded = status["status"] == "SUCCEEDED"
    yield Finding(CLIENT, "check", int(succeeded), 1, status.get("message") or "")
    catalog = _only(stage.run(EXECUTABLE, "discover", "--config", config), "catalog")
    found = {stream["name"]: stream for stream in catalog["streams"]}
    yield Finding(CLIENT, "discover: streams", len(found), 6)
    names = [name for name in found if every or name in _QUICK]
    chosen = stage.write("catalog.json", {"streams": [_chosen(found[name]) for name in names]})
    told = messages(stage.run(EXECUTABLE, "read", "--config", config, "--catalog", chosen))
    records = [message["record"] for message in told if message["type"] == "RECORD"]
    last = (now.astimezone(ZoneInfo(_ZONE)) - timedelta(days=1)).date()
    for name, (truth, note) in _truths(stage, start, last).items():
        if name in names:
            yield Finding(CLIENT, name, count(records, name), truth, note)


def _spare(stage: Stage) -> None:
    """Take the events away that end its sync.

    They are those with a property `Time` beside `time`, and those whose seconds have a fraction.
    """
    control = stage.server.control
    odd = [
        event["properties"].get("$insert_id")
        for event in control.events()
        if event.get("has_float_time") or _has_two_times(event["properties"])
    ]
    control.remove_events(*odd)


def _has_two_times(properties: dict[str, Any]) -> bool:
    return any(name != "time" and name.lower() == "time" for name in properties)


def _config(start: date) -> dict[str, Any]:
    return {
        "credentials": service_account(),
        "region": "US",
        "project_timezone": _ZONE,
        "start_date": f"{start}T00:00:00Z",
        "attribution_window": 0,
        "date_window_size": 366,
        "page_size": 1000,
        # Its export takes this, though its specification does not tell: no sleep of a minute.
        "reqs_per_hour_limit": 0,
    }


def _chosen(stream: dict[str, Any]) -> dict[str, Any]:
    return {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "append"}


def _only(lines: list[str], key: str) -> dict[str, Any]:
    found = [message[key] for message in messages(lines) if key in message]
    if len(found) != 1:
        raise PeerError(f"{CLIENT} said {key} {len(found)} times: {lines[-3:]}")
    return dict(found[0])


def _truths(stage: Stage, start: date, last: date) -> dict[str, tuple[int, str]]:
    """What it has to read by what it asks for, with what it leaves out on purpose."""
    profiles = {p["$distinct_id"]: p["$properties"] for p in stage.truth("engage")}
    seen = {who for who, held in profiles.items() if "$last_seen" in held}
    members = [m for m in stage.truth("cohort_members") if m["distinct_id"] in seen]
    days = (last - start).days + 1
    return {
        "export": (stage.events(start, last), f"up to {last}"),
        "cohorts": (len(stage.truth("cohorts")), ""),
        "engage": (len(seen), "it asks for profiles with $last_seen"),
        "annotations": (len(stage.truth("annotations")), ""),
        "cohort_members": (len(members), "with $last_seen"),
        "funnels": (len(stage.truth("funnels")) * days, "a record a funnel and day"),
    }
