"""Slices of `export`: windows of days, downloaded and proven whole before anybody sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

from source_mixpanel.api.failures import LATER_THAN_TODAY
from source_mixpanel.api.request import Api
from source_mixpanel.api.spool import Spool
from source_mixpanel.clock import ServerTime
from source_mixpanel.errors import (
    ConfigError,
    ForbiddenError,
    RefusedError,
    SourceError,
    StrainError,
    TransientError,
)
from source_mixpanel.streams.base import Workshop
from source_mixpanel.streams.export_kind import KindFinder, Log
from source_mixpanel.streams.export_request import ExportFilter, export_request
from source_mixpanel.streams.parts import Part, is_of_a_part, missing_parts_error
from source_mixpanel.sync.coverage import Span
from source_mixpanel.sync.days import ONE_DAY, Days
from source_mixpanel.sync.period import in_ms
from source_mixpanel.sync.plan import OVERLAP_MS, ReadPlan
from source_mixpanel.sync.window import TARGET_BYTES, Strain, Window
from source_mixpanel.sync.window_queue import WindowQueue

_MANY_DAYS = 3650
_SLACK = 4
"""How much larger than the days before it a day may be, and still fit on the disk."""


@dataclass(frozen=True)
class WholeSlice:
    """A window whose events are on disk, all of them.

    Attributes:
        completes: Whether its last day is read with it (a day may come in several parts).
        watermark_ms: Up to when Mixpanel's processing is covered, UTC: an overlap before the
            window's first request.
        proven: Whether what it says can be relied on: an answer without events proves nothing.
        strains: What the server has not managed so far, by kind of request.
    """

    window: Window
    spool: Spool
    days: Days
    completes: bool
    watermark_ms: int
    proven: bool
    strains: Mapping[str, Strain]


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


class DayInParts:
    """Holds the parts of a day back until the last one is there, as far as they fit on the disk.

    Args:
        room: Bytes on disk that they may take.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._parts: list[WholeSlice] = []
        self._began_ms: int | None = None
        self._left: date | None = None

    def held(self, part: WholeSlice) -> Iterator[WholeSlice]:
        """What may leave now that one more part is there.

        Parts of a day are covered together, up to when the first of them was asked for.
        """
        began_ms = part.watermark_ms
        if part.window.since_s is not None and self._began_ms is not None:
            began_ms = min(self._began_ms, began_ms)
        self._began_ms = began_ms
        self._parts.append(replace(part, watermark_ms=began_ms))
        size = sum(each.spool.stored for each in self._parts)
        if part.completes or size > self._room:
            self._left = None if part.completes else part.window.span.first
            while self._parts:
                yield self._parts.pop(0)

    def has_left(self, window: Window) -> bool:
        """Whether parts of a window's day have left, and the last one has not."""
        return self._left == window.span.first

    def drop(self) -> None:
        """Forget the parts that have not left."""
        while self._parts:
            self._parts.pop().spool.close()


@contextmanager
def closed_if_fails(spool: Spool) -> Iterator[None]:
    """Give a spool's disk back if something goes wrong before it is handed on."""
    try:
        yield
    except BaseException:
        spool.close()
        raise


class SliceSource:
    """Downloads the windows of a plan, one after the other, as large as they may be.

    Args:
        plan: What to read.
        days: How the project counts days; refined by the data.
        largest: Bytes on disk that one window may take, if it can be split.

    Attributes:
        over: Whether all windows have been tried.
    """

    def __init__(
        self,
        workshop: Workshop,
        plan: ReadPlan,
        *,
        wanted: ExportFilter,
        days: Days,
        most_days: int | None,
        largest: int,
        log: Log,
    ) -> None:
        self.days = days
        self.over = False
        self._client = workshop.client
        self._clock = workshop.clock
        self._ledger = workshop.ledgers[Api.EXPORT]
        self._wanted = wanted
        self._largest = largest
        self._log = log
        self._queue = WindowQueue(
            most_days=most_days or _MANY_DAYS,
            target_bytes=min(TARGET_BYTES, largest // _SLACK),
            strains=plan.state.strains,
            now_ms=in_ms(workshop.time.now_utc()),
        )
        self._finder = KindFinder(workshop, days, plan.first, log)
        self._sent = SentAt(workshop.time)
        self._day = DayInParts(largest)

    def slices(self, plan: ReadPlan, last_day: Callable[[Days], date]) -> Iterator[WholeSlice]:
        """Every window of a plan, in its order, and days that are later than it knows of.

        The last day is asked for again when the data has told what kind of project it is, and at
        the end; of a plan that has days for later, that is left to these.

        Raises:
            SourceError: Nothing is gained by going on.
            ConfigError: The project's time zone and the settings do not go together.
        """
        queue, kind = self._queue, self.days.kind
        end = plan.wanted.end if plan.wanted else last_day(self.days)
        queue.begin(plan.spans, plan.later)
        try:
            while True:
                window = queue.next()
                if window is not None:
                    yield from self._slices_of(window, last_day)
                if window is None or self.days.kind != kind:
                    kind, later = self.days.kind, last_day(self.days)
                    if later > end and not plan.last:
                        queue.insert(Span(end + ONE_DAY, later))
                    elif window is None:
                        break
                    end = max(end, later)
        finally:
            self._day.drop()

    def end(self, days: int) -> None:
        """Say what was left to the next sync, when all has been tried.

        Args:
            days: How many there were to read.

        Raises:
            SourceError: Some of them could not be had.
        """
        self.over, queue = True, self._queue
        if queue.left_days:
            self._log(
                f"Stream 'export': what has come of {queue.left_days} older days is left to the "
                f"next syncs, since Mixpanel does not manage many days in one request."
            )
        lacking = {Part(str(lack), str(lack)): _of_days(lack.error) for lack in queue.lacking}
        count = sum(lack.span.days for lack in queue.lacking)
        error = missing_parts_error("export", "days", days, lacking, count)
        if error:
            raise error

    def _slices_of(self, window: Window, last_day: Callable[[Days], date]) -> Iterator[WholeSlice]:
        """The window, if it can be had; of a day in parts, all of them with the last one."""
        began = self._clock.monotonic()
        try:
            spool = self._ask(window)
        except SourceError as error:
            self._failed(window, error, last_day)
            return
        self._queue.had(window, spool.stored, self._clock.monotonic() - began)
        with closed_if_fails(spool):
            if self.days.kind is None and spool.lines:
                self.days = replace(self.days, kind=self._finder.kind(window, spool))
        whole = WholeSlice(
            window,
            spool,
            self.days,
            completes=window.until_s is None,
            watermark_ms=in_ms(self._sent.moment()) - OVERLAP_MS,
            proven=spool.lines > 0 or window.is_of_a_day,
            strains=dict(self._queue.strains),
        )
        yield from self._day.held(whole) if window.is_of_a_day else [whole]

    def _failed(self, window: Window, error: SourceError, last_day: Callable[[Days], date]) -> None:
        """Go on without a window, or with less of it.

        Raises:
            SourceError: Nothing is gained by going on.
        """
        if isinstance(error, RefusedError):
            end = last_day(self.days)
            if LATER_THAN_TODAY in error.text and end < window.span.last:
                # Our clock was ahead; the refusal has told Mixpanel's time.
                self._queue.insert(window.span)
                self._queue.end_at(end)
                return
        told = self._explained(error, window) if isinstance(error, RefusedError) else error
        if not self._may_go_on(error):
            raise told from error
        refused = isinstance(error, (RefusedError, ForbiddenError))
        if self._queue.failed(window, told, refused=refused):
            self._log(f"{told} Asking for {window} in two parts.")
            return
        if self._day.has_left(window):
            # Records of this day are out: a state that leaves after them would count them twice.
            raise told from error
        self._day.drop()
        self._log(f"Stream 'export' goes on without {window}: {told}")

    def _may_go_on(self, error: SourceError) -> bool:
        """Whether an error is a window's own, so that others may be had."""
        if isinstance(error, RefusedError):
            return LATER_THAN_TODAY not in error.text
        if isinstance(error, TransientError) and not isinstance(error, StrainError):
            # Nobody waits any longer for what passes by itself.
            return is_of_a_part(error) and not self._ledger.is_given_up()
        return is_of_a_part(error)

    def _ask(self, window: Window) -> Spool:
        """The window's events.

        A part of a day without any is asked for once more at once: states know whole days only.
        """
        request = export_request(window, self._wanted)
        most = None if window.split() is None else self._largest
        tries = self._queue.tries(window)
        ask = partial(self._client.spool, request, tries=tries, most=most, sent=self._note_sent)
        spool = ask()
        if spool.lines or not window.is_of_a_day:
            return spool
        spool.close()
        return ask()

    def _note_sent(self) -> None:
        self._sent.note()
        self._queue.sent()

    def _explained(self, error: RefusedError, window: Window) -> SourceError:
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


def _of_days(error: SourceError) -> SourceError:
    """A refusal of some days, where others were to be had, in the user's terms."""
    if not isinstance(error, RefusedError):
        return error
    return ConfigError(
        f"{error} If the plan's history does not reach so far back, set a later start_date.",
        detail=str(error.internal_message),
    )
