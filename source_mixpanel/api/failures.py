"""The failure table: what an answer means, and what to do about it.

Every rule names its evidence: Mixpanel's documentation, recorded traffic, or HTTP itself. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

LATER_THAN_TODAY = "to_date cannot be later than today"
"""Text of the 400 when `to_date` lies after the project's own today."""


class Action(Enum):
    """What to do about a bad answer."""

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
class FailureRule:
    """A line of the table: it applies if status is in `statuses` and the text has the marker."""

    statuses: range
    marker: str
    action: Action
    evidence: str


def _only(status: int) -> range:
    return range(status, status + 1)


RATE_LIMITED = "Query rate limit exceeded"
TIMED_OUT = "Timeout Error"

FAILURES: tuple[FailureRule, ...] = (
    FailureRule(_only(206), "", Action.STRAIN, "HTTP: a part of the answer"),
    FailureRule(_only(429), "", Action.WAIT, "Rate limits"),
    FailureRule(range(400, 600), RATE_LIMITED, Action.WAIT, "recorded traffic"),
    FailureRule(
        _only(400), "Unable to authenticate request", Action.RENEW, "recorded traffic, export"
    ),
    FailureRule(range(400, 600), TIMED_OUT, Action.STRAIN, "recorded traffic, query timeouts"),
    FailureRule(_only(401), "", Action.RENEW, "Authentication"),
    FailureRule(_only(402), "", Action.UPGRADE, "recorded traffic, free plan"),
    FailureRule(_only(403), "", Action.ASK_FOR_ACCESS, "Roles; history limits"),
    FailureRule(_only(408), "", Action.STRAIN, "HTTP: a time-out"),
    FailureRule(
        range(502, 504), "", Action.OUTLAST, "HTTP: nobody behind the gateway; maintenance"
    ),
    FailureRule(_only(504), "", Action.STRAIN, "HTTP: a time-out behind the gateway"),
    FailureRule(range(520, 524), "", Action.OUTLAST, "Cloudflare: the server is not reached"),
    FailureRule(_only(524), "", Action.STRAIN, "Cloudflare: a time-out"),
    FailureRule(range(500, 600), "", Action.RETRY, "HTTP"),
    FailureRule(range(300, 400), "", Action.ELSEWHERE, "HTTP"),
    FailureRule(range(400, 600), "", Action.REFUSE, "HTTP"),
)


_GOOD = range(200, 300)


def rule_for(status: int, text: str) -> FailureRule | None:
    """The first rule that applies to an answer; None for a good or an unknown status."""
    return next(
        (rule for rule in FAILURES if status in rule.statuses and rule.marker in text), None
    )


def action_for(status: int, text: str) -> Action | None:
    """The action for an answer; None for a good status."""
    rule = rule_for(status, text)
    if rule is not None:
        return rule.action
    return None if status in _GOOD else Action.REFUSE


@dataclass(frozen=True)
class Backoff:
    """How often and how long to retry. Transient failures are those that pass by themselves.

    Attributes:
        tries: Attempts at most, the first included; of transient failures, at least.
        first_s: Mean seconds of the pause after the first failure; it doubles each time.
        cap_s: The longest mean pause.
        budget_s: Seconds for which transient failures are retried.
        longest_s: The longest mean pause after them, and the longest `Retry-After` obeyed.
    """

    tries: int = 5
    first_s: float = 1.0
    cap_s: float = 60.0
    budget_s: float = 900.0
    longest_s: float = 300.0

    def pause(self, failures: int, luck: float) -> float:
        """Seconds before the next attempt after a failure that is not transient.

        Args:
            failures: Failed attempts so far, from 1.
            luck: Uniform in [0, 1): spreads clients that failed together.
        """
        return min(self.first_s * 2.0 ** min(failures - 1, 30), self.cap_s) * (0.5 + luck)

    def patient_pause(self, faults: int, luck: float, asked_s: float | None = None) -> float:
        """Seconds before the next attempt after a transient failure.

        Args:
            faults: Failed attempts so far, from 1.
            luck: Uniform in [0, 1): spreads clients that failed together.
            asked_s: `Retry-After` in seconds; the pause is as long, up to `longest_s`.
        """
        mean = min(2 * self.first_s * 2.0 ** min(faults - 1, 30), self.longest_s)
        return max(mean * (0.75 + luck / 2), min(asked_s or 0.0, self.longest_s))


def error_text(body: object) -> str | None:
    """The error text in a JSON answer, in any known envelope; None if it reports no error.

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
