"""How long one request is tried: what each failure costs of its patience, and when that is over.

Pure: failures, instants and luck in, pauses out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from source_mixpanel.api.failures import Backoff
from source_mixpanel.api.waits import Ask
from source_mixpanel.errors import SourceError

_HURRY_S = 6.0
_HURRIED_SILENCE_S = 30.0


@dataclass(frozen=True)
class Timeouts:
    """Seconds of silence on the wire until a connection counts as dead.

    A large export may take minutes to its first byte [clients in use wait 300 to 3600 s].

    Attributes:
        connect: Until a connection has come about.
        read: Between two pieces of an answer.
        least_bytes: What has to come in `read` seconds; less counts as silence.
    """

    connect: float = 20.0
    read: float = 600.0
    least_bytes: int = 1_000


@dataclass(frozen=True)
class Patience:
    """How long to wait for an answer and for a quota, and how often to ask again.

    Attributes:
        backoff: Attempts and the pauses between them.
        timeouts: When a connection counts as dead.
        longest_wait_s: Seconds that one request may wait for a quota.
        quick_s: Seconds within which an answer is there so soon that nothing is gained by asking
            for others meanwhile.
    """

    backoff: Backoff = field(default_factory=Backoff)
    timeouts: Timeouts = field(default_factory=Timeouts)
    longest_wait_s: float = float("inf")
    quick_s: float = 0.25

    def within(self, longest_wait_s: float) -> Patience:
        """The same, with a bound on waits for a quota."""
        return replace(self, longest_wait_s=min(self.longest_wait_s, longest_wait_s))

    def hurried(self) -> Patience:
        """For a person who waits: seconds, whatever Mixpanel asks for."""
        backoff, timeouts = self.backoff, self.timeouts
        return Patience(
            replace(backoff, tries=min(backoff.tries, 2), budget_s=min(backoff.budget_s, _HURRY_S)),
            replace(timeouts, read=min(timeouts.read, _HURRIED_SILENCE_S)),
            min(self.longest_wait_s, _HURRY_S),
            self.quick_s,
        )


class Fault(Enum):
    """Why an attempt failed, as far as it matters to the next one."""

    REFUSED = "the quota said no: waiting, not failing"
    PASSING = "it passes by itself, sooner or later"
    OTHER = "another attempt may do, or a request for less"


@dataclass(frozen=True)
class Failure:
    """An attempt failed in a way that a further one may not.

    Attributes:
        fault: Of which kind.
        error: What to raise if no attempt is left.
        cause: What was raised beneath it.
        asked_s: Seconds that Mixpanel asked to wait.
    """

    fault: Fault
    error: SourceError
    cause: BaseException | None = None
    asked_s: float | None = None


class Trial:
    """The attempts at one request so far.

    Args:
        patience: How long to try.
        tries: Attempts in all, if not as many as usual; not of what passes by itself.

    Attributes:
        passing: The last failure, if it was one that passes by itself.
        failed_at: When that was, by the monotonic clock.
    """

    def __init__(self, patience: Patience, tries: int | None = None) -> None:
        self._patience = patience
        self._backoff = patience.backoff
        self._tries = tries or patience.backoff.tries
        self._failures = 0
        self._faults = 0
        self._since = 0.0
        self._waited_s = 0.0
        self._hold = float("-inf")
        self._why = ""
        self.passing: Failure | None = None
        self.failed_at = float("-inf")

    def waited(self, seconds: float) -> None:
        """The quota, or a pause, has kept the request waiting."""
        self._waited_s += seconds

    def ask(self) -> Ask:
        """What the next attempt brings to the quota."""
        within = max(0.0, self._patience.longest_wait_s - self._waited_s)
        return Ask(self._hold, self._why, within)

    def after(
        self, failure: Failure, now: float, luck: float, *, given_up: bool = False
    ) -> float | None:
        """Seconds until the next attempt, None if patience is over.

        Args:
            failure: What came of the last one.
            now: By the monotonic clock.
            luck: Uniform in [0, 1).
            given_up: Whether all requests to this API have met passing faults for so long that
                nobody waits any longer.
        """
        passes = failure.fault is Fault.PASSING
        self.passing, self.failed_at = failure if passes else None, now
        if failure.fault is Fault.REFUSED:
            return 0.0
        if passes and given_up:
            return None
        pause = self._patient(failure, now, luck) if passes else self._soon(luck)
        if pause is None or self._waited_s + pause > self._patience.longest_wait_s:
            return None
        self._hold, self._why = now + pause, "the last attempt failed"
        return pause

    def _soon(self, luck: float) -> float | None:
        self._failures += 1
        return None if self._failures >= self._tries else self._backoff.pause(self._failures, luck)

    def _patient(self, failure: Failure, now: float, luck: float) -> float | None:
        if not self._faults:
            self._since = now
        self._faults += 1
        left = self._since + self._backoff.budget_s - now
        pause = self._backoff.patient_pause(self._faults, luck, failure.asked_s)
        if self._faults < self._backoff.tries:
            return pause
        # The last attempt is at the end of the budget.
        return min(pause, left) if left > 0 else None
