"""`export`: every raw event (raw export API)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, ClassVar

from airbyte_cdk.models import AirbyteMessage, SyncMode, Type
from airbyte_cdk.sources.streams import CheckpointMixin
from airbyte_cdk.sources.streams.core import StreamData
from airbyte_cdk.sources.types import StreamSlice

from source_mixpanel.api.request import Api
from source_mixpanel.errors import ConfigError, DataError
from source_mixpanel.instants import PROJECT_KIND, Stamper
from source_mixpanel.records.events import EventRows
from source_mixpanel.records.naming import ColumnNames
from source_mixpanel.records.types import object_schema
from source_mixpanel.schemas.reserved import EVENT_PROPERTIES
from source_mixpanel.streams.base import MixpanelStream, Row, Workshop
from source_mixpanel.streams.export_doubts import (
    ahead_of_time,
    guessed,
    guessed_before,
    misread,
    moved,
    refiltered,
    reinterpreted,
    undecided,
)
from source_mixpanel.streams.export_request import ExportFilter
from source_mixpanel.streams.export_schema import CORE, find_properties, property_columns
from source_mixpanel.streams.export_slices import SliceSource, WholeSlice
from source_mixpanel.streams.layout import Layout
from source_mixpanel.streams.property_schema import object_columns, remembered
from source_mixpanel.sync.ahead import ahead
from source_mixpanel.sync.coverage import Span
from source_mixpanel.sync.cursor import ExportState, dump_state, parse_state
from source_mixpanel.sync.days import Days
from source_mixpanel.sync.plan import Period, ReadPlan, plan_read
from source_mixpanel.sync.room import DEFAULT_BYTES, Room

OVERLAP_MS = 60 * 60 * 1000
"""How far two syncs overlap by processing time: Mixpanel shows some events up to three quarters
of an hour after it processed them [observed after imports]."""

_AHEAD = 1


@dataclass(frozen=True)
class ExportSettings:
    """What the user wants of `export`.

    Attributes:
        period: Which time.
        wanted: Which events.
        kind: What raw times mean, None to find out.
        window_days: The most days in one request.
        layout: How properties are to look.
        disk_bytes: Disk for windows that are downloaded and not yet emitted; 0 for none ahead.
    """

    period: Period = field(default_factory=Period)
    wanted: ExportFilter = field(default_factory=ExportFilter)
    kind: str | None = None
    window_days: int | None = None
    layout: Layout = field(default_factory=Layout)
    disk_bytes: int = DEFAULT_BYTES


class Export(MixpanelStream, CheckpointMixin):
    """Raw events, one record each, as Mixpanel holds them."""

    name = "export"
    primary_key: ClassVar[list[str]] = ["event", "distinct_id", "time", "insert_id"]
    cursor_field = "time"
    lane = Api.EXPORT

    def __init__(self, workshop: Workshop, settings: ExportSettings) -> None:
        super().__init__(workshop)
        self.settings = settings
        self._state = ExportState()
        self._days = Days(settings.kind, None)
        self._rows: EventRows | None = None
        self._names = ColumnNames({})
        self._plan: ReadPlan | None = None
        self._started = 0.0
        self._days_read = 0
        self._watermark_ms: int | None = None
        self._room = Room(settings.disk_bytes)
        self._inside_window = False
        self._guessed: Span | None = None
        self._zone_before: str | None = None

    def requests_planned(self) -> int | None:
        """Windows grow with what they hold, so only the data can tell."""
        return None

    # -- schema ----------------------------------------------------------------------------

    def schema(self) -> Mapping[str, Any]:
        """Names from Mixpanel's lists and Lexicon; types from Lexicon or a sample of events."""
        if self.settings.layout.as_object:
            return object_schema({**CORE, **object_columns()})
        days = Days(self.settings.kind, self.workshop.project.zone())
        properties = find_properties(
            self.workshop.client,
            days,
            self.settings.wanted,
            now=self.workshop.time.now_utc(),
            log=self.logger.info,
        )
        columns = property_columns(properties, to_text=self.settings.layout.to_text)
        return object_schema({**CORE, **columns})

    # -- state -----------------------------------------------------------------------------

    @property
    def state(self) -> MutableMapping[str, Any]:
        """What the next sync has to know; moves only when a slice has been emitted whole."""
        return dump_state(self._state, self._days)

    @state.setter
    def state(self, value: MutableMapping[str, Any]) -> None:
        self._state = parse_state(value)

    # -- slices ----------------------------------------------------------------------------

    def stream_slices(
        self,
        *,
        sync_mode: SyncMode,
        cursor_field: list[str] | None = None,  # noqa: ARG002 - the CDK's signature
        stream_state: Mapping[str, Any] | None = None,  # noqa: ARG002 - taken by the setter
    ) -> Iterable[StreamSlice]:
        """Windows of days, each downloaded and proven whole before it is handed on."""
        source, spans = self._prepare(sync_mode)
        work = source.slices(spans, self._end_day)
        with closing(self._room):
            for whole in ahead(work, depth=_AHEAD, discard=WholeSlice.discard):
                self._watermark()
                yield StreamSlice(
                    partition={"window": str(whole.window)},
                    cursor_slice={},
                    extra_fields={"whole": whole},
                )
        if self._state.refreshing or not spans:
            # Nothing was left to read, or midnight passed while the last window was emitted.
            self._state = replace(self._state, refreshing=False)
            yield StreamSlice(partition={"window": "end"}, cursor_slice={})
        self._tell_oddities()

    def _prepare(self, sync_mode: SyncMode) -> tuple[SliceSource, list[Span]]:
        """Look at state and settings, and decide what this sync reads."""
        zone = self.workshop.project.zone()
        self._days = Days(self.settings.kind or self._state.kind, zone)
        if self._days.kind == PROJECT_KIND and zone is None:
            raise ConfigError(
                "Event times of stream 'export' are in the project's own time zone, and Mixpanel "
                "does not tell which that is. Set project_timezone."
            )
        self._started = self.workshop.time.mark()
        self._names = ColumnNames(remembered(self._state.columns, self.configured_json_schema))
        full = sync_mode == SyncMode.full_refresh
        now = self.workshop.time.now_utc()
        plan = plan_read(self.settings.period, self._state, self._days, now, full=full)
        wanted = self.settings.wanted.mark
        self._zone_before = self._state.zone
        self._guessed = guessed_before(plan.state, self._days)
        self._warn(
            None if full else ahead_of_time(self._state, self._days.today(now)),
            reinterpreted(plan.state, self._days),
            refiltered(plan.state, wanted),
        )
        self._kind_is_told(self._days)
        name = zone.key if zone is not None else self._state.zone
        self._state = replace(plan.state, zone=name, wanted=wanted)
        self._plan = plan
        source = SliceSource(
            self.workshop,
            wanted=self.settings.wanted,
            days=self._days,
            most_days=self.settings.window_days,
            room=self._room,
            log=self.logger.info,
        )
        return source, plan.spans

    def _end_day(self, days: Days) -> date:
        return self.settings.period.last_day(days, self.workshop.time.now_utc())

    # -- records ---------------------------------------------------------------------------

    def read(self, *args: Any, **kwargs: Any) -> Iterable[StreamData]:
        """As the CDK's own, without states inside a window that comes in parts.

        Such a state would stand for records of days that the next sync reads again.
        """
        for item in super().read(*args, **kwargs):
            is_state = isinstance(item, AirbyteMessage) and item.type == Type.STATE
            if not (is_state and self._inside_window):
                yield item

    def chunks(self, stream_slice: Mapping[str, Any]) -> Iterator[Iterable[Row]]:
        """The rows of a whole slice; then the state moves past its days."""
        told = getattr(stream_slice, "extra_fields", {})
        if "whole" not in told:
            return
        whole: WholeSlice = told["whole"]
        rows = self._rows_for(whole.days)
        before = rows.seen
        since_ms, until_ms = self.settings.period.bounds_ms()
        for block in whole.spool.blocks():
            yield rows.rows(block, since_ms, until_ms)
        if rows.seen - before != whole.spool.lines:
            raise DataError(
                f"Stream 'export' read {rows.seen - before} of {whole.spool.lines} events of "
                f"{whole.window} back from disk. The next sync asks for them again."
            )
        whole.discard()
        if before < rows.seen:
            self._guessed = guessed(self._guessed, whole.window.span, whole.days)
        self._inside_window = not whole.completes
        self._advance(whole, rows)

    def _advance(self, whole: WholeSlice, rows: EventRows) -> None:
        state = replace(self._state, kind=self._days.kind)
        if rows.latest_ms is not None:
            state = state.with_latest(rows.latest_ms)
        state = replace(state, columns={**state.columns, **self._names.used()})
        if whole.completes:
            through = whole.window.span.last
            first = self._plan.read_from(through) if self._plan else through
            coverage = state.coverage.advance(first, through, self._watermark())
            over = through >= self._end_day(self._days)
            state = replace(state, coverage=coverage, refreshing=state.refreshing and not over)
        self._state = state
        self._tell_progress(whole)

    def _tell_progress(self, whole: WholeSlice) -> None:
        """Days that came in parts count when their last part is there."""
        self._days_read += whole.window.days if whole.completes else 0
        total = max(self._plan.days if self._plan else 0, self._days_read)
        place = f"{whole.window} ({whole.spool.lines} events)"
        self.progressed(place, self._days_read, total, "days")

    def _watermark(self) -> int:
        """Up to when Mixpanel's processing is covered: an overlap before this sync began.

        Worked out when the first answer has told Mixpanel's time. Later ones change nothing: our
        own clock may have stood still in between, as it does while a machine sleeps.
        """
        if self._watermark_ms is None:
            began = self.workshop.time.at_mark(self._started)
            self._watermark_ms = int(began.timestamp() * 1000) - OVERLAP_MS
        return self._watermark_ms

    def _rows_for(self, days: Days) -> EventRows:
        """The maker of rows, which reads times by what the data has told by now."""
        if self._rows is None:
            shape = self.settings.layout.shape(self.configured_json_schema, EVENT_PROPERTIES)
            self._rows = EventRows(self._names, _stamper(days), shape)
        elif days != self._days:
            self._rows.stamper = _stamper(days)
        if self._days.kind is None:
            self._kind_is_told(days)
        self._days = days
        return self._rows

    def _kind_is_told(self, days: Days) -> None:
        """Say what that means for events of earlier slices and syncs, if it is told by now."""
        self._warn(moved(self._zone_before, days), misread(days, self._guessed))

    def _warn(self, *doubts: str | None) -> None:
        for doubt in filter(None, doubts):
            self.logger.warning(doubt)

    def _tell_oddities(self) -> None:
        """One line for each thing that a user may want to know of the data."""
        rows = self._rows
        if rows is None:
            return
        for sentence in rows.columns.sentences(self.name):
            self.logger.warning(sentence)
        if rows.seen:
            self._warn(undecided(self._days, self._guessed))
        if rows.timeless:
            self.logger.warning(
                f"Stream 'export': {rows.timeless} events have no readable time; theirs is null."
            )


def _stamper(days: Days) -> Stamper:
    return Stamper(days.zone if days.kind == PROJECT_KIND else None)
