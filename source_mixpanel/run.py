"""The entry point: Airbyte's own, taught to write batches of ready lines."""

from __future__ import annotations

import errno
import io
import logging
import os
import signal
import sys
import tempfile
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
    ConnectorSpecification,
)
from airbyte_cdk.sources.connector_state_manager import HashableStreamDescriptor

from source_mixpanel.api.machine import no_directory
from source_mixpanel.api.patience import Patience
from source_mixpanel.batch import RecordBatch
from source_mixpanel.clock import Clock
from source_mixpanel.masking import hide, secrets_in
from source_mixpanel.source import SourceMixpanel
from source_mixpanel.stopping import stopped_by
from source_mixpanel.terminal import watching
from source_mixpanel.traced import airbyte_errors
from source_mixpanel.usage import explanation

_ESCAPED = str.maketrans({end: f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"})
"""Airbyte's own image tests, and Meltano's wrapper, take these for ends of lines. A catalog has
them where a property's name does; records keep theirs, for what looking for them costs."""
_NO_OUTPUT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


class MixpanelEntrypoint(AirbyteEntrypoint):
    """Counts a batch for the records it holds, and writes its bytes past the text layer."""

    def read(
        self,
        source_spec: ConnectorSpecification,
        config: Mapping[str, Any],
        config_catalog: ConfiguredAirbyteCatalog,
        state: list[AirbyteStateMessage],
    ) -> Iterable[AirbyteMessage]:
        """The CDK's read; batches leave here, everything else goes its usual way."""
        for message in super().read(source_spec, config, config_catalog, state):
            if isinstance(message, RecordBatch):
                _write(message.lines)
            else:
                yield message

    @staticmethod
    def handle_record_counts(
        message: AirbyteMessage, stream_message_count: defaultdict[HashableStreamDescriptor, float]
    ) -> AirbyteMessage:
        """As the CDK's own, so that `sourceStats.recordCount` of the next state is true."""
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
        """Mask secrets wherever the settings have them, be they valid or not."""
        hide(secrets_in(config))

    @staticmethod
    def validate_connection(
        source_spec: ConnectorSpecification,
        config: Mapping[str, Any],
    ) -> None:
        """Leave it to the verb, which parses them with sentences that say more than a schema's."""


@airbyte_errors()
def _need_a_directory() -> None:
    """Do nothing if there is one for temporary files, which the CDK, too, cannot do without.

    Raises:
        AirbyteTracedException: There is none.
    """
    try:
        tempfile.TemporaryDirectory().cleanup()
    except OSError as error:
        raise no_directory(error) from error


def _write(lines: bytes) -> None:
    """Write after all that was printed before, so that records and states keep their order."""
    with PRINT_BUFFER.lock:
        PRINT_BUFFER.flush()
        out = sys.__stdout__
        if out is not None:
            out.buffer.write(lines)
            out.buffer.flush()


def _tell(message: AirbyteMessage) -> None:
    """Print a message now: the platform has to hear of a wait while it lasts."""
    line = AirbyteEntrypoint.airbyte_message_to_string(message)
    with PRINT_BUFFER.lock:
        PRINT_BUFFER.write(f"{line}\n")
        PRINT_BUFFER.flush()


def launch(args: list[str], clock: Clock | None = None, patience: Patience | None = None) -> None:
    """Run one of Airbyte's verbs and print its messages.

    Args:
        args: As on the command line.
        clock: The machine's unless another is given.
        patience: Time-outs and attempts, the usual ones unless given.
    """
    parsed = MixpanelEntrypoint.parse_args(args)
    with watching() if parsed.command == "read" else nullcontext() as watcher:
        source = SourceMixpanel(
            batched=True, tell=_tell, clock=clock, patience=patience, watcher=watcher
        )
        # From here on, what goes wrong is told as messages.
        entrypoint = MixpanelEntrypoint(source)
        _need_a_directory()
        lines = cast("Generator[str, None, None]", entrypoint.run(parsed))
        # The buffer takes what is meant for standard error, too, and would print it among the
        # messages. The lines are closed before anything else is: their end removes a directory.
        errors = sys.stderr
        with PRINT_BUFFER, redirect_stderr(errors), closing(lines):
            for line in lines:
                print(f"{line.translate(_ESCAPED)}\n", end="")  # noqa: T201 - the protocol's output


def run(clock: Clock | None = None, patience: Patience | None = None) -> None:
    """The command `source-mixpanel`."""
    with stopped_by(signal.SIGTERM, signal.SIGINT):
        _run(clock, patience)


def _run(clock: Clock | None, patience: Patience | None) -> None:
    """Run, and say what becomes of output that cannot be written."""
    # A log line that cannot be written is not worth a traceback: what follows it says why.
    logging.raiseExceptions = False
    if sys.stdout is None:
        _give_up("The connector has no standard output to write to.")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Whatever the locale: the protocol is JSON in UTF-8.
        sys.stdout.reconfigure(encoding="utf-8")
    # Meltano's wrapper puts two dashes before the command.
    args = sys.argv[2:] if sys.argv[1:2] == ["--"] else sys.argv[1:]
    _explain(args)
    try:
        launch(args, clock, patience)
    except BrokenPipeError:
        _give_up("The reader of the connector's output has gone away; the sync stops.")
    except OSError as error:
        if error.errno not in _NO_OUTPUT:
            raise
        _give_up(f"The connector's output cannot be written ({error.strerror}); the sync stops.")


def _explain(args: list[str]) -> None:
    """End with an explanation, if the arguments ask for one or need one."""
    told = explanation(args)
    if told is None:
        return
    text, code = told
    (sys.stderr if code else sys.stdout).write(text)
    sys.exit(code)


def _give_up(why: str) -> NoReturn:
    """End when nothing can be printed to the output any more."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with suppress(OSError):
        os.write(2, f"{why}\n".encode())
    sys.exit(1)
