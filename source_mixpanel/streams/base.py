"""The engine: what every stream does in the same way. A stream itself is a declaration."""

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
"""Bytes of a STATE line beside the state itself."""
_SILENCE_S = 600.0
"""Seconds after which a state leaves even if it is longer than what was read: only records and
states tell the platform that the connector is alive."""


@dataclass(frozen=True)
class StreamContext:
    """What every stream works with.

    Attributes:
        disk: For what is downloaded before it is emitted.
        once: Keeps what several streams need, so that nothing is asked for twice.
        privacy: Which properties are kept back.
        batched: Whether records leave as batches of ready lines, or one message each.
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
        """The same, for what a sync is not to wait for."""
        client = self.client.hurried()
        return replace(self, client=client, lists=replace(self.lists, client=client))

    def project_days(self) -> Days:
        """Days as the Query API counts them: always in the project's zone."""
        return Days(PROJECT_KIND, self.project.zone())

    def now_ms(self) -> int:
        """Mixpanel's present in UTC milliseconds."""
        return int(self.time.now() * 1000)


@dataclass(frozen=True)
class Checkpoint:
    """All rows until here are accounted for.

    Attributes:
        state: What the next sync has to know; None where that has not changed.
        place: What has been read last, in words; empty if there is nothing to tell.
        total: Units that this sync reads, None where that is not known yet.
    """

    state: Mapping[str, Any] | None = None
    place: str = ""
    done: int = 0
    total: int | None = None
    unit: str = ""


@dataclass(frozen=True)
class Lines:
    """Rows as whole lines of the protocol; only for whoever takes batches."""

    text: bytes


Item: TypeAlias = Iterable[Row] | Lines | Checkpoint


class MixpanelStream(Stream, ABC):
    """A stream of one Mixpanel project, read once.

    `sync` is all that a stream is: rows and checkpoints, in the order in which they leave.

    Attributes:
        cursor_field: The column that incremental syncs go by; empty without one.
        exact: Whether incremental syncs leave an exact copy.
        lane: Whose quota it spends: streams of different lanes are read side by side.
        documented: Whether Mixpanel documents all that it is read from.
        paths: Where it is read from; its rows come from the first one.
        core: The columns that are not those of properties, as the catalog may give them.
        makes_rows_fit: Whether its rows fit the catalog as they are made.
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
        """Rows, some at a time, and after them what the next sync has to know.

        Raises:
            SourceError: Not all of it can be had; the last checkpoint stands.
        """

    @abstractmethod
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema to discover; only this may ask Mixpanel for names and types."""

    def requests_planned(self) -> int | None:
        """Requests of the lane's quota that a read takes; None where only the data can tell.

        Asks for nothing but what the read itself needs, and is kept for it.
        """
        return 1

    @airbyte_errors()
    def get_json_schema(self) -> Mapping[str, Any]:  # type: ignore[override]
        """The stream's schema; while reading, the one that is configured, at no cost."""
        if self._configured is not None:
            return self._configured
        schema = self.schema()
        if self.documented:
            return schema
        told = [schema["description"], UNDOCUMENTED] if "description" in schema else [UNDOCUMENTED]
        return {**schema, "description": " ".join(told)}

    def read(
        self,
        configured_stream: ConfiguredAirbyteStream,
        logger: Any,  # noqa: ARG002 - the CDK's signature
        slice_logger: Any,  # noqa: ARG002
        stream_state: MutableMapping[str, Any],
        state_manager: ConnectorStateManager,
        internal_config: Any,  # noqa: ARG002
    ) -> Iterator[AirbyteMessage]:
        """The messages of a sync. What was read when it fails is not forgotten."""
        self._obey(configured_stream.stream.json_schema or {})
        full = configured_stream.sync_mode == SyncMode.full_refresh
        states = _States(self, state_manager)
        try:
            with airbyte_errors():
                for item in self.sync(stream_state, full=full):
                    if not isinstance(item, Checkpoint):
                        yield from states.counted(self._messages(item))
                        continue
                    self._tell_progress(item, states.records)
                    if item.state is not None and states.may_leave(item.state):
                        yield states.message()
        except Exception:
            if states.waits:
                yield states.message()
            raise
        finally:
            for sentence in self.oddities():
                self.logger.warning(sentence)
        if states.waits or not states.left:
            yield states.message()

    def _obey(self, schema: Mapping[str, Any]) -> None:
        """From now on rows have the columns of this schema."""
        self._configured = schema
        self.catalog = parse_columns(schema, self.core)
        if not (self.makes_rows_fit or self.catalog.is_older):
            self._fitting = Fitting(self.catalog, self.primary_key)
        self._mend = mending(self.catalog, self.core, self.in_place())

    def read_records(self, *_args: Any, **_kwargs: Any) -> Iterator[AirbyteMessage]:
        """Every record, for callers of the CDK that know no states."""
        with airbyte_errors():
            for item in self.sync({}, full=True):
                if not isinstance(item, Checkpoint):
                    yield from (told for told, _, _ in self._messages(item))

    def go_on_from(self, then: Origin, now: Origin) -> None:
        """See whether an incremental sync may go on from a state, and say what differs since.

        Raises:
            ConfigError: It is another project's.
        """
        then.refuse_another_project(now, self.name)
        for sentence in then.warnings(now, self.name):
            self.logger.warning(sentence)

    def _tell_progress(self, reached: Checkpoint, records: int) -> None:
        if not reached.place:
            return
        left = self.context.ledgers[self.lane].left_this_hour()
        done, total, unit = reached.done, reached.total, reached.unit
        step = Step(self.name, reached.place, done, total, unit, records, left)
        self.context.progress.step(step)

    def oddities(self) -> Iterator[str]:
        """A sentence for each thing that a user may want to know of the data."""
        return self._fitting.sentences(self.name) if self._fitting else iter(())

    def in_place(self) -> tuple[str, ...]:
        """The columns that no row can do without: what they hold is not rescued."""
        return (RESCUED, OBJECT, *self.core.others, *self.primary_key)

    def _messages(self, rows: Iterable[Row] | Lines) -> Iterator[tuple[AirbyteMessage, int, int]]:
        """Messages, each with how many records it stands for, and their bytes."""
        emitted_at = int(self.context.clock.now() * 1000)
        if isinstance(rows, Lines):
            made = batch_of(self.name, rows.text, rows.text.count(b"\n"), emitted_at)
            yield made, made.count, len(made.lines)
            return
        rows = self._fitting.rows(rows) if self._fitting else rows
        if self.context.batched:
            made = batch(self.name, rows, emitted_at, self._mend)
            if made.count:
                yield made, made.count, len(made.lines)
            return
        for row in map(self._mend, rows) if self._mend else rows:
            yield message(self.name, row, emitted_at), 1, len(dump(row))


class _States:
    """Which states of a stream leave: never more bytes of them than of records, none twice."""

    def __init__(self, stream: MixpanelStream, manager: ConnectorStateManager) -> None:
        self._stream = stream
        self._manager = manager
        self._clock = stream.context.clock
        self._quiet_since = self._clock.monotonic()
        self._room = 0
        self._next: Mapping[str, Any] = NOTHING
        self._last: Mapping[str, Any] | None = None
        self.records = 0
        self.left = 0

    def counted(self, made: Iterable[tuple[AirbyteMessage, int, int]]) -> Iterator[AirbyteMessage]:
        """Messages of records, which make room for states."""
        for told, count, size in made:
            self.records += count
            self._room += size
            self._quiet_since = self._clock.monotonic()
            yield told

    @property
    def waits(self) -> bool:
        """Whether there is a state that has not left."""
        return self._next != (NOTHING if self._last is None else self._last)

    def may_leave(self, state: Mapping[str, Any]) -> bool:
        """Take the latest state; whether it is to leave now."""
        self._next = state
        silent = self._clock.monotonic() - self._quiet_since >= _SILENCE_S
        return self.waits and (silent or self._size() <= self._room)

    def _size(self) -> int:
        return len(dump(self._next)) + _ENVELOPE

    def message(self) -> AirbyteMessage:
        """The latest state as a message."""
        self._room -= self._size()
        self._last = self._next
        self._quiet_since = self._clock.monotonic()
        self.left += 1
        name, namespace = self._stream.name, self._stream.namespace
        self._manager.update_state_for_stream(name, namespace, self._next)
        return self._manager.create_state_message(name, namespace)
