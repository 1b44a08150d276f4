"""Full refreshes of `export` that go on from their own state, and what they end with."""

from __future__ import annotations

from typing import Any

import pytest

from unit_tests.builders import NOON_10_MARCH_MS, event
from unit_tests.project import Project


def in_progress(through: str, watermark_ms: int) -> list[dict[str, Any]]:
    """The state of a full refresh that has read the days from 1 March."""
    blob = {
        "time": "2026-03-05T00:00:00.000Z",
        "completed_from": "2026-03-01",
        "covered": [[through, watermark_ms]],
        "event_timestamps": "utc",
        "full_refresh": "in progress",
    }
    state = {"stream_descriptor": {"name": "export"}, "stream_state": blob}
    return [{"type": "STREAM", "stream": state}]


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(row["insert_id"] for row in rows)


@pytest.mark.parametrize("days_later", [0, 2])
def test_a_refresh_that_had_read_all_but_said_so_ends_and_the_next_reads_all(
    project: Project, days_later: int
) -> None:
    project.mixpanel.add_events([event(days_ago=n, insert_id=f"{n}") for n in (1, 2, 3)])
    project.discover()
    project.mixpanel.advance(86_400 * days_later)
    state = in_progress("2026-03-10", NOON_10_MARCH_MS)
    rest = project.sync("export", state=state, mode="full_refresh")
    assert (rest.code, rest.records()) == (0, [])
    assert "full_refresh" not in rest.stream_state("export")
    again = project.sync("export", state=rest.state_file(), mode="full_refresh")
    assert ids(again.records()) == ["1", "2", "3"]
    assert "full_refresh" not in again.stream_state("export")


def test_a_refresh_goes_on_with_what_its_last_day_got_after_it_was_read(project: Project) -> None:
    project.mixpanel.add_events([event(days_ago=0.3, insert_id="morning")])
    project.discover()
    project.mixpanel.advance(86_400)
    evening = event(days_ago=-0.3, insert_id="evening")
    project.mixpanel.add_events([evening, event(days_ago=-0.9, insert_id="next day")])
    state = in_progress("2026-03-10", NOON_10_MARCH_MS)
    rest = project.sync("export", state=state, mode="full_refresh")
    assert ids(rest.records()) == ["evening", "next day"]
    assert "full_refresh" not in rest.stream_state("export")


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
def test_an_end_at_midnight_stands_for_its_whole_day(project: Project, mode: str) -> None:
    project.mixpanel.add_events([event(days_ago=n, insert_id=f"{n}") for n in (1, 2, 3)])
    project.discover()
    project.config["end_date"] = "2026-03-08T00:00:00Z"
    assert ids(project.sync("export", mode=mode).records()) == ["2", "3"]
    project.config["end_date"] = "2026-03-08T11:59:59Z"
    assert ids(project.sync("export", mode=mode).records()) == ["3"]


@pytest.mark.parametrize(("minutes", "again"), [(10, ["2"]), (60, ["1", "2", "3"])])
def test_a_refresh_that_lacks_a_day_is_finished_soon_or_begun_anew(
    project: Project, minutes: int, again: list[str]
) -> None:
    project.mixpanel.add_events([event(days_ago=n, insert_id=f"{n}") for n in (1, 2, 3)])
    project.discover()
    day = {"from_date": "2026-03-08", "to_date": "2026-03-08"}
    project.config["date_window_size"] = 1
    project.mixpanel.add_fault("status", "/api/2.0/export", query=day, status=500)
    lacking = project.sync("export", mode="full_refresh", tries=2)
    assert (lacking.code, ids(lacking.records())) == (1, ["1", "3"])
    project.mixpanel.clear_faults()
    project.mixpanel.advance(60 * minutes)
    state = lacking.state_file()
    rest = project.sync("export", state=state, mode="full_refresh")
    assert (rest.code, ids(rest.records())) == (0, again)
    assert "ended_ms" not in rest.stream_state("export")
