"""One quota's book, kept by several threads."""

from __future__ import annotations

import threading
from contextlib import ExitStack, suppress

import pytest

from source_mixpanel.api.answers import Receipt
from source_mixpanel.api.ledger import Ledger
from source_mixpanel.api.quota import Quota, RateWindow, query_quota
from source_mixpanel.api.waits import Ask
from source_mixpanel.errors import QuotaError
from source_mixpanel.times.clock import SystemClock
from unit_tests.api.ledgers import PATIENCE_S, DrivenClock, HastyClock, answered, call, ledger_of


def test_threads_never_exceed_limits_or_concurrency_and_all_get_their_turn() -> None:
    clock = DrivenClock()
    quota = Quota("test", (RateWindow(10, 60.0), RateWindow(3, 1.0)), concurrent=2)
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
                ledger.settle(receipt, answered(200))
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


def let_in(ledger: Ledger, running: ExitStack) -> list[Receipt]:
    """Requests that may run beside those that do; the next one would have to wait."""
    receipts = []
    with suppress(QuotaError):
        while True:
            receipts.append(running.enter_context(ledger.slot("funnels", ask=Ask(within_s=-1))))
    return receipts


def test_queries_begin_one_at_a_time_and_double_while_answers_are_good() -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(query_quota(60), clock)
    rounds = []
    for _ in range(5):
        clock.time += 2
        with ExitStack() as running:
            receipts = let_in(ledger, running)
            for receipt in receipts:
                ledger.settle(receipt, answered(200))
        rounds.append(len(receipts))
    assert rounds == [1, 2, 4, 5, 5]


@pytest.mark.parametrize("status", [429, 502])
def test_after_a_refusal_or_a_fault_it_is_one_at_a_time_again(status: int) -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(query_quota(60), clock)
    for _ in range(5):
        call(ledger)
    call(ledger, status)
    clock.time += 100
    with ExitStack() as running:
        assert len(let_in(ledger, running)) == 1


def test_one_good_answer_after_a_refusal_may_have_taken_the_only_free_place() -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(query_quota(60), clock)
    call(ledger, 429)
    clock.time += 100
    rounds = []
    for _ in range(3):
        call(ledger)
        with ExitStack() as running:
            rounds.append(len(let_in(ledger, running)))
    assert rounds == [1, 2, 3]


def test_after_a_minute_without_a_query_it_is_one_at_a_time_again() -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(query_quota(60), clock)
    for _ in range(5):
        call(ledger)
    clock.time += 61
    with ExitStack() as running:
        assert len(let_in(ledger, running)) == 1


def test_exports_that_go_well_keep_their_places_when_one_is_refused() -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(Quota("exports", (), concurrent=100), clock)
    with ExitStack() as running:
        receipts = [running.enter_context(ledger.slot("export")) for _ in range(9)]
        ledger.settle(receipts[0], answered(429))
        clock.time += 10
        assert let_in(ledger, running) == []


def test_who_waits_for_something_else_keeps_nobody_from_a_place() -> None:
    ledger = Ledger(Quota("one", (), concurrent=1), SystemClock(), print)
    with ledger.slot("behind"):
        # The one within would wait for ever, were the place held by one that waits for it.
        with ledger.slot_released(), ledger.slot("next"):
            pass
        other = threading.Thread(target=_take_a_place, args=(ledger,), daemon=True)
        other.start()
        other.join(0.05)
        assert other.is_alive()
    other.join(PATIENCE_S)
    assert not other.is_alive()


def _take_a_place(ledger: Ledger) -> None:
    with ledger.slot("other"):
        pass


def test_it_is_calm_until_a_fault_or_a_refusal_and_after_the_next_good_answer() -> None:
    clock = HastyClock()
    ledger, _ = ledger_of(Quota("one", (), concurrent=5), clock)
    assert ledger.is_calm()
    with ledger.slot("export") as receipt:
        ledger.fault(receipt)
    assert not ledger.is_calm()
    with ledger.slot("export") as receipt:
        ledger.settle(receipt, answered(200))
    assert ledger.is_calm()
    with ledger.slot("export") as receipt:
        ledger.settle(receipt, answered(429))
    assert not ledger.is_calm()
