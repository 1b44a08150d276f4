"""Iterators whose items are made ahead of their use, by a thread each."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from typing import Generic, TypeVar

T = TypeVar("T")


class _Line(Generic[T]):
    """The bounded line between the threads that make items and the one that uses them.

    An item takes room from when it is put until the next one is taken.
    """

    def __init__(self, room: int, makers: int) -> None:
        self._room = room
        self._makers = makers
        self._items: deque[T] = deque()
        self._taken = 0
        self._changed = threading.Condition()
        self._abandoned = False
        self.errors: list[BaseException] = []

    def fill(self, source: Iterable[T], discard: Callable[[T], None]) -> None:
        """Put all items of a source, until it ends or nobody will take any more."""
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
        """Wait for room; False if nobody will take the item any more."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._abandoned or not self._taken or self._taken < self._room
            )
            if not self._abandoned:
                self._items.append(item)
                self._taken += 1
                self._changed.notify_all()
            return not self._abandoned

    def finish(self, error: BaseException | None) -> None:
        """One maker has nothing more."""
        with self._changed:
            self._makers -= 1
            if error is not None:
                self.errors.append(error)
            self._changed.notify_all()

    def take(self) -> Generator[T, None, None]:
        """Items as they come, until every maker is done and the line is empty."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or not self._makers)
                if not self._items:
                    return
                item = self._items.popleft()
            yield item
            with self._changed:
                self._taken -= 1
                self._changed.notify_all()

    def abandon(self) -> list[T]:
        """Nobody takes any more; what was left."""
        with self._changed:
            self._abandoned = True
            left = list(self._items)
            self._items.clear()
            self._changed.notify_all()
            return left


def side_by_side(
    sources: Sequence[Iterable[T]],
    *,
    room: int,
    discard: Callable[[T], None],
) -> Generator[T, None, None]:
    """The items of all sources, each source's in its order, made by a thread each.

    An error ends its own source only; the first one is raised when all are done. There is `room`
    for items that are made and not done with, besides the one that each source makes; one is done
    with when the next one is taken. What is made and not used is discarded.
    """
    line: _Line[T] = _Line(room, len(sources))

    for number, source in enumerate(sources):
        name = f"lane-{number}"
        threading.Thread(target=line.fill, args=(source, discard), name=name, daemon=True).start()
    taking = line.take()
    try:
        with closing(taking):
            yield from taking
    finally:
        for left in line.abandon():
            discard(left)
    if line.errors:
        raise line.errors[0]
