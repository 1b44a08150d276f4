"""Start and end dates that cannot be taken at their word."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

import pytest

from source_mixpanel.config.bounds import cautions, refuse_empty, since
from source_mixpanel.config.model import parse_config
from source_mixpanel.errors import ConfigError
from unit_tests.builders import event
from unit_tests.config.test_config import with_account
from unit_tests.project import Project

NOW = datetime(2026, 3, 10, 12, tzinfo=timezone.utc)
WEEKLY = {"name": "weekly", "kind": "segmentation", "parameters": {"event": "a", "unit": "week"}}


@pytest.mark.parametrize("start", ["1970-01-01", "1970-01-01T00:00:00Z"])
def test_a_start_before_the_earliest_day_reads_everything(project: Project, start: str) -> None:
    project.mixpanel.add_events([event(insert_id="a"), event(insert_id="b", days_ago=2)])
    project.config.update(start_date=start, reports=[WEEKLY])
    project.discover()
    dated = ("export", "event_counts", "funnels", "revenue", "report_weekly")
    out = project.sync(*dated, mode="full_refresh")
    assert out.code == 0, out.log
    assert len(out.records("export")) == 2
    assert out.log.count("the connector reads from 2000-01-01 on, the earliest day") == 1
    weekly = project.asked("/api/query/segmentation")
    assert {entry["query"]["from_date"] for entry in weekly} == {"2000-01-03"}
    status = project.run("check")
    assert status.of("CONNECTION_STATUS")[0]["status"] == "SUCCEEDED"
    assert "the connector reads from 2000-01-01 on" in status.log


@pytest.mark.parametrize(
    ("start", "read", "told"),
    [
        ("1999-12-31", date(2000, 1, 1), True),
        ("1999-12-31T23:59:59Z", date(2000, 1, 1), True),
        ("2000-01-01T00:00:00Z", date(2000, 1, 1), False),
        ("2000-01-02", date(2000, 1, 2), False),
        ("2000-01-02T00:00:00Z", datetime(2000, 1, 2, tzinfo=timezone.utc), False),
        (None, None, False),
    ],
)
def test_the_earliest_day_is_the_first_of_2000(
    start: str | None,
    read: date | None,
    told: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    config = parse_config(with_account(start_date=start))
    assert since(config) == read
    assert bool(list(cautions(config, NOW))) == told


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({"end_date": "2024-01-01"}, "Set start_date, too"),
        ({"end_date": "2025-03-08T23:00:00Z"}, "Set start_date, too"),
        ({"end_date": "1999-12-31"}, "earliest day"),
        ({"start_date": "1970-01-01", "end_date": "1980-01-01"}, "earliest day"),
        # A project's own date may be another than that in UTC.
        ({"end_date": "2025-03-09"}, None),
        ({"start_date": "2023-06-01", "end_date": "2024-01-01"}, None),
        ({}, None),
    ],
)
def test_an_end_before_the_start_that_is_not_said_is_refused(
    settings: dict[str, Any], refused: str | None
) -> None:
    config = parse_config(with_account(**settings))
    if refused is None:
        refuse_empty(config, NOW)
        return
    with pytest.raises(ConfigError, match=refused):
        refuse_empty(config, NOW)


def test_check_refuses_an_end_before_the_default_start_and_a_read_warns_of_it(
    project: Project,
) -> None:
    project.mixpanel.seed(3, events=10, days=2, profiles=5)
    project.discover()
    del project.config["start_date"]
    project.config["end_date"] = "2024-01-01"
    sentence = "end_date (2024-01-01) lies before the start"
    [status] = project.run("check").of("CONNECTION_STATUS")
    assert status["status"] == "FAILED"
    assert sentence in status["message"]
    out = project.sync("export", "engage", mode="full_refresh")
    assert out.code == 0
    assert out.log.count(sentence) == 1
    # Profiles know no dates.
    assert len(out.records("engage")) == 5
    assert out.records("export") == []


def test_a_start_that_has_not_come_reads_nothing_and_says_so(project: Project) -> None:
    project.mixpanel.add_events([event()])
    project.discover()
    out = project.using(start_date="2199-01-01").sync("export", mode="full_refresh")
    assert (out.code, out.records()) == (0, [])
    assert out.log.count("start_date (2199-01-01) has not come yet") == 1
    assert not list(cautions(parse_config(with_account(start_date="2026-03-11")), NOW))
