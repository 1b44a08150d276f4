"""Iterators made ahead of their use, and tasks done several at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.threads.makers import side_by_side
from source_mixpanel.threads.tasks import in_order

_quick = settings(max_examples=50)
PATIENCE_S = 10.0


class BoomError(Exception):
    """A failure of the work."""


@given(st.lists(st.integers(), max_size=30), st.integers(1, 4))
@_quick
def test_all_items_come_in_order_and_none_is_discarded(items: list[int], depth: int) -> None:
    discarded: list[int] = []
    assert list(side_by_side([items], room=depth, discard=discarded.append)) == items
    assert discarded == []


@given(st.integers(0, 10), st.integers(1, 4))
@_quick
def test_an_error_is_raised_at_its_place_after_the_items_before_it(good: int, depth: int) -> None:
    def work() -> Iterator[int]:
        yield from range(good)
        raise BoomError

    had: list[int] = []
    with pytest.raises(BoomError):
        had.extend(side_by_side([work()], room=depth, discard=print))
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

    items = side_by_side([work()], room=depth, discard=discarded.append)
    had = list(islice(items, used))
    items.close()
    _let_end("lane-0")
    assert had + sorted(discarded) == produced
    assert len(produced) <= used + depth + 1


def _let_end(name: str) -> None:
    for thread in threading.enumerate():
        if thread.name.startswith(name):
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def test_no_more_than_there_is_room_for_and_one_in_the_making_are_made_ahead() -> None:
    started = [threading.Event() for _ in range(10)]

    def work() -> Iterator[int]:
        for number, event in enumerate(started):
            event.set()
            yield number

    items = side_by_side([work()], room=2, discard=lambda _: None)
    assert next(items) == 0
    assert started[2].wait(PATIENCE_S)
    assert not started[3].wait(0.05)
    assert next(items) == 1
    assert started[3].wait(PATIENCE_S)
    items.close()


def test_nothing_is_made_before_somebody_asks() -> None:
    asked = threading.Event()

    def work() -> Iterator[int]:
        asked.set()
        yield 1

    items = side_by_side([work()], room=1, discard=lambda _: None)
    assert not asked.is_set()
    assert list(items) == [1]


def test_an_error_after_the_consumer_has_stopped_stays_silent() -> None:
    gate = threading.Event()

    def work() -> Iterator[int]:
        yield 0
        gate.wait(PATIENCE_S)
        raise BoomError

    items = side_by_side([work()], room=1, discard=lambda _: None)
    assert next(items) == 0
    items.close()
    gate.set()
    _let_end("lane-0")


@given(st.integers(0, 8), st.integers(0, 30))
@_quick
def test_there_are_no_more_items_than_room_besides_the_one_in_the_making(
    room: int, count: int
) -> None:
    lock, used, most = threading.Lock(), 0, 0

    def change(by: int) -> None:
        nonlocal used, most
        with lock:
            used += by
            most = max(most, used)

    def work() -> Iterator[int]:
        for number in range(count):
            change(1)
            yield number

    had = []
    for number in side_by_side([work()], room=room, discard=print):
        had.append(number)
        change(-1)
    assert had == list(range(count))
    assert most <= max(room, 1) + 1


def test_without_room_an_item_waits_until_the_one_before_is_done_with() -> None:
    made = [threading.Event() for _ in range(3)]

    def work() -> Iterator[int]:
        for event in made:
            event.set()
            yield 7

    items = side_by_side([work()], room=0, discard=lambda _: None)
    assert next(items) == 7
    assert made[1].wait(PATIENCE_S)
    assert not made[2].wait(0.05)
    assert next(items) == 7
    assert made[2].wait(PATIENCE_S)
    items.close()


def test_whoever_waits_for_room_is_let_go_when_nobody_wants_more() -> None:
    discarded: list[int] = []
    third = threading.Event()

    def work() -> Iterator[int]:
        for number in range(9):
            if number == 1:
                third.set()
            yield number

    items = side_by_side([work()], room=1, discard=discarded.append)
    assert next(items) == 0
    assert third.wait(PATIENCE_S)
    items.close()
    _let_end("lane-0")
    assert discarded == [1]


def test_sources_run_side_by_side_and_each_keeps_its_order() -> None:
    both = threading.Barrier(2)

    def work(name: str) -> Iterator[tuple[str, int]]:
        both.wait(PATIENCE_S)
        for number in range(20):
            yield name, number

    had = list(side_by_side([work("a"), work("b")], room=3, discard=print))
    for name in "ab":
        assert [number for told, number in had if told == name] == list(range(20))


def test_an_error_ends_its_own_source_only_and_comes_when_all_are_done() -> None:
    def fails() -> Iterator[int]:
        yield -1
        raise BoomError

    had: list[int] = []
    with pytest.raises(BoomError):
        had.extend(side_by_side([fails(), iter(range(50))], room=2, discard=print))
    assert sorted(had) == list(range(-1, 50))


def test_of_several_errors_one_is_raised_and_no_item_before_them_is_lost() -> None:
    def fails(number: int) -> Iterator[int]:
        yield number
        raise BoomError(number)

    had: list[int] = []
    with pytest.raises(BoomError):
        had.extend(side_by_side(list(map(fails, range(5))), room=1, discard=print))
    assert sorted(had) == list(range(5))


def test_without_sources_there_are_no_items() -> None:
    assert list(side_by_side([], room=1, discard=print)) == []


@given(st.integers(1, 4), st.integers(0, 12), st.integers(0, 4))
@_quick
def test_when_the_consumer_of_several_sources_stops_every_item_is_used_or_discarded(
    count: int, used: int, room: int
) -> None:
    lock = threading.Lock()
    produced: list[int] = []
    discarded: list[int] = []

    def work(first: int) -> Iterator[int]:
        for number in range(first, first + 5):
            with lock:
                produced.append(number)
            yield number

    sources = [work(10 * number) for number in range(count)]
    items = side_by_side(sources, room=room, discard=discarded.append)
    had = list(islice(items, used))
    items.close()
    _let_end("lane-")
    assert sorted(had + discarded) == sorted(produced)
    assert len(produced) <= used + max(room, 1) + count


# -- tasks, several at a time ----------------------------------------------------------------


def never(_: object) -> None:
    raise AssertionError("nothing is left over")


@pytest.mark.parametrize("workers", [1, 3, 50])
def test_results_come_in_the_order_of_their_tasks(workers: int) -> None:
    gates = [threading.Event() for _ in range(10)]

    def task(number: int) -> int:
        # The later ones of a window are done first.
        if number % 3 == 0 and number < 9 and workers >= 3:
            gates[number + 1].wait(5)
        gates[number].set()
        return number

    tasks = [partial(task, number) for number in range(10)]
    assert list(in_order(tasks, workers=lambda: workers, discard=never)) == list(range(10))


def test_no_more_tasks_are_begun_than_there_are_workers() -> None:
    begun = 0

    def tasks() -> Iterator[Callable[[], int]]:
        nonlocal begun
        for number in range(10):
            begun += 1
            yield partial(int, number)

    made = in_order(tasks(), workers=lambda: 3, discard=lambda _: None)
    assert next(made) == 0
    assert begun == 3
    assert next(made) == 1
    assert begun == 4
    made.close()


def test_how_many_are_at_work_is_asked_anew_before_each_is_begun() -> None:
    begun: list[int] = []

    def tasks() -> Iterator[Callable[[], int]]:
        for number in range(6):
            begun.append(number)
            yield partial(int, number)

    had: list[int] = []
    made = in_order(tasks(), workers=lambda: 3 if had else 1, discard=lambda _: None)
    had.append(next(made))
    assert begun == [0]
    had.append(next(made))
    assert begun == [0, 1, 2, 3]
    assert had + list(made) == list(range(6))


def test_an_error_comes_at_its_place_and_the_rest_is_discarded() -> None:
    later, discarded = threading.Event(), threading.Event()

    def fail() -> int:
        raise ValueError("no")

    def slow() -> int:
        later.wait(5)
        return 3

    made = in_order([lambda: 1, fail, slow], workers=lambda: 3, discard=lambda _: discarded.set())
    assert next(made) == 1
    with pytest.raises(ValueError, match="no"):
        next(made)
    later.set()
    assert discarded.wait(5)


def test_what_was_made_and_is_not_taken_is_discarded() -> None:
    done: list[int] = []
    both = threading.Barrier(2)

    def discard(number: int) -> None:
        done.append(number)
        both.wait(5)

    made = in_order([lambda: 1, lambda: 2], workers=lambda: 2, discard=discard)
    assert next(made) == 1
    closing = threading.Thread(target=made.close)
    closing.start()
    both.wait(5)
    closing.join()
    assert done == [2]
