"""What a ledger records of a request: its admission and its answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from source_mixpanel.api.failures import Action

FREE_STATUSES = frozenset({401, 402, 429})
"""Answers that do not use up quota [Mixpanel's own client: request pacing]."""


@dataclass
class Receipt:
    """An admitted request; the ledger is given it again with the outcome.

    Attributes:
        started: When it was admitted, in seconds of the monotonic clock.
        counted: Whether it uses up quota.
        waited_s: Seconds until it was admitted, without those spent waiting for a free slot.
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
        action: What the failure table says; None for a good answer.
        text: Its error text.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    action: Action | None = None
    text: str = ""

    @property
    def refuses(self) -> bool:
        """Whether the request may be sent again only after a while."""
        has_retry_after = self.action is Action.OUTLAST and bool(
            self.headers.get("Retry-After", "").strip()
        )
        return has_retry_after or self.action is Action.WAIT
