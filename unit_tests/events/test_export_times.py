"""What `time` means: both kinds of project, through changes of the clock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from unit_tests.harness import expected_export, multiset, rfc3339
from unit_tests.project import Project

EXPORT = "/api/2.0/export"
ZONES = ["America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Kiritimati", "UTC"]


def hourly(start: datetime, hours: int, minutes: int = 30) -> list[dict[str, Any]]:
    """An event each half an hour, received two seconds later."""
    events = []
    for n in range(hours * 60 // minutes):
        ms = int((start + timedelta(minutes=minutes * n)).timestamp() * 1000) + n % 1000
        sent = {"$mp_api_timestamp_ms": ms + 2000, "mp_processing_time_ms": ms + 3000}
        events.append(
            {
                "event": "Tick",
                "properties": {"time": ms, "distinct_id": "u", "$insert_id": f"t-{n}", **sent},
            }
        )
    return events


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", ["utc", "local"])
def test_time_is_the_true_instant_in_both_kinds_of_project(
    project: Project, kind: str, zone: str
) -> None:
    project.mixpanel.configure(project_kind=kind, timezone=zone)
    project.mixpanel.seed(4, events=400, days=7, profiles=10)
    out = project.sync("export")
    assert out.code == 0, out.log
    assert multiset(out.records()) == project.expected_export()
    if zone != "UTC":
        told = {"utc": "utc", "local": "project_time"}[kind]
        assert out.stream_state("export")["event_timestamps"] == told


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("America/Los_Angeles", "2025-11-02T00:00:00Z"),
        ("America/Los_Angeles", "2026-03-08T00:00:00Z"),
        ("Europe/Paris", "2025-10-25T12:00:00Z"),
        ("Australia/Lord_Howe", "2025-10-04T06:00:00Z"),
    ],
)
def test_hours_that_come_twice_or_never_keep_their_instants(
    project: Project, zone: str, change: str
) -> None:
    start = datetime.fromisoformat(change.replace("Z", "+00:00"))
    project.mixpanel.configure(project_kind="local", timezone=zone)
    project.mixpanel.add_events(hourly(start, hours=30, minutes=10))
    project.config.update(start_date="2025-09-01", event_timestamps="project_time")
    out = project.sync("export")
    assert out.code == 0, out.log
    got = sorted(r["time"] for r in out.records())
    assert got == sorted(rfc3339(e["time_ms"]) for e in project.mixpanel.events())


def test_the_decision_is_kept_in_the_state(project: Project) -> None:
    project.mixpanel.configure(project_kind="local", timezone="America/Los_Angeles")
    noon = datetime(2026, 3, 5, 12, tzinfo=timezone.utc)
    project.mixpanel.add_events(hourly(noon, hours=24))
    first = project.sync("export")
    project.mixpanel.advance(7200)
    # Sent seven hours late: under the wrong reading this one would look prompt.
    ms = int(datetime(2026, 3, 10, 6, tzinfo=timezone.utc).timestamp() * 1000)
    late = {"time": ms, "distinct_id": "u", "$insert_id": "late"}
    late["mp_processing_time_ms"] = ms + 7 * 3_600_000
    project.mixpanel.add_events([{"event": "Tick", "properties": late}])
    second = project.sync("export", state=first.state_file())
    assert [r["time"] for r in second.records()] == ["2026-03-10T06:00:00.000Z"]


def test_times_as_iso_text_are_read_too(project: Project) -> None:
    project.mixpanel.configure(time_as_iso=True)
    project.mixpanel.seed(4, events=200, days=7, profiles=10)
    stream = project.discover()["export"]
    out = project.sync("export")
    # Such an answer has whole seconds only.
    told = [{**e, "time_ms": e["time_ms"] // 1000 * 1000} for e in project.mixpanel.events()]
    assert multiset(out.records()) == multiset(expected_export(told, stream))


def test_today_is_partial_today_and_whole_tomorrow(project: Project) -> None:
    project.mixpanel.configure(project_kind="local", timezone="Asia/Tokyo")
    project.config["event_timestamps"] = "project_time"
    start = datetime(2026, 3, 9, 0, tzinfo=timezone.utc)
    project.mixpanel.add_events(hourly(start, hours=36))
    first = project.sync("export")
    assert len(first.records()) == 72
    assert first.days_read("export")["covered"] == [["2026-03-01", "2026-03-10"]]
    project.mixpanel.advance(86_400)
    more = hourly(start + timedelta(hours=36), hours=12)
    for entry in more:
        entry["properties"]["$insert_id"] += "-more"
    project.mixpanel.add_events(more)
    second = project.sync("export", state=first.state_file())
    again = {r["insert_id"] for r in first.records()} & {r["insert_id"] for r in second.records()}
    assert len(second.records()) == 24 + len(again)
    assert again <= {"t-69", "t-70", "t-71"}, "only the hour of the overlap comes twice"


def test_a_zone_that_is_not_the_projects_is_an_error_that_names_both(project: Project) -> None:
    project.mixpanel.configure(project_kind="local", timezone="America/Los_Angeles")
    project.discover()
    project.config["project_timezone"] = "Europe/Paris"
    out = project.sync("export")
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "config_error"
    assert "Europe/Paris" in out.errors[0]["message"]
    assert "America/Los_Angeles" in out.errors[0]["message"]
    project.config["project_timezone"] = "US/Pacific"
    assert project.sync("export").code == 0


def test_a_zone_too_far_east_is_an_error_and_no_empty_success(project: Project) -> None:
    project.mixpanel.configure(project_kind="local", timezone="America/Los_Angeles")
    project.mixpanel.set_clock("2026-03-10T03:00:00Z")
    project.discover()
    project.config.update(project_timezone="Asia/Tokyo", event_timestamps="project_time")
    # A project secret cannot ask for the project's zone, so only the refusal tells.
    project.config["credentials"] = {"api_secret": "local-project-secret-0123456789ab"}
    out = project.sync("export")
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "config_error"
    assert "Asia/Tokyo" in out.errors[0]["message"]
    assert "project_timezone" in out.errors[0]["message"]


def test_a_zone_nobody_tells_is_asked_for_when_it_matters(project: Project) -> None:
    project.mixpanel.configure(project_kind="local", timezone="America/Los_Angeles")
    project.mixpanel.add_events(hourly(datetime(2026, 3, 5, 12, tzinfo=timezone.utc), hours=24))
    project.discover()
    project.config["credentials"] = {"api_secret": "local-project-secret-0123456789ab"}
    out = project.sync("export")
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "config_error"
    assert "Set project_timezone" in out.errors[0]["message"]
    project.config["project_timezone"] = "America/Los_Angeles"
    told = project.sync("export")
    assert sorted(r["time"] for r in told.records()) == sorted(
        rfc3339(e["time_ms"]) for e in project.mixpanel.events()
    )


@pytest.mark.parametrize("kind", ["gzip_cut", "cut_mid_line", "reset"])
def test_times_are_not_guessed_when_the_events_that_would_tell_cannot_be_had(
    project: Project, kind: str
) -> None:
    project.mixpanel.configure(project_kind="local", timezone="America/Los_Angeles")
    imported = hourly(datetime(2026, 3, 9, 12, tzinfo=timezone.utc), hours=12)
    for number, entry in enumerate(imported):
        late = int(datetime(2026, 3, 10, 9, tzinfo=timezone.utc).timestamp()) * 1000
        sent = {"$mp_api_timestamp_ms": late, "mp_processing_time_ms": late}
        entry["properties"] |= {"$insert_id": f"old-{number}", **sent}
    project.mixpanel.add_events(imported)
    project.mixpanel.add_events(hourly(datetime(2026, 3, 5, 12, tzinfo=timezone.utc), hours=12))
    project.discover()
    project.config["start_date"] = "2026-03-05"
    clean = project.sync("export")
    asked = [entry for entry in project.mixpanel.journal() if entry["path"] == EXPORT]
    assert ["limit" in entry["query"] for entry in asked][-4:].count(True) == 1
    sample = next(entry["query"] for entry in reversed(asked) if "limit" in entry["query"])
    before = len(asked)
    project.mixpanel.add_fault(kind, EXPORT, query={"limit": sample["limit"]})
    out = project.sync("export", tries=2)
    assert (out.code, out.records()) == (1, [])
    [error] = [e for e in out.errors if "following streams" not in e["message"]]
    assert error["failure_type"] == "transient_error"
    assert "Stream 'export' needs some recent events" in error["message"]
    # The window itself was whole, and so was that of today: neither is asked for again.
    assert len([e for e in project.mixpanel.journal() if e["path"] == EXPORT]) == before + 4
    project.mixpanel.clear_faults()
    again = project.sync("export", state=out.state_file())
    assert again.code == 0
    assert multiset(again.records()) == multiset(clean.records())
    assert {r["time"] for r in again.records()} == {
        rfc3339(e["time_ms"]) for e in project.mixpanel.events()
    }


def test_a_wrong_clock_of_our_own_is_corrected_by_mixpanels(project: Project) -> None:
    # The machine's clock is months away from the project's here, in every test.
    behind = datetime.now(tz=ZoneInfo("UTC")) - datetime(2026, 3, 10, 12, tzinfo=timezone.utc)
    assert abs(behind) > timedelta(days=2)
    project.mixpanel.add_events(hourly(datetime(2026, 3, 10, 0, tzinfo=timezone.utc), hours=10))
    project.config["credentials"] = {"api_secret": "local-project-secret-0123456789ab"}
    project.config["event_timestamps"] = "utc"
    out = project.sync("export")
    assert out.code == 0, out.log
    assert len(out.records()) == 20
    assert out.stream_state("export")["covered"][0][2] < 1_773_144_060_000
    ends = [e["query"]["to_date"] for e in project.mixpanel.journal() if e["path"] == EXPORT]
    # Once by discover, and once by read.
    assert len([end for end in ends if end > "2026-03-10"]) == 2
