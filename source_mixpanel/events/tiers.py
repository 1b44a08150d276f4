"""What a sync of `export` asks for, and in which order. Pure.

The newest days come first, then history, backwards. Late events of young days are asked for in
every sync, those of old ones about once a day. An answer without events does not count until
another one says the same of the same days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from source_mixpanel.streams.coverage import Coverage, CoveredDays, Only, Span
from source_mixpanel.times.days import ONE_DAY, Days, days_before

YOUNG_DAYS = 30
"""Days, today included, whose late events every sync asks for."""

_RIDE_DAYS = 7
"""Days that have outgrown the young ones are asked for with them until there are more of them: a
request of their own for each day would cost more."""

_HOUR_MS = 60 * 60 * 1000
_DUE_MS = 21 * _HOUR_MS
_ALONG_MS = 5 * _HOUR_MS
"""How old watermarks of old days are when they are asked for again, and when they are asked along
with others that are: 20 and 4 hours after the last time, since watermarks lie an hour back."""


@dataclass(frozen=True)
class LookBack:
    """How far back an incremental sync looks in days that were read.

    It counts complete days before the moment when a part was read, or before its end.
    """

    days: Days
    count: int

    def begin(self, coverage: Coverage, part: CoveredDays) -> date:
        """The first day of a part to look at again; it may lie after its end.

        Of all parts but the last it is what had not settled when they were read.
        """
        through = part.over_through(self.days)
        if part is not coverage.parts[-1] and part.watermark_ms is not None:
            through = self.days.at(part.watermark_ms) - ONE_DAY
        return days_before(through, self.count) + ONE_DAY


@dataclass(frozen=True)
class Wanted:
    """Which days a sync is to have, and how old they are.

    Attributes:
        start: The first of them.
        end: The last of them, inclusive.
        today: The last day that there is.
        now_ms: The present, UTC.
        in_bites: Whether the server has not managed many days in one request.
    """

    start: date
    end: date
    today: date
    now_ms: int
    look_back: LookBack
    in_bites: bool = False

    @property
    def young_from(self) -> date:
        """The first day whose late events every sync asks for."""
        return days_before(self.today, max(YOUNG_DAYS - 1, self.look_back.count))

    def tiers(self, part: CoveredDays) -> tuple[list[CoveredDays], list[CoveredDays]]:
        """What of a part is young, and what is old."""
        young_from = self.young_from
        if part.last < young_from:
            return [], [part]
        if (young_from - part.first).days <= _RIDE_DAYS:
            return [part], []
        old = replace(part, last=young_from - ONE_DAY)
        return [replace(part, first=young_from)], [old]


def full_spans(coverage: Coverage, wanted: Wanted) -> tuple[list[Span], list[Span]]:
    """What a full refresh has to ask for, newest days first, and what of days that are not over.

    Covered days that were not over when they were read are asked for what they have got since.
    """
    spans = list(coverage.gaps(wanted.start, wanted.end))
    for part in coverage.within(wanted.start, wanted.end):
        begin = max(part.first, part.over_through(wanted.look_back.days) + ONE_DAY)
        if begin <= part.last:
            spans.append(_late(replace(part, first=begin), begin))
    cut = [piece for span in _down(spans) for piece in _cut(span, wanted.today)]
    over = [span for span in cut if span.last < wanted.today]
    return over, [span for span in cut if span.last >= wanted.today]


def incremental_spans(
    coverage: Coverage, empty: Coverage, wanted: Wanted, *, reread: bool
) -> tuple[list[Span], list[Span]]:
    """What an incremental sync has to ask for, and what after that, if that is not too much.

    Args:
        coverage: The days that were read.
        empty: The days of which the latest answer was empty, and when they were asked for.
        wanted: The days to have.
        reread: Whether days within the look-back window are read again in full.
    """
    whole = list(coverage.gaps(wanted.start, wanted.end))
    again = list(_old_and_empty(whole, empty, wanted))
    whole = [rest for span in whole for rest in _without(span, again)]
    young: list[Span] = []
    old: list[tuple[int, Span]] = []
    for part in coverage.parts:
        begin = wanted.look_back.begin(coverage, part)
        for inside in Coverage((part,)).within(wanted.start, wanted.end):
            if reread or part.watermark_ms is None:
                whole += _full(inside, begin)
                continue
            fresh, stale = wanted.tiers(inside)
            young += [_late(each, begin) for each in fresh]
            old += [asked for each in stale for asked in _when_asked(each, begin, empty)]
    cut = [piece for span in _down(whole) for piece in _cut(span, wanted.young_from)]
    first = [span for span in cut if span.first >= wanted.young_from]
    history = [span for span in cut if span.first < wanted.young_from]
    return _joined([*first, *_down(young), *history]), [*_down(again), *_due(old, wanted)]


def spans_to_confirm(
    coverage: Coverage, empty: Coverage, before: Coverage, wanted: Wanted, *, full: bool
) -> list[Span]:
    """What to ask once more at the end of a sync: days that one answer in it says are empty.

    The rest is left to the next sync: today, since it is not over, and late events, which an
    empty answer leaves where they were. But young days are to have one watermark, or each sync
    to come would ask for them in parts.

    Args:
        coverage: The days that are read by now.
        empty: The days of which the latest answer was empty, and when they were asked for.
        before: The same at the beginning of the sync.
        wanted: The days to have.
        full: Whether there is no next sync that goes on from here.
    """
    seen = [part for told in empty.within(wanted.start, wanted.end) for part in _new(told, before)]
    gaps = [replace(gap, only=Only.AGAIN) for s in seen for gap in coverage.gaps(s.first, s.last)]
    young = days_before(wanted.young_from, _RIDE_DAYS)
    late = [
        _late(part, wanted.look_back.begin(coverage, part), inside)
        for part in coverage.parts
        for told in Coverage(tuple(seen)).within(date.min if full else young, wanted.end)
        for inside in Coverage((part,)).within(told.first, told.last)
        if full or _would_join(coverage, told, wanted)
    ]
    return _down([gap for gap in _down(gaps) if full or gap.first < wanted.today]) + _down(late)


def _new(told: CoveredDays, before: Coverage) -> Iterator[CoveredDays]:
    """What of some empty days was asked for in this sync."""
    start = told.first
    for part in before.within(told.first, told.last):
        if part.watermark_ms == told.watermark_ms:
            if start < part.first:
                yield replace(told, first=start, last=part.first - ONE_DAY)
            start = part.last + ONE_DAY
    if start <= told.last:
        yield replace(told, first=start)


def _would_join(coverage: Coverage, told: CoveredDays, wanted: Wanted) -> bool:
    """Whether young days had fewer watermarks if an empty answer counted."""

    def parts(of: Coverage) -> int:
        return sum(1 for _ in of.within(wanted.young_from, wanted.end))

    return parts(coverage.read(told.first, told.last, told.watermark_ms)) < parts(coverage)


def _old_and_empty(gaps: Iterable[Span], empty: Coverage, wanted: Wanted) -> Iterator[Span]:
    """What of the days that were not read is old, and was empty when it was asked for."""
    end = wanted.young_from - ONE_DAY
    for gap in gaps:
        for part in empty.within(gap.first, min(gap.last, end)):
            yield Span(part.first, part.last, Only.AGAIN)


def _without(span: Span, others: list[Span]) -> Iterator[Span]:
    """The days of a span that are in no other."""
    taken = Coverage()
    for other in others:
        taken = taken.read(other.first, other.last, None)
    return taken.gaps(span.first, span.last)


def _full(part: CoveredDays, begin: date) -> list[Span]:
    """All of a part from a day on."""
    first = max(part.first, begin)
    return [Span(first, part.last)] if first <= part.last else []


def _late(part: CoveredDays, begin: date, inside: CoveredDays | None = None) -> Span:
    """What days have got since, and from `begin` on what does not say when it came."""
    days = inside or part
    unknown = begin if begin <= part.last else None
    return Span(days.first, days.last, Only.PROCESSED_SINCE, part.watermark_ms, unknown)


def _when_asked(part: CoveredDays, begin: date, empty: Coverage) -> Iterator[tuple[int, Span]]:
    """Days to ask for what they have got since, each with the watermark of its last answer."""
    span, mark = _late(part, begin), part.watermark_ms or 0
    for told in empty.within(part.first, part.last):
        asked = max(mark, told.watermark_ms or 0)
        yield asked, replace(span, first=told.first, last=told.last)
    for gap in empty.gaps(part.first, part.last):
        yield mark, replace(span, first=gap.first, last=gap.last)


def _due(old: list[tuple[int, Span]], wanted: Wanted) -> list[Span]:
    """Old days whose turn it is, those that have waited longest first.

    All of them have it together, unless they were asked for just now: they are to have one
    watermark, and one request. Where it takes many requests, each has its own turn.
    """
    if all(asked > wanted.now_ms - _DUE_MS for asked, _ in old):
        return []
    joined: list[tuple[int, Span]] = []
    for asked, span in sorted(old, key=lambda each: each[1].first):
        if asked > wanted.now_ms - _ALONG_MS:
            continue
        before, earlier = joined[-1] if joined else (asked, None)
        alike = not wanted.in_bites or abs(before - asked) < _HOUR_MS
        if earlier is not None and span.joins(earlier) and alike:
            joined[-1] = min(before, asked), replace(earlier, last=span.last)
        else:
            joined.append((asked, span))
    return [span for _, span in sorted(joined, key=_turn)]


def _turn(asked: tuple[int, Span]) -> tuple[int, int]:
    """The longest wait first, of equals the newest days."""
    return asked[0], -asked[1].first.toordinal()


def _cut(span: Span, at: date) -> Iterator[Span]:
    """A span in two where it holds days before and after one; the later days first."""
    if span.first < at <= span.last:
        yield replace(span, first=at)
        yield replace(span, last=at - ONE_DAY)
    else:
        yield span


def _down(spans: Iterable[Span]) -> list[Span]:
    """The newest days first; neighbours that are asked for alike are one span."""
    return _joined(sorted(spans, key=lambda span: span.first, reverse=True))


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in their order, each with the one after it that it goes on from."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].joins(span):
            joined[-1] = replace(joined[-1], first=span.first)
        else:
            joined.append(span)
    return joined
