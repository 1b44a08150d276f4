"""The engine: how every stream is read. A stream itself is a declaration."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from airbyte_cdk.models import AirbyteMessage, ConfiguredAirbyteStream, SyncMode
from airbyte_cdk.sources.connector_state_manager import ConnectorStateManager
from airbyte_cdk.sources.streams import Stream

from source_mixpanel.airbyte_errors import airbyte_errors
from source_mixpanel.api.cache import Cache
from source_mixpanel.api.client import MixpanelClient
from source_mixpanel.api.disk import DiskBudget
from source_mixpanel.api.ledger import Ledger
from source_mixpanel.api.lists import ListReader
from source_mixpanel.api.project import ProjectFacts
from source_mixpanel.api.request import Api
from source_mixpanel.columns.catalog import parse_columns
from source_mixpanel.columns.fitting import Fitting, Row
from source_mixpanel.columns.naming import Core
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.columns.types import OBJECT, RESCUED
from source_mixpanel.columns.unstorable import mending
from source_mixpanel.process.progress import Progress, Step
from source_mixpanel.streams.batch import batch, batch_of, message
from source_mixpanel.streams.state import NOTHING, Origin
from source_mixpanel.texts.json_lines import dump
from source_mixpanel.times.clock import Clock, ServerTime
from source_mixpanel.times.days import Days
from source_mixpanel.times.event_time import PROJECT_KIND

UNDOCUMENTED = "Read from an endpoint that Mixpanel does not document, and may change."

_ENVELOPE = 200
"""Bytes of a STATE line besides the state itself."""
_SILENCE_S = 600.0
"""Seconds without output after which a state is emitted in any case: records and states are the
platform's only sign that the connector is alive."""


@dataclass(frozen=True)
class StreamContext:
    """What every stream works with.

    Attributes:
        ledgers: The quota of each API.
        disk: Disk space for downloads that are not emitted yet.
        cache: Results that several streams need.
        origin: The project, data view and filters of this sync.
        time: Mixpanel's own time.
        batched: Whether records are emitted as batches of lines, instead of a message each.
        privacy: The properties that are left out or hashed.
    """

    client: MixpanelClient
    ledgers: Mapping[Api, Ledger]
    disk: DiskBudget
    cache: Cache
    lists: ListReader
    project: ProjectFacts
    origin: Origin
    time: ServerTime
    clock: Clock
    batched: bool
    progress: Progress
    privacy: Privacy

    def hurried(self) -> StreamContext:
        """The same context, whose client retries and waits only briefly."""
        client = self.client.hurried()
        return replace(self, client=client, lists=replace(self.lists, client=client))

    def project_days(self) -> Days:
        """Days of the Query API: always those of the project's zone."""
        return Days(PROJECT_KIND, self.project.zone())

    def now_ms(self) -> int:
        """Mixpanel's current time in UTC milliseconds."""
        return int(self.time.now() * 1000)


@dataclass(frozen=True)
class Checkpoint:
    """A point at which all rows before it are covered by the state.

    Attributes:
        state: The state to save; None if it has not changed.
        place: What was read last, for the log; empty if there is nothing to report.
        done: Units that have been read.
        total: Units that this sync reads; None if that is not known yet.
        unit: The name of the units, in the plural.
    """

    state: Mapping[str, Any] | None = None
    place: str = ""
    done: int = 0
    total: int | None = None
    unit: str = ""


@dataclass(frozen=True)
class Lines:
    """Rows as complete lines of the protocol; only if `StreamContext.batched`."""

    text: bytes


Item: TypeAlias = Iterable[Row] | Lines | Checkpoint


class MixpanelStream(Stream, ABC):
    """A stream of one Mixpanel project, read once.

    A subclass defines `sync`: rows and checkpoints, in the order in which they are emitted.

    Attributes:
        cursor_field: The cursor of incremental syncs; empty if there are none.
        exact: Whether incremental syncs leave an exact copy.
        lane: The API whose quota it uses; streams of different lanes are read concurrently.
        documented: Whether Mixpanel documents all of its endpoints.
        paths: The paths of its endpoints; its rows come from the first one.
        core: The columns that are not those of further properties.
        makes_rows_fit: Whether `sync` itself fits rows to the catalog.
    """

    name: str
    paths: tuple[str, ...]
    primary_key: list[str] = []  # noqa: RUF012 - each stream has its own
    cursor_field: str | list[str] = []  # noqa: RUF012 - as the CDK declares it
    exact: bool = True
    lane: Api = Api.QUERY
    documented: bool = True
    is_resumable = True
    core = Core({})
    makes_rows_fit: bool = False

    def __init__(self, context: StreamContext) -> None:
        self.context = context
        self._configured: Mapping[str, Any] | None = None
        self.catalog = parse_columns(None, self.core)
        self._fitting: Fitting | None = None
        self._mend: Callable[[Row], Row] | None = None

    @abstractmethod
    def sync(self, saved: Mapping[str, Any], *, full: bool) -> Iterator[Item]:
        """Rows in batches, and checkpoints after them.

        Args:
            saved: The saved state; empty without one.
            full: Whether this is a full refresh.

        Raises:
            SourceError: Something cannot be read; the last checkpoint stays valid.
        """

    @abstractmethod
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema to discover; only this method may request names and types."""

    def requests_planned(self) -> int | None:
        """Requests of the lane's quota that a read takes; None if that depends on the data.

        Makes only requests that the read needs as well, and that are cached.
        """
        return 1

    @airbyte_errors()
    def get_json_schema(self) -> Mapping[str, Any]:  # type: ignore[override]
        """The schema to discover; while reading, the configured one, without a request."""
        if self._configured is not None:
            return self._configured
        schema = self.schema()
        if self.documented:
            return schema
        sentences = (
            [schema["description"], UNDOCUMENTED] if "description" in schema else [UNDOCUMENTED]
        )
        return {**schema, "description": " ".join(sentences)}

    def read(
        self,
        configured_stream: ConfiguredAirbyteStream,
        logger: Any,  # noqa: ARG002 - the CDK's signature
        slice_logger: Any,  # noqa: ARG002
        stream_state: MutableMapping[str, Any],
        state_manager: ConnectorStateManager,
        internal_config: Any,  # noqa: ARG002
    ) -> Iterator[AirbyteMessage]:
        """The messages of a sync. If it fails, the last state is emitted first."""
        self._configure(configured_stream.stream.json_schema or {})
        full = configured_stream.sync_mode == SyncMode.full_refresh
        states = _States(self, state_manager)
        try:
            with airbyte_errors():
                for item in self.sync(stream_state, full=full):
                    if not isinstance(item, Checkpoint):
                        yield from states.counted(self._messages(item))
                        continue
                    self._report_progress(item, states.records)
                    if item.state is not None and states.may_leave(item.state):
                        yield states.message()
        except Exception:
            if states.is_pending:
                yield states.message()
            raise
        finally:
            for sentence in self.oddities():
                self.logger.warning(sentence)
        if states.is_pending or not states.emitted:
            yield states.message()

    def _configure(self, schema: Mapping[str, Any]) -> None:
        """Set the configured schema: rows have its columns from now on."""
        self._configured = schema
        self.catalog = parse_columns(schema, self.core)
        if not (self.makes_rows_fit or self.catalog.is_older):
            self._fitting = Fitting(self.catalog, self.primary_key)
        self._mend = mending(self.catalog, self.core, self.in_place())

    def read_records(self, *_args: Any, **_kwargs: Any) -> Iterator[AirbyteMessage]:
        """All records, for callers in the CDK that use no state."""
        with airbyte_errors():
            for item in self.sync({}, full=True):
                if not isinstance(item, Checkpoint):
                    yield from (sent for sent, _, _ in self._messages(item))

    def go_on_from(self, then: Origin, now: Origin) -> None:
        """Raise unless a sync of `now` may continue a state of `then`; log what differs.

        Raises:
            ConfigError: The state is of another project.
        """
        then.refuse_another_project(now, self.name)
        for sentence in then.warnings(now, self.name):
            self.logger.warning(sentence)

    def _report_progress(self, reached: Checkpoint, records: int) -> None:
        if not reached.place:
            return
        requests_left = self.context.ledgers[self.lane].left_this_hour()
        done, total, unit = reached.done, reached.total, reached.unit
        step = Step(self.name, reached.place, done, total, unit, records, requests_left)
        self.context.progress.step(step)

    def oddities(self) -> Iterator[str]:
        """Sentences about unusual data, for the log."""
        return self._fitting.sentences(self.name) if self._fitting else iter(())

    def in_place(self) -> tuple[str, ...]:
        """The columns whose values are never moved to `rescued_properties`."""
        return (RESCUED, OBJECT, *self.core.others, *self.primary_key)

    def _messages(self, rows: Iterable[Row] | Lines) -> Iterator[tuple[AirbyteMessage, int, int]]:
        """Messages, each with its count of records and their bytes."""
        emitted_at = int(self.context.clock.now() * 1000)
        if isinstance(rows, Lines):
            record_batch = batch_of(self.name, rows.text, rows.text.count(b"\n"), emitted_at)
            yield record_batch, record_batch.count, len(record_batch.lines)
            return
        rows = self._fitting.rows(rows) if self._fitting else rows
        if self.context.batched:
            record_batch = batch(self.name, rows, emitted_at, self._mend)
            if record_batch.count:
                yield record_batch, record_batch.count, len(record_batch.lines)
            return
        for row in map(self._mend, rows) if self._mend else rows:
            yield message(self.name, row, emitted_at), 1, len(dump(row))


class _States:
    """The states of a stream that are emitted: never more bytes than records have, none twice."""

    def __init__(self, stream: MixpanelStream, manager: ConnectorStateManager) -> None:
        self._stream = stream
        self._manager = manager
        self._clock = stream.context.clock
        self._silent_since = self._clock.monotonic()
        self._byte_budget = 0
        self._next: Mapping[str, Any] = NOTHING
        self._last: Mapping[str, Any] | None = None
        self.records = 0
        self.emitted = 0

    def counted(
        self, messages: Iterable[tuple[AirbyteMessage, int, int]]
    ) -> Iterator[AirbyteMessage]:
        """The messages of records, counted; their bytes are the budget for states."""
        for sent, count, size in messages:
            self.records += count
            self._byte_budget += size
            self._silent_since = self._clock.monotonic()
            yield sent

    @property
    def is_pending(self) -> bool:
        """Whether there is a state that has not been emitted."""
        return self._next != (NOTHING if self._last is None else self._last)

    def may_leave(self, state: Mapping[str, Any]) -> bool:
        """Set the latest state; returns whether it is to be emitted now."""
        self._next = state
        silent = self._clock.monotonic() - self._silent_since >= _SILENCE_S
        return self.is_pending and (silent or self._size() <= self._byte_budget)

    def _size(self) -> int:
        return len(dump(self._next)) + _ENVELOPE

    def message(self) -> AirbyteMessage:
        """The latest state as a message."""
        self._byte_budget -= self._size()
        self._last = self._next
        self._silent_since = self._clock.monotonic()
        self.emitted += 1
        name, namespace = self._stream.name, self._stream.namespace
        self._manager.update_state_for_stream(name, namespace, self._next)
        return self._manager.create_state_message(name, namespace)
