"""Finding out whether event times are UTC or the project's own, before the first is emitted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from source_mixpanel.api.spool import Spool
from source_mixpanel.errors import (
    ConfigError,
    ForbiddenError,
    RefusedError,
    TransientError,
)
from source_mixpanel.events.ambiguity import deciding_days, may_differ
from source_mixpanel.events.request import ExportFilter, sample_request
from source_mixpanel.events.window import Window
from source_mixpanel.streams.base import StreamContext
from source_mixpanel.streams.coverage import Span
from source_mixpanel.texts.json_lines import parse_lines
from source_mixpanel.times.days import ONE_DAY, Days
from source_mixpanel.times.event_time import kind_of_project, received_ms

_SAMPLE_PER_BLOCK = 50
_ENOUGH_EVENTS = 20

Log = Callable[[str], None]


class KindFinder:
    """Decides by the events: first by those of a window, then by at most two samples.

    Args:
        context: With the client and the time.
        days: The project's days, as far as known.
        first: The first of all days that are to be read.
        log: Gets the decision.
    """

    def __init__(self, context: StreamContext, days: Days, first: date, log: Log) -> None:
        self._client = context.client
        self._time = context.time
        self._days = days
        self._first = first
        self._log = log
        self._spans_left: list[Span] | None = None

    def kind(self, window: Window, spool: Spool) -> str | None:
        """`utc` or `project_time`; None if it makes no difference or is not known.

        Args:
            window: The window that is about to be emitted.
            spool: Its events.

        Raises:
            ConfigError: Times are the project's own, and its zone is not known.
            TransientError: A sample cannot be read. The window itself is complete, so a smaller
                window would not help.
        """
        zone = self._days.zone
        # The days of a window depend on the unknown kind, so one more on either side.
        if not may_differ(zone, Span(window.span.first - ONE_DAY, window.span.last + ONE_DAY)):
            return None
        kind = kind_of_project(sample(spool), zone)
        if self._spans_left is None:
            self._spans_left = self._spans_to_sample()
        while kind is None and self._spans_left:
            kind = self._kind_in(self._spans_left.pop(0))
        if kind is not None:
            self._log(
                f"The project's event times are read as {kind}, as the events themselves show."
            )
        elif zone is None and _none_is_prompt(spool):
            raise ConfigError(
                "The project keeps event times in its own time zone, and the connector cannot "
                "learn which that is. Set project_timezone to the zone shown in Mixpanel under "
                "Project Settings."
            )
        return kind

    def _spans_to_sample(self) -> list[Span]:
        """The spans to sample: recent days, and all that is to be read."""
        today = self._days.today(self._time.now_utc())
        recent = deciding_days(self._days.zone, today)
        everything = Span(min(self._first, today), today)
        return [everything] if recent is None else [recent, everything]

    def _kind_in(self, days: Span) -> str | None:
        """The kind by a sample of all events of some days; None if they do not decide."""
        request = sample_request(days, ExportFilter())
        try:
            spool = self._client.spool(request)
        except TransientError as error:
            raise TransientError(
                f"Stream 'export' needs some recent events to learn what event times mean, and "
                f"cannot have them. {error} Try again later, or set event_timestamps.",
                detail=str(error.internal_message),
            ) from error
        except (RefusedError, ForbiddenError) as error:
            # Days that the sync itself may not request, such as those before a plan's history.
            self._log(f"Events of {days.first} to {days.last} cannot be looked at. {error}")
            return None
        try:
            return kind_of_project(sample(spool), self._days.zone)
        finally:
            spool.close()


def sample(spool: Spool) -> Iterator[dict[str, Any]]:
    """The properties of some events from each part of a body."""
    for block in spool.blocks():
        lines = block.split(b"\n", _SAMPLE_PER_BLOCK)[:_SAMPLE_PER_BLOCK]
        yield from (event["properties"] for event in parse_lines(b"\n".join(lines)))


def _none_is_prompt(spool: Spool) -> bool:
    """Whether many events have a time of receipt, so that some should be prompt."""
    count = sum(1 for properties in sample(spool) if received_ms(properties) is not None)
    return count >= _ENOUGH_EVENTS
