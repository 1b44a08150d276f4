"""Iterators whose items are produced ahead of their use, each in its own thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from typing import Generic, TypeVar

T = TypeVar("T")


class _BoundedQueue(Generic[T]):
    """The bounded queue between the threads that produce items and the one that uses them.

    An item uses capacity from `put` until the consumer takes the next one.
    """

    def __init__(self, capacity: int, producers: int) -> None:
        self._capacity = capacity
        self._producers = producers
        self._items: deque[T] = deque()
        self._in_use = 0
        self._changed = threading.Condition()
        self._abandoned = False
        self.errors: list[BaseException] = []

    def fill(self, source: Iterable[T], discard: Callable[[T], None]) -> None:
        """Put all items of a source, until it ends or the queue is abandoned."""
        error: BaseException | None = None
        try:
            for item in source:
                if not self.put(item):
                    discard(item)
                    break
        except BaseException as caught:  # noqa: BLE001 - raised again where it is waited for
            error = caught
        self.finish(error)

    def put(self, item: T) -> bool:
        """Wait for capacity, and add an item; False if the queue is abandoned."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._abandoned or not self._in_use or self._in_use < self._capacity
            )
            if not self._abandoned:
                self._items.append(item)
                self._in_use += 1
                self._changed.notify_all()
            return not self._abandoned

    def finish(self, error: BaseException | None) -> None:
        """Count a producer that has ended, with its error if there is one."""
        with self._changed:
            self._producers -= 1
            if error is not None:
                self.errors.append(error)
            self._changed.notify_all()

    def take(self) -> Generator[T, None, None]:
        """Items as they come, until all producers have ended and the queue is empty."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or not self._producers)
                if not self._items:
                    return
                item = self._items.popleft()
            yield item
            with self._changed:
                self._in_use -= 1
                self._changed.notify_all()

    def abandon(self) -> list[T]:
        """End the use of the queue; returns the items in it."""
        with self._changed:
            self._abandoned = True
            unused = list(self._items)
            self._items.clear()
            self._changed.notify_all()
            return unused


def side_by_side(
    sources: Sequence[Iterable[T]],
    *,
    room: int,
    discard: Callable[[T], None],
) -> Generator[T, None, None]:
    """The items of all sources, each source's in its order, produced in one thread per source.

    An error ends its own source only; the first one is raised after all have ended. `room`
    is the capacity for items that are produced or in use, besides the one that each source is
    producing; an item is in use until the next one is taken. Unused items are discarded.
    """
    queue: _BoundedQueue[T] = _BoundedQueue(room, len(sources))

    for number, source in enumerate(sources):
        name = f"lane-{number}"
        threading.Thread(target=queue.fill, args=(source, discard), name=name, daemon=True).start()
    items_taken = queue.take()
    try:
        with closing(items_taken):
            yield from items_taken
    finally:
        for unused in queue.abandon():
            discard(unused)
    if queue.errors:
        raise queue.errors[0]
