"""One quota's book: who may start now, who waits and until when."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from source_mixpanel.api.quota import (
    HOUR,
    Quota,
    hour_is_used_up,
    ready_in,
    remaining,
    retry_after,
)
from source_mixpanel.clock import Clock

FREE_STATUSES = frozenset({401, 402, 429})
"""Answers that do not use up quota [Mixpanel's own client: request pacing]."""

HEARTBEAT_S = 300.0
"""The platform gives up on a silent source; half of ten minutes keeps well clear of it."""

_WORTH_TELLING_S = 2.0


@dataclass(frozen=True)
class Wait:
    """A pause that somebody should hear about.

    Attributes:
        stream: Whose request waits.
        quota: The quota's name.
        until: Seconds since the epoch.
        why: The reason, in words.
    """

    stream: str
    quota: str
    until: float
    why: str


@dataclass
class Receipt:
    """One admitted request; what became of it is told to the ledger."""

    started: float
    counted: bool


class Ledger:
    """Admits requests of one quota in bursts; shared by every stream that spends from it.

    Thread safe. Time comes from the injected clock: its monotonic side for the windows, so that
    a jump of the wall clock neither opens nor closes them.
    """

    def __init__(self, quota: Quota, clock: Clock, announce: Callable[[Wait], None]) -> None:
        self.quota = quota
        self._clock = clock
        self._announce = announce
        self._changed = threading.Condition()
        self._calls: deque[float] = deque(maxlen=max([w.limit for w in quota.windows], default=1))
        self._running = 0
        self._closed_until = 0.0
        self._closed_why = ""
        self.used = 0

    @contextmanager
    def slot(self, stream: str, *, counted: bool = True) -> Iterator[Receipt]:
        """Wait for room, then hold it while the body runs."""
        receipt = self._admit(stream, counted=counted)
        try:
            yield receipt
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _admit(self, stream: str, *, counted: bool) -> Receipt:
        with self._changed:
            while (pause := self._pause(counted=counted)) > 0:
                self._tell(stream, pause)
                self._clock.wait(min(pause, HEARTBEAT_S), on=self._changed)
            started = self._clock.monotonic()
            self._running += 1
            if counted:
                self._calls.append(started)
                self.used += 1
            return Receipt(started, counted)

    def _pause(self, *, counted: bool) -> float:
        """Seconds until a call may start, as far as is known; 0 means now."""
        now = self._clock.monotonic()
        if self._running >= self.quota.concurrent:
            return HEARTBEAT_S
        pause = self._closed_until - now
        if counted:
            pause = max(pause, ready_in(now, self._calls, self.quota.windows))
        return max(0.0, pause)

    def _tell(self, stream: str, pause: float) -> None:
        if pause < _WORTH_TELLING_S or self._running >= self.quota.concurrent:
            return
        closed = self._closed_until > self._clock.monotonic()
        why = self._closed_why if closed else f"{self._limits()} are used up"
        self._announce(Wait(stream, self.quota.name, self._clock.now() + pause, why))

    def _limits(self) -> str:
        return " and ".join(f"{w.limit} requests in {w.seconds:g} s" for w in self.quota.windows)

    def settle(self, receipt: Receipt, status: int) -> None:
        """Correct the book by a response's status: some answers did not count."""
        with self._changed:
            if status in FREE_STATUSES and receipt.counted and receipt.started in self._calls:
                self._calls.remove(receipt.started)
                self.used -= 1
            self._changed.notify_all()

    def refused(self, headers: Mapping[str, str], attempt: int, *, text: str) -> None:
        """A 429 came back: nobody starts until the server's time, or a sensible one, is over.

        With `Retry-After` or a `RateLimit` reset until then. Without, and with figures in the
        text that say that the hour is used up, until the oldest known call leaves it. Without
        such figures it is load shedding; without such a call, others have used the hour up.
        """
        with self._changed:
            pause = retry_after(headers, self._clock.now())
            why = "Mixpanel asked to wait"
            resets = [item.reset_s for item in remaining(headers).values() if item.left == 0]
            if pause is None:
                pause = max((reset for reset in resets if reset is not None), default=None)
            if pause is None:
                pause, why = self._guess(attempt, text)
            self._close(max(pause, 1.0), why)

    def _guess(self, attempt: int, text: str) -> tuple[float, str]:
        probe = min(5.0 * 2 ** min(attempt, 10), 120.0)
        if not hour_is_used_up(text):
            return probe, "Mixpanel is shedding load"
        now = self._clock.monotonic()
        leaves = [call + HOUR - now for call in self._calls if call + HOUR > now]
        return min(leaves, default=probe), "the hourly quota is used up"

    def _close(self, seconds: float, why: str) -> None:
        until = self._clock.monotonic() + seconds
        if until > self._closed_until:
            self._closed_until, self._closed_why = until, why
