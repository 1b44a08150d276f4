"""Where the connector's errors become Airbyte's, for whoever calls it by way of the CDK."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airbyte_cdk.models import FailureType
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_mixpanel.errors import FailureKind, SourceError


def traced(error: SourceError) -> AirbyteTracedException:
    """The same error as the CDK tells it, with the traceback of ours."""
    return AirbyteTracedException(
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
