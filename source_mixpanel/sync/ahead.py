"""Work done ahead: an iterator that runs in a thread while its results are used."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import Generic, TypeVar

T = TypeVar("T")


class _Line(Generic[T]):
    """The bounded line between the thread that makes items and the one that uses them."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._over = False
        self.error: BaseException | None = None
        self.abandoned = False

    def put(self, item: T) -> bool:
        """Wait for room; False if nobody will take the item any more."""
        with self._changed:
            while len(self._items) >= self._depth and not self.abandoned:
                self._changed.wait()
            if not self.abandoned:
                self._items.append(item)
                self._changed.notify_all()
            return not self.abandoned

    def finish(self, error: BaseException | None) -> None:
        with self._changed:
            self._over, self.error = True, error
            self._changed.notify_all()

    def take(self) -> Generator[T, None, None]:
        """Items as they come; then the error that ended them, if one did."""
        while True:
            with self._changed:
                while not self._items and not self._over:
                    self._changed.wait()
                if not self._items:
                    break
                item = self._items.popleft()
                self._changed.notify_all()
            yield item
        if self.error is not None:
            raise self.error

    def abandon(self) -> list[T]:
        """Nobody takes any more; what was left."""
        with self._changed:
            self.abandoned = True
            left = list(self._items)
            self._items.clear()
            self._changed.notify_all()
            return left


def ahead(items: Iterable[T], *, depth: int, discard: Callable[[T], None]) -> Iterator[T]:
    """The same items in the same order, made up to `depth` (and one in the making) ahead.

    An error among them is raised at its place. When the consumer stops early, what was made but
    not used is given to `discard`.
    """
    line: _Line[T] = _Line(depth)

    def work() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                if not line.put(item):
                    discard(item)
                    break
        except BaseException as caught:  # noqa: BLE001 - raised again where it is waited for
            error = caught
        line.finish(error)

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    taking = line.take()
    try:
        with closing(taking):
            yield from taking
    finally:
        for left in line.abandon():
            discard(left)
