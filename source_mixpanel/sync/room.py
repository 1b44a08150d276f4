"""How much disk slices may take that are downloaded and not yet emitted."""

from __future__ import annotations

import threading

DEFAULT_BYTES = 1_000_000_000
"""Disk for slices, unless the user says otherwise."""


class Room:
    """Half of the disk is for the slice in the making, half for those that wait or are emitted.

    So a slice is begun while the others leave it its half, and never takes more than that.

    Args:
        limit: Bytes for all of them; with 0 none is begun before the last one is done with.

    Attributes:
        largest: Bytes that one slice may take.
    """

    def __init__(self, limit: int) -> None:
        self.largest = (limit or DEFAULT_BYTES) // 2
        self._held = 0
        self._for_others = limit // 2
        self._closed = False
        self._changed = threading.Condition()

    def wait(self) -> bool:
        """Wait until a slice may be begun; False if nobody wants one any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._held <= self._for_others)
            return not self._closed

    def take(self, size: int) -> None:
        """A slice of that many bytes has been made."""
        with self._changed:
            self._held += size

    def give_back(self, size: int) -> None:
        """One is done with."""
        with self._changed:
            self._held -= size
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody wants any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
