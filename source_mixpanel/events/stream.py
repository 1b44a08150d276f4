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
    future_cursor_warning,
    kind_change_warning,
    misread_warning,
    read_as_utc,
    read_as_utc_before,
    undecided_warning,
    zone_change_warning,
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

_MAX_PROCESSES = 8
MAX_DOWNLOADS = 25
"""Downloads at the same time by default; Mixpanel accepts 100."""


@dataclass(frozen=True)
class ExportSettings:
    """The settings of `export`.

    Attributes:
        period: The wanted time.
        reread: Whether all events of the look-back window are read again, to find late ones.
        wanted: The filter of events.
        kind: The kind of raw times; None to find it out.
        shape: The layout of rows.
        column_names: The columns that the user has pinned, by raw name.
        max_concurrent: Downloads at the same time.
    """

    period: Period = field(default_factory=Period)
    reread: bool = False
    wanted: ExportFilter = field(default_factory=ExportFilter)
    kind: str | None = None
    shape: Shape = field(default_factory=Shape)
    column_names: Mapping[str, str] = field(default_factory=dict)
    max_concurrent: int = MAX_DOWNLOADS


class Export(MixpanelStream):
    """Raw events, one record each, as Mixpanel stores them."""

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
        self._days_read_as_utc: Span | None = None
        self._zone_before: str | None = None

    def requests_planned(self) -> int | None:
        """None: the size of windows depends on the data."""
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
        """Rows by window of days, each downloaded and checked for completeness before."""
        plan = self._begin(saved, full=full)
        self._ahead = self._renderers()
        source = SliceSource(
            self.context,
            plan,
            wanted=self.settings.wanted,
            days=self._days,
            limits=Limits(self.settings.period.window_days, self.settings.max_concurrent),
            ahead=self._ahead,
            log=self.logger.info,
        )
        try:
            with closing(self._ahead) if self._ahead else nullcontext():
                yield from self._all_slices(source, plan)
        except SourceError as error:
            if full and (source.over or isinstance(error, (RefusedError, ForbiddenError))):
                # A refusal may last: the next refresh is a new one.
                now_ms = self.context.now_ms()
                passes = isinstance(error, TransientError)
                self._state = self._state.ended(now_ms, passes=passes)
                yield Checkpoint(dump_state(self._state))
            raise
        self._state = replace(self._state, refreshing=False)
        yield Checkpoint(dump_state(self._state))

    def _renderers(self) -> RenderAhead | None:
        """Processes that make lines ahead; None if lines are not wanted or there is one core."""
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
        pool = Pool(rendering, min(count, _MAX_PROCESSES))
        return RenderAhead(pool, self.context.disk, self.context.clock, self.logger.warning)

    def _all_slices(self, source: SliceSource, plan: ReadPlan) -> Iterator[Item]:
        """All slices of a plan, and a second request for days with one empty answer.

        Raises:
            SourceError: Some days cannot be read, after the others have been.
        """
        counter = _Counter(plan.days)
        yield from self._windows(source, plan, counter)
        yield from self._windows(source, plan.to_confirm(self._state))
        if end := plan.ends():
            # After these days only the final state is emitted.
            for item in self._windows(source, end, counter):
                yield replace(item, state=None) if isinstance(item, Checkpoint) else item
            yield from self._windows(source, end.to_confirm(self._state))
        source.end(plan.days)

    def _windows(
        self, source: SliceSource, plan: ReadPlan, counter: _Counter | None = None
    ) -> Iterator[Item]:
        """The rows of each window, and a checkpoint after it.

        Args:
            source: Downloads the windows.
            plan: The days to read.
            counter: Counts days for the progress; None for days that are counted already.
        """
        work = source.slices(plan, self._end_day)
        with closing(work):
            for whole in work:
                self._set_days(whole.days)
                with closing(whole.held):
                    yield from self._blocks(whole)
                state = self._state_after(whole)
                if counter is None:
                    yield Checkpoint(state)
                    continue
                # A day that comes in parts counts with its last part.
                counter.done += whole.window.days if whole.completes else 0
                place = f"{whole.window} ({whole.held.spool.lines} events)"
                yield Checkpoint(state, place, counter.done, counter.total, "days")

    def _begin(self, saved: Mapping[str, Any], *, full: bool) -> ReadPlan:
        """Parse the state, and plan what this sync reads.

        Raises:
            ConfigError: The state is of another project, or the needed time zone is not known.
        """
        before = opened(saved, self.name, parse_state)
        zone = self.context.project.zone(before.origin.zone)
        origin = self._origin_after(before, full=full)
        if not before.origin.is_of_project(origin):
            before = ExportState()
        elif full and not before.origin.holds_for(origin):
            before = ExportState(kind=before.kind)
        if before.origin != origin:
            # With another filter or data view the same days may have events.
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
        self._days_read_as_utc = read_as_utc_before(plan.state, self._days)
        self._warn(
            None if full else future_cursor_warning(before, self._days.today(now)),
            kind_change_warning(plan.state, self._days),
        )
        self._warn_of_misread_times(self._days)
        self._state = replace(plan.state, origin=origin)
        shape, privacy = self.settings.shape, self.context.privacy
        self._rows = EventRows(self.catalog, _stamper(self._days), shape, privacy)
        return plan

    def _origin_after(self, state: ExportState, *, full: bool) -> Origin:
        """The origin of the state from now on.

        Raises:
            ConfigError: An incremental sync would continue the state of another project.
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
        if rendered and all(part.zone == zone for part in rendered):
            for part in rendered:
                self._rows.absorb(part.found)
                yield from map(Lines, part.body.blocks())
        else:
            yield from self._render_here(spool, whole.days)
        read = self._rows.seen - before
        if read != spool.lines:
            raise DataError(
                f"Stream 'export' read {read} of {spool.lines} events of {whole.window} back from "
                f"disk. The next sync asks for them again."
            )
        if read:
            self._days_read_as_utc = read_as_utc(
                self._days_read_as_utc, whole.window.span, whole.days
            )

    def _render_here(self, spool: Spool, days: Days) -> Iterator[Item]:
        """The rows of a slice without lines made ahead; other processes make some of them."""
        portions = self._ahead.helped(spool, days) if self._ahead else []
        end = portions[0].lines[0] if portions else spool.size
        bounds = self.settings.period.bounds_ms()
        try:
            for block in lines_between(spool.blocks(), 0, end):
                yield self._rows.rows(block, *bounds)
            for portion in portions:
                rendered = portion.made.result()
                if rendered is not None:
                    self._rows.absorb(rendered.found)
                    yield from map(Lines, rendered.body.blocks())
                    continue
                for block in lines_between(spool.blocks(), *portion.lines):
                    yield self._rows.rows(block, *bounds)
        finally:
            for portion in portions:
                portion.drop()

    def _state_after(self, whole: WholeSlice) -> dict[str, Any] | None:
        """The state after a slice; None inside a window that comes in parts.

        A state there would count records of days that the next sync reads again.
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

    def _set_days(self, days: Days) -> None:
        """Set the kind and zone of times for the rows that follow."""
        if days != self._days:
            self._rows.stamper = _stamper(days)
        if self._days.kind is None:
            self._warn_of_misread_times(days)
        self._days = days

    def _warn_of_misread_times(self, days: Days) -> None:
        """Log warnings if times of earlier slices or syncs were read in another way."""
        self._warn(
            zone_change_warning(self._zone_before, days),
            misread_warning(days, self._days_read_as_utc),
        )

    def _warn(self, *warnings: str | None) -> None:
        for warning in filter(None, warnings):
            self.logger.warning(warning)

    def in_place(self) -> tuple[str, ...]:
        """The core columns as well: ids have columns of their own, and are in the key."""
        return (RESCUED, OBJECT, *EVENT_CORE.columns)

    def oddities(self) -> Iterator[str]:
        """Sentences about unusual events and values."""
        rows = self._rows
        yield from rows.columns.sentences(self.name)
        warning = undecided_warning(self._days, self._days_read_as_utc) if rows.seen else None
        if warning is not None:
            yield warning
        if rows.timeless:
            yield (
                f"Stream 'export': {rows.timeless} events have no readable time; theirs is null."
            )


@dataclass
class _Counter:
    """Counts the days that have been read, and all days."""

    planned: int
    done: int = 0

    @property
    def total(self) -> int:
        """The planned days; more if more have been read."""
        return max(self.planned, self.done)


def _stamper(days: Days) -> Stamper:
    return Stamper(days.zone_of_times)
