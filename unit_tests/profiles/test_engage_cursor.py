"""The cursor of `engage`: nothing that is seen while a sync runs, or after it, falls behind it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from unit_tests.profiles.test_engage import PATH, many, profile
from unit_tests.project import Project

FUTURE = profile("fut", **{"$last_seen": "2031-01-01T00:00:00"})


@pytest.fixture
def project(project: Project) -> Project:
    project.mixpanel.add_profiles(many(20))
    project.config["page_size"] = 5
    project.discover()
    return project


def seen(who: str, when: str) -> dict[str, Any]:
    return profile(who, **{"$last_seen": when, "changed": True})


def state_of(blob: dict[str, Any]) -> list[dict[str, Any]]:
    stream = {"stream_descriptor": {"name": "engage"}, "stream_state": blob}
    return [{"type": "STREAM", "stream": stream}]


def changed(rows: list[dict[str, Any]]) -> list[str]:
    return [row["distinct_id"] for row in rows if "changed" in (row["rescued_properties"] or {})]


def test_a_time_in_the_future_does_not_stop_later_syncs(project: Project) -> None:
    project.mixpanel.reset()
    odd = [profile("a", **{"$last_seen": "2999-01-01T00:00:00"}), profile("b", **{"$last_seen": 5})]
    project.mixpanel.add_profiles([*odd, profile("c", **{"$last_seen": "zzz"})])
    project.discover()
    first = project.sync("engage")
    assert {row["last_seen"] for row in first.records()} == {"2999-01-01T00:00:00", None}
    rescued = [row["rescued_properties"] for row in first.records() if row["last_seen"] is None]
    assert sorted(map(repr, rescued)) == ["{'$last_seen': 'zzz'}", "{'$last_seen': 5}"]
    # Mixpanel tells its time to the second, so that what is gone by may be one too early.
    cursor = first.stream_state("engage")["last_seen"]
    assert "2026-03-10T11:59:58" <= cursor < "2026-03-10T12:05"


def test_a_profile_that_changes_during_a_sync_comes_with_the_next(project: Project) -> None:
    project.mixpanel.add_profiles([FUTURE])
    project.mixpanel.clear_journal()
    project.mixpanel.add_fault("slow_first_byte", PATH, query={"page": "3"}, seconds=3, times=1)
    run = project.start("read", catalog=project.catalog("engage"))
    while not project.asked(PATH):
        assert run.alive()
    project.mixpanel.set_clock("2026-03-10T12:07:00Z")
    project.mixpanel.add_profiles([seen("u-0001", "2026-03-10T12:06:00")])
    first = run.end()
    assert first.code == 0, first.log
    assert (len(first.records()), changed(first.records())) == (21, [])
    second = project.sync("engage", state=first.state_file())
    assert changed(second.records()) == ["u-0001"]


@pytest.mark.parametrize("expired", [False, True])
@pytest.mark.parametrize("noted", [True, False])
def test_a_profile_that_changes_before_a_sync_goes_on_comes_at_last(
    project: Project, *, expired: bool, noted: bool
) -> None:
    project.mixpanel.add_profiles([FUTURE])
    project.mixpanel.add_fault("status", PATH, query={"page": "3"}, status=500)
    broken = project.sync("engage")
    assert len(broken.records()) == 15
    project.mixpanel.clear_faults()
    project.mixpanel.add_profiles([seen("u-0001", "2026-03-10T12:10:00")])
    project.mixpanel.set_clock("2026-03-10T12:30:00Z")
    if expired:
        project.mixpanel.expire_sessions()
    state = broken.stream_state("engage")
    if not noted:
        # As before states told when the session was opened.
        del state["sessions"][0]["begun"]
    rest = project.sync("engage", state=state_of(state))
    assert rest.code == 0, rest.log
    assert len(rest.records()) == (21 if expired else 6)
    later = project.sync("engage", state=rest.state_file())
    assert changed(later.records()) == ["u-0001"]
    last = project.sync("engage", state=later.state_file())
    assert changed(last.records()) == []


def test_a_clock_of_our_own_that_is_a_little_ahead_takes_no_cursor_along(project: Project) -> None:
    project.mixpanel.add_profiles([FUTURE])
    now = datetime.now(timezone.utc)
    project.mixpanel.set_clock(now.isoformat())
    out = project.sync(project.streams["engage"], jumps={1: 80.0})
    cursor = datetime.fromisoformat(out.stream_state("engage")["last_seen"] + "+00:00")
    assert timedelta(seconds=-2) <= cursor - now < timedelta(seconds=60)


def test_of_a_second_that_is_not_over_all_come_however_finely_they_are_told(
    project: Project,
) -> None:
    project.mixpanel.add_profiles([seen("fine", "2026-03-10T11:00:00.75")])
    first = project.sync("engage")
    assert first.stream_state("engage")["last_seen"] == "2026-03-10T11:00:00"
    project.mixpanel.add_profiles([seen("plain", "2026-03-10T11:00:00")])
    second = project.sync("engage", state=first.state_file())
    assert sorted(changed(second.records())) == ["fine", "plain"]


def test_a_state_from_the_future_is_brought_back_and_the_log_says_so(project: Project) -> None:
    old = state_of({"last_seen": "2031-06-01T00:00:00"})
    first = project.sync("engage", state=old)
    assert (first.code, first.records()) == (0, [])
    [warning] = [e["message"] for e in first.of("LOG") if e["level"] == "WARN"]
    assert "'engage'" in warning
    assert "2031-06-01T00:00:00" in warning
    assert "reset the stream" in warning
    project.mixpanel.set_clock("2026-03-10T12:30:00Z")
    project.mixpanel.add_profiles([seen("u-0001", "2026-03-10T12:20:00")])
    second = project.sync("engage", state=first.state_file())
    assert changed(second.records()) == ["u-0001"]
    assert "future" not in second.log
