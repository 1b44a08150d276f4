"""Days and instants in every zone: through changes of the clock, and of the zone itself."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta, timezone
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unit_tests.harness import expected_export, multiset, rfc3339
from unit_tests.project import Project
from unit_tests.streams.ticking import KINDS, export, ticks

EXAMPLES = int(os.environ.get("SOAK_EXAMPLES", "10"))
ZONES = [
    "Pacific/Kiritimati",  # the furthest east, +14
    "Pacific/Apia",  # left out 30 December 2011
    "Pacific/Chatham",  # +12:45, in summer +13:45
    "Australia/Lord_Howe",  # half an hour of summer time
    "Asia/Kathmandu",
    "Africa/Casablanca",  # turns the clock back for Ramadan
    "Europe/Dublin",  # calls winter the exception
    "UTC",
    "America/St_Johns",
    "America/Los_Angeles",
    "Pacific/Pago_Pago",  # the furthest west that people live in, -11
    "Etc/GMT+12",
]


@cache
def changes(zone: str) -> list[datetime]:
    """The hours, since 2011, in which a zone changed its clock."""
    here = ZoneInfo(zone)
    found = []
    moment = datetime(2011, 1, 1, tzinfo=timezone.utc)
    while moment.year < 2026:
        later = moment + timedelta(days=1)
        if moment.astimezone(here).utcoffset() != later.astimezone(here).utcoffset():
            found.append(moment)
        moment = later
    return found or [datetime(2020, 2, 29, tzinfo=timezone.utc)]


@given(st.sampled_from(ZONES), st.sampled_from(list(KINDS)), st.data())
@settings(max_examples=EXAMPLES)
def test_every_event_around_a_change_of_the_clock_keeps_its_instant(
    project: Project, zone: str, kind: str, data: st.DataObject
) -> None:
    change = data.draw(st.sampled_from(changes(zone)))
    minutes = data.draw(st.sampled_from([10, 17, 30]))
    after = data.draw(st.integers(30, 80))
    project.mixpanel.reset()
    project.mixpanel.configure(project_kind=kind, timezone=zone)
    project.mixpanel.set_clock((change + timedelta(hours=after)).isoformat())
    project.mixpanel.add_events(ticks(change - timedelta(hours=24), after + 24, minutes))
    project.config.update(start_date=str((change - timedelta(days=3)).date()))
    out = project.sync(export(project), quick_s=0.0)
    assert out.code == 0, out.log
    want = expected_export(project.mixpanel.events(), export(project))
    assert multiset(out.records()) == multiset(want)
    if zone != "UTC":
        assert out.stream_state("export").get("event_timestamps") == KINDS[kind]


MOVES = [
    ("Pacific/Pago_Pago", "Pacific/Kiritimati"),
    ("Pacific/Kiritimati", "Pacific/Pago_Pago"),
    ("America/Los_Angeles", "Australia/Lord_Howe"),
]


@pytest.mark.parametrize(("before", "after"), MOVES)
@pytest.mark.parametrize("kind", list(KINDS))
def test_a_project_that_changed_its_zone_loses_no_event(
    project: Project, kind: str, before: str, after: str
) -> None:
    project.mixpanel.configure(project_kind=kind, timezone=before)
    project.config.update(start_date="2026-02-27", event_timestamps=KINDS[kind])
    start = datetime(2026, 3, 6, tzinfo=timezone.utc)
    project.mixpanel.set_clock("2026-03-10T12:00:00Z", frozen=True)
    project.mixpanel.add_events(ticks(start, 96, 60, "old"))
    first = project.sync(export(project), quick_s=0.0)
    project.mixpanel.configure(timezone=after)
    states, rows = first.state_file(), first.records()
    for number in range(4):
        # One more day goes by, event by event, before each sync.
        begin = datetime(2026, 3, 10, 13, tzinfo=timezone.utc) + timedelta(days=number)
        project.mixpanel.set_clock((begin + timedelta(hours=24)).isoformat(), frozen=True)
        project.mixpanel.add_events(ticks(begin, 22, 60, f"new-{number}"))
        out = project.sync(export(project), state=states, quick_s=0.0)
        assert out.code == 0, out.log
        states, rows = out.state_file(), rows + out.records()
        warned = f"time zone was {before} at the last sync and is {after} now" in out.log
        assert warned == (kind == "local" and number == 0)
    want = {
        (e["properties"]["$insert_id"], rfc3339(e["time_ms"])) for e in project.mixpanel.events()
    }
    assert {(row["insert_id"], row["time"]) for row in rows} == want
    assert len(rows) == len(want)


DATED = ["funnels", "revenue", "event_counts"]


def test_a_zone_that_is_not_the_projects_stops_every_stream_by_day(project: Project) -> None:
    project.mixpanel.seed(11, events=50, days=3, profiles=10)
    project.mixpanel.configure(timezone="America/Los_Angeles")
    streams = project.discover()
    project.config["project_timezone"] = "Europe/Paris"
    chosen = [streams[name] for name in (*DATED, "export", "cohorts")]
    out = project.sync(*chosen, mode="full_refresh", quick_s=0.0)
    assert out.code == 1
    for name in (*DATED, "export"):
        [error] = [e for e in out.errors if e.get("stream_descriptor", {}).get("name") == name]
        assert "Europe/Paris" in error["message"]
        assert "America/Los_Angeles" in error["message"]
        assert error["failure_type"] == "config_error"
    assert out.statuses("cohorts")[-1] == "COMPLETE"


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"])
def test_counts_of_today_are_partial_today_and_whole_tomorrow(project: Project, zone: str) -> None:
    project.mixpanel.configure(timezone=zone)
    project.config.update(start_date="2026-03-08", attribution_window=0)
    project.discover()
    today = datetime(2026, 3, 10, 12, tzinfo=timezone.utc).astimezone(ZoneInfo(zone)).date()
    project.mixpanel.add_events(ticks(day_begins(today, zone), 2, 10, "early"))
    first = project.sync("event_counts", quick_s=0.0)
    project.mixpanel.add_events(ticks(day_begins(today, zone) + timedelta(hours=20), 2, 10, "late"))
    project.mixpanel.advance(86_400)
    second = project.sync("event_counts", state=first.state_file(), quick_s=0.0)
    assert counts(first.records(), today) == [12]
    assert counts(second.records(), today) == [24]
    assert counts(second.records(), today - timedelta(days=1)) == []


def day_begins(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)


def counts(rows: list[dict[str, Any]], day: date) -> list[int]:
    return [row["count"] for row in rows if row["date"] == str(day)]
