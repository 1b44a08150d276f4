"""What Mixpanel allows, and what its answers say is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.api.quota import (
    Quota,
    RateWindow,
    Remaining,
    app_quota,
    export_quota,
    hour_is_used_up,
    hourly,
    http_date,
    lexicon_quota,
    query_quota,
    ready_in,
    remaining,
    retry_after,
    with_limits_of,
)

_quick = settings(max_examples=50)

NOW = 1_772_366_400.0


def test_the_quotas_are_those_of_the_documentation() -> None:
    hour = RateWindow(60, 3600.0)
    assert query_quota() == Quota("Query API", (hour,), 5, slow_start=True)
    assert export_quota() == Quota("raw export", (hour, RateWindow(3, 1.0)), 100)
    assert lexicon_quota() == Quota("Lexicon", (RateWindow(5, 60.0),), 5)
    assert app_quota() == Quota("app API", (), 5)


@pytest.mark.parametrize("quota", [query_quota, export_quota])
def test_a_users_own_limit_is_that_of_the_hour_and_stays(quota: Callable[..., Quota]) -> None:
    own = quota(90, fixed=True)
    assert (own.hourly, own.fixed) == (90, True)
    assert own == replace(quota(90), fixed=True)
    assert with_limits_of(own, {"RateLimit-Policy": '"project";q=240;w=3600'}) == own


windows = st.lists(
    st.builds(RateWindow, st.integers(1, 6), st.floats(0.5, 3600)), min_size=1, max_size=2
)


@given(windows, st.lists(st.floats(0, 500), max_size=25))
@_quick
def test_calls_that_wait_as_told_never_exceed_a_window_and_never_wait_without_need(
    all_windows: list[RateWindow], pauses: list[float]
) -> None:
    now = 0.0
    calls: list[float] = []
    for pause in pauses:
        now += pause
        wait = ready_in(now, calls, all_windows)
        if wait > 0:
            full = [
                w
                for w in all_windows
                if len(calls) >= w.limit and calls[-w.limit] + w.seconds * 1.001 + 0.1 > now
            ]
            assert full
        now += wait
        calls.append(now)
    for window in all_windows:
        for early, late in zip(calls, calls[window.limit :], strict=False):
            assert late - early > window.seconds


def test_without_windows_there_is_no_wait() -> None:
    assert ready_in(5.0, [1.0, 2.0, 3.0], ()) == 0.0


# -- Retry-After -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3600", 3600.0), (" 10 ", 10.0), ("0", 0.0), ("1.5", 1.5), ("", None)],
)
def test_retry_after_is_read_in_seconds(text: str, expected: float | None) -> None:
    assert retry_after({"Retry-After": text}, NOW) == expected


def test_without_the_header_nothing_is_told() -> None:
    assert retry_after({}, NOW) is None


def test_a_date_is_read_against_the_answers_own_clock_or_else_ours() -> None:
    later = formatdate(NOW + 90, usegmt=True)
    assert retry_after({"Retry-After": later}, NOW) == 90
    served = {"Retry-After": later, "Date": formatdate(NOW + 60, usegmt=True)}
    assert retry_after(served, NOW) == 30


@pytest.mark.usefixtures("in_kathmandu")
@pytest.mark.parametrize("zone", ["GMT", "-0000", ""])
def test_a_date_is_in_utc_whatever_the_machines_clock_shows(zone: str) -> None:
    assert http_date(f"Thu, 01 Jan 1970 01:00:10 {zone}") == 3610


def test_a_date_of_another_zone_is_that_instant() -> None:
    assert http_date("Thu, 01 Jan 1970 01:00:10 +0100") == 10


def test_a_date_that_has_passed_is_no_wait() -> None:
    assert retry_after({"Retry-After": formatdate(NOW - 90, usegmt=True)}, NOW) == 0


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "-5",
        "\u00b2",
        "1\u00b2",
        "inf",
        "nan",
        "1e9",
        ".",
        "9" * 400,
        "Mon, 32 Foo 2026 00:00:00 GMT",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    ],
)
def test_an_unusable_value_tells_nothing(text: str) -> None:
    assert retry_after({"Retry-After": text}, NOW) is None


@given(st.text(st.characters(max_codepoint=255), max_size=40))
@_quick
def test_no_header_text_whatever_breaks_the_reader(text: str) -> None:
    seconds = retry_after({"Retry-After": text, "Date": text}, NOW)
    assert seconds is None or seconds >= 0
    assert isinstance(remaining({"RateLimit": text}), dict)


# -- RateLimit -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '"project";r=0;t=3600, "project-concurrency";r=3',
            {"project": Remaining(0, 3600.0), "project-concurrency": Remaining(3, None)},
        ),
        ('"project"; r=12; t=5', {"project": Remaining(12, 5.0)}),
        ('"project";t=5', {}),
        ('"project";r=x', {}),
        ('"project";r=\u00b2', {}),
        ('"project";r=1;t=\u00b2', {"project": Remaining(1, None)}),
        ('"project";r=1=2, "other";r=7', {"other": Remaining(7, None)}),
        ("", {}),
        ("60", {}),
    ],
)
def test_the_items_of_a_ratelimit_header_are_read_by_name(
    text: str, expected: dict[str, Remaining]
) -> None:
    assert remaining({"RateLimit": text}) == expected


def test_the_item_of_the_hour_is_the_one_that_does_not_count_what_runs_at_once() -> None:
    at_once, hour = Remaining(3, None), Remaining(0, 3600.0)
    assert hourly({"project-concurrency": at_once, "project": hour}) == hour
    assert hourly({"project-concurrency": at_once}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exceeded the rate limit (61/60 queries running in the last hour). See https://x", True),
        ("60/60 queries running in the last hour", True),
        ("59/60 queries running in the last hour", False),
        ("1/5 queries running concurrently and 401/400 queries running in the last hour.", True),
        ("6/5 queries running concurrently and 12/400 queries running in the last hour.", False),
        ("exceeded the concurrency limit (6/5 queries running concurrently).", False),
        ("Query rate limit exceeded for project_id: 1. See https://x", False),
        ("too many export requests in progress for this project", False),
        ("", False),
    ],
)
def test_only_the_hours_own_figures_say_that_the_hour_is_used_up(
    text: str, *, expected: bool
) -> None:
    assert hour_is_used_up(text) is expected
