"""Ledgers on a clock that the test moves."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from source_mixpanel.api.answers import Answer
from source_mixpanel.api.failures import Backoff, action_for
from source_mixpanel.api.ledger import Ledger
from source_mixpanel.api.quota import Quota
from source_mixpanel.api.waits import Wait

PATIENCE_S = 20.0
WALL = 1_772_366_400.0


class HastyClock:
    """Every wait is over at once, and time has gone by as asked."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return WALL + self.time

    def monotonic(self) -> float:
        return self.time

    def wait(self, seconds: float, on: threading.Condition | None = None) -> None:  # noqa: ARG002
        self.time += seconds


class DrivenClock(HastyClock):
    """Time stands still until the test moves it; waiting threads wake then."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: set[threading.Condition] = set()
        self.waits = 0

    def wait(self, seconds: float, on: threading.Condition | None = None) -> None:
        assert on is not None
        until = self.time + seconds
        self._waiting.add(on)
        self.waits += 1
        if self.time < until:
            on.wait(PATIENCE_S)

    def advance(self, seconds: float) -> None:
        self.time += seconds
        for condition in list(self._waiting):
            with condition:
                condition.notify_all()


def ledger_of(
    quota: Quota, clock: HastyClock, backoff: Backoff | None = None
) -> tuple[Ledger, list[Wait]]:
    """A ledger, and the waits that it tells of."""
    told: list[Wait] = []
    return Ledger(quota, clock, told.append, backoff), told


def answered(status: int, headers: Mapping[str, str] | None = None, text: str = "") -> Answer:
    """An answer, judged by the failure table."""
    return Answer(status, headers or {}, action_for(status, text), text)


def call(
    ledger: Ledger,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    text: str = "",
    *,
    counted: bool = True,
) -> float:
    """When a request for `export` starts that is answered at once."""
    with ledger.slot("export", counted=counted) as receipt:
        ledger.settle(receipt, answered(status, headers, text))
        return receipt.started
