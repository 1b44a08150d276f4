"""`export`: every raw event (raw export API)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from airbyte_cdk.models import SyncMode
from airbyte_cdk.sources.streams import CheckpointMixin
from airbyte_cdk.sources.types import StreamSlice

from source_mixpanel.api.request import Api
from source_mixpanel.errors import ConfigError, DataError
from source_mixpanel.instants import EPOCH, PROJECT_KIND, Stamper
from source_mixpanel.records.events import EventRows, Shape
from source_mixpanel.records.naming import ColumnNames
from source_mixpanel.records.types import declared_types
from source_mixpanel.schemas.reserved import EVENT_PROPERTIES
from source_mixpanel.streams.base import MixpanelStream, Row, Workshop
from source_mixpanel.streams.export_request import ExportFilter
from source_mixpanel.streams.export_schema import (
    export_schema,
    find_properties,
    object_columns,
    property_columns,
    told_by_catalog,
)
from source_mixpanel.streams.export_slices import SliceSource, WholeSlice
from source_mixpanel.sync.ahead import ahead
from source_mixpanel.sync.coverage import Span, full_spans, incremental_spans
from source_mixpanel.sync.cursor import ExportState, completed_through, dump_state, parse_state
from source_mixpanel.sync.days import ONE_DAY, Days

OVERLAP_MS = 60 * 60 * 1000
"""How far two syncs overlap by processing time: Mixpanel shows some events up to three quarters
of an hour after it processed them [observed after imports]."""

_DEFAULT_START = timedelta(days=365)
_EVER = 1 << 62
_AHEAD = 1


@dataclass(frozen=True)
class ExportSettings:
    """What the user wants of `export`.

    Attributes:
        start: First day or instant; None for one year ago.
        end: Last day or instant; None for now.
        look_back_days: How many complete days an incremental sync looks at again.
        reread: Whether it reads them again in full.
        wanted: Which events.
        kind: What raw times mean, None to find out.
        window_days: The most days in one request.
        as_object: One `properties` column instead of one a property.
        to_text: Custom properties as text.
        only_configured: Emit only the columns of the configured catalog.
    """

    start: date | datetime | None = None
    end: date | datetime | None = None
    look_back_days: int = 5
    reread: bool = False
    wanted: ExportFilter = field(default_factory=ExportFilter)
    kind: str | None = None
    window_days: int | None = None
    as_object: bool = False
    to_text: bool = False
    only_configured: bool = False


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
        self._read_from: date | None = None
        self._started = 0.0
        self._watermark_ms: int | None = None

    # -- schema ----------------------------------------------------------------------------

    def schema(self) -> Mapping[str, Any]:
        """Names from Mixpanel's lists and Lexicon; types from Lexicon or a sample of events."""
        if self.settings.as_object:
            return export_schema(object_columns())
        days = Days(self.settings.kind, self.workshop.project.zone())
        properties = find_properties(
            self.workshop.client,
            days,
            self.settings.wanted,
            now=self.workshop.time.now_utc(),
            log=self.logger.info,
        )
        return export_schema(property_columns(properties, to_text=self.settings.to_text))

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
        for whole in ahead(work, depth=_AHEAD, discard=WholeSlice.discard):
            yield StreamSlice(
                partition={"window": str(whole.window)},
                cursor_slice={},
                extra_fields={"whole": whole},
            )
        self._tell_oddities()

    def _prepare(self, sync_mode: SyncMode) -> tuple[SliceSource, list[Span]]:
        """Look at state and settings, and decide what this sync reads."""
        zone = self._zone()
        self._days = Days(self.settings.kind or self._state.kind, zone)
        if self._days.kind == PROJECT_KIND and zone is None:
            raise ConfigError(
                "Event times of stream 'export' are in the project's own time zone, and Mixpanel "
                "does not tell which that is. Set project_timezone."
            )
        self._started = self.workshop.clock.monotonic()
        told = told_by_catalog(self.configured_json_schema or {})
        self._names = ColumnNames({**told, **self._state.columns})
        spans = self._spans(sync_mode)
        source = SliceSource(
            self.workshop.client,
            clock=self.workshop.clock,
            time=self.workshop.time,
            wanted=self.settings.wanted,
            days=self._days,
            most_days=self.settings.window_days,
            log=self.logger.info,
        )
        return source, spans

    def _zone(self) -> ZoneInfo | None:
        return self.workshop.project.zone()

    def _spans(self, sync_mode: SyncMode) -> list[Span]:
        full = sync_mode == SyncMode.full_refresh
        if full and not self._state.refreshing:
            self._state = ExportState(kind=self._state.kind, columns=self._state.columns)
        start, end = self._start_day(), self._end_day(self._days)
        if start > end:
            return []
        coverage = self._state.coverage.anchored(start)
        self._state = replace(self._state, coverage=coverage, refreshing=full)
        if full:
            spans = full_spans(coverage, start, end)
            self._read_from = spans[0].first if spans else start
        else:
            done = completed_through(coverage, self._days) or start - ONE_DAY
            back = max(start, done + ONE_DAY - timedelta(days=self.settings.look_back_days))
            spans = incremental_spans(
                coverage, start, end, look_back_from=back, reread=self.settings.reread
            )
            self._read_from = spans[0].first if self.settings.reread and spans else start
        return spans

    def _start_day(self) -> date:
        start = self.settings.start
        if start is None:
            since = self._state.coverage.first
            return since or self._days.today(self.workshop.time.now_utc()) - _DEFAULT_START
        if isinstance(start, datetime):
            day = self._days.of(start)
            # While it is not known whose days count, begin early: the instant itself decides.
            return day - ONE_DAY if self._days.kind is None else day
        return start

    def _end_day(self, days: Days) -> date:
        today = days.today(self.workshop.time.now_utc())
        end = self.settings.end
        if end is None:
            return today
        return min(today, days.of(end) if isinstance(end, datetime) else end)

    # -- records ---------------------------------------------------------------------------

    def chunks(self, stream_slice: Mapping[str, Any]) -> Iterator[Iterable[Row]]:
        """The rows of a whole slice; then the state moves past its days."""
        whole: WholeSlice = stream_slice.extra_fields["whole"]  # type: ignore[attr-defined]
        rows = self._rows_for(whole.days)
        before = rows.seen
        since_ms, until_ms = _bounds(self.settings)
        for block in whole.spool.blocks():
            yield rows.rows(block, since_ms, until_ms)
        if rows.seen - before != whole.spool.lines:
            raise DataError(
                f"Stream 'export' read {rows.seen - before} of {whole.spool.lines} events of "
                f"{whole.window} back from disk. The next sync asks for them again."
            )
        whole.discard()
        self._advance(whole, rows)

    def _advance(self, whole: WholeSlice, rows: EventRows) -> None:
        state = replace(self._state, kind=self._days.kind)
        if rows.latest_ms > -_EVER:
            state = state.with_latest(rows.latest_ms)
        told = told_by_catalog(self.configured_json_schema or {})
        state = replace(state, columns=self._names.to_remember(told))
        if whole.completes:
            through = whole.window.span.last
            first = self._read_from or whole.window.span.first
            coverage = state.coverage.advance(first, through, self._watermark())
            over = through >= self._end_day(self._days)
            state = replace(state, coverage=coverage, refreshing=state.refreshing and not over)
        self._state = state
        self.logger.info(
            f"Stream 'export' has read {whole.window}: {whole.spool.lines} events, "
            f"{self.emitted} so far."
        )

    def _watermark(self) -> int:
        """Up to when Mixpanel's processing is covered: an overlap before this sync began.

        Worked out when an answer has told Mixpanel's time, which ours may differ from.
        """
        if self._watermark_ms is None:
            elapsed = self.workshop.clock.monotonic() - self._started
            began = self.workshop.time.now() - elapsed
            self._watermark_ms = int(began * 1000) - OVERLAP_MS
        return self._watermark_ms

    def _rows_for(self, days: Days) -> EventRows:
        """The maker of rows; a new one once the data has told what times mean."""
        if self._rows is None or days != self._days:
            self._days = days
            zone = days.zone if days.kind == PROJECT_KIND else None
            earlier = self._rows
            self._rows = EventRows(self._names, Stamper(zone), self._shape())
            if earlier is not None:
                self._rows.latest_ms = earlier.latest_ms
        return self._rows

    def _shape(self) -> Shape:
        columns = (self.configured_json_schema or {}).get("properties") or {}
        return Shape(
            as_object=self.settings.as_object,
            only=frozenset(columns) if self.settings.only_configured and columns else None,
            to_text=self.settings.to_text,
            native=frozenset(EVENT_PROPERTIES),
            declared={column: declared_types(spec) for column, spec in columns.items()},
        )

    def _tell_oddities(self) -> None:
        """One line for each thing that a user may want to know of the data."""
        rows = self._rows
        if rows is None:
            return
        for column, kinds in rows.misfits().items():
            found = ", ".join(f"{count} x {kind}" for kind, count in kinds.items())
            declared = " or ".join(sorted(self._shape().declared[column] - {"null"}))
            self.logger.warning(
                f"Stream 'export', column {column!r}: declared as {declared}, but came as "
                f"{found}. The values were emitted as they are."
            )
        if rows.timeless:
            self.logger.warning(
                f"Stream 'export': {rows.timeless} events have no readable time; theirs is null."
            )


def _bounds(settings: ExportSettings) -> tuple[int, int]:
    """The instants between which events are wanted, in UTC milliseconds; dates bound by the day."""
    start, end = settings.start, settings.end
    since = (start - EPOCH) // timedelta(milliseconds=1) if isinstance(start, datetime) else -_EVER
    until = (end - EPOCH) // timedelta(milliseconds=1) if isinstance(end, datetime) else _EVER
    return since, until


def look_back_days(attribution_days: int, export_seconds: int) -> int:
    """The longer of the two windows, in whole days."""
    return max(attribution_days, math.ceil(export_seconds / 86_400))
