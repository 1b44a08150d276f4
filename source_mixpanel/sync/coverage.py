"""What a sync has read for good, and what the next one has to ask for. Pure.

Coverage is a function from days to a watermark: all events of a covered day that Mixpanel had
processed before the watermark have been emitted. A killed sync leaves early days with a new
watermark and later ones with the old; nothing else has to be remembered to lose nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum

from source_mixpanel.sync.days import ONE_DAY


class Only(Enum):
    """Which events of a span are asked for."""

    ALL = "all"
    PROCESSED_SINCE = "processed since"
    PROCESSED_SINCE_OR_UNKNOWN = "processed since, or without a processing time"


@dataclass(frozen=True)
class Span:
    """Consecutive days to read with one filter.

    Attributes:
        first: First day.
        last: Last day, inclusive.
        only: Which events.
        since_ms: The watermark, for all but `Only.ALL`.
    """

    first: date
    last: date
    only: Only = Only.ALL
    since_ms: int | None = None

    @property
    def days(self) -> int:
        """Days from the first to the last."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Covered:
    """Days up to `through`, after those of the entry before.

    Attributes:
        through: Last day, inclusive.
        watermark_ms: None if the days were read by somebody who kept none.
    """

    through: date
    watermark_ms: int | None


@dataclass(frozen=True)
class Coverage:
    """All covered days.

    Attributes:
        first: The first covered day; None while nobody has said, as in a state that another
            connector wrote.
        parts: Ascending by day; empty if nothing is covered.
    """

    first: date | None = None
    parts: tuple[Covered, ...] = ()

    @property
    def last(self) -> date | None:
        """The last covered day."""
        return self.parts[-1].through if self.parts else None

    @property
    def watermark_ms(self) -> int | None:
        """The watermark that holds for every covered day that has one."""
        return _oldest(self.parts)

    def claims(self, day: date) -> bool:
        """Whether somebody who kept no watermark says that this day is read, or later ones."""
        last = self.parts[-1] if self.parts else None
        return last is not None and last.watermark_ms is None and last.through >= day

    def anchored(self, start: date) -> Coverage:
        """With a first day: `start`, where none is known."""
        if self.first is not None or self.last is None:
            return self
        return Coverage(start, self.parts) if start <= self.last else Coverage()

    def advance(self, first: date, through: date, watermark_ms: int) -> Coverage:
        """With the days `first` to `through` read up to the watermark.

        Days before `first` were not asked for: they keep the oldest watermark among them, which
        may repeat events one day but loses none. Coverage has no gaps: what lies beyond days that
        nobody has read is forgotten, and read anew when it is wanted. Call it on an anchored
        coverage.
        """
        begin, last = self.first, self.last
        if begin is None or last is None or begin > through + ONE_DAY or last < first - ONE_DAY:
            return Coverage(first, (Covered(through, watermark_ms),))
        before: tuple[Covered, ...] = ()
        if begin < first:
            older = [part for part, since in self._with_begins(begin) if since < first]
            before = (Covered(first - ONE_DAY, _oldest(older)),)
        after = tuple(part for part in self.parts if part.through > through)
        return Coverage(min(first, begin), (*before, Covered(through, watermark_ms), *after))

    def without(self, day: date) -> Coverage:
        """As if the first or the last covered day, if it is this one, had not been read."""
        first, parts = self.first, self.parts
        if first == day:
            first = day + ONE_DAY
            parts = tuple(part for part in parts if part.through >= first)
        if parts and parts[-1].through == day:
            last = Covered(day - ONE_DAY, parts[-1].watermark_ms)
            parts = parts[:-1] if last.through in self._ends_before() else (*parts[:-1], last)
        if not parts or (first is not None and parts[-1].through < first):
            return Coverage()
        return Coverage(first, parts)

    def _ends_before(self) -> set[date]:
        return {part.through for part in self.parts[:-1]}

    def _with_begins(self, begin: date) -> Iterator[tuple[Covered, date]]:
        for part in self.parts:
            yield part, begin
            begin = part.through + ONE_DAY


def _oldest(parts: Iterable[Covered]) -> int | None:
    return min((p.watermark_ms for p in parts if p.watermark_ms is not None), default=None)


def full_spans(coverage: Coverage, start: date, end: date, done: date | None) -> list[Span]:
    """The days of [start, end] that are not covered yet: a full refresh, begun or resumed.

    Args:
        coverage: What an earlier part of the refresh has read.
        start: First day that is wanted.
        end: Last day, inclusive.
        done: The last covered day that was over when it was read; those after it are asked for
            what they have got since.
    """
    first, last = coverage.first, coverage.last
    if first is None or last is None or first > start or last < start:
        return [Span(start, end)]
    spans = []
    begin = start if done is None else max(start, done + ONE_DAY)
    if begin <= min(last, end):
        mark = coverage.parts[-1].watermark_ms
        late = Span(begin, min(last, end), Only.PROCESSED_SINCE_OR_UNKNOWN, mark)
        spans.append(late if mark is not None else Span(begin, min(last, end)))
    if last < end:
        spans.append(Span(last + ONE_DAY, end))
    return spans


def incremental_spans(
    coverage: Coverage, start: date, end: date, *, look_back_from: date, reread: bool
) -> list[Span]:
    """What an incremental sync has to ask for, in day order.

    Args:
        coverage: What earlier syncs have read.
        start: First day that is wanted at all.
        end: Last day, inclusive.
        look_back_from: First day of the look-back window.
        reread: Whether the window is read again in full; else only what was processed since.
    """
    spans: list[Span] = []
    begin = start
    if coverage.first is not None and start < coverage.first:
        spans.append(Span(start, min(end, coverage.first - ONE_DAY)))
        begin = coverage.first
    for part in coverage.parts:
        if part.through < begin or begin > end:
            continue
        through = min(part.through, end)
        spans += _covered_spans(begin, through, part.watermark_ms, look_back_from, reread=reread)
        begin = through + ONE_DAY
    if begin <= end:
        spans.append(Span(begin, end))
    return _merged(spans)


def _covered_spans(
    first: date, last: date, watermark: int | None, look_back_from: date, *, reread: bool
) -> list[Span]:
    """Days that were read before: what may have come since."""
    late = reread or watermark is None
    spans = []
    if not late and first < look_back_from:
        before = min(last, look_back_from - ONE_DAY)
        spans.append(Span(first, before, Only.PROCESSED_SINCE, watermark))
    if last >= look_back_from:
        begin = max(first, look_back_from)
        within = Span(begin, last, Only.PROCESSED_SINCE_OR_UNKNOWN, watermark)
        spans.append(Span(begin, last) if late else within)
    return spans


def _merged(spans: list[Span]) -> list[Span]:
    """Neighbours with the same filter are one span."""
    merged: list[Span] = []
    for span in spans:
        last = merged[-1] if merged else None
        if (
            last is not None
            and (last.only, last.since_ms) == (span.only, span.since_ms)
            and last.last + ONE_DAY == span.first
        ):
            merged[-1] = Span(last.first, span.last, span.only, span.since_ms)
        else:
            merged.append(span)
    return merged
