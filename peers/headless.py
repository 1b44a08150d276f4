"""Mixpanel's official client, `mixpanel-headless`: everything it reads that a connector reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from mixpanel_emulator.options import CREDENTIALS
from peers.stage import DAYS, ROOT, Finding, PeerError, Stage

CLIENT = "mixpanel-headless 0.4.0"
PYTHON = ROOT / ".venv-headless" / "bin" / "python"
_SCRIPT = Path(__file__).with_name("scripts") / "use_headless.py"
_ZONE = ZoneInfo("America/Los_Angeles")
_EVENT = "Purchase"
# It names no limit for the properties of an event, and 10 is the default.
_TOP = 10
_KINDS = {
    "funnels": "funnels",
    "cohorts": "cohorts",
    "cohorts, app API": "cohorts",
    "bookmarks": "bookmarks",
    "bookmarks v2": "bookmarks",
    "dashboards": "dashboards",
    "annotations": "annotations",
    "annotation tags": "annotation_tags",
    "feature flags": "feature_flags",
    "experiments": "experiments",
    "custom properties": "custom_properties",
    "custom events": "custom_events",
    "lookup tables": "lookup_tables",
    "lexicon schemas": "schemas",
    "schema registry": "schemas",
}


def try_out(stage: Stage) -> Iterator[Finding]:
    """Read once; what it has of each call is compared with what there is."""
    last = datetime.now(timezone.utc).astimezone(_ZONE).date()
    first = last - timedelta(days=DAYS + 1)
    account = {
        "MP_USERNAME": CREDENTIALS.username,
        "MP_SECRET": CREDENTIALS.secret,
        "MP_PROJECT_ID": str(CREDENTIALS.project_id),
        "MP_REGION": "us",
        "MP_STORAGE_DIR": str(stage.folder),
        "HOME": str(stage.folder),
    }
    truths = _truths(stage, first, last)
    lines = stage.run(PYTHON, _SCRIPT, str(first), str(last), env=account)
    told = json.loads(lines[-1])
    if set(told) != set(truths):
        raise PeerError(f"{CLIENT} read {sorted(set(told) ^ set(truths))} unexpectedly or not")
    for what, truth in truths.items():
        got = told[what]
        broken = isinstance(got, str)
        yield Finding(CLIENT, what, -1 if broken else round(got), truth, got if broken else "")


def _truths(stage: Stage, first: date, last: date) -> dict[str, int]:
    """What it has to read."""
    events = stage.server.control.events()
    bought = [event["properties"] for event in events if _is_bought(event, first, last)]
    profiles = {profile["$distinct_id"] for profile in stage.truth("engage")}
    members = [m["distinct_id"] for m in stage.truth("cohort_members") if m["cohort_id"] == 3207]  # noqa: PLR2004 - the buyers
    days = (last - first).days + 1
    return {
        "events": stage.events(first, last),
        "profiles": len(profiles),
        "cohort members": sum(member in profiles for member in members),
        **{what: len(stage.truth(kind)) for what, kind in _KINDS.items()},
        "workspaces": 2,
        "projects": 1,
        "event names": len({event["event"] for event in events}),
        "event properties": _TOP,
        "property values": len({held["currency"] for held in bought}),
        "event definitions": 1,
        "property definitions": 1,
        **_reported(bought, days),
        "funnel, steps": 4,
        "insights": _in_a_week(events, last),
    }


def _reported(bought: list[Mapping[str, Any]], days: int) -> dict[str, int]:
    """The reports' numbers."""
    same = ("event counts", "property counts", "segmentation", "segmentation by currency")
    return {
        **dict.fromkeys((*same, "numeric segmentation"), len(bought)),
        "segmentation sum": round(sum(held["amount"] for held in bought)),
        **dict.fromkeys(("segmentation average, days", "retention, cohorts"), days),
        "frequency, days": days,
    }


def _is_bought(event: Mapping[str, Any], first: date, last: date) -> bool:
    day = datetime.fromtimestamp(event["time_ms"] / 1000, _ZONE).date()
    return event["event"] == _EVENT and first <= day <= last


def _in_a_week(events: list[dict[str, Any]], last: date) -> int:
    return sum(_is_bought(event, last - timedelta(days=6), last) for event in events)
