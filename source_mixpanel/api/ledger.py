"""The calls of one quota: which request may start now, which waits and until when."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from source_mixpanel.api.answers import FREE_STATUSES, Answer, Receipt
from source_mixpanel.api.failures import Action, Backoff
from source_mixpanel.api.gates import Gate, Growth, Outage
from source_mixpanel.api.quota import (
    HOUR,
    Quota,
    RateWindow,
    Remaining,
    hourly,
    ready_in,
    refusal,
    remaining,
    with_limits_of,
)
from source_mixpanel.api.waits import Ask, Pause, Usage, Wait, WaitReporter, wait_too_long
from source_mixpanel.times.clock import Clock

HEARTBEAT_S = 300.0
"""Seconds between two messages about the same wait."""

_IDLE_S = 60.0
"""Seconds without a request after which queries start one at a time again."""


@dataclass
class _OtherCalls:
    """Calls of the current hour by other clients of the project, or by an earlier sync.

    Attributes:
        calls: How many.
        expire_at: When all of them have left the hour, by the monotonic clock.
    """

    calls: int = 0
    expire_at: float = 0.0


class Ledger:
    """Admits the requests of one quota; shared by all streams that use it.

    Thread safe. Time comes from the injected clock: its monotonic side for the windows, so that
    a jump of the wall clock neither opens nor closes them. Mixpanel's answers correct it: the
    limits, the calls of other clients of the project, and until when nothing more is admitted.

    Attributes:
        quota: The limits, as far as they are known.
        used: Counted requests so far.
        longest_wait_s: The longest wait of one request for admission, in seconds.
    """

    def __init__(
        self,
        quota: Quota,
        clock: Clock,
        announce: Callable[[Wait], None],
        backoff: Backoff | None = None,
    ) -> None:
        self.quota = quota
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._wait_reporter = WaitReporter(quota.name, announce, HEARTBEAT_S)
        self._changed = threading.Condition()
        self._calls: deque[float] = deque()
        self._running = 0
        self._max_running = 1 if quota.slow_start else quota.concurrent
        # One good answer after a refusal may have used the only call that was left.
        self._refused_last = False
        self._last_end = clock.monotonic()
        self._gate_of_all = Gate()
        self._gate_of_counted = Gate()
        self._growth = Growth()
        self._outage = Outage()
        self._other_calls = _OtherCalls()
        self.used = 0
        self.longest_wait_s = 0.0

    # -- admission -------------------------------------------------------------------------

    @contextmanager
    def slot(
        self, stream: str, *, counted: bool = True, ask: Ask | None = None
    ) -> Iterator[Receipt]:
        """Wait for a slot, and hold it inside the `with` block.

        Args:
            stream: The stream of the request, for messages.
            counted: Whether the request uses up quota.
            ask: Until when it has to wait by itself, and for how long it may wait in all.

        Raises:
            QuotaError: It would have to wait for longer than it may.
        """
        receipt = self._admit(stream, ask or Ask(), counted=counted)
        try:
            yield receipt
        finally:
            with self._changed:
                self._running -= 1
                self._last_end = self._clock.monotonic()
                self._changed.notify_all()

    @contextmanager
    def slot_released(self) -> Iterator[None]:
        """Inside the `with` block, leave the slot of a running request to others.

        A request that waits for disk space uses this: others have to run to free some.
        """
        self._add_running(-1)
        try:
            yield
        finally:
            self._add_running(1)

    def _add_running(self, count: int) -> None:
        with self._changed:
            self._running += count
            self._changed.notify_all()

    def _admit(self, stream: str, ask: Ask, *, counted: bool) -> Receipt:
        waited = 0.0
        with self._changed:
            while True:
                now = self._clock.monotonic()
                pause = self._pause(now, ask, counted=counted)
                if pause.seconds <= 0:
                    return self._start(now, waited, counted=counted)
                wall = self._clock.now()
                if pause.exceeds(ask.within_s, waited):
                    raise wait_too_long(stream, self.quota, pause, wall, self._usage(now))
                if pause.for_slot:
                    self._clock.wait(pause.seconds, on=self._changed)
                    continue
                wait_s = self._wait_reporter.report(stream, pause, now, wall)
                self._clock.wait(wait_s, on=self._changed)
                waited += self._clock.monotonic() - now

    def _start(self, now: float, waited: float, *, counted: bool) -> Receipt:
        if self.quota.slow_start and not self._running and now - self._last_end >= _IDLE_S:
            self._max_running = 1
        self._running += 1
        self._gate_of_all.started(now)
        self.longest_wait_s = max(self.longest_wait_s, waited)
        if counted:
            self._gate_of_counted.started(now)
            self._calls.append(now)
            self.used += 1
        return Receipt(now, counted, waited)

    def _pause(self, now: float, ask: Ask, *, counted: bool) -> Pause:
        """What keeps a request from starting, as far as is known; 0 seconds if nothing does."""
        pauses = [Pause(*self._gate_of_all.pause(now)), Pause(ask.hold_until - now, ask.why)]
        if counted:
            own = max(
                ready_in(now, self._calls, self.quota.windows), self._pause_beside_others(now)
            )
            pauses += [
                Pause(*self._gate_of_counted.pause(now)),
                Pause(own, self._limits_in_words()),
            ]
        longest = max(pauses, key=lambda pause: pause.seconds)
        if longest.seconds <= 0 and self._running >= min(self._max_running, self.quota.concurrent):
            return Pause(math.inf, "as many requests run as may at once", for_slot=True)
        return longest

    def _pause_beside_others(self, now: float) -> float:
        """Seconds until a call fits beside the known calls of others in this hour."""
        return min(
            ready_in(now, self._calls, self._windows_left()), self._other_calls.expire_at - now
        )

    def _windows_left(self) -> Iterable[RateWindow]:
        """The quota's windows, the hourly one less the known calls of others."""
        for window in self.quota.windows:
            is_hour = window.seconds == HOUR
            yield RateWindow(window.limit - self._other_calls.calls, HOUR) if is_hour else window

    def _limits_in_words(self) -> str:
        limits = " and ".join(f"{w.limit} requests in {w.seconds:g} s" for w in self.quota.windows)
        return f"{limits} are used up"

    # -- what is left ----------------------------------------------------------------------

    def left_this_hour(self) -> int | None:
        """Counted requests that the hour still allows, as far as known; None without a limit."""
        with self._changed:
            now = self._clock.monotonic()
            if self.quota.hourly is None:
                return None
            if self._gate_of_counted.until > now:
                return 0
            other_calls = self._other_calls.calls if self._other_calls.expire_at > now else 0
            return max(0, self.quota.hourly - len(self._expiries(now)) - other_calls)

    def _expiries(self, now: float) -> list[float]:
        """When each of our calls of the last hour leaves it; much older calls are deleted."""
        while self._calls and self._calls[0] + 2 * HOUR < now:
            self._calls.popleft()
        return [call + HOUR for call in self._calls if call + HOUR > now]

    def _usage(self, now: float) -> Usage:
        return Usage(self.quota.hourly, len(self._expiries(now)))

    # -- what became of requests -----------------------------------------------------------

    def settle(self, receipt: Receipt, answer: Answer) -> None:
        """Update limits, calls of others and gates by an answer.

        A refusal closes a gate: that of counted requests, if the hour is used up and the refused
        request counted; else that of all. It opens when Mixpanel says, and not before our own
        pause is over, which grows with every refusal. If Mixpanel does not say, the hour opens
        when our oldest call leaves it.
        """
        with self._changed:
            now = self._clock.monotonic()
            if answer.status in FREE_STATUSES or answer.action is Action.WAIT:
                self._forget(receipt)
            self.quota = with_limits_of(self.quota, answer.headers)
            hour = hourly(remaining(answer.headers))
            if hour is not None:
                self._learn(hour, now)
            if answer.action is Action.OUTLAST:
                self._fault(receipt, now)
            else:
                self._outage.answered()
            if answer.refuses:
                self._refuse(receipt, answer, now)
            elif answer.action is None:
                self._growth.answered(now)
                more = 0 if self._refused_last else 1
                self._max_running = min(self._max_running + more, self.quota.concurrent)
                self._refused_last = False
            self._changed.notify_all()

    def give_back(self, receipt: Receipt) -> None:
        """Uncount an attempt that never reached Mixpanel."""
        with self._changed:
            self._forget(receipt)
            self._changed.notify_all()

    def fault(self, receipt: Receipt) -> None:
        """Count a transient failure without an answer: all requests wait a little."""
        with self._changed:
            self._fault(receipt, self._clock.monotonic())
            self._changed.notify_all()

    def is_given_up(self, since: float = float("-inf")) -> bool:
        """Whether all requests have failed transiently for longer than any may wait.

        Args:
            since: One of these failures has to be later than this, by the monotonic clock.
        """
        with self._changed:
            return self._outage.exhausts(self._backoff, self._clock.monotonic(), since)

    def is_calm(self) -> bool:
        """Whether no recent request was refused or failed transiently."""
        with self._changed:
            return (
                not self._outage.faults and self._gate_of_all.pause(self._clock.monotonic())[0] <= 0
            )

    def _forget(self, receipt: Receipt) -> None:
        if receipt.counted and receipt.started in self._calls:
            self._calls.remove(receipt.started)
            self.used -= 1

    def _fault(self, receipt: Receipt, now: float) -> None:
        pause = self._outage.fault(receipt.started, now, self._backoff)
        self._reduce_concurrency()
        self._gate_of_all.close(now + pause, "Mixpanel does not answer for the moment")

    def _reduce_concurrency(self) -> None:
        """Start over with one query at a time; with exports, one fewer than run now."""
        self._max_running = 1 if self.quota.slow_start else max(1, self._running - 1)

    def _learn(self, hour: Remaining, now: float) -> None:
        """Work out the calls of others from what is left of the hour."""
        ours = len(self._expiries(now))
        # Without a reset they may all be as young as this answer.
        reset_s = HOUR if hour.reset_s is None else min(hour.reset_s, HOUR)
        self._other_calls = _OtherCalls(
            max(0, (self.quota.hourly or 0) - hour.left - ours), now + reset_s
        )
        if hour.left == 0 and hour.reset_s is not None:
            self._gate_of_counted.close(now + reset_s, "the hourly quota is used up")

    def _refuse(self, receipt: Receipt, answer: Answer, now: float) -> None:
        refused = refusal(answer.headers, answer.text, self._clock.now())
        self._reduce_concurrency()
        self._refused_last = True
        pause, why = self._growth.refused(receipt.started, now), "Mixpanel is shedding load"
        if refused.asked_s is not None:
            outlasts = answer.action is Action.OUTLAST
            longest_s = self._backoff.longest_s if outlasts else refused.asked_s
            pause, why = max(pause, min(refused.asked_s, longest_s)), "Mixpanel asked to wait"
        elif refused.hourly:
            pause = max(pause, min(self._expiries(now), default=now) - now)
            why = "the hourly quota is used up"
        gate = self._gate_of_counted if refused.hourly and receipt.counted else self._gate_of_all
        gate.refuse(now, now + pause, why)
