"""Mixpanel's rate limits, and what its answers say about them (API docs: Rate limits).

Pure: numbers and header texts in, numbers out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timezone
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]*)?")
_WHOLE = re.compile(r"[0-9]{1,9}")
_HOURLY_FIGURES = re.compile(r"([0-9]{1,9})/([0-9]{1,9}) queries running in the last hour")
_POLICY_ITEM = re.compile(r'"(?P<name>[^"]*)"(?P<fields>(?:\s*;\s*[a-z]+=[^;,\s]+)*)')
_FIELD = re.compile(r"([a-z]+)=([^;,\s]+)")


@dataclass(frozen=True)
class RateWindow:
    """At most `limit` requests may start in any `seconds`."""

    limit: int
    seconds: float


@dataclass(frozen=True)
class Quota:
    """The limits of all requests of one project to one API.

    Attributes:
        name: For messages.
        windows: Every rolling window that has to hold.
        concurrent: Requests that may run at the same time.
        slow_start: Whether requests start one at a time, with one more at the same time after
            every good answer. Other clients use the same quota, and may leave little of it.
        fixed: Whether the limits come from the settings, so that no answer changes them.
    """

    name: str
    windows: tuple[RateWindow, ...]
    concurrent: int
    slow_start: bool = False
    fixed: bool = False

    @property
    def hourly(self) -> int | None:
        """Requests that may start in an hour; None where no such limit is known."""
        return next((window.limit for window in self.windows if window.seconds == HOUR), None)


HOUR = 3600.0
MINUTE = 60.0

LONGEST_RETRY_AFTER_S = 2 * HOUR
"""The longest `Retry-After` believed: no quota of Mixpanel lasts longer than an hour."""

QUERY_CONCURRENT = 5
"""Requests to the Query API at the same time; Mixpanel accepts no more."""


def query_quota(per_hour: int = 60, *, fixed: bool = False) -> Quota:
    """The Query API: 60 an hour and 5 at once unless raised."""
    windows = (RateWindow(per_hour, HOUR),)
    return Quota("Query API", windows, QUERY_CONCURRENT, slow_start=True, fixed=fixed)


def export_quota(per_hour: int = 60, *, fixed: bool = False) -> Quota:
    """Raw export: 60 an hour, 3 a second, 100 at once unless raised."""
    windows = (RateWindow(per_hour, HOUR), RateWindow(3, 1.0))
    return Quota("raw export", windows, concurrent=100, fixed=fixed)


def lexicon_quota() -> Quota:
    """Lexicon schemas: 5 a minute."""
    return Quota("Lexicon", (RateWindow(5, MINUTE),), concurrent=5)


def app_quota() -> Quota:
    """The rest of the app API: no published limit, 5 at once."""
    return Quota("app API", (), concurrent=5)


def ready_in(now: float, calls: Sequence[float], windows: Iterable[RateWindow]) -> float:
    """Seconds until one more call fits all windows.

    Args:
        now: On the same clock as `calls`.
        calls: When earlier calls started, ascending.
        windows: What has to hold.
    """
    wait = 0.0
    for window in windows:
        if window.limit <= 0:
            # Other clients have used all of it at an unknown time: wait a whole window at most.
            wait = max(wait, window.seconds)
        elif len(calls) >= window.limit:
            oldest_that_counts = calls[-window.limit]
            # A little more than the window: Mixpanel counts calls when they arrive.
            wait = max(wait, oldest_that_counts + window.seconds * 1.001 + 0.05 - now)
    return max(0.0, wait)


def retry_after(headers: Mapping[str, str], now_epoch: float) -> float | None:
    """Seconds to wait by `Retry-After`, a number or an HTTP date; None without a valid one.

    A date is compared with the answer's own `Date`, so that a wrong local clock does no harm.
    """
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    until = http_date(text)
    if until is None:
        return None
    served = http_date(headers.get("Date", ""))
    return max(0.0, until - (now_epoch if served is None else served))


def http_date(text: str) -> float | None:
    """Epoch seconds of an HTTP date, which is always UTC; None if it is not valid."""
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return moment.timestamp()
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True)
class Remaining:
    """One item of a `RateLimit` header: calls left, and seconds until there are more."""

    left: int
    reset_s: float | None


def remaining(headers: Mapping[str, str]) -> dict[str, Remaining]:
    """The items of `RateLimit` by policy name, e.g. `"project";r=0;t=3600`."""
    items: dict[str, Remaining] = {}
    for name, fields in _items(headers.get("RateLimit", "")):
        left, reset = _whole(fields.get("r")), _whole(fields.get("t"))
        if left is not None:
            items[name] = Remaining(left, None if reset is None else float(reset))
    return items


def hourly(items: Mapping[str, Remaining]) -> Remaining | None:
    """The item of the hourly quota; the others count what runs at once."""
    return next((item for name, item in items.items() if not name.endswith("concurrency")), None)


def with_limits_of(quota: Quota, headers: Mapping[str, str]) -> Quota:
    """The quota with the limits of a `RateLimit-Policy` header, e.g. `"project";q=240;w=3600`.

    A policy sets the window of its own length. Limits from the settings stay.
    """
    if quota.fixed:
        return quota
    limits = {
        float(seconds): limit
        for _, fields in _items(headers.get("RateLimit-Policy", ""))
        if (seconds := _whole(fields.get("w"))) and (limit := _whole(fields.get("q")))
    }
    windows = tuple(RateWindow(limits.get(w.seconds, w.limit), w.seconds) for w in quota.windows)
    return replace(quota, windows=windows)


def _items(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The items of a structured header by name, with their fields as text."""
    for match in _POLICY_ITEM.finditer(header):
        yield match["name"], dict(_FIELD.findall(match["fields"]))


def _whole(text: str | None) -> int | None:
    """A whole number of at most nine digits; None for anything else."""
    return int(text) if text is not None and _WHOLE.fullmatch(text) else None


@dataclass(frozen=True)
class Refusal:
    """A refusal for too many requests.

    Attributes:
        hourly: Whether the hour is used up; requests that do not count are not affected.
        asked_s: Seconds that Mixpanel asks to wait; None if it does not say.
    """

    hourly: bool
    asked_s: float | None


def refusal(headers: Mapping[str, str], text: str, now_epoch: float) -> Refusal:
    """Parse a refusal out of headers and text; without `Retry-After`, `RateLimit` counts."""
    items = remaining(headers)
    hour = hourly(items)
    asked = retry_after(headers, now_epoch)
    if asked is None:
        resets = [i.reset_s for i in items.values() if i.left == 0 and i.reset_s is not None]
        asked = max(resets, default=None)
    used_up = hour_is_used_up(text) or (hour is not None and hour.left == 0)
    return Refusal(used_up, None if asked is None else min(asked, LONGEST_RETRY_AFTER_S))


def hour_is_used_up(text: str) -> bool:
    """Whether the numbers in a refusal's text say so, e.g. `61/60 queries ... in the last hour`."""
    figures = _HOURLY_FIGURES.search(text)
    return figures is not None and int(figures[1]) >= int(figures[2])
