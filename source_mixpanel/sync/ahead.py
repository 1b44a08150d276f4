"""Work done in threads: an iterator made ahead of its use, several run side by side."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from typing import Generic, TypeVar

T = TypeVar("T")


class _Line(Generic[T]):
    """The bounded line between the threads that make items and the one that uses them."""

    def __init__(self, depth: int, makers: int) -> None:
        self._depth = depth
        self._makers = makers
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._abandoned = False
        self.errors: list[BaseException] = []

    def put(self, item: T) -> bool:
        """Wait for room; False if nobody will take the item any more."""
        with self._changed:
            while len(self._items) >= self._depth and not self._abandoned:
                self._changed.wait()
            if not self._abandoned:
                self._items.append(item)
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
                while not self._items and self._makers:
                    self._changed.wait()
                if not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            yield item

    def abandon(self) -> list[T]:
        """Nobody takes any more; what was left."""
        with self._changed:
            self._abandoned = True
            left = list(self._items)
            self._items.clear()
            self._changed.notify_all()
            return left


def side_by_side(
    sources: Sequence[Iterable[T]], *, depth: int, discard: Callable[[T], None]
) -> Generator[T, None, None]:
    """The items of all sources, each source's in its order, made by a thread each.

    An error ends its own source only; the first one is raised when all are done.

    Args:
        sources: What to run; two of them never share a thread.
        depth: Items made and not yet used, besides the one that each source is making.
        discard: Given what was made and is not used, when the consumer stops early.
    """
    line: _Line[T] = _Line(depth, len(sources))

    def work(source: Iterable[T]) -> None:
        error: BaseException | None = None
        try:
            for item in source:
                if not line.put(item):
                    discard(item)
                    break
        except BaseException as caught:  # noqa: BLE001 - raised again where it is waited for
            error = caught
        line.finish(error)

    for number, source in enumerate(sources):
        name = f"ahead-{number}"
        threading.Thread(target=work, args=(source,), name=name, daemon=True).start()
    taking = line.take()
    try:
        with closing(taking):
            yield from taking
    finally:
        for left in line.abandon():
            discard(left)
    if line.errors:
        raise line.errors[0]


def ahead(
    items: Iterable[T], *, depth: int, discard: Callable[[T], None]
) -> Generator[T, None, None]:
    """The same items in the same order, made up to `depth` (and one in the making) ahead.

    An error among them is raised at its place.
    """
    return side_by_side([items], depth=depth, discard=discard)
