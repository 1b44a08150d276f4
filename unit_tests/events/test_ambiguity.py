"""Which clock event times are read by where little tells, or nothing until later."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from unit_tests.harness import Output, rfc3339
from unit_tests.project import Project
from unit_tests.streams.ticking import KINDS, export, ticks


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
@pytest.mark.parametrize("count", range(5))
def test_a_few_events_do_not_decide_what_times_mean_and_the_log_says_so(
    project: Project, zone: str, count: int
) -> None:
    project.mixpanel.configure(project_kind="local", timezone=zone)
    noon = datetime(2026, 3, 8, 12, tzinfo=timezone.utc)
    project.mixpanel.add_events(ticks(noon, count, 60))
    out = project.sync(export(project))
    assert out.code == 0, out.log
    assert len(out.records()) == count
    decided = count >= 3
    assert out.stream_state("export").get("event_timestamps") == (
        "project_time" if decided else None
    )
    assert ("Set event_timestamps" in out.log) == (0 < count < 3)
    if decided:
        assert {r["time"] for r in out.records()} == {
            rfc3339(e["time_ms"]) for e in project.mixpanel.events()
        }
    project.config["event_timestamps"] = "project_time"
    told = project.sync(export(project))
    assert {r["time"] for r in told.records()} == {
        rfc3339(e["time_ms"]) for e in project.mixpanel.events()
    }


def imported(events: list[dict[str, Any]], late: timedelta) -> list[dict[str, Any]]:
    """The same events, received so much later."""
    ms = int(late.total_seconds() * 1000)
    for entry in events:
        for key in ("$mp_api_timestamp_ms", "mp_processing_time_ms"):
            entry["properties"][key] += ms
    return events


def true_times(mixpanel: ControlClient) -> dict[str, str]:
    return {e["properties"]["$insert_id"]: rfc3339(e["time_ms"]) for e in mixpanel.events()}


def read_times(out: Output) -> dict[str, str]:
    return {row["insert_id"]: row["time"] for row in out.records()}


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("zone", ["Europe/London", "Atlantic/Azores"])
def test_summers_after_winters_that_tell_nothing_keep_their_instants(
    project: Project, zone: str, kind: str
) -> None:
    project.mixpanel.configure(project_kind=kind, timezone=zone)
    begin = datetime(2025, 1, 10, 2, 30, tzinfo=timezone.utc)
    project.mixpanel.add_events(ticks(begin, 24 * 420, 360))
    project.config["start_date"] = str(begin.date())
    out = project.sync(export(project))
    assert out.code == 0, out.log
    assert read_times(out) == true_times(project.mixpanel)
    assert out.stream_state("export")["event_timestamps"] == KINDS[kind]


def test_a_winter_by_the_clock_of_utc_needs_no_sample_and_leaves_no_doubt(project: Project) -> None:
    project.mixpanel.configure(project_kind="local", timezone="Europe/London")
    project.mixpanel.add_events(ticks(datetime(2026, 3, 2, tzinfo=timezone.utc), 48, 60))
    stream = export(project)
    before = len(project.mixpanel.journal())
    out = project.sync(stream)
    assert read_times(out) == true_times(project.mixpanel)
    assert "event_timestamps" not in out.log
    assert not [e for e in project.mixpanel.journal()[before:] if "limit" in e["query"]]


def test_imported_events_are_read_by_what_later_ones_tell(project: Project) -> None:
    project.mixpanel.configure(project_kind="local", timezone="Asia/Tokyo")
    begin = datetime(2025, 6, 1, tzinfo=timezone.utc)
    old = ticks(begin, 24 * 40, 360, "old")
    # None of the last months, so that recent days cannot tell.
    prompt = ticks(begin + timedelta(days=40), 24 * 100, 360, "new")
    project.mixpanel.add_events(imported(old, timedelta(days=40)) + prompt)
    project.config["start_date"] = str(begin.date())
    out = project.sync(export(project))
    assert out.code == 0, out.log
    assert read_times(out) == true_times(project.mixpanel)


@pytest.mark.parametrize("told_by", ["the data", "the settings"])
def test_times_that_were_read_as_utc_and_are_not_are_named(project: Project, told_by: str) -> None:
    project.mixpanel.configure(project_kind="local", timezone="Asia/Tokyo")
    begin = datetime(2026, 3, 1, tzinfo=timezone.utc)
    project.mixpanel.add_events(imported(ticks(begin, 48, 60, "old"), timedelta(days=5)))
    project.config["start_date"] = "2026-03-01"
    first = project.sync(export(project))
    assert "Set event_timestamps" in first.log
    project.mixpanel.advance(86_400)
    project.mixpanel.add_events(
        ticks(datetime(2026, 3, 10, 20, tzinfo=timezone.utc), 12, 60, "new")
    )
    if told_by == "the settings":
        project.config["event_timestamps"] = "project_time"
    second = project.sync(export(project), state=first.state_file())
    truth = true_times(project.mixpanel)
    new = {name: time for name, time in read_times(second).items() if name.startswith("new")}
    assert new == {name: time for name, time in truth.items() if name.startswith("new")}
    assert "events of 2026-03-01 to 2026-03-10 were read as UTC" in second.log
    third = project.sync(export(project), state=second.state_file())
    assert "were read as UTC" not in third.log


def test_times_that_are_to_be_read_otherwise_from_now_on_are_named(project: Project) -> None:
    project.mixpanel.configure(project_kind="local", timezone="Asia/Tokyo")
    project.mixpanel.add_events(ticks(datetime(2026, 3, 5, tzinfo=timezone.utc), 48, 60))
    first = project.sync(export(project))
    project.config["event_timestamps"] = "utc"
    second = project.sync(export(project), state=first.state_file())
    # Nothing has come on the 10th, so it counts as read when another answer says so.
    told = "events until 2026-03-09 were read as project_time, and are read as utc from now on"
    assert told in second.log
    third = project.sync(export(project), state=second.state_file())
    assert told not in third.log


@pytest.mark.parametrize("status", [400, 403])
def test_a_sample_that_mixpanel_refuses_tells_nothing_and_stops_nothing(
    project: Project, status: int
) -> None:
    project.mixpanel.configure(project_kind="local", timezone="Asia/Tokyo")
    begin = datetime(2026, 3, 5, tzinfo=timezone.utc)
    project.mixpanel.add_events(imported(ticks(begin, 48, 60), timedelta(days=2)))
    said = "Date range exceeds 30 days into the past"
    project.mixpanel.add_fault(
        "status", "/api/2.0/export", query={"limit": "2000"}, status=status, body={"error": said}
    )
    out = project.sync(export(project))
    assert (out.code, len(out.records())) == (0, 48), out.log
    assert "cannot be looked at" in out.log
    assert "export_where" not in out.log
    assert "Set event_timestamps" in out.log


def test_a_winter_that_was_read_before_the_clock_changed_is_not_called_wrong(
    project: Project,
) -> None:
    project.mixpanel.configure(project_kind="local", timezone="Europe/London")
    project.mixpanel.set_clock("2026-03-28T12:00:00Z")
    project.mixpanel.add_events(
        ticks(datetime(2026, 3, 2, tzinfo=timezone.utc), 24 * 26, 60, "old")
    )
    project.config["start_date"] = "2026-03-01"
    first = project.sync(export(project))
    assert "Set event_timestamps" not in first.log
    project.mixpanel.set_clock("2026-03-31T12:00:00Z")
    project.mixpanel.add_events(ticks(datetime(2026, 3, 29, 6, tzinfo=timezone.utc), 48, 60, "new"))
    second = project.sync(export(project), state=first.state_file())
    assert read_times(first) | read_times(second) == true_times(project.mixpanel)
    assert second.stream_state("export")["event_timestamps"] == "project_time"
    assert "were read as UTC" not in second.log


def test_a_zone_that_changes_before_the_kind_is_known_is_named(project: Project) -> None:
    project.mixpanel.configure(project_kind="local", timezone="UTC")
    project.mixpanel.add_events(ticks(datetime(2026, 3, 5, tzinfo=timezone.utc), 24, 60, "old"))
    first = project.sync(export(project))
    project.mixpanel.configure(timezone="America/New_York")
    project.mixpanel.advance(2 * 86_400)
    project.mixpanel.add_events(ticks(datetime(2026, 3, 11, tzinfo=timezone.utc), 24, 60, "new"))
    second = project.sync(export(project), state=first.state_file())
    assert "was UTC at the last sync and is America/New_York now" in second.log
    assert "were read as UTC" not in second.log
