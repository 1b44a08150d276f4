"""Rate limits, rolling and concurrent, on the world's clock (Mixpanel docs: rate limits)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mixpanel_emulator.http import ApiError, Call
from mixpanel_emulator.options import CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Callable

    from mixpanel_emulator.settings import Settings

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
SECOND_MS = 1_000
CONCURRENCY_WAIT = 10
_SHED = f"Query rate limit exceeded for project_id: {CREDENTIALS.project_id}. Please retry later."
_HELP = "https://docs.mixpanel.com/docs/api-rate-limits"

_SEGMENTS = (
    "arb_funnels cohorts correlate custom-query data_definitions engage events experiments"
    " flows formulas funnels impact insights metrics query integrations jql retention"
    " segmentation stream trends"
)
COUNTED = frozenset(_SEGMENTS.split())


def counts_as_query(path: str, call: Call) -> bool:
    """Whether a Query API request uses the quota (observed: the official client).

    Args:
        path: The path below /api/query or /api/2.0.
        call: The request; a profile page with a session id is free.
    """
    segments = path.strip("/").split("/")
    if segments[:2] == ["engage", "aliases"]:
        return False
    if segments == ["engage"] and call.text("session_id"):
        return False
    return segments[0] in COUNTED


@dataclass
class Bucket:
    """Starts in a rolling window plus requests in flight."""

    starts: deque[int] = field(default_factory=deque)
    running: int = 0

    def used(self, now: int, window: int) -> int:
        """How many starts lie in the last `window` milliseconds."""
        while self.starts and self.starts[0] <= now - HOUR_MS:
            self.starts.popleft()
        return sum(1 for start in self.starts if start > now - window)

    def wait(self, now: int, window: int, limit: int) -> int:
        """The whole seconds until the window has room again."""
        inside = [start for start in self.starts if start > now - window]
        frees = inside[max(len(inside) - limit, 0)] if inside else now
        return max(1, -(-(frees + window - now) // 1000))

    def begin(self, now: int) -> Callable[[], None]:
        """Count a start; the returned function ends the request."""
        self.starts.append(now)
        return self.enter()

    def enter(self) -> Callable[[], None]:
        """Count a request in flight only."""
        self.running += 1
        ended: list[bool] = []

        def end() -> None:
            if not ended:
                ended.append(True)
                self.running -= 1

        return end


class Quotas:
    """The project's buckets. Refused requests are not counted (observed: the official client)."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now = now_ms
        self.query = Bucket()
        self.export = Bucket()
        self.lexicon = Bucket()

    def reset(self) -> None:
        """Forget all starts; requests in flight end by themselves."""
        for bucket in (self.query, self.export, self.lexicon):
            bucket.starts.clear()

    def admit_query(self, call: Call, settings: Settings, *, counted: bool) -> Callable[[], None]:
        """Let a Query API request in, or raise a 429 as recorded (observed: the official client).

        A request that is not counted still takes a place among the concurrent ones (a guess).
        """
        if not settings.quota:
            return self.query.enter()
        if counted and settings.load_shed:
            raise _query_error(call, _SHED, {})
        now = self._now()
        used = self.query.used(now, HOUR_MS)
        if self.query.running >= settings.query_concurrency:
            raise _concurrency_error(call, settings, used)
        if counted and used >= settings.query_per_hour:
            wait = self.query.wait(now, HOUR_MS, settings.query_per_hour)
            raise _window_error(call, settings, (used, wait, self.query.running))
        return self.query.begin(now) if counted else self.query.enter()

    def quota_headers(self, settings: Settings) -> dict[str, str]:
        """The headers that tell how much of the query quota is left."""
        used = self.query.used(self._now(), HOUR_MS)
        left = max(settings.query_per_hour - used, 0)
        free = max(settings.query_concurrency - self.query.running, 0)
        return {
            "RateLimit-Policy": _policy(settings),
            "RateLimit": f'"project";r={left};t=3600, "project-concurrency";r={free}',
        }

    def admit_export(self, settings: Settings) -> Callable[[], None]:
        """Let an export in, or raise its 429; the only recorded body is the concurrency one."""
        if not settings.quota:
            return self.export.enter()
        now = self._now()
        if self.export.running >= settings.export_concurrency:
            text = "too many export requests in progress for this project"
            raise ApiError(429, text, body={"error": text})
        limits = ((SECOND_MS, settings.export_per_second), (HOUR_MS, settings.export_per_hour))
        for window, limit in limits:
            if self.export.used(now, window) >= limit:
                text = f"export rate limit exceeded: {limit} requests per {window // 1000} s"
                raise ApiError(429, text, body={"error": text})
        return self.export.begin(now)

    def admit_lexicon(self, settings: Settings) -> Callable[[], None]:
        """Let a schemas request in: 5 a minute (Mixpanel docs: rate limits)."""
        now = self._now()
        if settings.quota and self.lexicon.used(now, MINUTE_MS) >= settings.lexicon_per_minute:
            raise ApiError(429, "Rate limit exceeded: 5 requests per minute")
        return self.lexicon.begin(now)


def _query_error(call: Call, text: str, headers: dict[str, str]) -> ApiError:
    return ApiError(429, text, headers, {"request": call.target, "error": text})


def _policy(settings: Settings) -> str:
    return (
        f'"project";q={settings.query_per_hour};w=3600, '
        f'"project-concurrency";q={settings.query_concurrency};qu="concurrent-requests"'
    )


def _sentence(reason: str) -> str:
    return (
        f"Query rate limit exceeded for project_id: {CREDENTIALS.project_id}. This request "
        f"exceeded the {reason}. For more information, please consult our documentation at {_HELP}"
    )


def _window_error(call: Call, settings: Settings, figures: tuple[int, int, int]) -> ApiError:
    used, wait, running = figures
    free = max(settings.query_concurrency - running, 0)
    reason = f"rate limit ({used + 1}/{settings.query_per_hour} queries running in the last hour)"
    headers = {
        "RateLimit-Policy": _policy(settings),
        "RateLimit": f'"project";r=0;t={wait}, "project-concurrency";r={free}',
        "Retry-After": str(wait),
    }
    return _query_error(call, _sentence(reason), headers)


def _concurrency_error(call: Call, settings: Settings, used: int) -> ApiError:
    limit = settings.query_concurrency
    reason = f"concurrency limit ({limit + 1}/{limit} queries running concurrently)"
    left = max(settings.query_per_hour - used, 0)
    headers = {
        "RateLimit-Policy": _policy(settings),
        "RateLimit": f'"project";r={left}, "project-concurrency";r=0;t={CONCURRENCY_WAIT}',
        "Retry-After": str(CONCURRENCY_WAIT),
    }
    return _query_error(call, _sentence(reason), headers)
