"""What an answer means, and how long to wait before the next attempt."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.api.failures import (
    FAILURES,
    Action,
    Backoff,
    action_for,
    error_text,
    rule_for,
)

_quick = settings(max_examples=50)


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (200, "", None),
        (204, "", None),
        (206, "", Action.STRAIN),
        (301, "", Action.ELSEWHERE),
        (304, "", Action.ELSEWHERE),
        (400, "", Action.REFUSE),
        (400, "to_date cannot be later than today", Action.REFUSE),
        (400, "Unable to authenticate request", Action.RENEW),
        (400, "Timeout Error.", Action.STRAIN),
        (500, "Timeout Error.", Action.STRAIN),
        (503, "", Action.OUTLAST),
        (522, "", Action.OUTLAST),
        (524, "", Action.STRAIN),
        (400, "Query rate limit exceeded for project_id: 1.", Action.WAIT),
        (401, "Invalid credentials", Action.RENEW),
        (402, "Your plan does not allow API calls.", Action.UPGRADE),
        (403, "Date range exceeds 90 days into the past", Action.ASK_FOR_ACCESS),
        (404, "Missing Datagroup", Action.REFUSE),
        (408, "", Action.STRAIN),
        (412, "", Action.REFUSE),
        (429, "", Action.WAIT),
        (429, "Unable to authenticate request", Action.WAIT),
        (500, "", Action.RETRY),
        (502, "", Action.OUTLAST),
        (503, "Query rate limit exceeded", Action.WAIT),
        (504, "", Action.STRAIN),
        (600, "", Action.REFUSE),
        (100, "", Action.REFUSE),
    ],
)
def test_each_answer_has_one_meaning(status: int, text: str, expected: Action | None) -> None:
    assert action_for(status, text) is expected


def test_every_row_of_the_table_can_be_reached() -> None:
    for row in FAILURES:
        assert any(rule_for(status, row.marker) is row for status in row.statuses), row
        assert row.evidence, row


@given(st.integers(0, 999), st.text(max_size=20))
@_quick
def test_only_good_statuses_have_no_action(status: int, text: str) -> None:
    assert (action_for(status, text) is None) == (200 <= status < 300 and status != 206)


@given(st.integers(1, 5_000), st.floats(0, 1, exclude_max=True))
@_quick
def test_a_pause_grows_to_its_cap(failures: int, luck: float) -> None:
    pause = Backoff().pause(failures, luck)
    mean = min(2.0 ** min(failures - 1, 10), 60.0)
    assert 0.5 * mean <= pause <= 1.5 * mean


def test_the_mean_pause_doubles_until_it_is_capped() -> None:
    assert [Backoff().pause(n, 0.5) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_the_mean_pause_of_what_passes_by_itself_goes_on_to_grow() -> None:
    pauses = [Backoff().patient_pause(n, 0.5) for n in range(1, 11)]
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


@given(
    st.integers(1, 5_000),
    st.floats(0, 1, exclude_max=True),
    st.none() | st.floats(0, 10_000),
)
@_quick
def test_what_mixpanel_asks_for_is_a_floor_that_is_no_higher_than_the_longest_pause(
    faults: int, luck: float, asked_s: float | None
) -> None:
    pause = Backoff().patient_pause(faults, luck, asked_s)
    assert pause >= min(asked_s or 0.0, 300.0)
    assert pause <= 375.0


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": "bad where"}, "bad where"),
        ({"request": "/api/2.0/engage", "error": "Timeout Error."}, "Timeout Error."),
        ({"status": "error", "error": "no"}, "no"),
        ({"status": "error", "error": {"message": "flag", "type": "x"}}, "flag"),
        ({"status": "error", "error": {"code": 5}}, "{'code': 5}"),
        ({"status": "error"}, "an error without a text"),
        ({"status": "ok", "results": []}, None),
        ({"results": [], "error": "partial"}, None),
        ({"annotations": [], "error": False}, None),
        ({"error": None}, None),
        ({"error": ""}, None),
        ({}, None),
        ([], None),
        (None, None),
        ("error", None),
    ],
)
def test_an_error_is_found_in_every_envelope(body: Any, expected: str | None) -> None:
    assert error_text(body) == expected
