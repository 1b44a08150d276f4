"""Tasks that run concurrently, each in its own thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def started(task: Callable[[], T]) -> Future[T]:
    """The future of a task in a daemon thread, which does not keep the process alive."""
    result: Future[T] = Future()

    def work() -> None:
        try:
            result.set_result(task())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            result.set_exception(error)

    threading.Thread(target=work, name="task", daemon=True).start()
    return result


def in_order(
    tasks: Iterable[Callable[[], T]], *, workers: Callable[[], int], discard: Callable[[T], None]
) -> Generator[T, None, None]:
    """The results of tasks in their order; up to `workers()` tasks are running or waiting.

    The error of a task is raised in its turn, and ends the iteration. `workers` is called before
    each task starts; results that are not taken are discarded.
    """

    def drop(unused: Future[T]) -> None:
        if unused.exception() is None:
            discard(unused.result())

    running: deque[Future[T]] = deque()
    todo = iter(tasks)
    try:
        while True:
            while len(running) < workers() and (task := next(todo, None)) is not None:
                running.append(started(task))
            if not running:
                return
            yield running.popleft().result()
    finally:
        for left in running:
            left.add_done_callback(drop)
