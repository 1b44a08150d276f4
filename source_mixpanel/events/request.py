"""The request for raw events (raw export API). Pure."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import quote_plus, urlencode

from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.events.window import Window, epoch_s
from source_mixpanel.streams.coverage import Only, Span
from source_mixpanel.times.days import ONE_DAY

PATH = "/api/2.0/export"
_PROCESSED = 'properties["mp_processing_time_ms"]'
_SAMPLE_EVENTS = 2_000
_MAX_QUERY_CHARACTERS = 5_900
"""The most characters of a query string, so that a URL stays near 6,000: servers commonly accept
8 KB."""
_TIME = 'properties["$time"]'


@dataclass(frozen=True)
class ExportFilter:
    """The wanted events, by name and by a Mixpanel expression; None for all."""

    events: tuple[str, ...] | None = None
    where: str | None = None

    @property
    def mark(self) -> str:
        """A hash of the filter, which identifies it in a state without its text."""
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
    """The request for some events of some days, chosen by Mixpanel."""
    return export_request(Window(span), wanted, limit=_SAMPLE_EVENTS)


def rare_sample_request(
    span: Span, wanted: ExportFilter, names: Iterable[str]
) -> ApiRequest | None:
    """The request for some events that have at least one of these properties.

    It has as many of the names as a URL can hold, the first ones first, without those that cannot
    be written in an expression. None if none is left.
    """
    without_terms = sample_request(span, replace(wanted, where=f"({wanted.where}) and ()"))
    characters_left = _MAX_QUERY_CHARACTERS - len(urlencode(without_terms.params))
    terms = []
    for term in filter(None, map(_defined, names)):
        size = len(quote_plus(f"{term} or "))
        if size <= characters_left:
            terms.append(term)
            characters_left -= size
    if not terms:
        return None
    any_of_them = " or ".join(terms)
    where = f"({wanted.where}) and ({any_of_them})" if wanted.where else any_of_them
    return sample_request(span, replace(wanted, where=where))


def _defined(name: str) -> str | None:
    """The expression for events that have a property; None if its name cannot be written."""
    if not name or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        return None
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'defined(properties["{quoted}"])'


def _where(window: Window, user_where: str | None) -> str:
    terms = [user_where] if user_where else []
    if window.span.only is Only.PROCESSED_SINCE:
        terms.append(_late_events(window.span))
    if window.since_s is not None:
        terms.append(f"{_TIME} >= datetime({window.since_s})")
    if window.until_s is not None:
        terms.append(f"{_TIME} < datetime({window.until_s})")
    return terms[0] if len(terms) == 1 else " and ".join(f"({term})" for term in terms)


def _late_events(span: Span) -> str:
    """The expression for events processed since; of the last days also those without that time."""
    since, unknown = f"{_PROCESSED} >= {span.since_ms}", f"not defined({_PROCESSED})"
    begin = span.unknown_from
    if begin is None or begin > span.last:
        return since
    if begin > span.first:
        # The zone of `$time` is not documented, so a day more.
        unknown = f"({unknown} and {_TIME} >= datetime({epoch_s(begin - ONE_DAY)}))"
    return f"{since} or {unknown}"
