"""The request for raw events (raw export API). Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.sync.coverage import Only, Span
from source_mixpanel.sync.days import ONE_DAY
from source_mixpanel.sync.window import Window, epoch_s

PATH = "/api/2.0/export"
_PROCESSED = 'properties["mp_processing_time_ms"]'
_SAMPLE_EVENTS = 2_000
_TIME = 'properties["$time"]'


@dataclass(frozen=True)
class ExportFilter:
    """Which events the user wants, by name and by a Mixpanel expression; None for all."""

    events: tuple[str, ...] | None = None
    where: str | None = None

    @property
    def mark(self) -> str:
        """Tells one filter from another in a state, without giving its text away."""
        if self.events is None and not self.where:
            return "none"
        text = json.dumps([self.events and sorted(self.events), self.where or None])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def export_request(window: Window, wanted: ExportFilter, *, limit: int | None = None) -> ApiRequest:
    """The request for one window's events, with times in milliseconds."""
    params = {
        "from_date": window.span.first.isoformat(),
        "to_date": window.span.last.isoformat(),
        "time_in_ms": "true",
    }
    if wanted.events is not None:
        params["event"] = json.dumps(wanted.events, ensure_ascii=False)
    where = _where(window, wanted.where)
    if where:
        params["where"] = where
    if limit is not None:
        params["limit"] = str(limit)
    return ApiRequest(Api.EXPORT, PATH, "export", params)


def sample_request(span: Span, wanted: ExportFilter) -> ApiRequest:
    """The request for some events of some days; which ones is Mixpanel's choice."""
    return export_request(Window(span), wanted, limit=_SAMPLE_EVENTS)


def _where(window: Window, users: str | None) -> str:
    terms = [users] if users else []
    if window.span.only is Only.PROCESSED_SINCE:
        terms.append(_late(window.span))
    if window.since_s is not None:
        terms.append(f"{_TIME} >= datetime({window.since_s})")
    if window.until_s is not None:
        terms.append(f"{_TIME} < datetime({window.until_s})")
    return terms[0] if len(terms) == 1 else " and ".join(f"({term})" for term in terms)


def _late(span: Span) -> str:
    """What Mixpanel has got since; of the last days also what does not say when it came."""
    since, unknown = f"{_PROCESSED} >= {span.since_ms}", f"not defined({_PROCESSED})"
    begin = span.unknown_from
    if begin is None or begin > span.last:
        return since
    if begin > span.first:
        # Nobody documents by which clock `$time` counts, so a day more.
        unknown = f"({unknown} and {_TIME} >= datetime({epoch_s(begin - ONE_DAY)}))"
    return f"{since} or {unknown}"
