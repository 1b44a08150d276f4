"""The connector's errors as errors of the CDK."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airbyte_cdk.models import AirbyteMessage, FailureType, StreamDescriptor
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_mixpanel.errors import FailureKind, SourceError


class TracedError(AirbyteTracedException):
    """An error of the CDK, without a stack trace if the user can fix it."""

    def as_airbyte_message(
        self, stream_descriptor: StreamDescriptor | None = None
    ) -> AirbyteMessage:
        """The TRACE message of the error."""
        message = super().as_airbyte_message(stream_descriptor)
        if is_user_fixable(self) and message.trace and message.trace.error:
            message.trace.error.stack_trace = None
        return message


def is_user_fixable(error: BaseException | None) -> bool:
    """Whether it is a config error, for which a stack trace is of no use."""
    if not isinstance(error, AirbyteTracedException):
        return False
    return error.failure_type is FailureType.config_error


def traced(error: SourceError) -> AirbyteTracedException:
    """The error as one of the CDK, with the same traceback."""
    return TracedError(
        message=error.message,
        internal_message=error.internal_message,
        failure_type=FailureType(error.failure_type),
        exception=error,
    )


@contextmanager
def airbyte_errors() -> Iterator[None]:
    """Turns errors in a `with` block, or in a decorated function, into those of the CDK.

    Raises:
        AirbyteTracedException: Instead of a SourceError, which is its cause.
    """
    try:
        yield
    except SourceError as error:
        raise traced(error) from error


def kind_of(error: Exception) -> FailureKind:
    """The failure type of an error that has left `airbyte_errors`."""
    given_type = error.failure_type if isinstance(error, AirbyteTracedException) else None
    kind: FailureKind = (given_type or FailureType.system_error).value
    return kind
