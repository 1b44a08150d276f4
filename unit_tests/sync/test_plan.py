"""What one sync decides to read, from settings and state alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

from source_mixpanel.sync.coverage import Coverage, Only, Span
from source_mixpanel.sync.cursor import ExportState
from source_mixpanel.sync.days import Days
from source_mixpanel.sync.plan import Period, ReadPlan, look_back_days, plan_read

DAYS = Days("utc", None)
NOON = datetime(2026, 3, 10, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)


def day(number: int) -> date:
    return date(2026, 3, number)


def emitted(plan: ReadPlan, watermark_ms: int) -> ExportState:
    """The state after a sync that has read all of its plan."""
    state = plan.state
    for span in plan.spans:
        first = plan.read_from(span.last)
        state = replace(state, coverage=state.coverage.advance(first, span.last, watermark_ms))
    return replace(state, refreshing=False)


def mark(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def sync(period: Period, state: ExportState, now: datetime) -> tuple[list[Span], ExportState]:
    plan = plan_read(period, state, DAYS, now, full=False)
    return plan.spans, emitted(plan, mark(now))


def asked_in_full(spans: list[Span]) -> set[date]:
    return {
        span.first + DAY * n
        for span in spans
        if span.only is Only.ALL
        for n in range((span.last - span.first).days + 1)
    }


def test_a_first_sync_reads_from_the_start_to_today() -> None:
    spans, _ = sync(Period(start=day(1)), ExportState(), NOON)
    assert spans == [Span(day(1), day(10))]


def test_without_a_start_it_is_one_year_and_stays_where_it_was() -> None:
    spans, state = sync(Period(), ExportState(), NOON)
    assert spans == [Span(date(2025, 3, 10), day(10))]
    later, _ = sync(Period(), state, NOON + 5 * DAY)
    assert later[0].first == date(2025, 3, 10)


def test_a_day_read_in_part_by_an_end_instant_is_read_again_when_more_is_wanted() -> None:
    until = datetime(2026, 3, 8, 12, tzinfo=timezone.utc)
    _, state = sync(Period(start=day(1), end=until), ExportState(), NOON)
    same, _ = sync(Period(start=day(1), end=until), state, NOON + DAY)
    assert asked_in_full(same) == set()
    more, _ = sync(Period(start=day(1)), state, NOON + DAY)
    assert asked_in_full(more) == {day(8), day(9), day(10), day(11)}


def test_a_day_read_in_part_by_a_start_instant_is_read_again_when_more_is_wanted() -> None:
    since = datetime(2026, 3, 3, 12, tzinfo=timezone.utc)
    _, state = sync(Period(start=since), ExportState(), NOON)
    same, _ = sync(Period(start=since), state, NOON + DAY)
    assert asked_in_full(same) == {day(11)}
    more, _ = sync(Period(start=day(2)), state, NOON + DAY)
    assert asked_in_full(more) == {day(2), day(3), day(11)}
    narrower = Period(start=datetime(2026, 3, 5, 12, tzinfo=timezone.utc))
    _, narrowed = sync(narrower, state, NOON + DAY)
    back, _ = sync(Period(start=since), narrowed, NOON + DAY)
    assert asked_in_full(back) == set()


def test_days_that_a_reread_passes_over_keep_their_watermark() -> None:
    first = Coverage().advance(day(3), day(5), mark(NOON - 5 * DAY))
    period = Period(start=day(1), look_back_days=1, reread=True)
    spans, state = sync(period, ExportState(coverage=first), NOON)
    assert asked_in_full(spans) == {day(n) for n in (1, 2, 4, 5, 6, 7, 8, 9, 10)}
    back = plan_read(Period(start=day(1)), state, DAYS, NOON + DAY, full=False)
    passed_over = [s for s in back.spans if s.first <= day(3) <= s.last]
    assert passed_over[0].since_ms == mark(NOON - 5 * DAY)


def test_a_full_refresh_heeds_only_one_it_has_begun() -> None:
    done = Coverage().advance(day(1), day(6), mark(NOON))
    fresh = plan_read(Period(start=day(1)), ExportState(coverage=done), DAYS, NOON, full=True)
    assert fresh.spans == [Span(day(1), day(10))]
    begun = ExportState(coverage=done, refreshing=True)
    resumed = plan_read(Period(start=day(1)), begun, DAYS, NOON + DAY, full=True)
    assert resumed.spans == [Span(day(7), day(11))]
    after = emitted(resumed, mark(NOON + DAY))
    following, _ = sync(Period(start=day(1)), after, NOON + 2 * DAY)
    assert following[0].since_ms == mark(NOON)


def test_the_longer_of_the_two_windows_counts() -> None:
    assert look_back_days(5, 0) == 5
    assert look_back_days(1, 86_400 * 2 + 1) == 3
