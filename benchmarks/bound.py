"""The least time that a reading of raw events can take. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import itemgetter

HOUR = 3600.0
AN_HOUR = 60
"""Requests that Mixpanel takes in an hour."""
_A_SECOND = 3
_CONNECTIONS = 100


def hourly_s(requests: int, hourly: int = AN_HOUR) -> float:
    """Seconds from the first of so many requests to the last, if an hour allows only so many."""
    return max(0, requests - 1) // hourly * HOUR


def quota_s(exports: int, hourly: int = AN_HOUR) -> float:
    """The same of raw exports, of which a second has its limit, too."""
    return max(hourly_s(exports, hourly), float(max(0, exports - 1) // _A_SECOND))


@dataclass(frozen=True)
class Bound:
    """Seconds that each thing takes by itself, were all else free.

    Attributes:
        slowest: The request that takes longest.
        transfer: All bytes, over as many connections as Mixpanel allows.
        cpu: The process tree's work, were it done on one core.
        quota: The requests, as Mixpanel's limits space them.
    """

    slowest: float
    transfer: float
    cpu: float
    quota: float

    @classmethod
    def of(
        cls, requests: int, sizes: Sequence[int], latency: float, bandwidth: float, cpu: float
    ) -> Bound:
        """The bound of so many requests, of which those that were not broken off have sizes."""
        slowest = latency + max(sizes, default=0) / bandwidth
        transfer = sum(sizes) / (bandwidth * _CONNECTIONS)
        return cls(slowest, transfer, cpu, quota_s(requests))

    @property
    def reason(self) -> str:
        """The one that takes longest."""
        return max(asdict(self).items(), key=itemgetter(1))[0]

    @property
    def seconds(self) -> float:
        """All of them at once."""
        return max(self.slowest, self.transfer, self.cpu, self.quota)

    def __str__(self) -> str:
        return ", ".join(f"{name} {seconds:.1f}" for name, seconds in asdict(self).items())
