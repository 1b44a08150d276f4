"""Lists in whichever envelope."""

from __future__ import annotations

from typing import Any

import pytest

from source_mixpanel.api.envelopes import MOST_PAGES, CursorGuard, ListPage, unwrap
from source_mixpanel.errors import DataError


@pytest.mark.parametrize(
    ("body", "items", "cursor"),
    [
        ([1, 2], [1, 2], None),
        ([], [], None),
        ({"status": "ok", "results": [1]}, [1], None),
        ({"results": {"results": [1]}}, [1], None),
        ({"results": {"results": [1], "pagination": {"next_cursor": "x"}}}, [1], "x"),
        ({"results": [1], "pagination": {"next_cursor": "a"}}, [1], "a"),
        ({"results": [1], "pagination": {"next_cursor": 5}}, [1], "5"),
        ({"results": [1], "pagination": {"next_cursor": None}}, [1], None),
        ({"results": [1], "pagination": {"next_cursor": ""}}, [1], None),
        ({"results": [1], "pagination": None}, [1], None),
    ],
)
def test_items_and_cursor(body: Any, items: list[Any], cursor: str | None) -> None:
    page = unwrap(body)
    assert page is not None
    assert (page.items, page.next_cursor) == (items, cursor)


def test_items_under_another_key() -> None:
    page = unwrap({"annotations": [1], "error": False}, "annotations")
    assert page == ListPage([1])


@pytest.mark.parametrize("body", [None, 5, "x", {}, {"results": None}, {"results": {"a": 1}}])
def test_what_holds_no_list_is_none(body: Any) -> None:
    assert unwrap(body) is None


def test_a_cursor_that_comes_again_does_not_end() -> None:
    guard = CursorGuard("notes")
    guard.check(ListPage([1], "a"))
    guard.check(ListPage([1], "b"))
    with pytest.raises(DataError, match="does not end"):
        guard.check(ListPage([1], "a"))


def test_pages_that_stay_empty_or_are_too_many_do_not_end() -> None:
    guard = CursorGuard("notes")
    for number in range(19):
        guard.check(ListPage([], str(number)))
    with pytest.raises(DataError, match="does not end"):
        guard.check(ListPage([], "19"))
    guard = CursorGuard("notes")
    for number in range(MOST_PAGES):
        guard.check(ListPage([1], str(number)))
    guard.check(ListPage([1]))
    with pytest.raises(DataError, match="does not end"):
        guard.check(ListPage([1], "more"))
