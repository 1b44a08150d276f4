"""The one place that knows what time it is and how to wait."""

from __future__ import annotations

import math
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Protocol


class Clock(Protocol):
    """The time and waiting of the connector; tests have their own."""

    def now(self) -> float:
        """Seconds since the epoch, UTC, by the wall clock."""

    def monotonic(self) -> float:
        """Seconds that never go back, for measuring how long something took."""

    def wait(self, seconds: float, on: threading.Condition | None = None) -> None:
        """Wait `seconds`, which may be infinite; shorter if `on`, which is held, is notified."""


class SystemClock:
    """The clock of the operating system."""

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

    Mixpanel decides which day is "today": a client whose clock runs ahead would ask for
    tomorrow and be refused, one that runs behind would leave events out. HTTP `Date` has a
    resolution of one second, so small differences are left alone. Our wall clock is read once:
    whoever sets it while a sync runs does not move the sync's present.
    """

    _TOLERANCE_S = 90.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._zero = clock.now() - clock.monotonic()
        self._difference: float | None = None
        self._skew = 0.0

    def observe(self, server_epoch_s: float) -> None:
        """Set the difference by a `Date` header, in seconds since the epoch."""
        difference = self._difference = server_epoch_s - self._local()
        self._skew = difference if abs(difference) > self._TOLERANCE_S else 0.0

    def now(self) -> float:
        """Seconds since the epoch, UTC, by Mixpanel's clock."""
        return self._local() + self._skew

    def mark(self) -> float:
        """The current moment, for `at_mark`: Mixpanel's time may become known only later."""
        return self._clock.monotonic()

    def at_mark(self, mark: float) -> datetime:
        """Mixpanel's time at a mark, or some seconds less; never more.

        `Date` has no fractions, and is read after it was written: both make it less. So small
        differences count here as well.
        """
        return _utc(self._zero + mark + (self._difference or 0.0))

    def at_mark_as_known(self) -> datetime | None:
        """Mixpanel's time now, by its answers so far; None if there was none."""
        return None if self._difference is None else self.at_mark(self.mark())

    def _local(self) -> float:
        return self._zero + self._clock.monotonic()

    def now_utc(self) -> datetime:
        """`now()` as an aware datetime in UTC."""
        return _utc(self.now())


def _utc(epoch_s: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=epoch_s)
