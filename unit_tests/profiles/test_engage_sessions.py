"""Sessions and pages of `engage`: where they end, break, expire, and go on."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from unit_tests.harness import multiset
from unit_tests.profiles.test_engage import PATH, many, profile
from unit_tests.project import Project


@pytest.mark.parametrize("told", [{"engage_total_everywhere": True}, {}])
@pytest.mark.parametrize("number", [0, 1, 9, 10, 11, 20])
def test_pages_end_where_the_profiles_do(
    project: Project, number: int, told: dict[str, Any]
) -> None:
    project.mixpanel.configure(**told)
    project.mixpanel.add_profiles(many(number))
    project.config["page_size"] = 10
    out = project.sync("engage")
    assert out.code == 0, out.log
    assert sorted(row["n"] for row in out.records()) == list(range(number))


def test_a_smaller_page_than_asked_for_is_no_end(project: Project) -> None:
    project.mixpanel.configure(engage_max_page_size=7)
    project.mixpanel.add_profiles(many(30))
    out = project.sync("engage", mode="full_refresh")
    assert sorted(row["n"] for row in out.records()) == list(range(30))


@pytest.mark.parametrize("wrong", [{}, {"results": many(2)}, {"results": []}])
def test_a_page_that_holds_less_than_announced_is_asked_for_again(
    project: Project, wrong: dict[str, Any]
) -> None:
    project.mixpanel.add_profiles(many(30))
    project.config["page_size"] = 10
    project.discover()
    body = {"page": 1, "status": "ok", "session_id": "1", **({"results": []} | wrong)}
    project.mixpanel.add_fault("status", PATH, query={"page": "1"}, status=200, body=body, times=1)
    out = project.sync("engage", mode="full_refresh")
    assert out.code == 0, out.log
    assert sorted({row["n"] for row in out.records()}) == list(range(30))
    project.mixpanel.add_fault("status", PATH, query={"page": "2"}, status=200, body=body)
    out = project.sync("engage", mode="full_refresh")
    assert out.code == 1
    assert "fewer than Mixpanel announced" in out.errors[0]["message"]
    assert "last_seen" not in out.stream_state("engage")


def test_an_expired_session_begins_anew_and_repeats_nothing(project: Project) -> None:
    project.mixpanel.add_profiles(many(60))
    project.config.update(page_size=10, num_workers=1)
    project.discover()
    uncached = {"error": "request for page in uncached query for params"}
    project.mixpanel.add_fault(
        "status", PATH, query={"page": "3"}, status=400, body=uncached, times=2
    )
    project.mixpanel.clear_journal()
    out = project.sync("engage", mode="full_refresh")
    assert out.code == 0, out.log
    assert sorted(row["n"] for row in out.records()) == list(range(60))
    assert sum(not entry["body"].get("session_id") for entry in project.asked(PATH)) == 3
    assert "read anew" in out.log


def test_sessions_that_never_last_end_the_stream_with_a_sentence(project: Project) -> None:
    project.mixpanel.add_profiles(many(30))
    project.config["page_size"] = 10
    project.discover()
    project.mixpanel.configure(engage_session_lifetime=0)
    out = project.sync("engage", mode="full_refresh")
    assert out.code == 1
    assert "sessions" in out.errors[0]["message"]
    assert len(out.records()) == 10


def test_a_kill_at_any_state_loses_nothing_and_repeats_nothing(project: Project) -> None:
    project.mixpanel.add_profiles(many(45))
    project.config["page_size"] = 10
    whole = project.sync("engage", mode="full_refresh")
    assert len(whole.prefixes("engage")) == 5
    for rows, state in whole.prefixes("engage")[:-1]:
        rest = project.sync("engage", mode="full_refresh", state=[state])
        assert multiset(rows + rest.records()) == multiset(whole.records())
        assert rest.stream_state("engage") == whole.stream_state("engage")


def test_going_on_when_the_session_is_over_reads_it_all(project: Project) -> None:
    project.mixpanel.add_profiles(many(45))
    project.config["page_size"] = 10
    rows, state = project.sync("engage", mode="full_refresh").prefixes("engage")[1]
    project.mixpanel.expire_sessions()
    rest = project.sync("engage", mode="full_refresh", state=[state])
    assert rest.code == 0, rest.log
    assert sorted(row["n"] for row in rest.records()) == list(range(45))
    assert len(rows) == 20


def test_a_page_that_breaks_off_after_some_profiles_repeats_none_of_them(project: Project) -> None:
    project.mixpanel.add_profiles([profile(f"u-{n}", n=n, long="x" * 5_000) for n in range(60)])
    project.config["page_size"] = 20
    project.discover()
    held = project.mixpanel.truth("engage")[20:36]
    text = json.dumps({"page": 1, "results": held})[:-9] + "<html></html>}"
    project.mixpanel.add_fault("status", PATH, query={"page": "1"}, status=200, body=text, times=1)
    out = project.sync("engage", mode="full_refresh")
    assert out.code == 0, out.log
    assert sorted(row["n"] for row in out.records()) == list(range(60))
    assert "is not whole" in out.log


def test_pages_are_read_several_at_a_time_within_the_limits(project: Project) -> None:
    project.mixpanel.add_profiles(many(59))
    project.config["page_size"] = 3
    project.discover()
    project.mixpanel.configure(quota=True, query_latency=0.02, query_per_hour=1)
    project.mixpanel.clear_journal()
    out = project.sync("engage", mode="full_refresh", skip_waits=False)
    assert out.code == 0, out.log
    assert [row["n"] for row in out.records()] == list(range(59))
    requests = project.asked(PATH)
    assert [entry["status"] for entry in requests] == [200] * 20
    begun = [entry["at_ms"] for entry in requests[1:]]
    assert any(later - earlier < 20 for earlier, later in pairwise(begun))
