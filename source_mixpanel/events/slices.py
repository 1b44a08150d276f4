"""Slices of `export`: windows of days, downloaded and proven whole before anybody sees them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from source_mixpanel.api.failures import LATER_THAN_TODAY
from source_mixpanel.api.request import Api
from source_mixpanel.errors import (
    ConfigError,
    ForbiddenError,
    RefusedError,
    SourceError,
    StrainError,
    TransientError,
)
from source_mixpanel.events.clock_kind import KindFinder, Log
from source_mixpanel.events.downloads import Download, Downloaded, closed_if_fails
from source_mixpanel.events.plan import OVERLAP_MS, ReadPlan
from source_mixpanel.events.rendering import RenderAhead
from source_mixpanel.events.request import ExportFilter
from source_mixpanel.events.window import TARGET_BYTES, Strain, Window
from source_mixpanel.events.window_queue import WindowQueue
from source_mixpanel.streams.base import StreamContext
from source_mixpanel.streams.coverage import Only, Span
from source_mixpanel.streams.parts import Part, is_of_a_part, missing_parts_error
from source_mixpanel.streams.period import in_ms
from source_mixpanel.times.days import ONE_DAY, Days

_MANY_DAYS = 3650
_LOOK_S = 1.0
"""Seconds between two looks at whether there is room for more."""
_SLACK = 4
"""How much larger than the days before it a day may be, and still fit on the disk."""


@dataclass(frozen=True)
class Limits:
    """What the user wants of requests.

    Attributes:
        most_days: In one window; None for as many as are well.
        at_once: Downloads at a time.
    """

    most_days: int | None
    at_once: int


@dataclass(frozen=True)
class WholeSlice:
    """A window whose events are on disk, all of them.

    Attributes:
        held: The events.
        completes: Whether its last day is read with it (a day may come in several parts).
        watermark_ms: Up to when Mixpanel's processing is covered, UTC: an overlap before the
            window's first request.
        proven: Whether what it says can be relied on: an answer without events proves nothing.
        strains: What the server has not managed so far, by kind of request.
    """

    window: Window
    held: Downloaded
    days: Days
    completes: bool
    watermark_ms: int
    proven: bool
    strains: Mapping[str, Strain]


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
        size = sum(each.held.stored for each in self._parts)
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
            self._parts.pop().held.close()


class SliceSource:
    """Downloads the windows of a plan side by side, and gives them in the order of the plan.

    Args:
        plan: What to read.
        days: How the project counts days; refined by the data.
        ahead: Has lines made of what waits; None if nobody does.
        log: Where a sentence about what goes wrong goes.

    Attributes:
        over: Whether all windows have been tried.
    """

    def __init__(
        self,
        context: StreamContext,
        plan: ReadPlan,
        *,
        wanted: ExportFilter,
        days: Days,
        limits: Limits,
        ahead: RenderAhead | None,
        log: Log,
    ) -> None:
        self.days = days
        self.over = False
        self._context = context
        self._ledger = context.ledgers[Api.EXPORT]
        self._wanted = wanted
        self._at_once = limits.at_once if context.disk.is_ahead else 1
        self._log = log
        self._ahead = ahead
        if ahead is not None and days.kind is not None:
            ahead.read_times_by(days)
        largest = context.disk.half
        self._queue = WindowQueue(
            most_days=limits.most_days or _MANY_DAYS,
            target_bytes=min(TARGET_BYTES, largest // _SLACK),
            strains=plan.state.strains,
            now_ms=in_ms(context.time.now_utc()),
        )
        self._finder = KindFinder(context, days, plan.first, log)
        self._day = DayInParts(largest)
        self._downloads: dict[Window, Download] = {}
        self._bytes_a_day = 0.0
        self._quick_s = context.client.patience.quick_s
        self._is_quick = True

    def slices(
        self, plan: ReadPlan, last_day: Callable[[Days], date]
    ) -> Generator[WholeSlice, None, None]:
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
                window = self._asked_for()
                if window is not None:
                    yield from self._slices_of(self._downloads.pop(window), last_day)
                if window is None or self.days.kind != kind:
                    kind, later = self.days.kind, last_day(self.days)
                    if later > end and not plan.last:
                        queue.insert(Span(end + ONE_DAY, later))
                    elif window is None:
                        break
                    end = max(end, later)
        finally:
            self._day.drop()
            for download in self._downloads.values():
                download.drop()
            self._downloads.clear()

    def _asked_for(self) -> Window | None:
        """The window that comes next, when it is there, or takes its time and others are asked for.

        None if there is none.
        """
        self._ask(1)
        window = next(iter(self._queue.asked), None)
        patience = self._quick_s
        while window is not None and not self._downloads[window].is_over_within(patience):
            self._is_quick, patience = False, _LOOK_S
            self._ask(self._at_once)
        return window

    def _ask(self, at_once: int) -> None:
        """Begin downloads while there is room, and drop those that are to be asked for anew."""
        queue, downloads = self._queue, self._downloads
        for window in downloads.keys() - set(queue.asked):
            dropped = downloads.pop(window)
            dropped.drop()
            queue.sent(dropped.requests)
        while self._has_room(at_once) and (chosen := queue.next()) is not None:
            most = None if chosen.split() is None else self._context.disk.half
            tries = queue.tries(chosen)
            downloads[chosen] = Download(
                self._context,
                chosen,
                self._wanted,
                tries=tries,
                most=most,
                ahead=self._ahead,
            )

    def _has_room(self, at_once: int) -> bool:
        """Whether another download would do more than wait: for quota, disk, or better times."""
        downloads = self._downloads.values()
        if not downloads or self._queue.waits_in_front:
            return True
        if len(downloads) >= at_once or not self._ledger.is_calm():
            return False
        left, unsent = self._ledger.left_this_hour(), sum(not d.requests for d in downloads)
        if left is not None and left <= unsent:
            return False
        to_come = sum(d.window.days for d in downloads if not d.is_over) * self._bytes_a_day
        return self._context.disk.waiting + to_come < self._context.disk.half

    def _whole_days_to_come(self) -> int:
        """Days of which all events have been asked for; late events of a day are few."""
        windows = [download.window for download in self._downloads.values()]
        return sum(window.days for window in windows if window.span.only is Only.ALL)

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
        lacking = {Part(str(each), str(each)): _of_days(each.error) for each in queue.missing}
        count = sum(each.span.days for each in queue.missing)
        error = missing_parts_error("export", "days", days, lacking, count)
        if error:
            raise error

    def _slices_of(
        self, download: Download, last_day: Callable[[Days], date]
    ) -> Iterator[WholeSlice]:
        """The window, if it can be had; of a day in parts, all of them with the last one."""
        window = download.window
        try:
            held = download.result()
        except SourceError as error:
            self._queue.sent(download.requests)
            self._failed(window, error, last_day)
            return
        except BaseException:
            download.drop()
            raise
        with closed_if_fails(held):
            spool = held.spool
            self._queue.sent(download.requests)
            seconds, until_first_s = download.seconds, download.until_first_s
            self._queue.downloaded(window, spool.stored, seconds, until_first_s)
            self._is_quick = seconds < self._quick_s
            if window.span.only is Only.ALL:
                self._bytes_a_day = spool.stored / window.days
            if self.days.kind is None and spool.lines:
                self.days = replace(self.days, kind=self._finder.kind(window, spool))
            if self._context.disk.is_ahead:
                self._ask(1 if self._is_quick else self._at_once)
            if self._ahead is not None and spool.lines:
                self._ahead.read_times_by(self.days)
                self._ahead.expect(self._whole_days_to_come() * (spool.size // window.days))
        whole = WholeSlice(
            window,
            held,
            self.days,
            completes=window.until_s is None,
            watermark_ms=in_ms(download.sent.moment()) - OVERLAP_MS,
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
