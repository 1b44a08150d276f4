"""`export`: every raw event (raw export API)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from source_mixpanel.api.request import Api
from source_mixpanel.api.spool import Spool, lines_between
from source_mixpanel.columns.catalog import EVENT_KEY
from source_mixpanel.columns.properties import Shape
from source_mixpanel.columns.schema import object_columns
from source_mixpanel.columns.types import OBJECT, RESCUED, object_schema
from source_mixpanel.columns.width import advice_on_width
from source_mixpanel.errors import (
    ConfigError,
    DataError,
    ForbiddenError,
    RefusedError,
    SourceError,
    TransientError,
)
from source_mixpanel.events.ambiguity import (
    ahead_of_time,
    guessed,
    guessed_before,
    misread,
    moved,
    reinterpreted,
    undecided,
)
from source_mixpanel.events.line_maker import Rendering
from source_mixpanel.events.plan import ReadPlan, plan_read
from source_mixpanel.events.pool import Pool
from source_mixpanel.events.rendering import RenderAhead
from source_mixpanel.events.request import PATH, ExportFilter
from source_mixpanel.events.rows import EVENT_CORE, EventRows
from source_mixpanel.events.schema import core_columns, find_properties, property_columns
from source_mixpanel.events.slices import Limits, SliceSource, WholeSlice
from source_mixpanel.events.state import ExportState, dump_state, parse_state
from source_mixpanel.process.cores import cores
from source_mixpanel.streams.base import Checkpoint, Item, Lines, MixpanelStream, StreamContext
from source_mixpanel.streams.coverage import Coverage, Span
from source_mixpanel.streams.period import Period
from source_mixpanel.streams.state import Origin, opened
from source_mixpanel.times.days import Days
from source_mixpanel.times.event_time import PROJECT_KIND, Stamper

_MOST_WORKERS = 8
MOST_AT_ONCE = 25
"""Downloads at a time, where the user has not said; Mixpanel takes 100."""


@dataclass(frozen=True)
class ExportSettings:
    """What the user wants of `export`.

    Attributes:
        reread: Whether late events are found by reading the look-back window again in full.
        kind: What raw times mean, None to find out.
        column_names: The columns that the user has pinned, by raw name.
        at_once: Downloads at a time.
    """

    period: Period = field(default_factory=Period)
    reread: bool = False
    wanted: ExportFilter = field(default_factory=ExportFilter)
    kind: str | None = None
    shape: Shape = field(default_factory=Shape)
    column_names: Mapping[str, str] = field(default_factory=dict)
    at_once: int = MOST_AT_ONCE


class Export(MixpanelStream):
    """Raw events, one record each, as Mixpanel holds them."""

    name = "export"
    primary_key = [EVENT_KEY]  # noqa: RUF012 - a declaration
    cursor_field = "time"
    lane = Api.EXPORT
    paths = (PATH,)
    core = EVENT_CORE
    makes_rows_fit = True

    def __init__(self, context: StreamContext, settings: ExportSettings) -> None:
        super().__init__(context)
        self.settings = settings
        self._state = ExportState()
        self._days = Days(settings.kind, None)
        self._rows = EventRows(self.catalog, Stamper(None), settings.shape, context.privacy)
        self._ahead: RenderAhead | None = None
        self._guessed: Span | None = None
        self._zone_before: str | None = None

    def requests_planned(self) -> int | None:
        """Windows grow with what they hold, so only the data can tell."""
        return None

    def schema(self) -> Mapping[str, Any]:
        """Names from Mixpanel's lists and Lexicon; types from Lexicon or a sample of events."""
        privacy = self.context.privacy
        if self.settings.shape.as_object:
            return object_schema({**core_columns(privacy), **object_columns()}, rescues=False)
        properties = find_properties(
            self.context.client,
            Days(self.settings.kind, self.context.project.zone()),
            self.settings.wanted,
            now=self.context.time.now_utc(),
            log=self.logger.info,
            privacy=privacy,
            to_text=self.settings.shape.to_text,
        )
        pinned, to_text = self.settings.column_names, self.settings.shape.to_text
        columns = property_columns(properties, pinned, privacy, to_text=to_text)
        self._warn(advice_on_width(self.name, len(columns)))
        return object_schema({**core_columns(privacy), **columns})

    def sync(self, saved: Mapping[str, Any], *, full: bool) -> Iterator[Item]:
        """Windows of days, each downloaded and proven whole before it is handed on."""
        plan = self._begin(saved, full=full)
        self._ahead = self._others()
        source = SliceSource(
            self.context,
            plan,
            wanted=self.settings.wanted,
            days=self._days,
            limits=Limits(self.settings.period.window_days, self.settings.at_once),
            ahead=self._ahead,
            log=self.logger.info,
        )
        try:
            with closing(self._ahead) if self._ahead else nullcontext():
                yield from self._all(source, plan)
        except SourceError as error:
            if full and (source.over or isinstance(error, (RefusedError, ForbiddenError))):
                # What is refused now may be refused again: the next refresh is a new one.
                now_ms = self.context.now_ms()
                passes = isinstance(error, TransientError)
                self._state = self._state.ended(now_ms, passes=passes)
                yield Checkpoint(dump_state(self._state))
            raise
        self._state = replace(self._state, refreshing=False)
        yield Checkpoint(dump_state(self._state))

    def _others(self) -> RenderAhead | None:
        """Other processes that make lines, where lines are wanted and there are cores for them."""
        count = cores()
        if count == 1 or not self.context.batched or not self.context.disk.is_ahead:
            return None
        rendering = Rendering(
            self.name,
            self._configured or {},
            self.settings.shape,
            self.context.privacy,
            self.in_place(),
            self.settings.period.bounds_ms(),
        )
        pool = Pool(rendering, min(count, _MOST_WORKERS))
        return RenderAhead(pool, self.context.disk, self.context.clock, self.logger.warning)

    def _all(self, source: SliceSource, plan: ReadPlan) -> Iterator[Item]:
        """What there is to read, and once more what one answer alone says is empty.

        Raises:
            SourceError: Some of it cannot be had, when the rest has been read.
        """
        counter = _Counter(plan.days)
        yield from self._windows(source, plan, counter)
        yield from self._windows(source, plan.to_confirm(self._state))
        if end := plan.ends():
            # A state that leaves after these days is that of the end.
            for item in self._windows(source, end, counter):
                yield replace(item, state=None) if isinstance(item, Checkpoint) else item
            yield from self._windows(source, end.to_confirm(self._state))
        source.end(plan.days)

    def _windows(
        self, source: SliceSource, plan: ReadPlan, counter: _Counter | None = None
    ) -> Iterator[Item]:
        """The rows of each window, and after it the state that it leads to.

        Args:
            source: Downloads them.
            plan: What is read.
            counter: Counts the days; None for days that count already.
        """
        work = source.slices(plan, self._end_day)
        with closing(work):
            for whole in work:
                self._read_times_by(whole.days)
                with closing(whole.held):
                    yield from self._blocks(whole)
                state = self._moved_past(whole)
                if counter is None:
                    yield Checkpoint(state)
                    continue
                # Days that came in parts count when their last part is there.
                counter.done += whole.window.days if whole.completes else 0
                place = f"{whole.window} ({whole.held.spool.lines} events)"
                yield Checkpoint(state, place, counter.done, counter.total, "days")

    def _begin(self, saved: Mapping[str, Any], *, full: bool) -> ReadPlan:
        """Look at state and settings, and decide what this sync reads."""
        before = opened(saved, self.name, parse_state)
        zone = self.context.project.zone(before.origin.zone)
        origin = self._accepted(before, full=full)
        if not before.origin.is_of_project(origin):
            before = ExportState()
        elif full and not before.origin.holds_for(origin):
            before = ExportState(kind=before.kind)
        if before.origin != origin:
            # Through another filter or data view the same days may hold events.
            before = replace(before, empty=Coverage())
        self._days = Days(self.settings.kind or before.kind, zone)
        if self._days.kind == PROJECT_KIND and zone is None:
            raise ConfigError(
                "Event times of stream 'export' are in the project's own time zone, and Mixpanel "
                "does not tell which that is. Set project_timezone."
            )
        now = self.context.time.now_utc()
        reread = self.settings.reread
        plan = plan_read(self.settings.period, before, self._days, now, full=full, reread=reread)
        self._zone_before = before.origin.project_timezone
        self._guessed = guessed_before(plan.state, self._days)
        self._warn(
            None if full else ahead_of_time(before, self._days.today(now)),
            reinterpreted(plan.state, self._days),
        )
        self._kind_is_told(self._days)
        self._state = replace(plan.state, origin=origin)
        shape, privacy = self.settings.shape, self.context.privacy
        self._rows = EventRows(self.catalog, _stamper(self._days), shape, privacy)
        return plan

    def _accepted(self, state: ExportState, *, full: bool) -> Origin:
        """Whose the state is from now on; a refresh that was begun elsewhere is begun anew.

        Raises:
            ConfigError: An incremental sync would go on from another project's.
        """
        zone = self.context.project.zone()
        now = replace(
            self.context.origin,
            project_timezone=zone.key if zone else state.origin.project_timezone,
            filters=(self.settings.wanted.mark,),
        )
        if full or not state.coverage.parts:
            return now
        self.go_on_from(state.origin, now)
        return state.origin.after(now)

    def _end_day(self, days: Days) -> date:
        return self.settings.period.last_day(days, self.context.time.now_utc())

    # -- records ---------------------------------------------------------------------------

    def _blocks(self, whole: WholeSlice) -> Iterator[Item]:
        """The rows of a slice, block by block.

        Raises:
            DataError: Not as many events came back from disk as were written to it.
        """
        before, spool, zone = self._rows.seen, whole.held.spool, whole.days.zone_of_times
        rendered = whole.held.rendered
        if rendered and all(each.zone == zone for each in rendered):
            for each in rendered:
                self._rows.absorb(each.found)
                yield from map(Lines, each.body.blocks())
        else:
            yield from self._made_here(spool, whole.days)
        read = self._rows.seen - before
        if read != spool.lines:
            raise DataError(
                f"Stream 'export' read {read} of {spool.lines} events of {whole.window} back from "
                f"disk. The next sync asks for them again."
            )
        if read:
            self._guessed = guessed(self._guessed, whole.window.span, whole.days)

    def _made_here(self, spool: Spool, days: Days) -> Iterator[Item]:
        """The rows of a slice that did not wait, those behind with the help of other processes."""
        portions = self._ahead.helped(spool, days) if self._ahead else []
        end = portions[0].lines[0] if portions else spool.size
        bounds = self.settings.period.bounds_ms()
        try:
            for block in lines_between(spool.blocks(), 0, end):
                yield self._rows.rows(block, *bounds)
            for portion in portions:
                made = portion.made.result()
                if made is not None:
                    self._rows.absorb(made.found)
                    yield from map(Lines, made.body.blocks())
                    continue
                for block in lines_between(spool.blocks(), *portion.lines):
                    yield self._rows.rows(block, *bounds)
        finally:
            for portion in portions:
                portion.drop()

    def _moved_past(self, whole: WholeSlice) -> dict[str, Any] | None:
        """The state after a slice; None amid a window that comes in parts.

        A state there would stand for records of days that the next sync reads again.
        """
        state = replace(self._state, kind=self._days.kind)
        if self._rows.latest_ms is not None:
            state = state.with_latest(self._rows.latest_ms)
        self._state = state
        if not whole.completes:
            return None
        span = whole.window.span
        read = self._state.read(span.first, span.last, whole.watermark_ms, proven=whole.proven)
        self._state = replace(read, strains=whole.strains)
        return dump_state(self._state)

    def _read_times_by(self, days: Days) -> None:
        """Read times from now on by what the data has told by now."""
        if days != self._days:
            self._rows.stamper = _stamper(days)
        if self._days.kind is None:
            self._kind_is_told(days)
        self._days = days

    def _kind_is_told(self, days: Days) -> None:
        """Say what that means for events of earlier slices and syncs, if it is told by now."""
        self._warn(moved(self._zone_before, days), misread(days, self._guessed))

    def _warn(self, *doubts: str | None) -> None:
        for doubt in filter(None, doubts):
            self.logger.warning(doubt)

    def in_place(self) -> tuple[str, ...]:
        """Ids, too: they have a column of their own, and are in the key."""
        return (RESCUED, OBJECT, *EVENT_CORE.columns)

    def oddities(self) -> Iterator[str]:
        """What was odd of the events, and of their values."""
        rows = self._rows
        yield from rows.columns.sentences(self.name)
        doubt = undecided(self._days, self._guessed) if rows.seen else None
        if doubt is not None:
            yield doubt
        if rows.timeless:
            yield (
                f"Stream 'export': {rows.timeless} events have no readable time; theirs is null."
            )


@dataclass
class _Counter:
    """How many days have been read, of how many."""

    planned: int
    done: int = 0

    @property
    def total(self) -> int:
        """As many as were planned, or as have turned out to be there."""
        return max(self.planned, self.done)


def _stamper(days: Days) -> Stamper:
    return Stamper(days.zone_of_times)
