"""Messages to the platform while the connector waits for Mixpanel."""

from __future__ import annotations

from airbyte_cdk.models import (
    AirbyteLogMessage,
    AirbyteMessage,
    AirbyteStreamStatus,
    AirbyteStreamStatusReason,
    AirbyteStreamStatusReasonType,
    Level,
    StreamDescriptor,
    Type,
)
from airbyte_cdk.utils.stream_status_utils import as_airbyte_message as status_message
from airbyte_protocol_dataclasses.models.airbyte_protocol import (
    AirbyteStreamStatusRateLimitedReason,
)

from source_mixpanel.api.request import PROJECT
from source_mixpanel.api.waits import Wait, utc


def waiting_messages(wait: Wait) -> list[AirbyteMessage]:
    """A log line with the end and the reason of a wait, and the stream's status RATE_LIMITED."""
    is_stream = wait.stream != PROJECT
    who = f"Stream {wait.stream!r}" if is_stream else "The connector"
    line = AirbyteMessage(
        type=Type.LOG,
        log=AirbyteLogMessage(
            level=Level.INFO,
            message=f"{who} waits for Mixpanel's {wait.quota} until {utc(wait.until)}: {wait.why}.",
        ),
    )
    return [line, _status(wait)] if is_stream else [line]


def _status(wait: Wait) -> AirbyteMessage:
    reason = AirbyteStreamStatusReason(
        type=AirbyteStreamStatusReasonType.RATE_LIMITED,
        rate_limited=AirbyteStreamStatusRateLimitedReason(quota_reset=int(wait.until * 1000)),
    )
    return status_message(StreamDescriptor(name=wait.stream), AirbyteStreamStatus.RUNNING, [reason])
