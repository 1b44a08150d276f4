"""What the platform hears while the connector waits for Mixpanel's quota."""

from __future__ import annotations

from datetime import datetime, timezone

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

from source_mixpanel.api.ledger import Wait


def waiting_messages(wait: Wait) -> tuple[AirbyteMessage, AirbyteMessage]:
    """A log line that says until when and why, and the stream's status RATE_LIMITED."""
    until = datetime.fromtimestamp(wait.until, tz=timezone.utc)
    line = AirbyteMessage(
        type=Type.LOG,
        log=AirbyteLogMessage(
            level=Level.INFO,
            message=f"Stream {wait.stream!r} waits for Mixpanel's {wait.quota} quota until "
            f"{until:%Y-%m-%d %H:%M:%S} UTC: {wait.why}.",
        ),
    )
    reason = AirbyteStreamStatusReason(
        type=AirbyteStreamStatusReasonType.RATE_LIMITED,
        rate_limited=AirbyteStreamStatusRateLimitedReason(quota_reset=int(wait.until * 1000)),
    )
    status = status_message(
        StreamDescriptor(name=wait.stream), AirbyteStreamStatus.RUNNING, [reason]
    )
    return line, status
