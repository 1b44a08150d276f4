"""Walking a profile query, against a Mixpanel that tells much or little."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_mixpanel.profiles.paging import Walk


def walked(number: int, size: int, told: str) -> int:
    """Profiles read to the end of a walk over `number`, by a server that tells so much."""
    walk, read = Walk(), 0
    for page in range(1000):
        assert walk.next_page == page
        count = max(0, min(size, number - page * size))
        answer: dict[str, Any] = {"session_id": "s"}
        if page == 0 or told == "everywhere":
            answer |= {"all": {"total": number, "page_size": size}, "payload": {"total": count},
                       "nothing": {}, "everywhere": {"total": number, "page_size": size},
                       "size": {"page_size": size}, "total": {"total": number}}[told]  # fmt: skip
        assert not walk.is_short(page, count)
        read += count
        walk = walk.after(answer, count)
        if walk.over:
            return read
        assert page + 1 in walk.due
    raise AssertionError("it does not end")


@given(
    number=st.integers(0, 60),
    size=st.integers(1, 20),
    told=st.sampled_from(["all", "payload", "nothing", "everywhere", "size", "total"]),
)
def test_a_walk_ends_where_the_profiles_do(number: int, size: int, told: str) -> None:
    assert walked(number, size, told) == number


def test_a_short_page_before_the_end_lacks_something() -> None:
    walk = Walk().after({"session_id": "s", "total": 25, "page_size": 10}, 10)
    assert list(walk.due) == [1, 2]
    assert walk.is_short(1, 9)
    assert not walk.is_short(1, 10)
    assert not walk.is_short(2, 5)
    assert walk.is_short(2, 4)
    assert not walk.after({}, 0).over


@pytest.mark.parametrize("odd", [None, -1, "25", True, 2.5])
def test_figures_that_are_none_are_passed_over(odd: Any) -> None:
    walk = Walk().after({"session_id": "s", "total": odd, "page_size": odd}, 10)
    assert (walk.total, walk.size, walk.over) == (None, None, False)


@pytest.mark.parametrize(
    ("told", "count", "size"),
    [
        ({"total": 25}, 10, 10),
        ({"total": 10}, 10, None),
        ({"total": 25, "page_size": 10}, 9, 10),
    ],
)
def test_a_first_page_that_is_not_all_tells_the_size_that_mixpanel_does_not(
    told: dict[str, Any], count: int, size: int | None
) -> None:
    assert Walk().after({"session_id": "s", **told}, count).size == size


@pytest.mark.parametrize(
    ("told", "counts"),
    [({"page_size": 10}, [9]), ({"page_size": 10, "total": 25}, [10, 10, 5])],
)
def test_a_last_page_that_is_short_is_not_followed_by_an_empty_one(
    told: dict[str, Any], counts: list[int]
) -> None:
    walk = Walk()
    for count in counts:
        assert not walk.over
        walk = walk.after({"session_id": "s", **told}, count)
    assert walk.over


@pytest.mark.parametrize("session", [None, "", 7])
def test_without_a_session_no_further_page_can_be_asked_for(session: Any) -> None:
    walk = Walk().after({"session_id": session, "total": 25, "page_size": 10}, 10)
    assert not walk.over
    assert list(walk.due) == []


@pytest.mark.parametrize(
    ("told", "pages", "has_all"),
    [
        ({"total": 25, "page_size": 10}, 1, False),
        ({"total": 25, "page_size": 10}, 2, False),
        ({"total": 25, "page_size": 10}, 3, True),
        ({"total": 10, "page_size": 10}, 1, True),
        ({"total": 0, "page_size": 10}, 1, True),
        ({"page_size": 10}, 9, False),
        ({}, 9, False),
    ],
)
def test_all_that_was_told_is_there_after_as_many_pages(
    told: dict[str, Any],
    pages: int,
    has_all: bool,  # noqa: FBT001 - a figure among others
) -> None:
    walk = Walk()
    assert not walk.has_read_total
    for _ in range(pages):
        walk = walk.after({"session_id": "s", **told}, 10)
    assert walk.has_read_total == has_all


def test_a_last_page_that_is_full_leads_to_a_further_one() -> None:
    walk = Walk().after({"session_id": "s", "total": 10, "page_size": 10}, 10)
    assert walk.has_read_total
    assert not walk.over
    assert list(walk.due) == [1]
    assert not walk.is_short(1, 0)
    assert walk.after({}, 0).over
