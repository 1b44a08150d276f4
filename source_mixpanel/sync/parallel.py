"""Tasks done several at a time, their results taken in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class _Job(Generic[T]):
    """One task in a thread of its own; what nobody takes is discarded."""

    def __init__(self, task: Callable[[], T], discard: Callable[[T], None]) -> None:
        self._task = task
        self._discard = discard
        self._lock = threading.Lock()
        self._unwanted = False
        self._results: list[T] = []
        self._error: BaseException | None = None
        # A thread that hangs in a request must not keep the process alive.
        self._thread = threading.Thread(target=self._work, name="task", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            result = self._task()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error
            return
        with self._lock:
            if not self._unwanted:
                self._results.append(result)
                return
        self._discard(result)

    def take(self) -> T:
        """Wait for the result, or the error."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._results.pop()

    def leave(self) -> None:
        """Nobody will take it."""
        with self._lock:
            self._unwanted = True
            left = list(self._results)
            self._results.clear()
        for result in left:
            self._discard(result)


def in_order(
    tasks: Iterable[Callable[[], T]], *, workers: Callable[[], int], discard: Callable[[T], None]
) -> Generator[T, None, None]:
    """The results of tasks in their order, up to `workers` of them in the making or waiting.

    An error is raised at its task's place and ends it all.

    Args:
        tasks: Taken from as there is room.
        workers: Tasks at a time, asked for anew before each is begun.
        discard: Given each result that was made and is not taken.
    """
    jobs: deque[_Job[T]] = deque()
    todo: Iterator[Callable[[], T]] = iter(tasks)
    try:
        while True:
            while len(jobs) < workers() and (task := next(todo, None)) is not None:
                jobs.append(_Job(task, discard))
            if not jobs:
                return
            yield jobs.popleft().take()
    finally:
        for job in jobs:
            job.leave()
