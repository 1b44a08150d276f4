"""Where the connector's errors become Airbyte's, for whoever calls it by way of the CDK."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airbyte_cdk.models import AirbyteMessage, FailureType, StreamDescriptor
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_mixpanel.errors import FailureKind, SourceError


class TracedError(AirbyteTracedException):
    """As the CDK tells an error, but without a stack trace of what the user can mend."""

    def as_airbyte_message(
        self, stream_descriptor: StreamDescriptor | None = None
    ) -> AirbyteMessage:
        """The message that says what went wrong."""
        message = super().as_airbyte_message(stream_descriptor)
        if is_mendable(self) and message.trace and message.trace.error:
            message.trace.error.stack_trace = None
        return message


def is_mendable(error: BaseException | None) -> bool:
    """Whether the user can mend it, so that no stack trace is of use."""
    if not isinstance(error, AirbyteTracedException):
        return False
    return error.failure_type is FailureType.config_error


def traced(error: SourceError) -> AirbyteTracedException:
    """The same error as the CDK tells it, with the traceback of ours."""
    return TracedError(
        message=error.message,
        internal_message=error.internal_message,
        failure_type=FailureType(error.failure_type),
        exception=error,
    )


@contextmanager
def airbyte_errors() -> Iterator[None]:
    """Errors that leave this context, or a function that it decorates, are Airbyte's.

    Raises:
        AirbyteTracedException: In the place of a SourceError, which is its cause.
    """
    try:
        yield
    except SourceError as error:
        raise traced(error) from error


def kind_of(error: Exception) -> FailureKind:
    """What an error that has left such a context is to the platform."""
    told = error.failure_type if isinstance(error, AirbyteTracedException) else None
    kind: FailureKind = (told or FailureType.system_error).value
    return kind
