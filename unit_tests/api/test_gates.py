"""When a quota lets requests through again after refusals and faults."""

from __future__ import annotations

import pytest

from source_mixpanel.api.failures import Backoff
from source_mixpanel.api.gates import RECOVERY_S, Gate, Growth, Outage

NOW = 1000.0
PATIENT = Backoff(tries=3, first_s=1.0, budget_s=100.0, longest_s=30.0)
"""Its pauses are 2, 4, 8, 16 and 30 seconds."""


def _pauses(*seconds: float, backoff: Backoff = PATIENT) -> list[float]:
    """The pauses after faults at these seconds of requests that began just before."""
    outage = Outage()
    return [outage.fault(NOW + s - 0.5, NOW + s, backoff) for s in seconds]


def _out(*seconds: float) -> Outage:
    """An outage with faults at these seconds."""
    outage = Outage()
    for each in seconds:
        outage.fault(NOW + each - 0.5, NOW + each, PATIENT)
    return outage


# -- outages ---------------------------------------------------------------------------------


def test_the_pause_doubles_with_each_fault() -> None:
    assert _pauses(0, 10, 20, 40, 60) == [2, 4, 8, 16, 30]


def test_faults_of_requests_that_were_under_way_together_count_as_one() -> None:
    outage = Outage()
    pauses = [outage.fault(NOW, NOW + s, PATIENT) for s in (1, 2, 3)]
    assert pauses == [2, 2, 2]
    assert outage.fault(NOW + 3, NOW + 4, PATIENT) == 2
    assert outage.fault(NOW + 4.5, NOW + 5, PATIENT) == 4


@pytest.mark.parametrize(("gap", "following"), [(60, 4), (61, 2)])
def test_a_fault_long_after_another_is_an_outage_of_its_own(gap: float, following: float) -> None:
    assert _pauses(0, gap) == [2, following]


def test_an_answer_ends_an_outage() -> None:
    outage = _out(0, 10)
    outage.answered()
    assert outage.fault(NOW + 11, NOW + 12, PATIENT) == 2


def test_nobody_pauses_beyond_the_time_that_all_wait_unless_too_few_have_tried() -> None:
    assert _pauses(0, 40, 80, 97) == [2, 4, 8, 3]
    tireless = Backoff(tries=9, first_s=1.0, budget_s=100.0, longest_s=30.0)
    for last, pause in ((99, 1), (100, 8), (110, 8)):
        assert _pauses(0, 50, last, backoff=tireless) == [2, 4, pause]


def test_after_all_have_waited_in_vain_the_pause_no_longer_grows() -> None:
    assert _pauses(0, 30, 60, 100, 130) == [2, 4, 8, 8, 8]


@pytest.mark.parametrize(
    ("seconds", "is_over"),
    [((0, 50, 100), True), ((0, 50, 99), False), ((50, 100), False), ((0, 60), False)],
)
def test_an_outage_is_given_up_after_enough_tries_and_enough_time(
    seconds: tuple[float, ...],
    is_over: bool,  # noqa: FBT001
) -> None:
    outage = _out(*seconds)
    assert outage.exhausts(PATIENT, NOW + seconds[-1]) is is_over


def test_who_asks_after_an_outage_was_given_up_hears_of_it_after_a_fault_of_its_own() -> None:
    outage = _out(0, 50, 100)
    assert outage.exhausts(PATIENT, NOW + 200, since=NOW + 99)
    assert not outage.exhausts(PATIENT, NOW + 200, since=NOW + 100)


# -- refusals --------------------------------------------------------------------------------


def _refused_again(after: float, started: float) -> Gate:
    """A gate after two refusals; four requests started some time after the first."""
    gate = Gate()
    gate.refuse(NOW, NOW, "refused")
    for _ in range(4):
        gate.started(NOW + started)
    gate.refuse(NOW + after, NOW + after, "refused")
    return gate


@pytest.mark.parametrize(("after", "started", "seconds"), [(5, 4, 9), (59, 59, 10)])
def test_few_requests_start_in_the_minute_after_a_refusal_however_many_there_are(
    after: float, started: float, seconds: float
) -> None:
    pause, why = _refused_again(after, started).pause(NOW + after)
    assert pause == pytest.approx(seconds, abs=0.1)
    assert why == "Mixpanel has refused requests a moment ago"


def test_a_minute_after_a_refusal_the_next_one_lets_as_many_start_again() -> None:
    assert _refused_again(RECOVERY_S, RECOVERY_S - 1).pause(NOW + RECOVERY_S)[0] == 0


def test_what_mixpanel_asks_for_is_told_before_our_own_care() -> None:
    gate = Gate()
    gate.refuse(0, 0, "refused")
    for _ in range(4):
        gate.started(0)
    seconds, _ = gate.pause(0)
    gate.close(seconds, "Mixpanel asked to wait")
    assert gate.pause(0) == (seconds, "Mixpanel asked to wait")


def test_a_minute_after_a_refusal_as_many_start_as_want_to() -> None:
    gate = Gate()
    gate.refuse(NOW, NOW, "refused")
    for _ in range(4):
        gate.started(NOW + RECOVERY_S - 1)
    assert gate.pause(NOW + RECOVERY_S)[0] == 0


def test_of_two_reasons_for_the_same_time_the_first_is_told() -> None:
    gate = Gate()
    for why in ("first", "second"):
        gate.close(NOW + 5, why)
    assert gate.pause(NOW) == (5, "first")


def test_the_pause_after_refusals_doubles_up_to_two_minutes() -> None:
    growth = Growth()
    assert [growth.refused(NOW + n, NOW + n) for n in range(7)] == [5, 10, 20, 40, 80, 120, 120]


@pytest.mark.parametrize(("seconds", "following"), [(59, 10), (60, 5)])
def test_it_begins_anew_with_an_answer_a_minute_after_the_last_refusal(
    seconds: float, following: float
) -> None:
    growth = Growth()
    growth.refused(NOW, NOW)
    growth.answered(NOW + seconds)
    assert growth.refused(NOW + 90, NOW + 90) == following
