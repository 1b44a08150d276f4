"""Waits for a quota in words: what is told while they last, and what ends those that last too long.

Pure: instants and numbers in, sentences out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from source_mixpanel.api.quota import Quota
from source_mixpanel.api.request import whom
from source_mixpanel.errors import QuotaError

_PACING_S = 1.5
"""Keeping three exports a second apart is no wait that anybody has to hear of."""

_NEWS_S = 60.0
"""A wait that ends no later than this after one that was told needs no words of its own."""

_SOON_S = 0.01
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


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


@dataclass(frozen=True)
class Ask:
    """What a request brings to a quota.

    Attributes:
        hold_until: It waits by itself until then, by the monotonic clock.
        why: The reason for that, in words.
        within_s: Seconds that it may wait for room.
    """

    hold_until: float = float("-inf")
    why: str = ""
    within_s: float = float("inf")


@dataclass(frozen=True)
class Pause:
    """What keeps a request from starting.

    Attributes:
        seconds: For how long, as far as is known.
        why: The reason, in words.
        for_a_place: It waits for one that runs to end; nobody knows when, but it will.
    """

    seconds: float
    why: str
    for_a_place: bool = False

    def exceeds(self, within_s: float, waited_s: float) -> bool:
        """Whether it goes beyond what may be waited in all; less than nothing allows no wait."""
        return within_s < 0 or (not self.for_a_place and waited_s + self.seconds > within_s)


@dataclass(frozen=True)
class Usage:
    """Who has used the last hour: `ours` of at most `limit` requests, None where no hour counts."""

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


class Bulletin:
    """Tells of waits for one quota: each once, and once a heartbeat while they last.

    Args:
        quota: The quota's name.
        announce: Takes what is told.
        heartbeat_s: Seconds between two tellings.
    """

    def __init__(self, quota: str, announce: Callable[[Wait], None], heartbeat_s: float) -> None:
        self._quota = quota
        self._announce = announce
        self._heartbeat_s = heartbeat_s
        self._told = self._until = float("-inf")

    def tell(self, stream: str, pause: Pause, now: float, wall: float) -> float:
        """Announce a wait, if it is one that has not been told of.

        Args:
            stream: Whose request waits.
            pause: What for.
            now: By the monotonic clock.
            wall: The same in seconds since the epoch.

        Returns:
            Seconds until it is over, or has to be told again.
        """
        if pause.seconds < _PACING_S:
            return pause.seconds
        until = now + pause.seconds
        left = self._told + self._heartbeat_s - now
        if left < _SOON_S or until > self._until + _NEWS_S:
            self._told, self._until, left = now, until, self._heartbeat_s
            self._announce(Wait(stream, self._quota, wall + pause.seconds, pause.why))
        return min(pause.seconds, left)


def utc(epoch_s: float) -> str:
    """An instant as messages show it."""
    return f"{_EPOCH + timedelta(seconds=epoch_s):%Y-%m-%d %H:%M:%S} UTC"


def too_long(stream: str, quota: Quota, pause: Pause, wall: float, usage: Usage) -> QuotaError:
    """What ends a request that would have to wait for longer than it may."""
    until = wall + pause.seconds
    when = "nobody knows until when" if pause.for_a_place else f"until {utc(until)}"
    return QuotaError(
        f"For {whom(stream)} the connector would have to wait too long for Mixpanel's "
        f"{quota.name} quota ({when}: {pause.why}).{usage} The next sync goes on from the last "
        f"state.",
        until=until,
    )
