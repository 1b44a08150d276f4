"""Every stream of more than one request says in the log what it has done and what is left."""

from __future__ import annotations

import re
from typing import Any

import pytest

from unit_tests.harness import Output
from unit_tests.project import Project

_LINE = re.compile(
    r"Stream '(?P<stream>\w+)' has read .+: (?P<done>\d+)(?: of (?P<total>\d+))? "
    r"(?P<unit>days?|pages?|funnels?|cohorts?|group keys?|reports?), "
    r"(?P<records>\d+) records? so far(?:, (?P<left>\d+) requests? left this hour)?\."
)


def _lines(out: Output, stream: str) -> list[re.Match[str]]:
    told = [
        entry["message"] for entry in out.of("LOG") if f"{stream!r} has read" in entry["message"]
    ]
    found = [_LINE.fullmatch(line) for line in told]
    assert all(found), told
    return [match for match in found if match]


@pytest.mark.parametrize(
    ("stream", "unit", "settings"),
    [
        ("export", "days", {"date_window_size": 1}),
        ("engage", "pages", {"page_size": 10}),
        ("groups", "group keys", {}),
        ("cohort_members", "cohorts", {}),
        ("funnels", "funnels", {}),
        ("revenue", "days", {"date_window_size": 2}),
        ("event_counts", "days", {"date_window_size": 2}),
        ("report_results", "reports", {}),
        ("dashboards", "pages", {}),
    ],
)
def test_the_first_and_the_last_step_are_told(
    project: Project, stream: str, unit: str, settings: dict[str, Any]
) -> None:
    project.mixpanel.seed(7, events=200, days=9, profiles=30)
    project.mixpanel.configure(app_page_size=1)
    steps = [{"event": "Product Viewed"}, {"event": "Order Completed"}]
    project.mixpanel.set_truth(
        "funnels",
        [{"funnel_id": n, "name": f"F{n}", "length": 14, "steps": steps} for n in (4411, 4412)],
    )
    out = project.using(**settings).sync(stream, mode="full_refresh")
    assert out.code == 0, out.log
    lines = _lines(out, stream)
    first, last = lines[0], lines[-1]
    assert last["unit"] == unit
    assert int(first["done"]) <= int(last["done"])
    assert int(last["done"]) > 1
    if last["total"]:
        assert last["done"] == last["total"]
        assert len(lines) >= 2
    assert int(last["records"]) == len(out.records(stream))
    hourly = stream != "dashboards"
    assert (last["left"] is not None) is hourly


def test_what_is_left_of_the_hour_is_what_the_settings_allow_less_what_was_used(
    project: Project,
) -> None:
    project.mixpanel.seed(7, events=50, days=9, profiles=30)
    project.config |= {"page_size": 10, "rate_limits": {"query_per_hour": 40}}
    out = project.sync("cohorts", "engage", mode="full_refresh")
    assert out.code == 0, out.log
    # One request for each stream: further pages of a session are free.
    assert {line["left"] for line in _lines(out, "engage")} == {"38"}


def test_a_stream_that_fails_tells_how_far_it_came(project: Project) -> None:
    project.mixpanel.seed(7, events=200, days=9, profiles=5)
    project.config["date_window_size"] = 1
    project.discover()
    project.mixpanel.add_fault(
        "status", "/api/2.0/export", query={"from_date": "2026-03-08"}, status=500
    )
    out = project.sync("export", mode="full_refresh", tries=2)
    assert out.code != 0
    last = _lines(out, "export")[-1]
    assert (last["done"], last["total"]) == ("9", "10")
