"""The one place that knows what time it is and how to wait."""

from __future__ import annotations

import math
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Protocol


class Clock(Protocol):
    """Time as the connector sees it; tests bring their own."""

    def now(self) -> float:
        """Seconds since the epoch, UTC, by the wall clock."""

    def monotonic(self) -> float:
        """Seconds that never go back, for measuring how long something took."""

    def wait(self, seconds: float, on: threading.Condition | None = None) -> None:
        """Let `seconds` go by, be they infinite, or less if `on` (held) is notified."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds from an arbitrary start."""
        return time.monotonic()

    def wait(self, seconds: float, on: threading.Condition | None = None) -> None:
        """Sleep, or wait for a notification; a signal ends either at once."""
        if on is None:
            time.sleep(max(0.0, seconds))
        else:
            on.wait(None if seconds == math.inf else max(0.0, seconds))


class ServerTime:
    """The wall clock, corrected by what Mixpanel says the time is.

    Which day is "today" is Mixpanel's to say: a client whose clock runs ahead would ask for
    tomorrow and be refused, one that runs behind would leave events out. HTTP `Date` has a
    resolution of one second, so small differences are left alone. Our wall clock is read once:
    whoever sets it while a sync runs does not move the sync's present.
    """

    _TOLERANCE_S = 90.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._zero = clock.now() - clock.monotonic()
        self._apart: float | None = None
        self._skew = 0.0

    def observe(self, server_epoch_s: float) -> None:
        """Learn from a response's `Date` header, given as seconds since the epoch."""
        apart = self._apart = server_epoch_s - self._ours()
        self._skew = apart if abs(apart) > self._TOLERANCE_S else 0.0

    def now(self) -> float:
        """Seconds since the epoch, UTC, by Mixpanel's clock."""
        return self._ours() + self._skew

    def mark(self) -> float:
        """This moment, for `at_mark`: what Mixpanel's clock shows may be told only later."""
        return self._clock.monotonic()

    def at_mark(self, mark: float) -> datetime:
        """What Mixpanel's clock showed at a mark, or up to some seconds less; never more.

        `Date` leaves out fractions, and is read after it was written: both make it less. So small
        differences count here, too.
        """
        return _utc(self._zero + mark + (self._apart or 0.0))

    def at_mark_as_known(self) -> datetime | None:
        """What Mixpanel's clock shows now by its answers so far; None if there was none."""
        return None if self._apart is None else self.at_mark(self.mark())

    def _ours(self) -> float:
        return self._zero + self._clock.monotonic()

    def now_utc(self) -> datetime:
        """The same as an aware datetime."""
        return _utc(self.now())


def _utc(epoch_s: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=epoch_s)
