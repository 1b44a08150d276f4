"""The failure table: what an answer means, and what to do about it.

Every row names its evidence: Mixpanel's documentation, recorded traffic, or HTTP itself. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

LATER_THAN_TODAY = "to_date cannot be later than today"
"""Text of the 400 when `to_date` lies after the project's own today."""


class Action(Enum):
    """What to do about an answer that is not a good one."""

    RENEW = "the credentials are not accepted"
    UPGRADE = "the plan does not include this"
    ASK_FOR_ACCESS = "the role or the plan's history does not reach this"
    WAIT = "too many requests"
    OUTLAST = "nobody is there for the moment"
    STRAIN = "the request may have been too much"
    RETRY = "a fault that nothing explains"
    REFUSE = "this request is not accepted"
    ELSEWHERE = "the answer points to another address"


@dataclass(frozen=True)
class Row:
    """One line of the table: it applies if the status fits and the text contains the marker."""

    statuses: range
    marker: str
    action: Action
    evidence: str


def _only(status: int) -> range:
    return range(status, status + 1)


RATE_LIMITED = "Query rate limit exceeded"
TIMED_OUT = "Timeout Error"

FAILURES: tuple[Row, ...] = (
    Row(_only(206), "", Action.STRAIN, "HTTP: a part of the answer"),
    Row(_only(429), "", Action.WAIT, "Rate limits"),
    Row(range(400, 600), RATE_LIMITED, Action.WAIT, "recorded traffic"),
    Row(_only(400), "Unable to authenticate request", Action.RENEW, "recorded traffic, export"),
    Row(range(400, 600), TIMED_OUT, Action.STRAIN, "recorded traffic, query timeouts"),
    Row(_only(401), "", Action.RENEW, "Authentication"),
    Row(_only(402), "", Action.UPGRADE, "recorded traffic, free plan"),
    Row(_only(403), "", Action.ASK_FOR_ACCESS, "Roles; history limits"),
    Row(_only(408), "", Action.STRAIN, "HTTP: a time-out"),
    Row(range(502, 504), "", Action.OUTLAST, "HTTP: nobody behind the gateway; maintenance"),
    Row(_only(504), "", Action.STRAIN, "HTTP: a time-out behind the gateway"),
    Row(range(520, 524), "", Action.OUTLAST, "Cloudflare: the server is not reached"),
    Row(_only(524), "", Action.STRAIN, "Cloudflare: a time-out"),
    Row(range(500, 600), "", Action.RETRY, "HTTP"),
    Row(range(300, 400), "", Action.ELSEWHERE, "HTTP"),
    Row(range(400, 600), "", Action.REFUSE, "HTTP"),
)


_GOOD = range(200, 300)


def row_for(status: int, text: str) -> Row | None:
    """The first row that applies to an answer; None for a good status, and one beyond HTTP's."""
    return next((row for row in FAILURES if status in row.statuses and row.marker in text), None)


def action_for(status: int, text: str) -> Action | None:
    """The action for an answer, None for a good status."""
    row = row_for(status, text)
    if row is not None:
        return row.action
    return None if status in _GOOD else Action.REFUSE


@dataclass(frozen=True)
class Backoff:
    """How often and how long to try again.

    Attributes:
        tries: Attempts in all, the first included; of what passes by itself, at the least.
        first_s: The mean pause after the first failure; it doubles each time.
        cap_s: The mean pause is never longer.
        budget_s: For how long to wait for what passes by itself.
        longest_s: The mean pause is never longer then, nor is what Mixpanel asks for.
    """

    tries: int = 5
    first_s: float = 1.0
    cap_s: float = 60.0
    budget_s: float = 900.0
    longest_s: float = 300.0

    def pause(self, failures: int, luck: float) -> float:
        """Seconds before the next attempt, of few.

        Args:
            failures: Failed attempts so far, from 1.
            luck: Uniform in [0, 1): spreads clients that failed together.
        """
        return min(self.first_s * 2.0 ** min(failures - 1, 30), self.cap_s) * (0.5 + luck)

    def patient_pause(self, faults: int, luck: float, asked_s: float | None = None) -> float:
        """Seconds before the next attempt at what passes by itself.

        Args:
            faults: Failed attempts so far, from 1.
            luck: Uniform in [0, 1): spreads clients that failed together.
            asked_s: `Retry-After` in seconds, which is not undercut unless it is longer than any.
        """
        mean = min(2 * self.first_s * 2.0 ** min(faults - 1, 30), self.longest_s)
        return max(mean * (0.75 + luck / 2), min(asked_s or 0.0, self.longest_s))


def error_text(body: object) -> str | None:
    """The error in a JSON answer whatever its envelope, None if it is a good one.

    Mixpanel answers some failures under status 200: `{"error": ...}`, or
    `{"status": "error", "error": <text or object>}` (feature flags, experiments).
    """
    if not isinstance(body, Mapping):
        return None
    failed = body.get("status") == "error" or (
        bool(body.get("error")) and not any(key in body for key in ("results", "annotations"))
    )
    if not failed:
        return None
    error = body.get("error")
    if isinstance(error, Mapping):
        error = error.get("message") or dict(error)
    return str(error or "an error without a text")
