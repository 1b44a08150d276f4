"""Waits for a quota: messages while they last, and the error for those that last too long.

Pure: instants and numbers in, sentences out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from source_mixpanel.api.quota import Quota
from source_mixpanel.api.request import requester
from source_mixpanel.errors import QuotaError

_PACING_S = 1.5
"""Shorter waits are not reported: they only keep three exports a second apart."""

_SAME_WAIT_S = 60.0
"""A wait that ends at most so much later than a reported one is not reported again."""

_SOON_S = 0.01
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Wait:
    """A wait that is reported.

    Attributes:
        stream: The stream whose request waits.
        quota: The quota's name.
        until: Seconds since the epoch.
        why: The reason, as messages say it.
    """

    stream: str
    quota: str
    until: float
    why: str


@dataclass(frozen=True)
class Ask:
    """How a request asks for admission.

    Attributes:
        hold_until: It has to wait until then in any case, by the monotonic clock.
        why: The reason for that, as messages say it.
        within_s: Seconds for which it may wait in all; negative allows no wait.
    """

    hold_until: float = float("-inf")
    why: str = ""
    within_s: float = float("inf")


@dataclass(frozen=True)
class Pause:
    """What keeps a request from starting.

    Attributes:
        seconds: For how long, as far as is known.
        why: The reason, as messages say it.
        for_slot: It waits for a running request to end, at an unknown time.
    """

    seconds: float
    why: str
    for_slot: bool = False

    def exceeds(self, within_s: float, waited_s: float) -> bool:
        """Whether it is longer than what is left of `within_s`; negative allows no wait."""
        return within_s < 0 or (not self.for_slot and waited_s + self.seconds > within_s)


@dataclass(frozen=True)
class Usage:
    """Requests of the last hour: `ours` of at most `limit`; None without an hourly limit."""

    limit: int | None
    ours: int

    def __str__(self) -> str:
        if self.limit is None:
            return ""
        others = max(0, self.limit - self.ours)
        return (
            f" Of the hour's {self.limit} requests this sync has made {self.ours}; the other "
            f"{others} are left, or were made by other clients of the project or by earlier syncs."
        )


class WaitReporter:
    """Reports waits for one quota: each once, and again every `heartbeat_s` while it lasts.

    Args:
        quota: The quota's name.
        announce: Gets each reported wait.
        heartbeat_s: Seconds between two reports of one wait.
    """

    def __init__(self, quota: str, announce: Callable[[Wait], None], heartbeat_s: float) -> None:
        self._quota = quota
        self._announce = announce
        self._heartbeat_s = heartbeat_s
        self._reported_at = self._until = float("-inf")

    def report(self, stream: str, pause: Pause, now: float, wall: float) -> float:
        """Report a wait, unless it has been reported.

        Args:
            stream: The stream whose request waits.
            pause: What it waits for.
            now: In seconds of the monotonic clock.
            wall: The same instant in seconds since the epoch.

        Returns:
            Seconds until it is over, or has to be reported again.
        """
        if pause.seconds < _PACING_S:
            return pause.seconds
        until = now + pause.seconds
        report_in_s = self._reported_at + self._heartbeat_s - now
        if report_in_s < _SOON_S or until > self._until + _SAME_WAIT_S:
            self._reported_at, self._until, report_in_s = now, until, self._heartbeat_s
            self._announce(Wait(stream, self._quota, wall + pause.seconds, pause.why))
        return min(pause.seconds, report_in_s)


def utc(epoch_s: float) -> str:
    """An instant as messages show it: `2026-01-31 12:00:00 UTC`."""
    return f"{_EPOCH + timedelta(seconds=epoch_s):%Y-%m-%d %H:%M:%S} UTC"


def wait_too_long(stream: str, quota: Quota, pause: Pause, wall: float, usage: Usage) -> QuotaError:
    """The error for a request that would have to wait for longer than it may."""
    until = wall + pause.seconds
    when = "nobody knows until when" if pause.for_slot else f"until {utc(until)}"
    return QuotaError(
        f"For {requester(stream)} the connector would have to wait too long for Mixpanel's "
        f"{quota.name} quota ({when}: {pause.why}).{usage} The next sync goes on from the last "
        f"state.",
        until=until,
    )
