"""Work done ahead of its use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.sync.ahead import ahead

_quick = settings(max_examples=50)
PATIENCE_S = 10.0


class BoomError(Exception):
    """A failure of the work."""


@given(st.lists(st.integers(), max_size=30), st.integers(1, 4))
@_quick
def test_all_items_come_in_order_and_none_is_discarded(items: list[int], depth: int) -> None:
    discarded: list[int] = []
    assert list(ahead(items, depth=depth, discard=discarded.append)) == items
    assert discarded == []


@given(st.integers(0, 10), st.integers(1, 4))
@_quick
def test_an_error_is_raised_at_its_place_after_the_items_before_it(good: int, depth: int) -> None:
    def work() -> Iterator[int]:
        yield from range(good)
        raise BoomError

    had: list[int] = []
    with pytest.raises(BoomError):
        had.extend(ahead(work(), depth=depth, discard=print))
    assert had == list(range(good))


@given(st.integers(1, 12), st.integers(0, 12), st.integers(1, 4))
@_quick
def test_when_the_consumer_stops_every_item_is_used_or_discarded(
    made: int, used: int, depth: int
) -> None:
    produced: list[int] = []
    discarded: list[int] = []

    def work() -> Iterator[int]:
        for number in range(made):
            produced.append(number)
            yield number

    items = ahead(work(), depth=depth, discard=discarded.append)
    had = list(islice(items, used))
    items.close()
    _let_end("ahead-0")
    assert had + sorted(discarded) == produced
    assert len(produced) <= used + depth + 1


def _let_end(name: str) -> None:
    for thread in threading.enumerate():
        if thread.name.startswith(name):
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def test_no_more_than_the_depth_and_one_in_the_making_are_made_ahead() -> None:
    started = [threading.Event() for _ in range(10)]

    def work() -> Iterator[int]:
        for number, event in enumerate(started):
            event.set()
            yield number

    items = ahead(work(), depth=2, discard=lambda _: None)
    assert next(items) == 0
    assert started[3].wait(PATIENCE_S)
    assert not started[4].wait(0.05)
    assert next(items) == 1
    assert started[4].wait(PATIENCE_S)
    items.close()


def test_nothing_is_made_before_somebody_asks() -> None:
    asked = threading.Event()

    def work() -> Iterator[int]:
        asked.set()
        yield 1

    items = ahead(work(), depth=1, discard=lambda _: None)
    assert not asked.is_set()
    assert list(items) == [1]


def test_an_error_after_the_consumer_has_stopped_stays_silent() -> None:
    gate = threading.Event()

    def work() -> Iterator[int]:
        yield 0
        gate.wait(PATIENCE_S)
        raise BoomError

    items = ahead(work(), depth=1, discard=lambda _: None)
    assert next(items) == 0
    items.close()
    gate.set()
    _let_end("ahead-0")
