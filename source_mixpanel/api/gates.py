"""When a quota lets requests through again after refusals and faults.

Pure: instants of one clock in, seconds out. Nobody here knows threads; the ledger holds the lock.
"""

from __future__ import annotations

from collections import deque

from source_mixpanel.api.failures import Backoff
from source_mixpanel.api.quota import Window, ready_in

RECOVERY_S = 60.0
"""Seconds after a refusal for which few requests start, whatever is answered."""

_FEW = (Window(4, 10.0), Window(11, RECOVERY_S))
"""What may start after a refusal; with the refused request itself, five and twelve."""

_FIRST_S = 5.0
_LONGEST_S = 120.0
_UNHURRIED = 3
_NEVER = float("-inf")


class Gate:
    """Lets nothing through until an instant, and little for a minute after a refusal.

    Attributes:
        until: When it opens.
        why: The reason, in words.
    """

    def __init__(self) -> None:
        self.until = _NEVER
        self.why = ""
        self._refused = _NEVER
        self._starts: deque[float] = deque(maxlen=max(window.limit for window in _FEW))

    def close(self, until: float, why: str) -> None:
        """Let nothing through until then; a shorter time does not shorten a longer one."""
        if until > self.until:
            self.until, self.why = until, why

    def refuse(self, now: float, until: float, why: str) -> None:
        """Close after a refusal, which comes to be known now."""
        if now - self._refused >= RECOVERY_S:
            self._starts.clear()
        self._refused = now
        self.close(until, why)

    def started(self, now: float) -> None:
        """A request has been let through."""
        self._starts.append(now)

    def pause(self, now: float) -> tuple[float, str]:
        """Seconds until the next request may start, 0 for now, and why."""
        closed = self.until - now
        recovering = now - self._refused < RECOVERY_S
        few = ready_in(now, self._starts, _FEW) if recovering else 0.0
        if few > closed:
            return few, "Mixpanel has refused requests a moment ago"
        return max(0.0, closed), self.why


class Growth:
    """A pause that doubles with every refusal, until a minute has gone by without one."""

    def __init__(self) -> None:
        self._refusals = 0
        self._last = _NEVER

    def refused(self, started: float, now: float) -> float:
        """Seconds to wait after a refusal of a request that began at `started`.

        Requests that were under way together count as one refusal.
        """
        if started > self._last:
            self._refusals += 1
        self._last = now
        return min(_FIRST_S * 2.0 ** (min(self._refusals, 20) - 1), _LONGEST_S)

    def answered(self, now: float) -> None:
        """A good answer came."""
        if now - self._last >= RECOVERY_S:
            self._refusals = 0


class Outage:
    """For how long an API has given nothing but passing faults.

    Attributes:
        faults: In a row; those of requests that were under way together count as one.
    """

    def __init__(self) -> None:
        self.faults = 0
        self._began = 0.0
        self._last = _NEVER

    def fault(self, started: float, now: float, backoff: Backoff) -> float:
        """Seconds for which all are to wait after a request that began at `started` met one."""
        if now - self._last > 2 * backoff.longest_s:
            # Nobody has asked for so long that the two faults need not be one outage.
            self.faults = 0
        if not self.faults:
            self._began = now
        if started > self._last or not self.faults:
            self.faults += 1
        self._last = now
        left = self._began + backoff.budget_s - now
        if self.exhausts(backoff, now):
            # Whoever asks next is told so after one attempt.
            return backoff.patient_pause(_UNHURRIED, 0.5)
        pause = backoff.patient_pause(self.faults, 0.5)
        return min(pause, left) if left > 0 else pause

    def answered(self) -> None:
        """An answer came, be it a refusal."""
        self.faults = 0

    def exhausts(self, backoff: Backoff, now: float, since: float = _NEVER) -> bool:
        """Whether it has lasted longer than anybody waits, with a fault after `since`."""
        lasted = self.faults >= backoff.tries and now - self._began >= backoff.budget_s
        return lasted and self._last > since
