"""One quota's book, kept by several threads."""

from __future__ import annotations

import threading

import pytest

from source_mixpanel.api.quota import Quota, Window, query_quota
from unit_tests.api.ledgers import PATIENCE_S, DrivenClock, HastyClock, call, ledger_of


def test_threads_never_exceed_limits_or_concurrency_and_all_get_their_turn() -> None:
    clock = DrivenClock()
    quota = Quota("test", (Window(10, 60.0), Window(3, 1.0)), concurrent=2)
    ledger, _ = ledger_of(quota, clock)
    lock = threading.Lock()
    starts: list[float] = []
    running: list[int] = []
    now_running = 0

    def work() -> None:
        nonlocal now_running
        for _ in range(5):
            with ledger.slot("export") as receipt:
                with lock:
                    now_running += 1
                    running.append(now_running)
                    starts.append(receipt.started)
                ledger.settle(receipt, 200)
                with lock:
                    now_running -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(100_000):
        if not any(thread.is_alive() for thread in threads):
            break
        clock.advance(0.25)
        threads[0].join(0.0005)
    assert not any(thread.is_alive() for thread in threads)
    assert len(starts) == 30
    assert max(running) <= 2
    starts.sort()
    for window in quota.windows:
        for early, late in zip(starts, starts[window.limit :], strict=False):
            assert late - early >= window.seconds


def test_a_slot_is_given_back_when_the_body_fails() -> None:
    ledger, _ = ledger_of(Quota("one", (), concurrent=1), HastyClock())
    for _ in range(3):
        with pytest.raises(OSError, match="broken"), ledger.slot("export"):
            raise OSError("broken")
    assert call(ledger) == 0.0


def test_whoever_waits_for_a_free_place_starts_as_soon_as_there_is_one() -> None:
    clock = DrivenClock()
    ledger, told = ledger_of(Quota("one", (), concurrent=1), clock)
    started = threading.Event()

    def work() -> None:
        with ledger.slot("cohorts"):
            started.set()

    with ledger.slot("export"):
        thread = threading.Thread(target=work)
        thread.start()
        assert not started.wait(0.02)
    assert started.wait(PATIENCE_S)
    thread.join(PATIENCE_S)
    assert clock.time == 0.0
    assert told == []


def test_counted_queries_go_one_at_a_time_until_an_answer_tells_what_is_left() -> None:
    ledger, _ = ledger_of(query_quota(60), DrivenClock())
    started = threading.Event()

    def second() -> None:
        with ledger.slot("funnels"):
            started.set()

    thread = threading.Thread(target=second)
    with ledger.slot("engage") as receipt:
        thread.start()
        with ledger.slot("engage", counted=False) as page:
            assert page.started == 0.0
        assert not started.wait(0.02)
        ledger.settle(receipt, 200, {"RateLimit": '"project";r=50'})
        assert started.wait(PATIENCE_S)
    thread.join(PATIENCE_S)
