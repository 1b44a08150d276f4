"""Slices of `export`: windows of days, downloaded and proven whole before anybody sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

from source_mixpanel.api.failures import LATER_THAN_TODAY
from source_mixpanel.api.spool import Spool
from source_mixpanel.clock import ServerTime
from source_mixpanel.errors import ConfigError, RefusedError, StrainError, TooLargeError
from source_mixpanel.streams.base import Workshop
from source_mixpanel.streams.export_kind import KindFinder, Log
from source_mixpanel.streams.export_request import ExportFilter, export_request
from source_mixpanel.sync.coverage import Only, Span
from source_mixpanel.sync.days import ONE_DAY, Days
from source_mixpanel.sync.period import in_ms
from source_mixpanel.sync.plan import OVERLAP_MS
from source_mixpanel.sync.window import TARGET_BYTES, Pace, Window, next_window

_MANY_DAYS = 3650
_TRIES_WHEN_SPLIT = 2
_SLACK = 4
"""How much larger than the days before it a day may be, and still fit on the disk."""


@dataclass(frozen=True)
class WholeSlice:
    """A window whose events are on disk, all of them.

    Attributes:
        completes: Whether its last day is read with it (a day may come in several parts).
        watermark_ms: Up to when Mixpanel's processing is covered, UTC: an overlap before the
            window's first request.
    """

    window: Window
    spool: Spool
    days: Days
    completes: bool
    watermark_ms: int


class SentAt:
    """When the last request was sent, by Mixpanel's clock."""

    def __init__(self, time: ServerTime) -> None:
        self._time = time
        self._mark = time.mark()
        self._expected: datetime | None = None

    def note(self) -> None:
        """It is sent now."""
        self._mark, self._expected = self._time.mark(), self._time.at_mark_as_known()

    def moment(self) -> datetime:
        """As it was known before the answer, or as the answer tells; whichever is earlier.

        They differ where our own clock stood still in between, as it does while a machine sleeps:
        the later one would be too late.
        """
        told = self._time.at_mark(self._mark)
        return told if self._expected is None else min(told, self._expected)


class SliceSource:
    """Downloads the windows of spans, one after the other, as large as they may be.

    Args:
        days: How the project counts days; refined by the data.
        largest: Bytes on disk that one window may take, if it can be split.
    """

    def __init__(
        self,
        workshop: Workshop,
        *,
        wanted: ExportFilter,
        days: Days,
        most_days: int | None,
        largest: int,
        log: Log,
    ) -> None:
        self.days = days
        self._client = workshop.client
        self._clock = workshop.clock
        self._wanted = wanted
        self._largest = largest
        self._log = log
        most = most_days or _MANY_DAYS
        target = min(TARGET_BYTES, largest // _SLACK)
        self._paces = {only: Pace(most, most, target) for only in Only}
        self._paces[Only.ALL] = Pace(1, most, target)
        self._finder = KindFinder(workshop, days, log)
        self._sent = SentAt(workshop.time)
        self._began_ms: int | None = None

    def slices(self, spans: list[Span], last_day: Callable[[Days], date]) -> Iterator[WholeSlice]:
        """Every window of the spans, in day order, until the last day to read.

        That day is asked for again at the end, because the data may have told what kind of project
        it is.

        Raises:
            StrainError: A window failed down to its smallest part.
            ConfigError: The project's time zone and the settings do not go together.
        """
        end = last_day(self.days)
        for span in spans:
            yield from self._windows(span, last_day)
        later = last_day(self.days)
        if later > end:
            yield from self._windows(Span(end + ONE_DAY, later), last_day)

    def _windows(self, span: Span, last_day: Callable[[Days], date]) -> Iterator[WholeSlice]:
        first = span.first
        while first <= span.last:
            window = next_window(span, first, self._paces[span.only])
            self._began_ms = None
            try:
                for whole in self._whole(window, tries=None):
                    yield whole
                    if whole.completes:
                        first = whole.window.span.last + ONE_DAY
            except RefusedError as error:
                end = last_day(self.days)
                if LATER_THAN_TODAY not in error.text or end >= window.span.last:
                    raise self._explained(error, window) from error
                # Our clock was ahead; the refusal has told Mixpanel's time.
                span = replace(span, last=min(span.last, end))

    def _whole(self, window: Window, tries: int | None) -> Iterator[WholeSlice]:
        """The window, or its parts if it cannot be had in one."""
        parts = window.split()
        if parts is None:
            # What cannot be split is taken whatever its size.
            yield self._had(window, tries, most=None)
            return
        if self._paces[window.span.only].allows(window):
            try:
                whole = self._had(window, tries, most=self._largest)
            except StrainError as error:
                self._log(f"{error} Asking for {window} in two parts.")
                self._slow_down(window, error)
            else:
                yield whole
                return
        for part in parts:
            yield from self._whole(part, _TRIES_WHEN_SPLIT)

    def _slow_down(self, window: Window, error: StrainError) -> None:
        only = window.span.only
        if isinstance(error, TooLargeError):
            pace = replace(self._paces[only], days=max(1, window.days // 2))
            self._paces[only] = pace.after_too_large(window)
        else:
            self._paces[only] = self._paces[only].after_split(window.days)

    def _had(self, window: Window, tries: int | None, most: int | None) -> WholeSlice:
        """The window in one."""
        began = self._clock.monotonic()
        spool = self._ask(window, tries, most)
        try:
            self._learn(window, spool, self._clock.monotonic() - began)
        except BaseException:
            spool.close()
            raise
        sent_ms = in_ms(self._sent.moment())
        # Parts of a day are covered together, up to when the first of them was asked for.
        self._began_ms = sent_ms if self._began_ms is None else min(self._began_ms, sent_ms)
        watermark_ms = self._began_ms - OVERLAP_MS
        return WholeSlice(window, spool, self.days, window.until_s is None, watermark_ms)

    def _learn(self, window: Window, spool: Spool, seconds: float) -> None:
        only = window.span.only
        if window.since_s is None and window.until_s is None:
            self._paces[only] = self._paces[only].after(window.days, spool.stored, seconds)
        else:
            self._paces[only] = self._paces[only].after_part(window, spool.stored)
        if self.days.kind is None and spool.lines:
            self.days = replace(self.days, kind=self._finder.kind(window, spool))

    def _ask(self, window: Window, tries: int | None, most: int | None) -> Spool:
        """The window's events. An empty answer is asked for twice: it proves nothing."""
        request = export_request(window, self._wanted)
        ask = partial(self._client.spool, request, tries=tries, most=most, sent=self._sent.note)
        spool = ask()
        if spool.lines:
            return spool
        spool.close()
        return ask()

    def _explained(self, error: RefusedError, window: Window) -> Exception:
        """A refusal of the export API in the user's terms, where they can mend it."""
        zone = self.days.zone.key if self.days.zone is not None else "not known"
        if LATER_THAN_TODAY in error.text:
            return ConfigError(
                f"Mixpanel says that {window.span.last} is later than today, so the project's time "
                f"zone is not the one the connector goes by ({zone}; times are read as "
                f"{self.days.kind or 'not known'}). Set project_timezone to the zone shown in "
                f"Mixpanel under Project Settings, and event_timestamps if the project is older "
                f"than 2023.",
                detail=str(error.internal_message),
            )
        if self._wanted.where is not None:
            return ConfigError(
                f"Mixpanel refused the export filter (export_where). {error}",
                detail=str(error.internal_message),
            )
        return error
