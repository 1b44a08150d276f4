"""The engine: what every stream does in the same way. A stream itself is a declaration."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from airbyte_cdk.models import AirbyteMessage, SyncMode
from airbyte_cdk.sources.streams import CheckpointMixin, Stream
from airbyte_cdk.sources.streams.checkpoint import CheckpointMode

from source_mixpanel.api.client import MixpanelClient
from source_mixpanel.api.ledger import Ledger
from source_mixpanel.api.lists import ListReader
from source_mixpanel.api.once import Once
from source_mixpanel.api.project import ProjectFacts
from source_mixpanel.api.request import Api
from source_mixpanel.clock import Clock, ServerTime
from source_mixpanel.instants import PROJECT_KIND
from source_mixpanel.records.batch import batch, message
from source_mixpanel.sync.days import Days
from source_mixpanel.sync.progress import Progress, Step

Row = Mapping[str, Any]

UNDOCUMENTED = "Read from an endpoint that Mixpanel does not document, and may change."


@dataclass(frozen=True)
class Workshop:
    """What every stream works with.

    Attributes:
        client: Asks Mixpanel.
        ledgers: The quota of each API.
        once: Keeps what several streams need, so that nothing is asked for twice.
        lists: Reads list endpoints.
        project: What Mixpanel says of the project itself.
        time: Mixpanel's present.
        clock: Measures how long things take.
        batched: Whether records leave as batches of ready lines, or one message each.
        progress: Told how far streams are.
    """

    client: MixpanelClient
    ledgers: Mapping[Api, Ledger]
    once: Once
    lists: ListReader
    project: ProjectFacts
    time: ServerTime
    clock: Clock
    batched: bool
    progress: Progress

    def project_days(self) -> Days:
        """Days as the Query API counts them: always in the project's zone."""
        return Days(PROJECT_KIND, self.project.zone())


class MixpanelStream(Stream, ABC):
    """A stream of one Mixpanel project.

    A subclass declares `name`, `primary_key`, `cursor_field` and its schema, and says in `chunks`
    where rows come from. What a class must declare itself is in `declares`; if it does not, the
    import fails. An engine, a class between this one and streams, declares nothing.
    """

    declares: ClassVar[tuple[str, ...]] = ("name", "primary_key")

    name: str
    primary_key: ClassVar[list[str]]
    cursor_field: ClassVar[str | list[str]] = []
    lane: ClassVar[Api] = Api.QUERY
    """Whose quota the stream spends: streams of different lanes are read side by side."""
    documented: ClassVar[bool] = True
    """Whether Mixpanel documents all that the stream is read from."""

    def __init_subclass__(cls, *, engine: bool = False, **kwargs: Any) -> None:
        """Refuse a declaration that lacks what the catalog needs."""
        super().__init_subclass__(**kwargs)
        if engine:
            return
        missing = [key for key in cls.declares if key not in vars(cls)]
        if missing:
            raise TypeError(f"stream {cls.__name__} declares no {' and no '.join(missing)}")

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self._configured: Mapping[str, Any] | None = None
        self.emitted = 0

    @abstractmethod
    def chunks(self, stream_slice: Mapping[str, Any]) -> Iterator[Iterable[Row]]:
        """The rows of a slice, some at a time; state moves when the slice is used up."""

    @abstractmethod
    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema to discover; only this may ask Mixpanel for names and types."""

    def requests_planned(self) -> int | None:
        """Requests of the lane's quota that a read takes; None where only the data can tell.

        Asks for nothing but what the read itself needs, and is kept for it.
        """
        return 1

    def get_json_schema(self) -> Mapping[str, Any]:  # type: ignore[override]
        """The stream's schema; while reading, the one that is configured, at no cost."""
        if self._configured is not None:
            return self._configured
        schema = self.schema()
        return schema if self.documented else {**schema, "description": UNDOCUMENTED}

    @property
    def configured_json_schema(self) -> dict[str, Any] | None:
        """The schema in the configured catalog, None before a read."""
        return None if self._configured is None else dict(self._configured)

    @configured_json_schema.setter
    def configured_json_schema(self, json_schema: Mapping[str, Any] | None) -> None:
        # The CDK's own setter runs a discovery to compare the two; a read does not pay for that.
        self._configured = json_schema or {}

    def read_records(
        self,
        sync_mode: SyncMode,  # noqa: ARG002 - the CDK's signature
        cursor_field: list[str] | None = None,  # noqa: ARG002
        stream_slice: Mapping[str, Any] | None = None,
        stream_state: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Iterable[AirbyteMessage]:
        """The messages of one slice."""
        for rows in self.chunks(stream_slice or {}):
            yield from self._messages(rows)

    def progressed(self, place: str, done: int, total: int | None, unit: str) -> None:
        """Say that `place` has been read whole, and how much that makes.

        Args:
            place: What has been read, in words.
            done: Units so far in this sync.
            total: Units that this sync reads, None where that is not known yet.
            unit: What is counted, in the plural.
        """
        left = self.workshop.ledgers[self.lane].left_this_hour()
        self.workshop.progress.step(Step(self.name, place, done, total, unit, self.emitted, left))

    def _messages(self, rows: Iterable[Row]) -> Iterator[AirbyteMessage]:
        emitted_at = int(self.workshop.clock.now() * 1000)
        if self.workshop.batched:
            made = batch(self.name, rows, emitted_at)
            self.emitted += made.count
            if made.count:
                yield made
            return
        for row in rows:
            self.emitted += 1
            yield message(self.name, row, emitted_at)


class CheckpointedStream(MixpanelStream, CheckpointMixin, engine=True):
    """A stream with a state, which leaves after each slice, whether there is a cursor or not."""

    @property
    def _checkpoint_mode(self) -> CheckpointMode:
        # The CDK's way for streams without a cursor asks for no slices.
        return CheckpointMode.INCREMENTAL
