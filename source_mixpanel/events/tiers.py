"""The spans that a sync of `export` requests, in order. Pure.

The newest days come first, then history, backwards. Late events of young days are requested in
every sync, those of old days about once a day. An empty answer does not count until a second one
confirms it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from source_mixpanel.streams.coverage import Coverage, CoveredDays, Only, Span
from source_mixpanel.times.days import ONE_DAY, Days, days_before

YOUNG_DAYS = 30
"""Days, today included, whose late events every sync requests."""

_KEPT_YOUNG_DAYS = 7
"""So many older days are still requested with the young ones: a separate request for each day
would cost more."""

_HOUR_MS = 60 * 60 * 1000
_DUE_MS = 21 * _HOUR_MS
_DUE_WITH_OTHERS_MS = 5 * _HOUR_MS
"""The age of watermarks at which old days are requested again, and at which they are requested
along with others: 20 and 4 hours after the last time, since watermarks lie an hour back."""


@dataclass(frozen=True)
class LookBack:
    """How many days an incremental sync looks back.

    They are complete days before the moment when a part was read, or before its end.
    """

    days: Days
    count: int

    def begin(self, coverage: Coverage, part: CoveredDays) -> date:
        """The first day of a part to read again; it may lie after the part's end.

        In all parts but the last, only days that were not final when they were read count.
        """
        through = part.over_through(self.days)
        if part is not coverage.parts[-1] and part.watermark_ms is not None:
            through = self.days.at(part.watermark_ms) - ONE_DAY
        return days_before(through, self.count) + ONE_DAY


@dataclass(frozen=True)
class Wanted:
    """The days that a sync is to have, and the present.

    Attributes:
        start: The first day.
        end: The last day, inclusive.
        today: Mixpanel's today.
        now_ms: The present, in UTC milliseconds.
        look_back: How far back to look.
        needs_small_requests: Whether requests for many days have failed.
    """

    start: date
    end: date
    today: date
    now_ms: int
    look_back: LookBack
    needs_small_requests: bool = False

    @property
    def young_from(self) -> date:
        """The first day whose late events every sync requests."""
        return days_before(self.today, max(YOUNG_DAYS - 1, self.look_back.count))

    def tiers(self, part: CoveredDays) -> tuple[list[CoveredDays], list[CoveredDays]]:
        """The young and the old days of a part."""
        young_from = self.young_from
        if part.last < young_from:
            return [], [part]
        if (young_from - part.first).days <= _KEPT_YOUNG_DAYS:
            return [part], []
        old = replace(part, last=young_from - ONE_DAY)
        return [replace(part, first=young_from)], [old]


def full_spans(coverage: Coverage, wanted: Wanted) -> tuple[list[Span], list[Span]]:
    """The spans of a full refresh, newest days first: of days that are over, and of others.

    Of covered days that were not over when they were read, late events are requested.
    """
    spans = list(coverage.gaps(wanted.start, wanted.end))
    for part in coverage.within(wanted.start, wanted.end):
        begin = max(part.first, part.over_through(wanted.look_back.days) + ONE_DAY)
        if begin <= part.last:
            spans.append(_late_events(replace(part, first=begin), begin))
    cut = [
        part_of_span
        for span in _newest_first(spans)
        for part_of_span in _split_at(span, wanted.today)
    ]
    over = [span for span in cut if span.last < wanted.today]
    return over, [span for span in cut if span.last >= wanted.today]


def incremental_spans(
    coverage: Coverage, empty: Coverage, wanted: Wanted, *, reread: bool
) -> tuple[list[Span], list[Span]]:
    """The spans of an incremental sync, and those after them, if they are few requests.

    Args:
        coverage: The days that were read.
        empty: The days whose latest answer was empty, and when they were requested.
        wanted: The days to have.
        reread: Whether all events of the look-back window are read again.
    """
    full = list(coverage.gaps(wanted.start, wanted.end))
    again = list(_old_empty_days(full, empty, wanted))
    full = [rest for span in full for rest in _outside(span, again)]
    young: list[Span] = []
    old: list[tuple[int, Span]] = []
    for part in coverage.parts:
        begin = wanted.look_back.begin(coverage, part)
        for inside in Coverage((part,)).within(wanted.start, wanted.end):
            if reread or part.watermark_ms is None:
                full += _from_day(inside, begin)
            else:
                young_parts, old_parts = wanted.tiers(inside)
                young += [_late_events(each, begin) for each in young_parts]
                old += [
                    asked_ms
                    for each in old_parts
                    for asked_ms in _with_last_request(each, begin, empty)
                ]
    cut = [
        part_of_span
        for span in _newest_first(full)
        for part_of_span in _split_at(span, wanted.young_from)
    ]
    first = [span for span in cut if span.first >= wanted.young_from]
    history = [span for span in cut if span.first < wanted.young_from]
    return _joined([*first, *_newest_first(young), *history]), [
        *_newest_first(again),
        *_due(old, wanted),
    ]


def spans_to_confirm(
    coverage: Coverage, empty: Coverage, before: Coverage, wanted: Wanted, *, full: bool
) -> list[Span]:
    """The spans to request again at the end of a sync: days with one empty answer in it.

    An incremental sync leaves some to the next one: today, since it is not over, and late events,
    whose watermark an empty answer does not move. But young days are to have one watermark, or each
    later sync would request them in parts.

    Args:
        coverage: The days that have been read.
        empty: The days whose latest answer was empty, and when they were requested.
        before: The same at the beginning of the sync.
        wanted: The days to have.
        full: Whether this is a full refresh, which no next sync continues.
    """
    seen = [
        part
        for empty_days in empty.within(wanted.start, wanted.end)
        for part in _asked_now(empty_days, before)
    ]
    gaps = [replace(gap, only=Only.AGAIN) for s in seen for gap in coverage.gaps(s.first, s.last)]
    young = days_before(wanted.young_from, _KEPT_YOUNG_DAYS)
    late = [
        _late_events(part, wanted.look_back.begin(coverage, part), inside)
        for part in coverage.parts
        for empty_days in Coverage(tuple(seen)).within(date.min if full else young, wanted.end)
        for inside in Coverage((part,)).within(empty_days.first, empty_days.last)
        if full or _would_share_watermark(coverage, empty_days, wanted)
    ]
    return _newest_first(
        [gap for gap in _newest_first(gaps) if full or gap.first < wanted.today]
    ) + _newest_first(late)


def _asked_now(empty_days: CoveredDays, before: Coverage) -> Iterator[CoveredDays]:
    """Those of some empty days that were requested in this sync."""
    same = Coverage(tuple(p for p in before.parts if p.watermark_ms == empty_days.watermark_ms))
    for gap in same.gaps(empty_days.first, empty_days.last):
        yield replace(empty_days, first=gap.first, last=gap.last)


def _would_share_watermark(coverage: Coverage, empty_days: CoveredDays, wanted: Wanted) -> bool:
    """Whether young days would have fewer watermarks if an empty answer counted."""

    def parts(of: Coverage) -> int:
        return len(list(of.within(wanted.young_from, wanted.end)))

    return parts(coverage.read(empty_days.first, empty_days.last, empty_days.watermark_ms)) < parts(
        coverage
    )


def _old_empty_days(gaps: Iterable[Span], empty: Coverage, wanted: Wanted) -> Iterator[Span]:
    """The old days of gaps whose latest answer was empty."""
    end = wanted.young_from - ONE_DAY
    for gap in gaps:
        for part in empty.within(gap.first, min(gap.last, end)):
            yield Span(part.first, part.last, Only.AGAIN)


def _outside(span: Span, others: list[Span]) -> Iterator[Span]:
    """The days of a span that are in none of the others."""
    taken = Coverage()
    for other in others:
        taken = taken.read(other.first, other.last, None)
    return taken.gaps(span.first, span.last)


def _from_day(part: CoveredDays, begin: date) -> list[Span]:
    """All events of a part from a day on; no span if that is after its end."""
    first = max(part.first, begin)
    return [Span(first, part.last)] if first <= part.last else []


def _late_events(part: CoveredDays, begin: date, inside: CoveredDays | None = None) -> Span:
    """The late events of days; from `begin` on, also events without a processing time."""
    days = inside or part
    unknown = begin if begin <= part.last else None
    return Span(days.first, days.last, Only.PROCESSED_SINCE, part.watermark_ms, unknown)


def _with_last_request(
    part: CoveredDays, begin: date, empty: Coverage
) -> Iterator[tuple[int, Span]]:
    """The late events of a part, in spans with the time of their last request."""
    span, mark = _late_events(part, begin), part.watermark_ms or 0
    for empty_days in empty.within(part.first, part.last):
        asked = max(mark, empty_days.watermark_ms or 0)
        yield asked, replace(span, first=empty_days.first, last=empty_days.last)
    for gap in empty.gaps(part.first, part.last):
        yield mark, replace(span, first=gap.first, last=gap.last)


def _due(old: list[tuple[int, Span]], wanted: Wanted) -> list[Span]:
    """The old days that are due, those that have waited longest first.

    All are requested together, except those requested just now, so that they have one watermark and
    one request. If small requests are needed, each span is due on its own.
    """
    if all(asked > wanted.now_ms - _DUE_MS for asked, _ in old):
        return []
    joined: list[tuple[int, Span]] = []
    for asked, span in sorted(old, key=lambda each: each[1].first):
        if asked > wanted.now_ms - _DUE_WITH_OTHERS_MS:
            continue
        before, earlier = joined[-1] if joined else (asked, None)
        alike = not wanted.needs_small_requests or abs(before - asked) < _HOUR_MS
        if earlier is not None and span.joins(earlier) and alike:
            joined[-1] = min(before, asked), replace(earlier, last=span.last)
        else:
            joined.append((asked, span))
    return [span for _, span in sorted(joined, key=_longest_wait_first)]


def _longest_wait_first(asked: tuple[int, Span]) -> tuple[int, int]:
    """The sort key: the longest wait first, then the newest days."""
    return asked[0], -asked[1].first.toordinal()


def _split_at(span: Span, at: date) -> Iterator[Span]:
    """A span, split at a day if it has days before and from it; the later days first."""
    if span.first < at <= span.last:
        yield replace(span, first=at)
        yield replace(span, last=at - ONE_DAY)
    else:
        yield span


def _newest_first(spans: Iterable[Span]) -> list[Span]:
    """The spans with the newest days first; neighbours with the same filter are joined."""
    return _joined(sorted(spans, key=lambda span: span.first, reverse=True))


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in their order; one that joins the one before is merged with it."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].joins(span):
            joined[-1] = replace(joined[-1], first=span.first)
        else:
            joined.append(span)
    return joined
