"""Every stream of more than one request says in the log what it has done and what is left."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from unit_tests.harness import Command, Output
from unit_tests.worlds import discovered, sync

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
    command: Command,
    mixpanel: ControlClient,
    config: dict[str, Any],
    stream: str,
    unit: str,
    settings: dict[str, Any],
) -> None:
    mixpanel.seed(7, events=200, days=9, profiles=30)
    mixpanel.configure(app_page_size=1)
    steps = [{"event": "Product Viewed"}, {"event": "Order Completed"}]
    mixpanel.set_truth(
        "funnels",
        [{"funnel_id": n, "name": f"F{n}", "length": 14, "steps": steps} for n in (4411, 4412)],
    )
    settings = {**config, **settings}
    wanted = discovered(command, settings)[stream]
    out = sync(command, settings, [wanted])
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
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    mixpanel.seed(7, events=50, days=9, profiles=30)
    config |= {"page_size": 10, "rate_limits": {"query_per_hour": 40}}
    streams = discovered(command, config)
    out = sync(command, config, [streams["cohorts"], streams["engage"]])
    assert out.code == 0, out.log
    # One request for each stream: further pages of a session are free.
    assert {line["left"] for line in _lines(out, "engage")} == {"38"}


def test_a_stream_that_fails_tells_how_far_it_came(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    mixpanel.seed(7, events=200, days=9, profiles=5)
    config["date_window_size"] = 1
    export = discovered(command, config)["export"]
    mixpanel.add_fault("status", "/api/2.0/export", query={"from_date": "2026-03-08"}, status=500)
    out = sync(command, config, [export], tries=2)
    assert out.code != 0
    last = _lines(out, "export")[-1]
    assert (last["done"], last["total"]) == ("9", "10")
