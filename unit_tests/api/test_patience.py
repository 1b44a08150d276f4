"""How long one request is tried."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.api.failures import Backoff
from source_mixpanel.api.patience import Failure, Fault, Patience, Trial
from source_mixpanel.errors import TransientError

_quick = settings(max_examples=60)


def failure(fault: Fault = Fault.PASSING, asked_s: float | None = None) -> Failure:
    return Failure(fault, TransientError("no"), asked_s=asked_s)


def lasting(
    luck: list[float], asked_s: float | None = None, patience: Patience | None = None
) -> tuple[int, float]:
    """Attempts, and seconds from the first to the last, while nobody is there."""
    trial, now = Trial(patience or Patience()), 0.0
    for attempts in range(1, 1_000):
        pause = trial.after(failure(asked_s=asked_s), now, luck[attempts % len(luck)])
        if pause is None:
            return attempts, now
        trial.waited(pause)
        now += pause
    raise AssertionError("it never ends")


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=20))
@_quick
def test_what_passes_by_itself_is_outlasted_for_a_quarter_of_an_hour_in_twelve_attempts(
    luck: list[float],
) -> None:
    attempts, seconds = lasting(luck)
    assert seconds == pytest.approx(900)
    assert attempts <= 12


@pytest.mark.parametrize("asked_s", [0.0, 3600.0, 1e9])
def test_what_mixpanel_asks_for_does_not_make_it_last_much_longer(asked_s: float) -> None:
    attempts, seconds = lasting([0.5], asked_s)
    assert 900 <= seconds <= 1_200
    assert attempts <= 12


def test_a_person_who_waits_is_told_within_seconds() -> None:
    attempts, seconds = lasting([0.5], patience=Patience().hurried())
    assert seconds <= 6
    assert attempts >= 2
    assert lasting([0.5], 300.0, Patience().hurried()) == (1, 0.0)


def test_other_failures_are_tried_a_few_times() -> None:
    trial = Trial(Patience())
    pauses = [trial.after(failure(Fault.OTHER), 0.0, 0.5) for _ in range(5)]
    assert pauses == [1, 2, 4, 8, None]
    assert Trial(Patience(), tries=1).after(failure(Fault.OTHER), 0.0, 0.5) is None


def test_refusals_cost_no_patience() -> None:
    trial = Trial(Patience(Backoff(tries=1, budget_s=0.0)))
    assert [trial.after(failure(Fault.REFUSED), 0.0, 0.5) for _ in range(50)] == [0.0] * 50


def test_what_others_have_given_up_ends_with_the_first_fault_of_ones_own() -> None:
    trial = Trial(Patience())
    assert trial.after(failure(), 0.0, 0.5, given_up=True) is None


def test_waits_of_all_attempts_together_have_one_bound() -> None:
    trial = Trial(Patience(longest_wait_s=100.0))
    trial.waited(70.0)
    assert trial.ask().within_s == 30.0
