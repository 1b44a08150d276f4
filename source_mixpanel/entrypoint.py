"""Airbyte's own entry point, taught to write batches of ready lines."""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
import tempfile
from argparse import Namespace
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, nullcontext, redirect_stderr, suppress
from typing import Any, NoReturn, cast

from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.logger import PRINT_BUFFER
from airbyte_cdk.models import (
    AirbyteMessage,
    AirbyteStateMessage,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    ConnectorSpecification,
)
from airbyte_cdk.sources.connector_state_manager import HashableStreamDescriptor

from source_mixpanel.airbyte_errors import airbyte_errors
from source_mixpanel.api.host_errors import no_directory
from source_mixpanel.api.patience import Patience
from source_mixpanel.errors import ConfigError
from source_mixpanel.process.command_line import parsed
from source_mixpanel.process.configured_catalog import Choice, choices
from source_mixpanel.process.state_file import StateFile, is_first
from source_mixpanel.process.terminal import (
    in_words,
    is_terminal,
    say,
    warnings_in_words,
    watching,
    without_stack_traces,
)
from source_mixpanel.source import SourceMixpanel
from source_mixpanel.streams.batch import RecordBatch
from source_mixpanel.texts.masking import hide, secrets_in
from source_mixpanel.times.clock import Clock

_ESCAPED = str.maketrans({end: f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"})
"""Airbyte's image tests and Meltano's wrapper split lines at these characters. A catalog has them
if a property's name does; they stay in records, since replacing them would take time."""
_NO_OUTPUT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


class MixpanelEntrypoint(AirbyteEntrypoint):
    """Airbyte's entry point, which also writes batches as bytes and counts their records.

    Args:
        source: The source.
        call: The command and its flags.
    """

    source: SourceMixpanel

    def __init__(self, source: SourceMixpanel, call: Namespace) -> None:
        super().__init__(source)
        self._call = call

    @staticmethod
    def parse_args(args: list[str]) -> Namespace:
        """The command and its flags, Airbyte's and our own."""
        return parsed(args)

    def check(
        self, source_spec: ConnectorSpecification, config: Mapping[str, Any]
    ) -> Iterable[AirbyteMessage]:
        """The CDK's check; at a terminal, its message is printed to standard error as well."""
        for message in super().check(source_spec, config):
            yield message
            status = message.connectionStatus
            if status is not None and status.message and is_terminal():
                say(status.message)

    def discover(
        self, source_spec: ConnectorSpecification, config: Mapping[str, Any]
    ) -> Iterable[AirbyteMessage]:
        """The CDK's discover; with `--configured` a configured catalog, which is not a message."""
        if not self._call.configured:
            yield from super().discover(source_spec, config)
            return
        self.set_up_secret_filter(config, source_spec.connectionSpecification)
        catalog = self.source.configured(self.logger, config)
        dumped = _without_nulls(ConfiguredAirbyteCatalogSerializer.dump(catalog))
        _write(f"{json.dumps(dumped, indent=2)}\n".encode())

    def read(
        self,
        source_spec: ConnectorSpecification,
        config: Mapping[str, Any],
        config_catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage],
    ) -> Iterable[AirbyteMessage]:
        """The CDK's read; batches are written here, other messages by the caller.

        With `--state-out`, states are saved after they have been written.
        """
        state_file = self._state_file(config_catalog, state)
        for message in super().read(source_spec, config, config_catalog, state):
            if isinstance(message, RecordBatch):
                _write(message.lines)
                continue
            yield message
            if state_file is not None and message.state is not None:
                PRINT_BUFFER.flush()
                state_file.keep(message.state)

    @airbyte_errors()
    def _state_file(
        self, catalog: ConfiguredAirbyteCatalog, state: list[AirbyteStateMessage]
    ) -> StateFile | None:
        if not self._call.state_out:
            return None
        streams = {entry.stream.name for entry in catalog.streams}
        streams |= {choice.stream for choice in _wanted(self._call)}
        return StateFile(self._call.state_out, state, streams)

    @staticmethod
    def handle_record_counts(
        message: AirbyteMessage, stream_message_count: defaultdict[HashableStreamDescriptor, float]
    ) -> AirbyteMessage:
        """Count records for `sourceStats.recordCount` of the next state; a batch has several."""
        if isinstance(message, RecordBatch) and message.record is not None:
            stream = HashableStreamDescriptor(message.record.stream, message.record.namespace)
            stream_message_count[stream] += message.count
            return message
        return AirbyteEntrypoint.handle_record_counts(message, stream_message_count)

    @staticmethod
    def set_up_secret_filter(
        config: Mapping[str, Any],
        connection_specification: Mapping[str, Any],  # noqa: ARG004 - the CDK's signature
    ) -> None:
        """Mask the secrets of the settings, valid or not."""
        hide(secrets_in(config))

    @staticmethod
    def validate_connection(
        source_spec: ConnectorSpecification,
        config: Mapping[str, Any],
    ) -> None:
        """Check nothing: the command parses the settings, with clearer errors than a schema's."""


@airbyte_errors()
def _require_temporary_directory() -> None:
    """Raise unless there is a directory for temporary files, which the CDK needs as well.

    Raises:
        AirbyteTracedException: There is none.
    """
    try:
        tempfile.TemporaryDirectory().cleanup()
    except OSError as error:
        raise no_directory(error) from error


def _write(lines: bytes) -> None:
    """Write bytes after everything printed before, so that records and states keep their order."""
    with PRINT_BUFFER.lock:
        PRINT_BUFFER.flush()
        out = sys.__stdout__
        if out is not None:
            out.buffer.write(lines)
            out.buffer.flush()


def _print_now(message: AirbyteMessage) -> None:
    """Print a message at once: the platform has to know of a wait while it lasts."""
    line = AirbyteEntrypoint.airbyte_message_to_string(message)
    with PRINT_BUFFER.lock:
        PRINT_BUFFER.write(f"{line}\n")
        PRINT_BUFFER.flush()


def launch(args: list[str], clock: Clock | None = None, patience: Patience | None = None) -> None:
    """Run one of Airbyte's verbs and print its messages.

    Args:
        args: As on the command line.
        clock: The clock; None for that of the system.
        patience: Time-outs and attempts; None for the defaults.
    """
    call = parsed(args)
    if call.command == "read" and is_first(call.state, call.state_out):
        call.state = None
    quiet = call.command == "discover" and call.configured
    without_stack_traces()
    if quiet:
        warnings_in_words()
    with watching() if call.command == "read" else nullcontext() as watcher:
        source = SourceMixpanel(
            batched=True,
            tell=_print_now,
            clock=clock,
            patience=patience,
            watcher=watcher,
            wanted=_wanted(call),
        )
        # From here on, errors become messages.
        entrypoint = MixpanelEntrypoint(source, call)
        _require_temporary_directory()
        lines = cast("Generator[str, None, None]", entrypoint.run(call))
        # The buffer takes what is meant for standard error, too, and would print it among the
        # messages. The lines are closed before anything else is: their end removes a directory.
        errors = sys.stderr
        with PRINT_BUFFER, redirect_stderr(errors), closing(lines):
            for line in lines:
                if not quiet:
                    print(f"{line.translate(_ESCAPED)}\n", end="")  # noqa: T201 - the protocol's output


def _wanted(call: Namespace) -> list[Choice]:
    """The streams that the command line names; ends the process if they are not valid."""
    names = getattr(call, "streams", None)
    try:
        return choices(names) if names is not None else []
    except ConfigError as error:
        say(str(error))
        sys.exit(2)


def _without_nulls(told: Any) -> Any:
    """A value without nulls, so that it is easier to read; schemas are not changed."""
    if isinstance(told, list):
        return [_without_nulls(item) for item in told]
    if not isinstance(told, dict):
        return told
    return {
        key: value if key == "json_schema" else _without_nulls(value)
        for key, value in told.items()
        if value is not None
    }


def main(args: list[str], clock: Clock | None, patience: Patience | None) -> None:
    """Run a command, and say what becomes of output that cannot be written."""
    # A log line that cannot be written is not worth a traceback: what follows it says why.
    logging.raiseExceptions = False
    if sys.stdout is None:
        _exit_without_output("The connector has no standard output to write to.")
    try:
        _launch_reporting(args, clock, patience)
    except BrokenPipeError:
        _exit_without_output("The reader of the connector's output has gone away; the sync stops.")
    except OSError as error:
        if error.errno not in _NO_OUTPUT:
            raise
        _exit_without_output(
            f"The connector's output cannot be written ({error.strerror}); the sync stops."
        )


def _launch_reporting(args: list[str], clock: Clock | None, patience: Patience | None) -> None:
    """Launch; errors become messages, and for a person sentences on standard error."""
    try:
        launch(args, clock, patience)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.EPIPE, *_NO_OUTPUT):
            raise
        sys.excepthook(type(error), error, error.__traceback__)
        # Only people use these, and a container's errors are at no terminal unless they ask for it.
        if is_terminal() or {"--streams", "--state-out", "--configured"} & set(args):
            say(in_words(error))
        sys.exit(1)


def _exit_without_output(why: str) -> NoReturn:
    """Exit with a sentence on standard error; standard output cannot be written any more."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with suppress(OSError):
        os.write(2, f"{why}\n".encode())
    sys.exit(1)
