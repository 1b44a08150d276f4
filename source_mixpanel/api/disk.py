"""The disk that downloads take, all streams together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import count

from source_mixpanel.errors import TooLargeError

_DEFAULT_BYTES = 1_000_000_000


class DroppedError(Exception):
    """Nobody wants a download any more."""


class DiskBudget:
    """Room for what has been downloaded and not been emitted yet. Thread safe.

    Half of it is for the downloads that are emitted next, one of each stream; the other half for
    all that wait behind these.

    Args:
        size: Bytes; 0 if nothing is to be downloaded before the last one is emitted.
        monotonic: Measures how long downloads wait for room.

    Attributes:
        half: Bytes.
        is_ahead: Whether there is room for downloads that wait.
        waiting: Bytes of those that wait.
        changed: Held by whoever changes that, and notified.
    """

    def __init__(
        self, size: int = _DEFAULT_BYTES, monotonic: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.half = (size or _DEFAULT_BYTES) // 2
        self.is_ahead = size > 0
        self.waiting = 0
        self.changed = threading.Condition()
        self.monotonic = monotonic
        self._numbers = count()

    @property
    def is_full(self) -> bool:
        """Whether there is no room for any more that waits."""
        return not self.is_ahead or self.waiting >= self.half

    def room_for(self, most: int, size: int) -> int:
        """How many downloads of such a size may be under way, at least 1 and at most so many."""
        if self.is_full:
            return 1
        return max(1, min(most, (self.half - self.waiting) // max(1, size)))

    def share(self, most: int | None = None, *, patient: bool = True) -> Share:
        """A share for one download.

        Args:
            most: Bytes that it may take in all; None for any.
            patient: Whether it waits for room.
        """
        return Share(self, most, patient=patient, number=next(self._numbers))


class Share:
    """What one download takes of the disk.

    Attributes:
        held_s: Seconds for which it has waited for room.
        began: When it took the first byte, by the disk's clock; None while it has none.
        is_dropped: Whether nobody wants it any more.
        meanwhile: What is to hold while it waits for room.
    """

    def __init__(self, disk: DiskBudget, most: int | None, *, patient: bool, number: int) -> None:
        self.held_s = 0.0
        self.began: float | None = None
        self.is_dropped = False
        self.meanwhile: Callable[[], AbstractContextManager[None]] = nullcontext
        self._disk = disk
        self._most = most
        self._patient = patient
        self._number = number
        self._size = 0
        self._is_next = False

    @property
    def rank(self) -> int:
        """Its place among all that wait, as they began; -1 for what is emitted next."""
        return -1 if self._is_next else self._number

    def take(self, size: int, what: str) -> None:
        """Take more for `what`, when there is room for it; what is emitted next has it at once.

        Raises:
            TooLargeError: That would be more than it may take.
            DroppedError: Nobody wants it.
        """
        if self._most is not None and self._size + size > self._most:
            raise TooLargeError(
                f"{what} is larger than the {self._most / 1e6:.1f} MB of disk that it may take."
            )
        disk = self._disk
        if self.began is None:
            self.began = disk.monotonic()
        with disk.changed:
            if not self._may_take(size):
                began = disk.monotonic()
                with self.meanwhile():
                    disk.changed.wait_for(lambda: self._may_take(size))
                self.held_s += disk.monotonic() - began
            if self.is_dropped:
                raise DroppedError
            self._resize(self._size + size)

    def waits_for(self, holds: Callable[[], bool]) -> bool:
        """Wait until that holds, as far as there is time: until this is next, or dropped.

        Returns:
            Whether it holds, and there is time. Nothing else changes before the caller goes on
            with `changed` held.
        """
        changed = self._disk.changed
        changed.wait_for(lambda: self._is_next or self.is_dropped or holds())
        return not self._is_next and not self.is_dropped

    def _may_take(self, size: int) -> bool:
        if self._is_next or self.is_dropped or not self._patient:
            return True
        return self._disk.waiting + size <= self._disk.half

    def give_back(self) -> None:
        """Nothing is taken any more."""
        self.began = None
        self.resize(0)

    def resize(self, size: int) -> None:
        """So much is taken, whatever there is room for."""
        with self._disk.changed:
            self._resize(size)

    def is_next(self) -> None:
        """What it holds is emitted next."""
        with self._disk.changed:
            if not self._is_next:
                self._disk.waiting -= self._size
            self._is_next = True
            self._disk.changed.notify_all()

    def drop(self) -> None:
        """Nobody wants it any more: whoever downloads it is to stop."""
        with self._disk.changed:
            self.is_dropped = True
            self._disk.changed.notify_all()

    def _resize(self, size: int) -> None:
        if not self._is_next:
            self._disk.waiting += size - self._size
        self._size = size
        self._disk.changed.notify_all()
