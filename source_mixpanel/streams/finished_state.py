"""The state of streams that begin anew each time: which parts an attempt has read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from source_mixpanel.errors import ConfigError

NOTHING: Mapping[str, Any] = {"__ab_no_cursor_state_message": True}
"""What Airbyte takes for: there is nothing to remember.

The CDK takes an empty state for none, and would leave the one before in its place.
"""


@dataclass(frozen=True)
class FinishedState:
    """What a sync in parts has to remember.

    Attributes:
        finished: In the middle of a sync: the parts that have been read whole.
    """

    finished: tuple[str, ...] = ()


def dump_finished(state: FinishedState) -> dict[str, Any]:
    """The state as JSON."""
    return {"finished": list(state.finished)} if state.finished else dict(NOTHING)


def parse_finished(blob: Mapping[str, Any], stream: str) -> FinishedState:
    """A state of this connector; keys that are not known are passed over.

    Raises:
        ConfigError: It holds no list of parts.
    """
    try:
        return FinishedState(parts_in(blob))
    except TypeError as error:
        raise unreadable(stream, error) from error


def parts_in(blob: Mapping[str, Any]) -> tuple[str, ...]:
    """The finished parts in a state.

    Raises:
        TypeError: They are none.
    """
    parts = blob.get("finished") or []
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise TypeError("finished")
    return tuple(parts)


def unreadable(stream: str, error: Exception) -> ConfigError:
    """The error for a state in which a value cannot be what its key says."""
    return ConfigError(
        f"The saved state of stream {stream!r} cannot be read. Reset the stream to read it "
        f"again in full, or restore a state that an earlier sync printed.",
        detail=f"{type(error).__name__}: {error}",
    )
