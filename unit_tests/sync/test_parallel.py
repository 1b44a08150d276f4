"""Tasks several at a time, results in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from source_mixpanel.sync.parallel import in_order


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
