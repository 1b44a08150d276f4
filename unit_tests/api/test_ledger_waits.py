"""One quota's book: outages, who hears of waits, and what ends those that last too long."""

from __future__ import annotations

import threading

import pytest

from source_mixpanel.api.ledger import HEARTBEAT_S
from source_mixpanel.api.quota import HOUR, export_quota, query_quota
from source_mixpanel.api.waits import Ask, Wait
from source_mixpanel.errors import QuotaError
from unit_tests.api.ledgers import WALL, DrivenClock, HastyClock, call, ledger_of

HOURLY = "Query rate limit exceeded. (61/60 queries running in the last hour) See https://x"

# -- faults that pass --------------------------------------------------------------------------


def test_while_nobody_is_there_all_wait_ever_longer_until_one_is_answered() -> None:
    clock = HastyClock()
    ledger, told = ledger_of(query_quota(60), clock)
    starts = [call(ledger, 502) for _ in range(5)]
    assert starts == [0, 2, 6, 14, 30]
    assert call(ledger) == 62
    assert call(ledger) == 62
    assert "does not answer" in told[0].why


def test_an_outage_is_given_up_when_it_has_lasted_and_forgotten_with_an_answer() -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(query_quota(60), clock)
    last = 0.0
    while not ledger.is_given_up():
        last = call(ledger, 503)
    assert 900 <= last < 1300
    assert not ledger.is_given_up(since=last)
    call(ledger, 429)
    assert not ledger.is_given_up()


def test_an_attempt_that_never_arrived_uses_up_nothing() -> None:
    ledger, _ = ledger_of(query_quota(1), HastyClock())
    for _ in range(3):
        with ledger.slot("export") as receipt:
            ledger.give_back(receipt)
    assert ledger.used == 0
    assert call(ledger) == 0.0


# -- how long is waited, and who hears of it ---------------------------------------------------


def test_who_would_wait_for_too_long_is_told_at_once_until_when_and_who_used_the_quota() -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(query_quota(60), clock)
    call(ledger)
    call(ledger, 429, {"Retry-After": "3000"}, HOURLY)
    with pytest.raises(QuotaError) as caught, ledger.slot("funnels", ask=Ask(within_s=600)):
        pytest.fail("it was let in")
    assert clock.time == 0.0
    assert caught.value.until == WALL + 3000
    assert "'funnels'" in str(caught.value)
    assert "Of the hour's 60 requests this sync has made 1" in str(caught.value)


def test_a_wait_by_itself_is_told_like_any_other() -> None:
    ledger, told = ledger_of(query_quota(60), HastyClock())
    with ledger.slot("funnels", ask=Ask(30.0, "the last attempt failed")) as receipt:
        assert receipt.started == 30.0
        assert receipt.waited_s == 30.0
    assert told == [Wait("funnels", "Query API", WALL + 30, "the last attempt failed")]


def test_many_who_wait_for_one_gate_are_told_of_once() -> None:
    clock = DrivenClock()
    ledger, told = ledger_of(export_quota(60), clock)
    call(ledger, 429, {"Retry-After": "3000"})
    threads = [threading.Thread(target=call, args=(ledger,), daemon=True) for _ in range(9)]
    for thread in threads:
        thread.start()
    while clock.waits < 9:
        threads[0].join(0.001)
    assert len(told) == 1
    for beat in range(1, 4):
        clock.advance(HEARTBEAT_S)
        while clock.waits < 9 * (beat + 1):
            threads[0].join(0.001)
        assert len(told) == 1 + beat
    clock.advance(3000)
    while any(thread.is_alive() for thread in threads):
        clock.advance(10)
        threads[0].join(0.001)


# -- the server's word on limits ---------------------------------------------------------------


def test_the_limit_that_mixpanel_names_takes_the_defaults_place() -> None:
    ledger, _ = ledger_of(query_quota(60), HastyClock())
    policy = {"RateLimit-Policy": '"project";q=240;w=3600, "project-concurrency";q=5'}
    assert [call(ledger, 200, policy) for _ in range(240)] == [0.0] * 240
    assert call(ledger) > HOUR
    assert ledger.quota.hourly == 240


def test_the_limit_that_the_user_names_stays() -> None:
    ledger, _ = ledger_of(query_quota(30, fixed=True), HastyClock())
    policy = {"RateLimit-Policy": '"project";q=240;w=3600'}
    assert [call(ledger, 200, policy) for _ in range(30)] == [0.0] * 30
    assert call(ledger) > HOUR
