"""The disk space that downloads may use, all streams together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import count

from source_mixpanel.errors import TooLargeError

_DEFAULT_BYTES = 1_000_000_000


class DroppedError(Exception):
    """The download is no longer needed."""


class DiskBudget:
    """Disk space for what is downloaded and not emitted yet. Thread safe.

    Half of it is for the downloads that are emitted next, one of each stream; the other half is for
    all that wait behind them.

    Args:
        size: Bytes; 0 to download nothing before the one before it has been emitted.
        monotonic: Measures how long downloads wait for space, in seconds.

    Attributes:
        half: Bytes of one half.
        is_ahead: Whether downloads may run ahead of what is emitted.
        waiting: Bytes of downloads that are not the next ones to be emitted.
        changed: The lock of all this, notified at every change.
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
        """Whether no further download may run ahead."""
        return not self.is_ahead or self.waiting >= self.half

    def concurrent_downloads(self, most: int, size: int) -> int:
        """How many downloads of `size` bytes may run, from 1 to `most`."""
        if self.is_full:
            return 1
        return max(1, min(most, (self.half - self.waiting) // max(1, size)))

    def share(self, max_bytes: int | None = None, *, patient: bool = True) -> Share:
        """A share for one download.

        Args:
            max_bytes: Bytes that it may use in all; None for no limit.
            patient: Whether it waits for space.
        """
        return Share(self, max_bytes, patient=patient, number=next(self._numbers))


class Share:
    """The disk space of one download.

    Attributes:
        held_s: Seconds for which it has waited for space.
        began: When it took its first byte, in seconds of the disk's clock; None before that.
        is_dropped: Whether the download is no longer needed.
        meanwhile: Makes the context manager that is active while it waits for space.
    """

    def __init__(
        self, disk: DiskBudget, max_bytes: int | None, *, patient: bool, number: int
    ) -> None:
        self.held_s = 0.0
        self.began: float | None = None
        self.is_dropped = False
        self.meanwhile: Callable[[], AbstractContextManager[None]] = nullcontext
        self._disk = disk
        self._max_bytes = max_bytes
        self._patient = patient
        self._number = number
        self._size = 0
        self._is_next = False

    @property
    def rank(self) -> int:
        """Its place among all that wait, as they began; -1 for what is emitted next."""
        return -1 if self._is_next else self._number

    def take(self, size: int, what: str) -> None:
        """Take `size` more bytes for `what`; waits for space unless it is emitted next.

        Raises:
            TooLargeError: It would use more than it may.
            DroppedError: The download is no longer needed.
        """
        if self._max_bytes is not None and self._size + size > self._max_bytes:
            raise TooLargeError(
                f"{what} is larger than the {self._max_bytes / 1e6:.1f} MB of disk that it may "
                f"take."
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
        """Wait until `holds()`, or until this download is emitted next or dropped.

        Returns:
            True if `holds()` ended the wait. The caller has to hold `changed`, so the answer stays
            true until it lets go.
        """
        changed = self._disk.changed
        changed.wait_for(lambda: self._is_next or self.is_dropped or holds())
        return not self._is_next and not self.is_dropped

    def _may_take(self, size: int) -> bool:
        if self._is_next or self.is_dropped or not self._patient:
            return True
        return self._disk.waiting + size <= self._disk.half

    def give_back(self) -> None:
        """Give back all disk space."""
        self.began = None
        self.resize(0)

    def resize(self, size: int) -> None:
        """Set the bytes that are used, without waiting and beyond any limit."""
        with self._disk.changed:
            self._resize(size)

    def is_next(self) -> None:
        """Mark this download as the one that is emitted next, which never waits."""
        with self._disk.changed:
            if not self._is_next:
                self._disk.waiting -= self._size
            self._is_next = True
            self._disk.changed.notify_all()

    def drop(self) -> None:
        """Mark this download as no longer needed: `take` raises from now on."""
        with self._disk.changed:
            self.is_dropped = True
            self._disk.changed.notify_all()

    def _resize(self, size: int) -> None:
        if not self._is_next:
            self._disk.waiting += size - self._size
        self._size = size
        self._disk.changed.notify_all()
