"""Windows that grow, shrink and split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.events.window import (
    TARGET_BYTES,
    TARGET_SECONDS,
    Pace,
    Strain,
    Window,
    epoch_s,
    last_window,
)
from source_mixpanel.streams.coverage import Only, Span

_quick = settings(max_examples=50)

FIRST = date(2026, 1, 1)
EPOCH_S = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp())


def _parts(window: Window, choices: Iterator[bool]) -> list[Window]:
    """Split some of it, in the order of the parts."""
    halves = window.split() if next(choices, False) else None
    if halves is None:
        return [window]
    return [part for half in halves for part in _parts(half, choices)]


def _holds(window: Window, day: date, clock_s: int) -> bool:
    return (
        window.span.first <= day <= window.span.last
        and (window.since_s is None or clock_s >= window.since_s)
        and (window.until_s is None or clock_s < window.until_s)
    )


@given(
    st.integers(1, 40),
    st.lists(st.booleans(), max_size=60),
    st.integers(0, 39),
    st.integers(-50 * 86_400, 90 * 86_400),
)
@_quick
def test_every_event_lies_in_exactly_one_part_whatever_its_clock_reads(
    days: int, choices: list[bool], day: int, clock: int
) -> None:
    span = Span(FIRST, FIRST + timedelta(days=days - 1), Only.PROCESSED_SINCE, 5)
    parts = _parts(Window(span), iter(choices))
    happened = FIRST + timedelta(days=day % days)
    assert sum(_holds(part, happened, EPOCH_S + clock) for part in parts) == 1
    assert all((p.span.only, p.span.since_ms) == (Only.PROCESSED_SINCE, 5) for p in parts)
    for part in parts:
        assert part.days == 1 or (part.since_s, part.until_s) == (None, None)
        assert {type(part.since_s), type(part.until_s)} <= {int, type(None)}


@given(st.integers(1, 40), st.lists(st.booleans(), max_size=60))
@_quick
def test_parts_come_in_day_order_and_each_day_is_complete_with_its_last(
    days: int, choices: list[bool]
) -> None:
    parts = _parts(Window(Span(FIRST, FIRST + timedelta(days=days - 1))), iter(choices))
    ends = [part.span.last for part in parts]
    assert ends == sorted(ends)
    complete = [part.span.last for part in parts if part.until_s is None]
    assert complete == sorted(set(ends))


def test_splitting_ends_within_the_hour() -> None:
    window: Window | None = Window(Span(FIRST, FIRST + timedelta(days=3649)))
    for _ in range(18):
        halves = window.split() if window else None
        window = halves[1] if halves else window
    assert window is not None
    assert window.split() is None
    assert window.days == 1
    assert window.since_s is not None
    assert window.since_s >= EPOCH_S + 3649 * 86_400 + 82_800


@pytest.mark.parametrize(("seconds", "parts"), [(3600, 1), (3601, 2)])
def test_what_is_longer_than_an_hour_is_split(seconds: int, parts: int) -> None:
    window = Window(Span(FIRST, FIRST), EPOCH_S, EPOCH_S + seconds)
    assert len(window.split() or [window]) == parts


@pytest.mark.usefixtures("in_kathmandu")
def test_the_clock_of_the_machine_has_no_say() -> None:
    assert epoch_s(FIRST) == EPOCH_S
    assert str(Window(Span(FIRST, FIRST), EPOCH_S + 43_200)) == "2026-01-01 12:00-24:00"


@pytest.mark.parametrize(
    ("window", "text"),
    [
        (Window(Span(FIRST, FIRST)), "2026-01-01"),
        (Window(Span(FIRST, FIRST + timedelta(days=1))), "2026-01-01 to 2026-01-02"),
        (Window(Span(FIRST, FIRST + timedelta(days=2))), "2026-01-01 to 2026-01-03"),
        (Window(Span(FIRST, FIRST), until_s=EPOCH_S + 43_200), "2026-01-01 00:00-12:00"),
        (Window(Span(FIRST, FIRST), since_s=EPOCH_S + 43_200), "2026-01-01 12:00-24:00"),
    ],
)
def test_a_window_is_named_as_a_person_would(window: Window, text: str) -> None:
    assert str(window) == text


@given(st.integers(1, 30), st.integers(1, 60))
@_quick
def test_the_last_window_and_what_is_left_make_up_the_span(pace: int, length: int) -> None:
    last = FIRST + timedelta(days=length - 1)
    span = Span(FIRST, last, Only.PROCESSED_SINCE, 7, FIRST)
    window, left = last_window(span, pace)
    assert window.days == min(pace, length)
    assert window.span == Span(window.span.first, last, Only.PROCESSED_SINCE, 7, FIRST)
    if left is None:
        assert window.span == span
    else:
        assert window.span.joins(left)
        assert left.first == FIRST


def test_a_window_of_any_length_ends_at_the_first_day() -> None:
    assert last_window(Span(FIRST, FIRST), 10**7) == (Window(Span(FIRST, FIRST)), None)


# -- pace ------------------------------------------------------------------------------------


@given(st.integers(1, 4000), st.integers(1, 3650), st.integers(0, 1 << 50), st.floats(0, 1e9))
@_quick
def test_the_pace_is_at_least_a_day_and_never_beyond_its_limit(
    days: int, most: int, stored: int, seconds: float
) -> None:
    pace = Pace(1, most).after(days, stored, seconds)
    assert 1 <= pace.days <= max(1, most)
    assert pace.days <= days * 4


def test_light_windows_grow_fourfold_up_to_the_limit() -> None:
    pace, seen = Pace(1, 100), []
    for _ in range(5):
        pace = pace.after(pace.days, 1000, 0.5)
        seen.append(pace.days)
    assert seen == [4, 16, 64, 100, 100]


def test_an_empty_and_instant_window_grows_too() -> None:
    assert Pace(2).after(2, 0, 0.0).days == 8


def test_a_heavy_window_shrinks_to_what_fits() -> None:
    assert Pace(10).after(10, 2 * TARGET_BYTES, 1.0).days == 5
    assert Pace(10).after(10, 1, 5 * TARGET_SECONDS).days == 2
    assert Pace(1).after(1, 50 * TARGET_BYTES, 1.0).days == 1


def test_seconds_until_the_first_byte_are_not_of_the_days_unless_all_took_too_long() -> None:
    pace = Pace(managed_days=40)
    assert pace.after(100, 1, 80.0).fitting == 112
    assert pace.after(10, 1, 60.0, 30.0).fitting == 30
    assert pace.after(10, 1, 90.0, 45.0).fitting == 20
    assert pace.after(10, 1, 180.0, 170.0).fitting == 5


def test_the_most_days_that_were_managed_are_remembered() -> None:
    pace = Pace().after(30, 1, 1.0).after(7, 1, 1.0)
    assert pace.managed_days == 30


@pytest.mark.parametrize(
    ("managed", "strained", "following"),
    [(4, 5, 4), (4, 6, 5), (4, 7, 5), (20, 22, 20), (20, 23, 21), (29, 32, 30), (4, 64, 16)],
)
def test_more_is_asked_for_half_way_to_what_is_too_much_until_it_is_within_a_tenth(
    managed: int, strained: int, following: int
) -> None:
    pace = Pace(managed, strained_days=strained).after(managed, 1, 1.0)
    assert pace.days == following
    assert isinstance(pace.days, int)


@given(st.floats(0.01, 400), st.integers(1, 20))
@_quick
def test_with_even_days_the_pace_settles_on_windows_that_fit(
    share_of_target: float, rounds: int
) -> None:
    per_day = int(TARGET_BYTES * share_of_target)
    pace = Pace(1)
    for _ in range(rounds + 8):
        pace = pace.after(pace.days, pace.days * per_day, 1.0)
    assert pace.days == 1 or pace.days * per_day <= TARGET_BYTES
    assert pace.days >= min(int(0.9 / share_of_target), 90)


def test_a_split_halves_the_pace() -> None:
    assert Pace(9, 30).after_split(9) == Pace(4, 30, strained_days=9)
    assert Pace(2).after_split(2) == Pace(1, strained_days=2)
    assert Pace(1).after_split(1) == Pace(1)
    assert Pace(9, strained_days=5).after_split(9).strained_days == 5


def test_a_window_as_long_as_one_that_was_too_large_is_not_asked_for() -> None:
    day = Window(Span(FIRST, FIRST))
    pace = Pace().after_too_large(day)
    assert not pace.allows(day)
    halves = day.split()
    assert halves is not None
    assert all(pace.allows(half) for half in halves)


@pytest.mark.parametrize(("days", "following"), [(1, 1), (2, 1), (3, 1), (5, 2), (40, 8)])
def test_of_days_that_were_too_large_half_are_asked_for_and_only_parts_of_a_day_are_bounded(
    days: int, following: int
) -> None:
    window = Window(Span(FIRST, FIRST + timedelta(days=days - 1)))
    pace = Pace(8, calm_s=7).after_too_large(window)
    assert pace == Pace(following, longest_s=43_200 if days == 1 else None)


def _after_parts(pace: Pace, *stored: int) -> Pace:
    """After parts of three hours of so many bytes."""
    for each in stored:
        pace = pace.after_part(Window(Span(FIRST, FIRST), EPOCH_S, EPOCH_S + 10_800), each)
    return pace


def test_parts_of_a_day_get_twice_as_long_after_a_day_of_light_ones() -> None:
    pace = Pace(target_bytes=1000, longest_s=10_800)
    seven = _after_parts(pace, *[1000] * 7)
    assert seven == replace(pace, calm_s=75_600)
    assert _after_parts(seven, 1000) == replace(pace, longest_s=21_600)
    assert _after_parts(seven, 1001) == pace
    assert _after_parts(pace, *[0] * 40) == replace(pace, longest_s=None)


def test_parts_of_a_day_teach_nothing_where_none_was_too_large() -> None:
    assert _after_parts(Pace(), *[TARGET_BYTES] * 9) == Pace()


@pytest.mark.parametrize(
    ("pace", "bound"),
    [
        (Pace(managed_days=16), None),
        (Pace(managed_days=16, strained_days=64), 16),
        (Pace(managed_days=64, strained_days=30), 15),
        (Pace(strained_days=3), 1),
    ],
)
def test_what_is_managed_where_more_is_not(pace: Pace, bound: int | None) -> None:
    assert pace.bound == bound
    assert pace.afresh().days == (bound or pace.most)


def test_the_pace_comes_near_to_what_is_managed_and_stays_there() -> None:
    pace, refused, asked = Pace(), 0, []
    for _ in range(40):
        days = pace.days
        if days > 60:
            refused += 1
            pace = pace.after_split(days)
        else:
            asked.append(days)
            pace = pace.after(days, 1000, 1.0)
    assert refused <= 3
    assert all(55 <= days <= 60 for days in asked[-20:])


# -- strain ----------------------------------------------------------------------------------

DAY_MS = 86_400_000


def test_the_bound_of_a_strain_doubles_with_each_day_and_ends() -> None:
    strain = Strain(60, 0)
    assert [strain.bound(n * DAY_MS // 2) for n in range(6)] == [60, 60, 120, 120, 240, 240]
    assert not strain.is_over(5 * DAY_MS)
    assert strain.is_over(6 * DAY_MS)
    assert strain.is_over(10**15)
    assert strain.bound(-DAY_MS) == 60


def test_a_strain_that_comes_back_makes_the_wait_longer_up_to_some_days() -> None:
    strain, now, waits = Strain(60, 0), 0, []
    for _ in range(6):
        now += strain.wait_days * DAY_MS
        assert strain.bound(now) == 120
        strain = strain.again(60, now)
        waits.append(strain.wait_days)
    assert waits == [2, 4, 8, 8, 8, 8]


def test_further_refusals_of_the_same_search_are_one_strain() -> None:
    strain = Strain(60, 0).again(50, DAY_MS)
    assert strain.again(25, DAY_MS) == Strain(25, DAY_MS, 2)


def test_a_server_that_has_recovered_is_asked_for_twice_as_much_each_time() -> None:
    strain, now, asked = Strain(3, 0), DAY_MS, []
    for _ in range(5):
        asked.append(strain.bound(now))
        strain = strain.managed(asked[-1], now)
    assert asked == [6, 12, 24, 48, 96]


def test_as_much_as_the_bound_makes_the_next_one_twice_that_a_day_from_then() -> None:
    assert Strain(60, 0, 2).managed(120, 3 * DAY_MS) == Strain(120, 2 * DAY_MS)
    assert Strain(60, 0, 2).managed(119, 3 * DAY_MS) == Strain(119, 0, 2)


def test_what_is_managed_below_the_bound_tells_nothing_new() -> None:
    strain = Strain(60, 0, 2)
    assert strain.managed(30, 4 * DAY_MS) == strain
    assert strain.managed(60, DAY_MS) == strain
    assert strain.managed(63, DAY_MS) == Strain(63, 0, 2)
