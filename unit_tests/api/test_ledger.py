"""One quota's book, on a clock that the test moves."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.api.failures import Backoff
from source_mixpanel.api.ledger import HEARTBEAT_S, Ledger
from source_mixpanel.api.quota import (
    HOUR,
    Quota,
    RateWindow,
    export_quota,
    lexicon_quota,
    query_quota,
)
from unit_tests.api.ledgers import WALL, HastyClock, answered, call, ledger_of

_quick = settings(max_examples=60)

quotas = st.sampled_from(
    [
        query_quota(1),
        query_quota(60),
        export_quota(1),
        export_quota(2),
        export_quota(60),
        Quota("minute", (RateWindow(5, 60.0),), 5),
    ]
)


@given(
    quotas,
    st.lists(st.tuples(st.floats(0, 900), st.sampled_from([200, 200, 500, 402, 401]))),
)
@_quick
def test_the_limit_is_never_exceeded_and_nobody_waits_while_there_is_room(
    quota: Quota, calls: list[tuple[float, int]]
) -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(quota, clock)
    counted: list[float] = []
    for pause, status in calls:
        clock.time += pause
        asked = clock.time
        started = call(ledger, status)
        waited = [
            counted[-w.limit] + w.seconds * 1.001 + 0.05
            for w in quota.windows
            if len(counted) >= w.limit
        ]
        assert started == pytest.approx(max([asked, *waited]))
        if status in (200, 500):
            counted.append(started)
    for window in quota.windows:
        for early, late in zip(counted, counted[window.limit :], strict=False):
            assert late - early > window.seconds
    assert ledger.used == len(counted)


def test_a_whole_quota_is_spent_in_one_burst() -> None:
    clock = HastyClock()
    ledger, told = ledger_of(query_quota(60), clock)
    assert [call(ledger) for _ in range(60)] == [0.0] * 60
    assert told == []
    assert call(ledger) > HOUR


def test_calls_that_do_not_count_pass_while_the_hour_is_used_up() -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(query_quota(1), clock)
    call(ledger)
    assert call(ledger, counted=False) == 0.0
    assert ledger.used == 1


@pytest.mark.parametrize("status", [401, 402])
def test_answers_that_use_up_nothing_leave_room_for_another(status: int) -> None:
    ledger, _ = ledger_of(query_quota(1), HastyClock())
    call(ledger, status)
    assert ledger.used == 0
    assert call(ledger) == 0.0


def test_while_it_waits_for_the_hour_the_platform_hears_every_few_minutes() -> None:
    clock = HastyClock()
    ledger, told = ledger_of(query_quota(1), clock)
    call(ledger)
    call(ledger)
    assert len(told) >= HOUR / HEARTBEAT_S
    assert {wait.stream for wait in told} == {"export"}
    assert told[0].quota == "Query API"
    assert "1 requests in 3600 s" in told[0].why
    assert all(wait.until == pytest.approx(WALL + HOUR, abs=10) for wait in told)


def test_a_pause_of_a_second_is_not_worth_telling() -> None:
    ledger, told = ledger_of(export_quota(60), HastyClock())
    assert call(ledger) == call(ledger) == call(ledger) == 0.0
    assert 1.0 < call(ledger) < 1.2
    assert told == []


# -- refusals --------------------------------------------------------------------------------

HOURLY = "Query rate limit exceeded. (61/60 queries running in the last hour) See https://x"
CONCURRENT = "exceeded the concurrency limit (6/5 queries running concurrently). https://x"
SHEDDING = "Query rate limit exceeded for project_id: 1. See https://x"


@pytest.mark.parametrize(
    ("headers", "text", "expected"),
    [
        ({"Retry-After": "700"}, HOURLY, 700),
        ({"Retry-After": "0"}, HOURLY, 5),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, SHEDDING, 5),
        ({"Retry-After": "999999999"}, SHEDDING, 2 * HOUR),
        ({"RateLimit": '"project";r=0;t=90, "project-concurrency";r=3'}, HOURLY, 90),
        ({"RateLimit": '"project";r=12, "project-concurrency";r=0;t=10'}, CONCURRENT, 10),
        ({"RateLimit": '"project";r=12;t=900'}, SHEDDING, 5),
        ({}, HOURLY, HOUR - 600),
        ({}, CONCURRENT, 5),
        ({}, SHEDDING, 5),
        ({}, "", 5),
    ],
)
def test_after_a_refusal_nobody_starts_until_a_sensible_time(
    headers: dict[str, str], text: str, expected: float
) -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(query_quota(60), clock)
    call(ledger)
    clock.time += 600
    call(ledger, 429, headers, text)
    assert call(ledger) == pytest.approx(600 + expected)


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}, {"Retry-After": "1"}])
@pytest.mark.parametrize("text", [HOURLY, SHEDDING, CONCURRENT, ""])
def test_the_pause_grows_with_every_refusal_whatever_mixpanel_says(
    headers: dict[str, str], text: str
) -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(query_quota(60), clock)
    starts = [call(ledger, 429, headers, text) for _ in range(10)]
    gaps = [late - early for early, late in pairwise(starts)]
    assert gaps == sorted(gaps)
    assert gaps[0] == 5
    assert gaps[-1] == 120


def test_the_pause_begins_anew_after_a_minute_without_a_refusal() -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(query_quota(60), clock)
    for _ in range(5):
        call(ledger, 429)
    clock.time += 120
    call(ledger)
    refused = call(ledger, 429)
    assert call(ledger) == refused + 5


def test_refusals_of_requests_that_ran_together_are_one() -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(export_quota(60), clock)
    with ExitStack() as running:
        receipts = [running.enter_context(ledger.slot("export")) for _ in range(3)]
        for receipt in receipts:
            ledger.settle(receipt, answered(429))
    assert call(ledger) == 5.0


def test_a_shorter_refusal_does_not_shorten_a_longer_one() -> None:
    clock = HastyClock()
    ledger, told = ledger_of(export_quota(60), clock)
    with ledger.slot("export") as early, ledger.slot("export") as late:
        ledger.settle(early, answered(429, {"Retry-After": "100"}))
        ledger.settle(late, answered(429, {"Retry-After": "10"}))
    assert call(ledger) == pytest.approx(100)
    assert told[0].why == "Mixpanel asked to wait"
    assert told[0].until == pytest.approx(WALL + 100)


def test_a_page_that_is_refused_waits_though_it_does_not_count_in_the_hour() -> None:
    ledger, _ = ledger_of(query_quota(60), HastyClock())
    refusal = {"RateLimit": '"project";r=0;t=900', "Retry-After": "900"}
    call(ledger, 429, refusal, HOURLY, counted=False)
    assert call(ledger, counted=False) == 900.0


def test_pages_that_do_not_count_pass_an_hour_that_mixpanel_has_closed() -> None:
    ledger, _ = ledger_of(query_quota(60), HastyClock())
    refusal = {"RateLimit": '"project";r=0;t=900, "project-concurrency";r=3', "Retry-After": "900"}
    call(ledger, 429, refusal)
    assert [call(ledger, counted=False) for _ in range(30)] == [0.0] * 30
    assert call(ledger) == 900.0


def test_a_refusal_for_concurrency_stops_everybody() -> None:
    ledger, told = ledger_of(query_quota(60), HastyClock())
    refusal = {"RateLimit": '"project";r=12, "project-concurrency";r=0;t=10', "Retry-After": "10"}
    call(ledger, 429, refusal)
    assert call(ledger, counted=False) == 10.0
    assert told[0].until == WALL + 10


def test_maintenance_that_says_until_when_stops_everybody_for_no_longer_than_we_are_patient() -> (
    None
):
    ledger, _ = ledger_of(query_quota(60), HastyClock())
    assert call(ledger, 503, {"Retry-After": "40"}) == 0.0
    assert call(ledger, 503, {"Retry-After": "3600"}) == 40.0
    assert call(ledger) == 40.0 + Backoff().longest_s


# -- what answers tell of others ---------------------------------------------------------------


def _answered(ledger: Ledger, headers: dict[str, str]) -> float:
    return call(ledger, 200, headers)


def test_what_others_have_used_is_left_to_them() -> None:
    clock = HastyClock()
    ledger, told = ledger_of(query_quota(60), clock)
    assert _answered(ledger, {"RateLimit": '"project";r=2;t=1800, "project-concurrency";r=4'}) == 0
    assert [call(ledger), call(ledger)] == [0.0, 0.0]
    assert told == []
    assert call(ledger) == 1800.0
    assert len(told) >= 1


def test_a_later_answer_gives_back_what_others_no_longer_use() -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(query_quota(60), clock)
    _answered(ledger, {"RateLimit": '"project";r=1'})
    clock.time += 60
    _answered(ledger, {"RateLimit": '"project";r=30'})
    assert [call(ledger) for _ in range(30)] == [60.0] * 30


def test_what_is_left_of_the_hour_counts_ours_and_what_was_told_of_others() -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(query_quota(60), clock)
    assert ledger.left_this_hour() == 60
    _answered(ledger, {"RateLimit": '"project";r=30;t=1800'})
    assert ledger.left_this_hour() == 30
    _answered(ledger, {})
    assert ledger.left_this_hour() == 29
    clock.time += 1800
    assert ledger.left_this_hour() == 58
    _answered(ledger, {"RateLimit": '"project";r=0;t=600'})
    assert ledger.left_this_hour() == 0
    assert ledger_of(lexicon_quota(), clock)[0].left_this_hour() is None


def test_nothing_left_waits_for_the_reset_that_was_told() -> None:
    clock = HastyClock()
    ledger, told = ledger_of(query_quota(60), clock)
    _answered(ledger, {"RateLimit": '"project";r=0;t=600'})
    assert call(ledger) == 600.0
    assert told[0].why == "the hourly quota is used up"


def test_a_jump_of_the_wall_clock_neither_opens_nor_closes_a_window() -> None:
    class JumpingClock(HastyClock):
        jump = 0.0

        def now(self) -> float:
            return super().now() + self.jump

    clock = JumpingClock()
    ledger, _ = ledger_of(query_quota(1), clock)
    assert call(ledger) == 0.0
    clock.jump = 10 * HOUR
    assert call(ledger) == pytest.approx(HOUR, abs=10)
    clock.jump = -10 * HOUR
    assert call(ledger) == pytest.approx(2 * HOUR, abs=20)
