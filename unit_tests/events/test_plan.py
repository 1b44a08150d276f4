"""What one sync decides to read, from settings and state alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest

from source_mixpanel.events.plan import OVERLAP_MS, ReadPlan, look_back_days, plan_read
from source_mixpanel.events.state import ExportState, dump_state, parse_state
from source_mixpanel.events.window import Strain
from source_mixpanel.streams.coverage import Coverage, CoveredDays, Only, Span
from source_mixpanel.streams.period import Cut, Period, in_ms
from source_mixpanel.times.days import Days
from unit_tests.events.numbered_days import days_of, marks_of

DAYS = Days("utc", None)
NOON = datetime(2026, 3, 10, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def day(number: int) -> date:
    return date(2026, 3, number)


def noon(number: int) -> datetime:
    return NOON + (number - 10) * DAY


def asked_for(plan: ReadPlan) -> list[Span]:
    return [*plan.spans, *plan.later, *plan.last]


def emitted(plan: ReadPlan, watermark_ms: int) -> ExportState:
    """The state after a sync that has read all of its plan."""
    state = plan.state
    for span in asked_for(plan):
        state = replace(state, coverage=state.coverage.read(span.first, span.last, watermark_ms))
    return parse_state(dump_state(replace(state, refreshing=False)))


def sync(
    period: Period, state: ExportState, now: datetime, *, reread: bool = False
) -> tuple[list[Span], ExportState]:
    plan = plan_read(period, state, DAYS, now, full=False, reread=reread)
    return asked_for(plan), emitted(plan, in_ms(now))


def asked_in_full(spans: list[Span]) -> set[date]:
    return {day for span in spans if span.only is Only.ALL for day in days_of(span)}


def test_a_first_sync_reads_from_the_start_to_today() -> None:
    spans, _ = sync(Period(start=day(1)), ExportState(), NOON)
    assert spans == [Span(day(1), day(10))]


def test_how_many_days_it_reads_is_told() -> None:
    plan = plan_read(Period(start=day(1)), ExportState(), DAYS, NOON, full=False)
    assert plan.days == 10


def test_without_a_start_it_is_one_year_and_stays_where_it_was() -> None:
    spans, state = sync(Period(), ExportState(), NOON)
    assert spans == [Span(date(2025, 3, 10), day(10))]
    later, _ = sync(Period(), state, NOON + 5 * DAY)
    assert min(span.first for span in later) == date(2025, 3, 10)


def test_without_a_start_it_stays_where_it_was_though_only_the_newest_days_were_had() -> None:
    plan = plan_read(Period(), ExportState(), DAYS, NOON, full=False)
    killed = plan.state.read(day(1), day(10), in_ms(NOON), proven=True)
    spans, state = sync(Period(), parse_state(dump_state(killed)), NOON + 5 * DAY)
    assert spans[-1].first == date(2025, 3, 10)
    assert date(2026, 2, 28) in asked_in_full(spans)
    assert state.begin == date(2025, 3, 10)
    earlier, _ = sync(Period(start=date(2025, 3, 1)), state, NOON + 5 * DAY)
    assert date(2025, 3, 1) in asked_in_full(earlier)


def test_an_earlier_start_reads_just_the_days_that_are_missing() -> None:
    _, state = sync(Period(start=day(5)), ExportState(), NOON)
    spans, state = sync(Period(start=day(1)), state, NOON + DAY)
    assert asked_in_full(spans) == {day(n) for n in (1, 2, 3, 4, 11)}
    assert marks_of(state.coverage) == {day(n): in_ms(NOON + DAY) for n in range(1, 12)}


def test_days_that_were_not_wanted_for_a_while_keep_their_watermark() -> None:
    _, state = sync(Period(start=day(1)), ExportState(), NOON)
    _, state = sync(Period(start=day(8)), state, NOON + DAY)
    back, _ = sync(Period(start=day(1)), state, NOON + 2 * DAY)
    assert [span.since_ms for span in back if span.first <= day(7) <= span.last] == [in_ms(NOON)]
    assert asked_in_full(back) == {day(12)}


# -- days that an instant cuts ---------------------------------------------------------------


def test_a_day_read_in_part_by_an_end_instant_is_read_again_when_more_is_wanted() -> None:
    until = noon(8)
    _, state = sync(Period(start=day(1), end=until), ExportState(), NOON)
    same, _ = sync(Period(start=day(1), end=until), state, NOON + DAY)
    assert asked_in_full(same) == set()
    more, _ = sync(Period(start=day(1)), state, NOON + DAY)
    assert asked_in_full(more) == {day(8), day(9), day(10), day(11)}


def test_a_day_read_in_part_by_a_start_instant_is_read_again_when_more_is_wanted() -> None:
    since = noon(3)
    _, state = sync(Period(start=since), ExportState(), NOON)
    same, _ = sync(Period(start=since), state, NOON + DAY)
    assert asked_in_full(same) == {day(11)}
    more, _ = sync(Period(start=day(2)), state, NOON + DAY)
    assert asked_in_full(more) == {day(2), day(3), day(11)}
    _, narrowed = sync(Period(start=noon(5)), state, NOON + DAY)
    back, _ = sync(Period(start=since), narrowed, NOON + DAY)
    assert asked_in_full(back) & {day(n) for n in range(1, 5)} == set()


def _whole_or_forgotten(state: ExportState, cut: date, later: datetime) -> bool:
    """Whether a sync of all days asks for a day in full that was read in part."""
    spans, _ = sync(Period(start=day(1)), state, later)
    return cut in asked_in_full(spans)


def test_a_day_cut_by_a_start_beyond_a_gap_is_read_again_when_more_is_wanted() -> None:
    _, state = sync(Period(start=day(1)), ExportState(), noon(5))
    _, state = sync(Period(start=noon(10)), state, noon(12))
    assert _whole_or_forgotten(state, day(10), noon(13))


def test_a_day_cut_by_an_end_before_a_gap_is_read_again_when_more_is_wanted() -> None:
    _, state = sync(Period(start=day(10)), ExportState(), noon(15))
    _, state = sync(Period(start=day(1), end=noon(5)), state, noon(16))
    assert _whole_or_forgotten(state, day(5), noon(17))


@pytest.mark.parametrize(
    ("narrow", "cut"),
    [(Period(start=noon(5)), day(5)), (Period(start=day(1), end=noon(5)), day(5))],
    ids=["start", "end"],
)
def test_late_events_that_a_narrower_sync_does_not_want_are_had_when_they_are_wanted_again(
    narrow: Period, cut: date
) -> None:
    _, state = sync(Period(start=day(1)), ExportState(), NOON)
    _, state = sync(narrow, state, NOON + DAY)
    spans, _ = sync(Period(start=day(1)), state, NOON + 2 * DAY)
    [span] = [span for span in spans if span.first <= cut <= span.last]
    assert span.only is Only.ALL or (span.since_ms is not None and span.since_ms <= in_ms(NOON))


def test_a_day_that_the_period_cuts_is_noted_though_it_was_whole() -> None:
    _, state = sync(Period(start=day(1)), ExportState(), NOON)
    assert state.cuts == ()
    period = Period(start=noon(5), end=noon(8))
    _, state = sync(period, state, NOON + DAY)
    assert state.cuts == tuple(period.cuts(DAYS))


def test_of_a_day_that_is_cut_again_and_again_what_all_had_counts() -> None:
    _, state = sync(Period(start=day(1), end=noon(5)), ExportState(), NOON)
    _, state = sync(Period(start=day(1), end=noon(5) - 2 * HOUR), state, NOON + DAY)
    assert state.cuts == (Cut(day(5), None, in_ms(noon(5) - 2 * HOUR)),)
    spans, state = sync(Period(start=day(1), end=noon(5)), state, NOON + 2 * DAY)
    assert asked_in_full(spans) == {day(5)}
    assert state.cuts == (Cut(day(5), None, in_ms(noon(5))),)


def test_a_day_cut_at_the_other_end_is_read_again() -> None:
    _, state = sync(Period(start=noon(5)), ExportState(), NOON)
    spans, state = sync(Period(start=day(1), end=noon(5)), state, NOON + DAY)
    assert asked_in_full(spans) == {day(n) for n in range(1, 6)}
    assert state.cuts == (Cut(day(5), None, in_ms(noon(5))),)


def test_a_day_that_was_cut_and_is_not_wanted_stays_so() -> None:
    _, state = sync(Period(start=noon(3)), ExportState(), NOON)
    spans, later = sync(Period(start=day(8)), state, NOON + DAY)
    assert later.cuts == state.cuts
    assert asked_in_full(spans) == {day(11)}
    spans, whole = sync(Period(start=day(3)), later, NOON + 2 * DAY)
    assert asked_in_full(spans) == {day(3), day(12)}
    assert whole.cuts == ()


def test_a_killed_sync_that_was_to_read_the_rest_of_a_day_is_gone_on_with() -> None:
    _, state = sync(Period(start=noon(3)), ExportState(), NOON)
    killed = plan_read(Period(start=day(3)), state, DAYS, NOON + DAY, full=False).state
    spans, _ = sync(Period(start=day(3)), parse_state(dump_state(killed)), NOON + DAY)
    assert asked_in_full(spans) == {day(3), day(11)}


def test_a_full_refresh_that_goes_on_reads_the_rest_of_a_day_that_was_cut() -> None:
    cut = plan_read(Period(start=noon(3)), ExportState(), DAYS, NOON, full=True)
    state = replace(emitted(cut, in_ms(NOON)), refreshing=True)
    same = plan_read(Period(start=noon(3)), state, DAYS, NOON + DAY, full=True)
    assert asked_in_full(asked_for(same)) == {day(11)}
    whole = plan_read(Period(start=day(3)), state, DAYS, NOON + DAY, full=True)
    assert asked_in_full(asked_for(whole)) == {day(3), day(11)}
    anew = plan_read(Period(), replace(state, refreshing=False), DAYS, NOON, full=True)
    assert anew.state.cuts == ()


@pytest.mark.parametrize(
    ("period", "others"),
    [
        (Period(start=noon(5)), [day(6)]),
        (Period(start=day(1), end=noon(5)), [day(4)]),
    ],
    ids=["start", "end"],
)
@pytest.mark.parametrize("full", ["full", ""])
def test_when_it_becomes_known_whose_days_count_no_day_is_read_again(
    period: Period, others: list[date], full: str
) -> None:
    plan = plan_read(period, ExportState(), Days(None, None), noon(20), full=bool(full))
    state = replace(emitted(plan, in_ms(noon(20))), kind="utc", refreshing=bool(full))
    again = plan_read(period, state, DAYS, noon(20) + HOUR, full=bool(full))
    assert asked_in_full(asked_for(again)) & set(others) == set()


# -- days that are read again in full --------------------------------------------------------


def test_days_that_a_reread_passes_over_keep_their_watermark() -> None:
    first = Coverage().read(day(3), day(5), in_ms(noon(5)))
    period = Period(start=day(1), look_back_days=1)
    spans, state = sync(period, ExportState(coverage=first), NOON, reread=True)
    assert asked_in_full(spans) == {day(n) for n in (1, 2, 4, 5, 6, 7, 8, 9, 10)}
    back = plan_read(Period(start=day(1)), state, DAYS, NOON + DAY, full=False)
    passed_over = [s for s in back.spans if s.first <= day(3) <= s.last]
    assert passed_over[0].since_ms == in_ms(noon(5))


@pytest.mark.parametrize("cause", ["a later start", "the newest days first, and a kill"])
def test_days_within_the_window_when_they_were_read_are_read_again_after_a_gap(cause: str) -> None:
    _, state = sync(Period(start=day(1)), ExportState(), NOON, reread=True)
    if cause == "a later start":
        _, state = sync(Period(start=day(20)), state, noon(20), reread=True)
    else:
        plan = plan_read(Period(start=day(1)), state, DAYS, noon(20), full=False, reread=True)
        newest = plan.state.coverage.read(day(18), day(20), in_ms(noon(20)))
        state = replace(plan.state, coverage=newest)
    spans, _ = sync(Period(start=day(1)), state, noon(21), reread=True)
    assert asked_in_full(spans) >= {day(n) for n in range(5, 11)}


# -- full refreshes --------------------------------------------------------------------------


def test_a_full_refresh_heeds_only_one_it_has_begun() -> None:
    done = Coverage().read(day(1), day(6), in_ms(NOON))
    fresh = plan_read(Period(start=day(1)), ExportState(coverage=done), DAYS, NOON, full=True)
    assert (fresh.spans, fresh.last) == ([Span(day(1), day(9))], [Span(day(10), day(10))])
    begun = ExportState(coverage=done, refreshing=True)
    resumed = plan_read(Period(start=day(1)), begun, DAYS, NOON + DAY, full=True)
    assert (resumed.spans, resumed.last) == ([Span(day(7), day(10))], [Span(day(11), day(11))])
    after = emitted(resumed, in_ms(NOON + DAY))
    following, _ = sync(Period(start=day(1)), after, NOON + 2 * DAY)
    assert following[-1].since_ms == in_ms(NOON)


@pytest.mark.parametrize(
    ("later", "asked"), [(HOUR / 4, Span(day(7), day(9))), (HOUR, Span(day(1), day(9)))]
)
def test_a_full_refresh_that_ended_without_some_days_is_gone_on_with_for_half_an_hour(
    later: timedelta, asked: Span
) -> None:
    done = Coverage().read(day(1), day(6), in_ms(NOON))
    ended = ExportState(coverage=done, refreshing=True).ended(in_ms(NOON), passes=True)
    state = parse_state(dump_state(ended))
    plan = plan_read(Period(start=day(1)), state, DAYS, NOON + later, full=True)
    assert plan.spans == [asked]
    assert plan.state.ended_ms is None


def test_a_full_refresh_that_was_refused_some_days_is_not_gone_on_with() -> None:
    done = Coverage().read(day(1), day(6), in_ms(NOON))
    state = ExportState(coverage=done, refreshing=True).ended(in_ms(NOON), passes=False)
    plan = plan_read(Period(start=day(1)), state, DAYS, NOON, full=True)
    assert plan.spans == [Span(day(1), day(9))]


def test_a_full_refresh_keeps_what_was_told_of_times_and_the_server() -> None:
    strains = {"all": Strain(60, in_ms(NOON))}
    known = ExportState(kind="utc", strains=strains)
    empty = Coverage().read(day(1), day(2), 5)
    told = replace(known, latest_ms=5, empty=empty, begin=day(5))
    plan = plan_read(Period(start=day(1)), told, DAYS, NOON, full=True)
    assert plan.state == replace(known, refreshing=True, begin=day(1))


# -- states of others ------------------------------------------------------------------------


def test_a_cursor_of_airbyte_4_0_2_is_gone_on_from_and_watched_from_now_on() -> None:
    state = parse_state({"time": "2026-03-08T10:00:00Z"})
    period = Period(start=day(1), look_back_days=2)
    spans, state = sync(period, state, NOON)
    assert spans == [Span(day(6), day(10))]
    marks = marks_of(state.coverage)
    assert {marks[day(n)] for n in range(1, 6)} == {in_ms(NOON) - OVERLAP_MS}
    following, _ = sync(period, state, NOON + DAY)
    assert following[-1] == Span(day(1), day(5), Only.PROCESSED_SINCE, in_ms(NOON) - OVERLAP_MS)
    assert asked_in_full(following) == {day(11)}


@pytest.mark.parametrize(
    ("last", "asked"),
    [(11, []), (10, [Span(day(5), day(10))]), (9, [Span(day(5), day(10))])],
)
def test_another_connector_that_claims_today_or_more(last: int, asked: list[Span]) -> None:
    claimed = Coverage((CoveredDays(date.min, day(last), None),))
    plan = plan_read(Period(start=day(1)), ExportState(coverage=claimed), DAYS, NOON, full=False)
    assert plan.spans == asked
    assert marks_of(plan.state.coverage).get(day(10)) == (in_ms(NOON) if last > 10 else None)


def test_what_is_not_wanted_yet_leaves_the_state_as_it_is() -> None:
    state = parse_state({"time": "2026-03-08T10:00:00Z"})
    plan = plan_read(Period(start=day(20)), state, DAYS, NOON, full=False)
    assert plan == ReadPlan(state, [])
    assert parse_state(dump_state(plan.state)) == state


def test_the_longer_of_the_two_windows_counts() -> None:
    assert look_back_days(5, 0) == 5
    assert look_back_days(1, 86_400 * 2 + 1) == 3


def test_a_strain_that_is_over_is_forgotten() -> None:
    strains = {"all": Strain(60, in_ms(NOON)), "late": Strain(60, in_ms(NOON - 90 * DAY))}
    plan = plan_read(Period(), ExportState(strains=strains), DAYS, NOON, full=False)
    assert list(plan.state.strains) == ["all"]


# -- answers without events ------------------------------------------------------------------


def test_a_day_of_which_more_is_wanted_has_not_been_empty() -> None:
    cut = Period(start=noon(3))
    state = replace(
        plan_read(cut, ExportState(), DAYS, NOON, full=False).state,
        coverage=Coverage().read(day(3), day(10), in_ms(NOON)),
        empty=Coverage().read(day(2), day(5), in_ms(NOON)),
    )
    more = plan_read(Period(start=day(1)), state, DAYS, NOON + DAY, full=False)
    assert set(marks_of(more.state.empty)) == {day(2), day(4), day(5)}


def test_what_is_asked_for_once_more_depends_on_what_the_sync_has_seen() -> None:
    plan = plan_read(Period(start=day(1)), ExportState(), DAYS, NOON, full=False)
    state = plan.state.read(day(6), day(10), in_ms(NOON), proven=True)
    assert plan.to_confirm(state).days == 0
    state = state.read(day(1), day(5), in_ms(NOON), proven=False)
    again = plan.to_confirm(state)
    assert (again.spans, again.later) == ([], [Span(day(1), day(5), Only.AGAIN)])
    state = state.read(day(1), day(5), in_ms(NOON + HOUR), proven=False)
    assert plan.to_confirm(state).days == 0
    nothing = plan_read(Period(start=day(20)), ExportState(), DAYS, NOON, full=False)
    assert nothing.to_confirm(state).days == 0
