"""When a quota lets requests through again after refusals and faults.

Pure: instants of one clock in, seconds out. Not thread safe: the ledger holds the lock.
"""

from __future__ import annotations

from collections import deque

from source_mixpanel.api.failures import Backoff
from source_mixpanel.api.quota import RateWindow, ready_in

RECOVERY_S = 60.0
"""Seconds after a refusal in which only few requests may start."""

_RECOVERY_WINDOWS = (RateWindow(4, 10.0), RateWindow(11, RECOVERY_S))
"""Limits after a refusal; with the refused request itself, five and twelve requests."""

_FIRST_S = 5.0
_LONGEST_S = 120.0
_FAULTS_OF_LAST_PAUSE = 3
_NEVER = float("-inf")


class Gate:
    """Closed until an instant, and open for few requests in the minute after a refusal.

    Attributes:
        until: When it opens, in seconds of the monotonic clock.
        why: The reason, as messages say it.
    """

    def __init__(self) -> None:
        self.until = _NEVER
        self.why = ""
        self._last_refusal = _NEVER
        self._starts: deque[float] = deque(maxlen=max(window.limit for window in _RECOVERY_WINDOWS))

    def close(self, until: float, why: str) -> None:
        """Close until an instant; if it is closed for longer already, nothing changes."""
        if until > self.until:
            self.until, self.why = until, why

    def refuse(self, now: float, until: float, why: str) -> None:
        """Close after a refusal, which was answered `now`."""
        if now - self._last_refusal >= RECOVERY_S:
            self._starts.clear()
        self._last_refusal = now
        self.close(until, why)

    def started(self, now: float) -> None:
        """Count a request that starts."""
        self._starts.append(now)

    def pause(self, now: float) -> tuple[float, str]:
        """Seconds until the next request may start, 0 for now; and the reason."""
        closed = self.until - now
        recovering = now - self._last_refusal < RECOVERY_S
        recovery_pause = ready_in(now, self._starts, _RECOVERY_WINDOWS) if recovering else 0.0
        if recovery_pause > closed:
            return recovery_pause, "Mixpanel has refused requests a moment ago"
        return max(0.0, closed), self.why


class Growth:
    """The pause after refusals: it doubles with each; after a minute without one it starts over."""

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
        """Count a good answer."""
        if now - self._last >= RECOVERY_S:
            self._refusals = 0


class Outage:
    """For how long an API has answered with transient failures only.

    Attributes:
        faults: Such failures in a row; those of requests that ran together count as one.
    """

    def __init__(self) -> None:
        self.faults = 0
        self._began = 0.0
        self._last = _NEVER

    def fault(self, started: float, now: float, backoff: Backoff) -> float:
        """Count a transient failure of a request that began at `started`.

        Returns:
            Seconds for which all requests have to wait.
        """
        if now - self._last > 2 * backoff.longest_s:
            # No request was made for so long that the two failures may be two outages.
            self.faults = 0
        if not self.faults:
            self._began = now
        if started > self._last or not self.faults:
            self.faults += 1
        self._last = now
        budget_left_s = self._began + backoff.budget_s - now
        if self.exhausts(backoff, now):
            # The next request fails after one attempt.
            return backoff.patient_pause(_FAULTS_OF_LAST_PAUSE, 0.5)
        pause = backoff.patient_pause(self.faults, 0.5)
        return min(pause, budget_left_s) if budget_left_s > 0 else pause

    def answered(self) -> None:
        """Count an answer of any other kind, be it a refusal."""
        self.faults = 0

    def exhausts(self, backoff: Backoff, now: float, since: float = _NEVER) -> bool:
        """Whether it has lasted longer than `budget_s`, with a failure after `since`."""
        is_over_budget = self.faults >= backoff.tries and now - self._began >= backoff.budget_s
        return is_over_budget and self._last > since
