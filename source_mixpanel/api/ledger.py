"""One quota's book: who may start now, who waits and until when."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from source_mixpanel.api.quota import (
    HOUR,
    Quota,
    Remaining,
    Window,
    hour_is_used_up,
    ready_in,
    remaining,
    retry_after,
)
from source_mixpanel.clock import Clock

FREE_STATUSES = frozenset({401, 402, 429})
"""Answers that do not use up quota [Mixpanel's own client: request pacing]."""

HEARTBEAT_S = 300.0
"""Seconds between two announcements of a wait: the platform takes a silent source for dead."""

_PACING_S = 1.5
"""Keeping three exports a second apart is no wait that anybody has to hear of."""


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


@dataclass
class _Gate:
    """Closed until an instant of the monotonic clock, for a reason."""

    until: float = 0.0
    why: str = ""

    def close(self, until: float, why: str) -> None:
        if until > self.until:
            self.until, self.why = until, why


@dataclass
class _Others:
    """Calls of the running hour that are not ours: another client's, or our last sync's."""

    calls: int = 0
    gone_by: float = 0.0


class Ledger:
    """Admits requests of one quota in bursts; shared by every stream that spends from it.

    Thread safe. Time comes from the injected clock: its monotonic side for the windows, so that
    a jump of the wall clock neither opens nor closes them. The server's word corrects the book:
    what other clients of the project have used, and until when nothing more is let in.

    Attributes:
        used: Counted requests so far.
        longest_wait_s: The longest that one request has waited for admission.
    """

    def __init__(self, quota: Quota, clock: Clock, announce: Callable[[Wait], None]) -> None:
        self.quota = quota
        self._clock = clock
        self._announce = announce
        self._changed = threading.Condition()
        self._calls: deque[float] = deque(maxlen=max([w.limit for w in quota.windows], default=1))
        self._running = 0
        self._running_counted = 0
        self._told_left = 0
        self._everybody = _Gate()
        self._counted = _Gate()
        self._others = _Others()
        self.used = 0
        self.longest_wait_s = 0.0

    @contextmanager
    def slot(self, stream: str, *, counted: bool = True) -> Iterator[Receipt]:
        """Wait for room, then hold it while the body runs."""
        receipt = self._admit(stream, counted=counted)
        try:
            yield receipt
        finally:
            with self._changed:
                self._running -= 1
                self._running_counted -= receipt.counted
                self._changed.notify_all()

    def _admit(self, stream: str, *, counted: bool) -> Receipt:
        asked = self._clock.monotonic()
        told = -HEARTBEAT_S
        with self._changed:
            while (pause := self._pause(counted=counted)) > 0:
                # Others' comings and goings wake this up as well; once a heartbeat is enough.
                now = self._clock.monotonic()
                if now - told >= HEARTBEAT_S and self._tell(stream, pause, counted=counted):
                    told = now
                self._clock.wait(min(pause, HEARTBEAT_S), on=self._changed)
            started = self._clock.monotonic()
            self._running += 1
            self._running_counted += counted
            self._told_left = max(0, self._told_left - counted)
            self.longest_wait_s = max(self.longest_wait_s, started - asked)
            if counted:
                self._calls.append(started)
                self.used += 1
            return Receipt(started, counted)

    def _pause(self, *, counted: bool) -> float:
        """Seconds until a call may start, as far as is known; 0 means now."""
        now = self._clock.monotonic()
        if self._is_full(counted=counted):
            return HEARTBEAT_S
        pause = self._everybody.until - now
        if counted:
            full = ready_in(now, self._calls, self.quota.windows)
            shared = min(ready_in(now, self._calls, self._left_to_us()), self._others.gone_by - now)
            pause = max(pause, self._counted.until - now, full, shared)
        return max(0.0, pause)

    def _is_full(self, *, counted: bool) -> bool:
        """Whether one of those that run has to end first."""
        alone = self.quota.careful and not self._told_left
        return self._running >= self.quota.concurrent or (
            counted and alone and self._running_counted > 0
        )

    def _left_to_us(self) -> Iterable[Window]:
        """The quota's windows, less what others were said to have used of the hour."""
        for window in self.quota.windows:
            hourly = window.seconds == HOUR
            yield Window(window.limit - self._others.calls, HOUR) if hourly else window

    def left_this_hour(self) -> int | None:
        """Counted requests that the hour still allows, by all that is known; None if no hour is."""
        with self._changed:
            now = self._clock.monotonic()
            if self.quota.hourly is None:
                return None
            if self._counted.until > now:
                return 0
            others = self._others.calls if self._others.gone_by > now else 0
            return max(0, self.quota.hourly - len(self._leaving(now)) - others)

    def _leaving(self, now: float) -> list[float]:
        """When each of our calls of the last hour leaves it."""
        return [call + HOUR for call in self._calls if call + HOUR > now]

    def _tell(self, stream: str, pause: float, *, counted: bool) -> bool:
        """Announce the wait, if it is one that somebody should hear of."""
        if self._is_full(counted=counted):
            return False
        now = self._clock.monotonic()
        gates = [self._everybody, self._counted] if counted else [self._everybody]
        closed = [gate for gate in gates if gate.until > now]
        if not closed and pause < _PACING_S:
            return False
        why = max(closed, key=lambda gate: gate.until).why if closed else self._limits()
        self._announce(Wait(stream, self.quota.name, self._clock.now() + pause, why))
        return True

    def _limits(self) -> str:
        limits = " and ".join(f"{w.limit} requests in {w.seconds:g} s" for w in self.quota.windows)
        return f"{limits} are used up"

    def settle(
        self, receipt: Receipt, status: int, headers: Mapping[str, str] | None = None
    ) -> None:
        """Correct the book by an answer: what did not count, and what it says is left."""
        with self._changed:
            if status in FREE_STATUSES and receipt.counted and receipt.started in self._calls:
                self._calls.remove(receipt.started)
                self.used -= 1
            hour = _hourly(remaining(headers or {}))
            if hour is not None:
                self._learn(hour)
            self._changed.notify_all()

    def _learn(self, hour: Remaining) -> None:
        """What is left of the hour tells what others have used of it."""
        now = self._clock.monotonic()
        ours = len(self._leaving(now))
        # Without a reset they may all be as young as this answer.
        self._told_left = max(0, hour.left - (self._running_counted - 1))
        lasts = HOUR if hour.reset_s is None else hour.reset_s
        self._others = _Others(max(0, (self.quota.hourly or 0) - hour.left - ours), now + lasts)
        if hour.left == 0 and hour.reset_s is not None:
            self._counted.close(now + hour.reset_s, "the hourly quota is used up")

    def refused(self, headers: Mapping[str, str], attempt: int, *, text: str) -> None:
        """A 429 came back: nothing that it is about starts until Mixpanel's time, or ours, is over.

        If the text or `RateLimit` says that the hour is used up, only counted requests wait; after
        any other refusal all do. How long is told by `Retry-After` or a `RateLimit` reset; untold,
        it is until our oldest call leaves the hour, or 5 s doubling to 120 s.
        """
        with self._changed:
            now = self._clock.monotonic()
            pause_s = retry_after(headers, self._clock.now())
            items = remaining(headers)
            hour = _hourly(items)
            hourly = hour_is_used_up(text) or (hour is not None and hour.left == 0)
            if pause_s is None:
                resets = [
                    i.reset_s for i in items.values() if i.left == 0 and i.reset_s is not None
                ]
                pause_s = max(resets, default=None)
            gate = self._counted if hourly else self._everybody
            pause, why = (
                (pause_s, "Mixpanel asked to wait")
                if pause_s is not None
                else self._guess(attempt, hourly=hourly)
            )
            gate.close(now + max(pause, 1.0), why)

    def _guess(self, attempt: int, *, hourly: bool) -> tuple[float, str]:
        """How long to wait when a refusal does not say; others may have used the hour up."""
        probe = min(5.0 * 2 ** min(attempt, 10), 120.0)
        if not hourly:
            return probe, "Mixpanel is shedding load"
        now = self._clock.monotonic()
        return min(self._leaving(now), default=now + probe) - now, "the hourly quota is used up"


def _hourly(items: Mapping[str, Remaining]) -> Remaining | None:
    """The item of the hourly quota; the others count what runs at once."""
    for name, item in items.items():
        if not name.endswith("concurrency"):
            return item
    return None
