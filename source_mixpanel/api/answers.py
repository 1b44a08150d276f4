"""What a ledger is told of requests: that one was let in, and what it was answered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from source_mixpanel.api.failures import Action

FREE_STATUSES = frozenset({401, 402, 429})
"""Answers that do not use up quota [Mixpanel's own client: request pacing]."""


@dataclass
class Receipt:
    """One admitted request; what became of it is told to the ledger.

    Attributes:
        started: When it was let in, by the monotonic clock.
        counted: Whether it uses up quota.
        waited_s: Seconds until it was let in, without those that it waited for a free place.
    """

    started: float
    counted: bool
    waited_s: float = 0.0


@dataclass(frozen=True)
class Answer:
    """An answer, as far as it matters to a quota.

    Attributes:
        status: HTTP status.
        headers: Its headers.
        action: What the failure table says, None for a good one.
        text: Its error text.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    action: Action | None = None
    text: str = ""

    @property
    def refuses(self) -> bool:
        """Whether it sends the request away for a while."""
        asked = self.action is Action.OUTLAST and bool(self.headers.get("Retry-After", "").strip())
        return asked or self.action is Action.WAIT
