"""The source: Airbyte's four verbs, and the only place where settings meet the rest."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any, cast

from airbyte_cdk.config_observation import create_connector_config_control_message
from airbyte_cdk.models import (
    AirbyteCatalog,
    AirbyteConnectionStatus,
    AirbyteMessage,
    AirbyteStateMessage,
    AirbyteStreamStatus,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    ConnectorSpecification,
    FailureType,
    Status,
    StreamDescriptor,
    Type,
)
from airbyte_cdk.sources import AbstractSource
from airbyte_cdk.sources.connector_state_manager import ConnectorStateManager
from airbyte_cdk.sources.message import InMemoryMessageRepository, MessageRepository
from airbyte_cdk.sources.streams import Stream
from airbyte_cdk.sources.utils.schema_helpers import InternalConfig, split_config
from airbyte_cdk.utils.airbyte_secrets_utils import update_secrets
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message as status_message
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_mixpanel.airbyte_errors import TracedError, airbyte_errors, kind_of, traced
from source_mixpanel.api.patience import Patience
from source_mixpanel.api.waits import Wait
from source_mixpanel.assembly.announce import waiting_messages
from source_mixpanel.assembly.check import amiss, findings
from source_mixpanel.assembly.context import (
    build_context,
    build_privacy,
    dated,
    named_in,
    warnings_on,
)
from source_mixpanel.assembly.lanes import Turns, forget, lanes_of
from source_mixpanel.assembly.quota_report import tell_plan, usage_sentence
from source_mixpanel.config.bounds import refuse_empty
from source_mixpanel.config.migrations import corrections, migrate
from source_mixpanel.config.model import Config, ignored_settings, parse_config
from source_mixpanel.config.spec import connection_specification
from source_mixpanel.errors import ConfigError, SourceError, worst
from source_mixpanel.process.configured_catalog import Choice, of_stream, read_catalog
from source_mixpanel.process.files import read_json_object
from source_mixpanel.process.progress import Watcher
from source_mixpanel.process.state_file import read_state
from source_mixpanel.streams.base import MixpanelStream, StreamContext
from source_mixpanel.streams.batch import RecordBatch
from source_mixpanel.texts.masking import hide, hide_also_in, keep_data_back, masked, secrets_in
from source_mixpanel.texts.spelling import did_you_mean
from source_mixpanel.threads.makers import side_by_side
from source_mixpanel.times.clock import Clock, ServerTime, SystemClock

_log = logging.getLogger("airbyte")

_QUEUED = 8
"""Messages, a batch among them some 300 KB, that lanes may be ahead of what is written."""


class SourceMixpanel(AbstractSource):
    """Mixpanel as an Airbyte source.

    Args:
        clock: The machine's unless another is given.
        patience: Time-outs and attempts.
        batched: Emit records as batches of ready lines; only our own entrypoint can write them.
        tell: Takes messages that cannot wait for the next record (a wait for quota).
        watcher: Looks on while streams are read.
        wanted: The streams to discover or read, where no catalog says it.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        patience: Patience | None = None,
        batched: bool = False,
        tell: Callable[[AirbyteMessage], None] | None = None,
        watcher: Watcher | None = None,
        wanted: Sequence[Choice] = (),
    ) -> None:
        self._clock = clock or SystemClock()
        self._patience = patience or Patience()
        self._batched = batched
        self._watcher = watcher or Watcher()
        self._wanted = wanted
        self._queue = InMemoryMessageRepository()
        self._tell = tell or self._queue.emit_message
        self._queue_lock = threading.Lock()
        self._shared: list[MixpanelStream] = []
        self._turns = Turns((), ())
        self._failures: dict[str, Exception] = {}
        self._without_rows: set[str] = set()
        hide_also_in(update_secrets)

    @property
    def message_repository(self) -> MessageRepository:
        """Messages that leave before the next record."""
        return self._queue

    # -- spec and settings -----------------------------------------------------------------

    def spec(self, logger: logging.Logger) -> ConnectorSpecification:  # noqa: ARG002
        """What can be configured."""
        return ConnectorSpecification(connectionSpecification=connection_specification())

    def configure(self, config: Mapping[str, Any], temp_dir: str) -> Mapping[str, Any]:  # noqa: ARG002
        """Settings in today's shape; the platform is told if they were not.

        Unlike the CDK's own this writes no copy to disk: the settings hold secrets.
        """
        migrated = migrate(dict(config))
        for sentence in corrections(dict(config)):
            _log.info(sentence)
        if migrated != config:
            self._queue.emit_message(create_connector_config_control_message(migrated))
        return migrated

    @staticmethod
    @airbyte_errors()
    def read_config(config_path: str) -> dict[str, Any]:
        """The settings file."""
        return read_json_object(config_path, "configuration")

    @classmethod
    @airbyte_errors()
    def read_catalog(cls, catalog_path: str | None) -> ConfiguredAirbyteCatalog:
        """The configured catalog's file; an empty one without."""
        return read_catalog(catalog_path)

    @classmethod
    @airbyte_errors()
    def read_state(cls, state_path: str | None) -> list[AirbyteStateMessage]:
        """The state's file, of whichever generation."""
        return read_state(state_path)

    def _parse(self, config: Mapping[str, Any]) -> Config:
        hide(secrets_in(config))
        try:
            plain, _ = split_config(config)
        except ValueError:
            raise ConfigError(
                "The configuration is not valid. _limit and _page_size, Airbyte's own settings for "
                "tests, have to be whole numbers."
            ) from None
        migrated = migrate(dict(plain))
        parsed = parse_config(migrated)
        if build_privacy(parsed):
            keep_data_back()
        if ignored := ignored_settings(migrated):
            _log.warning(ignored)
        for sentence in warnings_on(parsed, ServerTime(self._clock).now_utc()):
            _log.warning(sentence)
        return parsed

    def _context(self, config: Config, *, hurried: bool = False) -> StreamContext:
        return build_context(
            config,
            clock=self._clock,
            patience=self._patience.hurried() if hurried else self._patience,
            announce=self._announce,
            batched=self._batched,
            watcher=self._watcher,
        )

    def _announce(self, wait: Wait) -> None:
        speaker = self._turns.speaker(wait.stream)
        self._turns.await_start(speaker)
        for message in waiting_messages(replace(wait, stream=speaker)):
            self._tell(message)
        self._watcher.waits(speaker, wait.until)

    # -- check and discover ----------------------------------------------------------------

    def check(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteConnectionStatus:
        """Whether anything can be read; what cannot is named with the reason."""
        try:
            settings = self._parse(config)
            refuse_empty(settings, ServerTime(self._clock).now_utc())
            context = self._context(settings, hurried=True)
            if settings.reports:
                _streams(settings, context)
            found = findings(
                context,
                lambda: _streams(settings, context),
                named_in(settings),
                dated(settings),
            )
        except SourceError as error:
            # Unlike logs and traces this message passes no filter of the CDK's.
            return AirbyteConnectionStatus(status=Status.FAILED, message=masked(str(error)))
        for sentence in found:
            logger.warning(sentence)
        told = [ignored_settings(migrate(dict(config))), *found]
        message = masked(" ".join(filter(None, told)))
        return AirbyteConnectionStatus(Status.SUCCEEDED, message or None)

    def check_connection(
        self, logger: logging.Logger, config: Mapping[str, Any]
    ) -> tuple[bool, Any | None]:
        """The same for callers of the older interface."""
        result = self.check(logger, config)
        return result.status == Status.SUCCEEDED, result.message

    def discover(self, logger: logging.Logger, config: Mapping[str, Any]) -> AirbyteCatalog:
        """Every stream that is wanted with its columns; the log says what that cost."""
        configured = self.configured(logger, config)
        return AirbyteCatalog(streams=[entry.stream for entry in configured.streams])

    def configured(
        self, logger: logging.Logger, config: Mapping[str, Any]
    ) -> ConfiguredAirbyteCatalog:
        """The same, as a catalog to read by."""
        _, context, streams = self._build(config, hurried=True)
        catalog = self._configured(streams)
        logger.info(usage_sentence(context.client.quotas()))
        return catalog

    @airbyte_errors()
    def _configured(self, streams: list[MixpanelStream]) -> ConfiguredAirbyteCatalog:
        """The streams that are wanted, or all.

        Raises:
            ConfigError: One does not exist, or not in that mode.
        """
        known = {stream.name: stream for stream in streams}
        wanted = self._wanted or [Choice(name) for name in known]
        for choice in wanted:
            if choice.stream not in known:
                raise ConfigError(
                    f"There is no stream {choice.stream!r}."
                    f"{did_you_mean(choice.stream, known)} There are: {', '.join(sorted(known))}."
                )
        chosen = [(known[choice.stream], choice.mode) for choice in wanted]
        return ConfiguredAirbyteCatalog(
            streams=[
                of_stream(stream.as_airbyte_stream(), mode, exact=stream.exact)
                for stream, mode in chosen
            ]
        )

    def streams(self, config: Mapping[str, Any]) -> list[Stream]:
        """Every stream of the catalogue; while reading, the ones that this sync shares."""
        return list(self._shared or self._build(config)[-1])

    @airbyte_errors()
    def _build(
        self, config: Mapping[str, Any], *, hurried: bool = False
    ) -> tuple[Config, StreamContext, list[MixpanelStream]]:
        settings = self._parse(config)
        context = self._context(settings, hurried=hurried)
        return settings, context, _streams(settings, context)

    # -- read ------------------------------------------------------------------------------

    def read(
        self,
        logger: logging.Logger,
        config: Mapping[str, Any],
        catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage] | None = None,
    ) -> Iterator[AirbyteMessage]:
        """Read quotas side by side; when one stream fails, so does the sync, after the others."""
        settings, context, self._shared = self._build(config)
        plain, _ = split_config(config)
        self._failures.clear()
        if self._wanted:
            catalog = self._configured(self._shared)
        yield from self._refuse_unknown(catalog)
        lanes = lanes_of(self._shared, catalog)
        self._turns = Turns(self._shared, lanes)
        self._watcher.expect(len(catalog.streams))

        def lane(part: ConfiguredAirbyteCatalog) -> Iterator[AirbyteMessage]:
            # What it raises in the end is made of failures that are kept by stream.
            with suppress(AirbyteTracedException):
                yield from super(SourceMixpanel, self).read(logger, plain, part, state)

        self._without_rows = {entry.stream.name for entry in catalog.streams}
        sources = [
            *map(lane, lanes),
            self._hints(settings, context, self._without_rows & {"export"}),
        ]
        work = side_by_side(sources, room=_QUEUED, discard=forget)
        with closing(work):
            for message in work:
                yield message
                self._turns.written(message)
        # A report that brings rows needs no query to tell that it can.
        yield from self._hints(settings, context, self._without_rows - {"export"})
        logger.info(usage_sentence(context.client.quotas()))
        self._refuse_unfinished()

    def _refuse_unfinished(self) -> None:
        """Do nothing if every stream was read whole.

        Raises:
            TracedError: Some were not.
        """
        if self._failures:
            told = "\n".join(f"{name}: {_told(error)}" for name, error in self._failures.items())
            raise TracedError(
                message=f"The following streams were not read whole.\n{told}",
                failure_type=FailureType(worst(map(kind_of, self._failures.values()))),
            )

    @staticmethod
    def _hints(
        settings: Config, context: StreamContext, streams: Collection[str]
    ) -> Iterator[AirbyteMessage]:
        """No messages, but warnings of what the settings of streams name and the project lacks."""
        named = named_in(settings).of(streams)
        for sentence in amiss(context.hurried(), named, dated(settings)):
            _log.warning(sentence)
        yield from ()

    def _refuse_unknown(self, catalog: ConfiguredAirbyteCatalog) -> Iterator[AirbyteMessage]:
        """End the streams that the catalog asks for and that there are not; the others go on."""
        known = {stream.name for stream in self._shared}
        for entry in catalog.streams:
            name = entry.stream.name
            if name not in known:
                error = ConfigError(
                    f"The configured catalog asks for stream {name!r}, which Mixpanel does not "
                    f"have (any more).{did_you_mean(name, known)} Refresh the connection's schema, "
                    f"or take the stream out. There are: {', '.join(sorted(known))}."
                )
                self._failures[name] = told = traced(error)
                yield status_message(entry.stream, AirbyteStreamStatus.INCOMPLETE)
                yield told.as_sanitized_airbyte_message(StreamDescriptor(name=name))

    def _emit_queued_messages(self) -> Iterable[AirbyteMessage]:
        with self._queue_lock:
            return list(self._queue.consume_queue())

    def _read_stream(
        self,
        logger: logging.Logger,
        stream_instance: Stream,
        configured_stream: ConfiguredAirbyteStream,
        state_manager: ConnectorStateManager,
        internal_config: InternalConfig,
    ) -> Iterator[AirbyteMessage]:
        """As the CDK's own, with batches counted for what they hold."""
        name = stream_instance.name
        stream_state = state_manager.get_stream_state(name, stream_instance.namespace)
        records, progress = 0, cast("MixpanelStream", stream_instance).context.progress
        try:
            progress.begin(name)
            tell_plan(self._turns.begin(name), logger.info)
            for item in stream_instance.read(
                configured_stream,
                logger,
                self._slice_logger,
                stream_state,
                state_manager,
                internal_config,
            ):
                message = self._get_message(item, stream_instance)
                if message.type == Type.RECORD:
                    if not records:
                        self._without_rows.discard(name)
                        yield status_message(configured_stream.stream, AirbyteStreamStatus.RUNNING)
                    made = message.count if isinstance(message, RecordBatch) else 1
                    records += made
                    progress.count(name, made)
                yield from self._emit_queued_messages()
                yield message
        except Exception as error:
            self._failures[name] = error
            progress.end(name, whole=False)
            raise
        progress.end(name, whole=True)
        logger.info(f"Read {records} records from {name} stream")


def _told(error: Exception) -> str:
    """What went wrong, for the user."""
    return (isinstance(error, AirbyteTracedException) and error.message) or type(error).__name__


def _streams(config: Config, context: StreamContext) -> list[MixpanelStream]:
    """Every stream; their modules are loaded by the verbs that need them, not by `spec`."""
    from source_mixpanel.assembly.catalogue import build_streams  # noqa: PLC0415 - as said

    return build_streams(config, context)
