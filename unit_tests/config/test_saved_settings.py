"""Settings that Airbyte's 4.0.2 saved, and this connector's form would not take."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_mixpanel.config.migrations import corrections, migrate
from source_mixpanel.config.model import parse_config
from source_mixpanel.errors import ConfigError
from unit_tests.builders import event
from unit_tests.project import Project

ACCOUNT = {"username": "sync", "secret": "s3cret-0", "project_id": 7}
NUMBERS = (
    "attribution_window",
    "export_lookback_window",
    "date_window_size",
    "page_size",
    "num_workers",
)


@pytest.mark.parametrize(
    ("key", "saved", "used"),
    [
        ("page_size", 60_000, 50_000),
        ("page_size", "60000", 50_000),
        ("num_workers", 40, 25),
        ("date_window_size", 10_000, 3_650),
        ("attribution_window", 100_000, 3_650),
        ("attribution_window", -1, 0),
        ("export_lookback_window", 10**12, 315_360_000),
    ],
)
def test_a_number_that_4_0_2_took_is_brought_within_bounds(key: str, saved: Any, used: int) -> None:
    raw = {"credentials": ACCOUNT, key: saved}
    assert getattr(parse_config(migrate(raw)), key) == used
    [told] = corrections(raw)
    assert told.startswith(f"The setting {key} is {saved}; the connector goes by {used}, the ")


@pytest.mark.parametrize(("key", "value"), [("page_size", 0), ("num_workers", -3)])
def test_a_number_that_nobody_took_stays_refused(key: str, value: int) -> None:
    raw = {"credentials": ACCOUNT, key: value}
    assert corrections(raw) == []
    with pytest.raises(ConfigError, match=f" {key}: "):
        parse_config(migrate(raw))


@given(st.dictionaries(st.sampled_from(NUMBERS), st.integers() | st.booleans() | st.floats()))
def test_what_is_within_bounds_is_left_alone(numbers: dict[str, Any]) -> None:
    once = migrate(numbers)
    assert corrections(once) == []
    assert repr(migrate(once)) == repr(once)
    assert bool(corrections(numbers)) is (repr(once) != repr(numbers))


def test_the_platform_and_the_log_are_told(project: Project) -> None:
    project.mixpanel.add_events([event(insert_id=f"i-{n}", days_ago=n) for n in range(3)])
    project.discover()
    project.config |= {"page_size": 100_000, "date_window_size": 5_000, "num_workers": 3}
    out = project.sync("export", mode="full_refresh")
    assert out.code == 0, out.log
    assert len(out.records()) == 3
    [control] = out.of("CONTROL")
    told = control["connectorConfig"]["config"]
    assert (told["page_size"], told["date_window_size"], told["num_workers"]) == (50_000, 3_650, 3)
    assert out.log.count("; the connector goes by ") == 2
    again = project.sync("export", mode="full_refresh", config=told)
    assert (again.code, again.of("CONTROL")) == (0, [])
    assert "; the connector goes by " not in again.log


@pytest.mark.parametrize(("zone", "prefilled"), [("US/Pacific", True), ("Asia/Tokyo", False)])
def test_a_zone_that_the_old_form_filled_in_says_so_and_what_to_do(
    project: Project, zone: str, *, prefilled: bool
) -> None:
    project.mixpanel.add_events([event()])
    project.discover()
    project.config["project_timezone"] = zone
    [status] = project.run("check").of("CONNECTION_STATUS")
    assert status["status"] == "FAILED"
    out = project.sync("export", mode="full_refresh")
    assert out.code == 1
    for told in (status["message"], out.errors[0]["message"]):
        assert f"project_timezone is {zone}, but the project's time zone in Mixpanel is UTC" in told
        assert "Empty the field" in told
        assert ("Earlier connectors" in told) is prefilled
    emptied = project.using(project_timezone="").sync("export", mode="full_refresh")
    assert (emptied.code, len(emptied.records())) == (0, 1)
