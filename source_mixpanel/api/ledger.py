"""One quota's book: who may start now, who waits and until when."""

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
    Remaining,
    Window,
    hourly,
    obeying,
    ready_in,
    refusal,
    remaining,
)
from source_mixpanel.api.waits import Ask, Bulletin, Pause, Usage, Wait, too_long
from source_mixpanel.times.clock import Clock

HEARTBEAT_S = 300.0
"""Seconds between two announcements of a wait."""

_IDLE_S = 60.0
"""Seconds without a request, after which queries begin one at a time again."""


@dataclass
class _Others:
    """Calls of the running hour that are not ours: another client's, or our last sync's."""

    calls: int = 0
    gone_by: float = 0.0


class Ledger:
    """Admits requests of one quota in bursts; shared by every stream that spends from it.

    Thread safe. Time comes from the injected clock: its monotonic side for the windows, so that
    a jump of the wall clock neither opens nor closes them. The server's word corrects the book:
    what the limits are, what other clients of the project have used, and until when nothing more
    is let in.

    Attributes:
        quota: Its limits, by what is known so far.
        used: Counted requests so far.
        longest_wait_s: The longest that one request has waited for admission.
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
        self._bulletin = Bulletin(quota.name, announce, HEARTBEAT_S)
        self._changed = threading.Condition()
        self._calls: deque[float] = deque()
        self._running = 0
        self._abreast = 1 if quota.slow_start else quota.concurrent
        # One good answer after a refusal may have taken the only place that was free.
        self._refused_last = False
        self._last_end = clock.monotonic()
        self._everybody = Gate()
        self._counted = Gate()
        self._growth = Growth()
        self._outage = Outage()
        self._others = _Others()
        self.used = 0
        self.longest_wait_s = 0.0

    # -- admission -------------------------------------------------------------------------

    @contextmanager
    def slot(
        self, stream: str, *, counted: bool = True, ask: Ask | None = None
    ) -> Iterator[Receipt]:
        """Wait for room, then hold it while the body runs.

        Args:
            stream: For whom, as messages name it.
            counted: Whether it uses up quota.
            ask: Until when it waits by itself, and how long it may wait in all.

        Raises:
            QuotaError: There is no room for longer than it may wait.
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
    def place_given_up(self) -> Iterator[None]:
        """Let another have the place of a request that waits for what the other may bring about."""
        self._running_changed_by(-1)
        try:
            yield
        finally:
            self._running_changed_by(1)

    def _running_changed_by(self, count: int) -> None:
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
                    return self._let_in(now, waited, counted=counted)
                wall = self._clock.now()
                if pause.exceeds(ask.within_s, waited):
                    raise too_long(stream, self.quota, pause, wall, self._usage(now))
                if pause.for_a_place:
                    self._clock.wait(pause.seconds, on=self._changed)
                    continue
                rest = self._bulletin.tell(stream, pause, now, wall)
                self._clock.wait(rest, on=self._changed)
                waited += self._clock.monotonic() - now

    def _let_in(self, now: float, waited: float, *, counted: bool) -> Receipt:
        if self.quota.slow_start and not self._running and now - self._last_end >= _IDLE_S:
            self._abreast = 1
        self._running += 1
        self._everybody.started(now)
        self.longest_wait_s = max(self.longest_wait_s, waited)
        if counted:
            self._counted.started(now)
            self._calls.append(now)
            self.used += 1
        return Receipt(now, counted, waited)

    def _pause(self, now: float, ask: Ask, *, counted: bool) -> Pause:
        """What keeps a call from starting, as far as is known; no seconds mean now."""
        pauses = [Pause(*self._everybody.pause(now)), Pause(ask.hold_until - now, ask.why)]
        if counted:
            own = max(ready_in(now, self._calls, self.quota.windows), self._shared(now))
            pauses += [Pause(*self._counted.pause(now)), Pause(own, self._limits())]
        longest = max(pauses, key=lambda pause: pause.seconds)
        if longest.seconds <= 0 and self._running >= min(self._abreast, self.quota.concurrent):
            return Pause(math.inf, "as many requests run as may at once", for_a_place=True)
        return longest

    def _shared(self, now: float) -> float:
        """Seconds until there is room beside what others were said to have used of the hour."""
        return min(ready_in(now, self._calls, self._left_to_us()), self._others.gone_by - now)

    def _left_to_us(self) -> Iterable[Window]:
        """The quota's windows, less what others were said to have used of the hour."""
        for window in self.quota.windows:
            is_hour = window.seconds == HOUR
            yield Window(window.limit - self._others.calls, HOUR) if is_hour else window

    def _limits(self) -> str:
        limits = " and ".join(f"{w.limit} requests in {w.seconds:g} s" for w in self.quota.windows)
        return f"{limits} are used up"

    # -- what is left ----------------------------------------------------------------------

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
        """When each of our calls of the last hour leaves it; older ones are forgotten."""
        while self._calls and self._calls[0] + 2 * HOUR < now:
            self._calls.popleft()
        return [call + HOUR for call in self._calls if call + HOUR > now]

    def _usage(self, now: float) -> Usage:
        return Usage(self.quota.hourly, len(self._leaving(now)))

    # -- what became of requests -----------------------------------------------------------

    def settle(self, receipt: Receipt, answer: Answer) -> None:
        """Correct the book by an answer.

        What it says of limits, of others and of what is left is learnt. A refusal closes a gate:
        for what counts in the hour, if the hour is used up and the refused request counted; else
        for all. It opens when Mixpanel says, and not before our own pause is over, which grows
        with every refusal; untold, the hour opens when our oldest call leaves it.
        """
        with self._changed:
            now = self._clock.monotonic()
            if answer.status in FREE_STATUSES or answer.action is Action.WAIT:
                self._forget(receipt)
            self.quota = obeying(self.quota, answer.headers)
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
                self._abreast = min(self._abreast + more, self.quota.concurrent)
                self._refused_last = False
            self._changed.notify_all()

    def give_back(self, receipt: Receipt) -> None:
        """An attempt never reached Mixpanel, so that it has used nothing."""
        with self._changed:
            self._forget(receipt)
            self._changed.notify_all()

    def fault(self, receipt: Receipt) -> None:
        """A request ended in a passing fault without an answer: all wait a little."""
        with self._changed:
            self._fault(receipt, self._clock.monotonic())
            self._changed.notify_all()

    def is_given_up(self, since: float = float("-inf")) -> bool:
        """Whether nothing but passing faults has come for longer than anybody waits.

        Args:
            since: One of them has to be later than this.
        """
        with self._changed:
            return self._outage.exhausts(self._backoff, self._clock.monotonic(), since)

    def is_calm(self) -> bool:
        """Whether nothing that was asked for lately was refused or met a passing fault."""
        with self._changed:
            return (
                not self._outage.faults and self._everybody.pause(self._clock.monotonic())[0] <= 0
            )

    def _forget(self, receipt: Receipt) -> None:
        if receipt.counted and receipt.started in self._calls:
            self._calls.remove(receipt.started)
            self.used -= 1

    def _fault(self, receipt: Receipt, now: float) -> None:
        pause = self._outage.fault(receipt.started, now, self._backoff)
        self._fewer_at_once()
        self._everybody.close(now + pause, "Mixpanel does not answer for the moment")

    def _fewer_at_once(self) -> None:
        """Begin with one query again; of what is long under way, with no more than goes well."""
        self._abreast = 1 if self.quota.slow_start else max(1, self._running - 1)

    def _learn(self, hour: Remaining, now: float) -> None:
        """What is left of the hour tells what others have used of it."""
        ours = len(self._leaving(now))
        # Without a reset they may all be as young as this answer.
        lasts = HOUR if hour.reset_s is None else min(hour.reset_s, HOUR)
        self._others = _Others(max(0, (self.quota.hourly or 0) - hour.left - ours), now + lasts)
        if hour.left == 0 and hour.reset_s is not None:
            self._counted.close(now + lasts, "the hourly quota is used up")

    def _refuse(self, receipt: Receipt, answer: Answer, now: float) -> None:
        told = refusal(answer.headers, answer.text, self._clock.now())
        self._fewer_at_once()
        self._refused_last = True
        pause, why = self._growth.refused(receipt.started, now), "Mixpanel is shedding load"
        if told.asked_s is not None:
            outlasts = answer.action is Action.OUTLAST
            most = self._backoff.longest_s if outlasts else told.asked_s
            pause, why = max(pause, min(told.asked_s, most)), "Mixpanel asked to wait"
        elif told.hourly:
            pause = max(pause, min(self._leaving(now), default=now) - now)
            why = "the hourly quota is used up"
        gate = self._counted if told.hourly and receipt.counted else self._everybody
        gate.refuse(now, now + pause, why)
