"""What Mixpanel allows, and what its answers say is left (API docs: Rate limits).

Pure: numbers and header texts in, numbers out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]*)?")
_HOURLY_FIGURES = re.compile(r"([0-9]+)/([0-9]+) queries running in the last hour")
_POLICY_ITEM = re.compile(r'"(?P<name>[^"]*)"(?P<fields>(?:\s*;\s*[a-z]+=[^;,\s]+)*)')


@dataclass(frozen=True)
class Window:
    """At most `limit` requests may start in any `seconds`."""

    limit: int
    seconds: float


@dataclass(frozen=True)
class Quota:
    """One budget, shared by all requests of one project to one API.

    Attributes:
        name: As a user reads it.
        windows: Every rolling window that has to hold.
        concurrent: Requests that may run at once.
        careful: Whether counted requests go one at a time unless an answer has told that more are
            left. Others spend from the same quota: several at once would be refused at once.
    """

    name: str
    windows: tuple[Window, ...]
    concurrent: int
    careful: bool = False

    @property
    def hourly(self) -> int | None:
        """Requests that may start in an hour; None where no such limit is known."""
        return next((window.limit for window in self.windows if window.seconds == HOUR), None)


HOUR = 3600.0
MINUTE = 60.0

QUERY_CONCURRENT = 5
"""Requests to the Query API at a time; Mixpanel takes no more."""


def query_quota(per_hour: int) -> Quota:
    """The Query API: 60 an hour and 5 at once unless raised."""
    return Quota("Query API", (Window(per_hour, HOUR),), QUERY_CONCURRENT, careful=True)


def export_quota(per_hour: int) -> Quota:
    """Raw export: 60 an hour, 3 a second, 100 at once unless raised."""
    return Quota("raw export", (Window(per_hour, HOUR), Window(3, 1.0)), concurrent=100)


def lexicon_quota() -> Quota:
    """Lexicon schemas: 5 a minute."""
    return Quota("Lexicon", (Window(5, MINUTE),), concurrent=5)


def app_quota() -> Quota:
    """The rest of the app API has no published number; stay polite."""
    return Quota("app API", (), concurrent=5)


def ready_in(now: float, calls: Sequence[float], windows: Iterable[Window]) -> float:
    """Seconds until one more call fits all windows.

    Args:
        now: On the same clock as `calls`.
        calls: When earlier calls started, ascending.
        windows: What has to hold.
    """
    wait = 0.0
    for window in windows:
        if window.limit <= 0:
            # Others have used all of it, and nobody knows when: the whole window at the most.
            wait = max(wait, window.seconds)
        elif len(calls) >= window.limit:
            oldest_that_counts = calls[-window.limit]
            # A hair more than the window: calls are counted where they arrive.
            wait = max(wait, oldest_that_counts + window.seconds * 1.001 + 0.05 - now)
    return max(0.0, wait)


def retry_after(headers: Mapping[str, str], now_epoch: float) -> float | None:
    """Seconds to wait by `Retry-After`, a number or an HTTP date; None without a usable one.

    A date is read against the answer's own `Date`, so that the two clocks need not agree.
    """
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    if _SECONDS.fullmatch(text):
        return float(text)
    until = http_date(text)
    if until is None:
        return None
    served = http_date(headers.get("Date", ""))
    return max(0.0, until - (now_epoch if served is None else served))


def http_date(text: str) -> float | None:
    """Epoch seconds of an HTTP date, which is always UTC; None if it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.timestamp()


@dataclass(frozen=True)
class Remaining:
    """One item of a `RateLimit` header: calls left, and seconds until that changes."""

    left: int
    reset_s: float | None


def remaining(headers: Mapping[str, str]) -> dict[str, Remaining]:
    """The items of `RateLimit` by policy name, e.g. `"project";r=0;t=3600`."""
    items: dict[str, Remaining] = {}
    for match in _POLICY_ITEM.finditer(headers.get("RateLimit", "")):
        parts = [part.strip() for part in match["fields"].split(";")]
        fields = dict(part.split("=", 1) for part in parts if part)
        if fields.get("r", "").isdecimal():
            reset = fields.get("t", "")
            items[match["name"]] = Remaining(
                left=int(fields["r"]), reset_s=float(reset) if reset.isdecimal() else None
            )
    return items


def hour_is_used_up(text: str) -> bool:
    """Whether the figures in a refusal's text say so, e.g. `61/60 queries ... in the last hour`."""
    figures = _HOURLY_FIGURES.search(text)
    return figures is not None and int(figures[1]) >= int(figures[2])
