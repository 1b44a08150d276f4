"""Whole syncs under the real limits, on a clock on which waiting takes no time."""

from __future__ import annotations

import base64
import urllib.request
from dataclasses import replace

import pytest

from benchmarks.simulate import SMALL, Outcome, ProjectSize, both_syncs, project, sync
from mixpanel_emulator.options import CREDENTIALS

MANY_COHORTS = ProjectSize("many cohorts", 10, 300, 150, 100, 0, 70)


def within(outcome: Outcome) -> bool:
    return outcome.wall_s <= 1.1 * outcome.lower_bound_s + 60


def test_a_small_project_never_waits() -> None:
    first, daily = both_syncs(replace(SMALL, events=400, profiles=60))
    assert first.refusals == daily.refusals == 0
    assert first.queries <= 60
    assert daily.queries <= 60
    assert first.wall_s < 10
    assert daily.wall_s < 10
    assert first.records["export"] == 400


def test_more_queries_than_an_hour_allows_wait_no_longer_than_the_quota_demands() -> None:
    with project(MANY_COHORTS) as (mixpanel, config):
        outcome, _ = sync(mixpanel, config, None, [])
    assert outcome.queries > 60
    assert outcome.lower_bound_s == 3600
    assert within(outcome)
    assert outcome.refusals == 0
    assert outcome.records["cohort_members"] == 150


def test_another_client_of_the_project_costs_one_refusal_at_most() -> None:
    with project(replace(MANY_COHORTS, cohorts=40)) as (mixpanel, config):
        pair = f"{CREDENTIALS.username}:{CREDENTIALS.secret}".encode()
        path = f"/api/query/cohorts/list?project_id={CREDENTIALS.project_id}"
        request = urllib.request.Request(config["api_url"] + path)  # noqa: S310 - loopback
        request.add_header("Authorization", "Basic " + base64.b64encode(pair).decode())
        for _ in range(40):
            urllib.request.urlopen(request).close()  # noqa: S310 - loopback
        outcome, _ = sync(mixpanel, config, None, [])
    assert outcome.refusals <= 1
    assert outcome.wall_s <= 3700
    assert outcome.records["cohort_members"] == 150


@pytest.mark.parametrize("days", [365])
def test_a_quiet_year_takes_few_requests(days: int) -> None:
    quiet = ProjectSize("quiet", days, 3_000, 10, 100, 0, 0)
    with project(quiet) as (mixpanel, config):
        outcome, _ = sync(mixpanel, config, None, [])
    assert outcome.exports <= 20
    assert outcome.records["export"] == 3_000
