"""Instants, and what clocks on the wall show at them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from source_mixpanel.times.event_time import EPOCH


def utc_ms(*parts: int) -> int:
    """A moment in UTC, by year, month, day and what follows, in milliseconds."""
    return (datetime(*parts, tzinfo=timezone.utc) - EPOCH) // timedelta(milliseconds=1)  # type: ignore[misc, arg-type]


def wall_ms(true_ms: int, zone: ZoneInfo) -> int:
    """An instant as a project in project time stores it."""
    instant = EPOCH + timedelta(milliseconds=true_ms)
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return true_ms + offset // timedelta(milliseconds=1)
