"""The state of `export`: read in every shape it ever had, advanced, written. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

from source_mixpanel.errors import ConfigError
from source_mixpanel.instants import (
    EPOCH,
    PROJECT_KIND,
    UTC_KIND,
    from_rfc3339,
    rfc3339,
)
from source_mixpanel.sync.coverage import Coverage, Covered
from source_mixpanel.sync.days import ONE_DAY, Days

_FIRST_MS = 100_000_000_000
_LAST_MS = 250_000_000_000_000


@dataclass(frozen=True)
class ExportState:
    """What a sync of `export` has to remember.

    Attributes:
        latest_ms: The latest `time` ever emitted, UTC milliseconds; the stream's cursor.
        coverage: Which days were read, and up to when they were processed.
        kind: What raw times mean, `utc` or `project_time`; None while the data has not told.
        columns: The columns of properties that were emitted.
        refreshing: Whether this is the middle of a full refresh.
        since_ms: Events before this instant of the first covered day were not wanted, UTC.
        until_ms: Events after this instant of the last covered day were not wanted, UTC.
        zone: The name of the project's time zone when its days were read.
        wanted: Which events were asked for, as a mark that tells one filter from another.
    """

    latest_ms: int | None = None
    coverage: Coverage = field(default_factory=Coverage)
    kind: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    refreshing: bool = False
    since_ms: int | None = None
    until_ms: int | None = None
    zone: str | None = None
    wanted: str | None = None

    def with_latest(self, ms: int) -> ExportState:
        """With the cursor moved on, never back."""
        latest = ms if self.latest_ms is None else max(self.latest_ms, ms)
        return replace(self, latest_ms=latest)


def dump_state(state: ExportState, days: Days) -> dict[str, Any]:
    """The state as JSON.

    `completed_through` and `processed_until_ms` say in two values what `covered` says exactly.
    """
    latest = None if state.latest_ms is None else rfc3339(state.latest_ms)
    blob = {
        "time": latest,
        **_dump_coverage(state, days),
        "event_timestamps": state.kind,
        "project_timezone": state.zone,
        "filter": state.wanted,
        "columns": dict(state.columns) or None,
        "full_refresh": "in progress" if state.refreshing else None,
        "since_ms": state.since_ms,
        "until_ms": state.until_ms,
    }
    return {key: value for key, value in blob.items() if value is not None}


def _dump_coverage(state: ExportState, days: Days) -> dict[str, Any]:
    coverage = state.coverage
    if not coverage.parts:
        # A bare cursor would be taken for somebody else's, up to which all is read.
        return {} if state.latest_ms is None else {"covered": []}
    completed = completed_through(coverage, days)
    return {
        "completed_from": coverage.first and coverage.first.isoformat(),
        "completed_through": completed and completed.isoformat(),
        "processed_until_ms": coverage.watermark_ms,
        "covered": [[part.through.isoformat(), part.watermark_ms] for part in coverage.parts],
    }


def completed_through(coverage: Coverage, days: Days) -> date | None:
    """The last covered day that was over when it was read, None if there is none."""
    if coverage.last is None:
        return None
    mark = coverage.parts[-1].watermark_ms
    if mark is None:
        return coverage.last
    last = min(coverage.last, days.of(EPOCH + timedelta(milliseconds=mark)) - ONE_DAY)
    return last if coverage.first is None or last >= coverage.first else None


def parse_state(blob: Mapping[str, Any]) -> ExportState:
    """A state of this connector, or `{time}` as Airbyte's 4.0.2 writes it.

    Keys that are not known are passed over.

    Raises:
        ConfigError: A value cannot be what its key says.
    """
    try:
        latest = _instant(blob["time"]) if blob.get("time") not in (None, "") else None
        kind = blob.get("event_timestamps")
        columns = blob.get("columns") or {}
        if kind not in (None, UTC_KIND, PROJECT_KIND) or not _is_text_map(columns):
            raise ValueError("event_timestamps or columns")
        return ExportState(
            latest_ms=latest,
            coverage=_coverage(blob, latest),
            kind=kind,
            zone=_name(blob.get("project_timezone")),
            wanted=_name(blob.get("filter")),
            columns=columns,
            refreshing=blob.get("full_refresh") is not None,
            since_ms=_mark(blob.get("since_ms")),
            until_ms=_mark(blob.get("until_ms")),
        )
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise ConfigError(
            "The saved state of stream 'export' cannot be read. Reset the stream to read it "
            "again from its start date, or restore a state that an earlier sync printed.",
            detail=f"{type(error).__name__}: {error}",
        ) from error


def _coverage(blob: Mapping[str, Any], latest_ms: int | None) -> Coverage:
    first = blob.get("completed_from")
    begin = _day(first) if first is not None else None
    if "covered" in blob:
        parts = [Covered(_day(day), _mark(mark)) for day, mark in blob["covered"]]
        if any(b.through <= a.through for a, b in pairwise(parts)):
            raise ValueError("covered is not ascending")
        if begin is not None and parts and parts[0].through < begin:
            raise ValueError("covered ends before completed_from")
        return Coverage(begin, tuple(parts))
    if blob.get("completed_through") is not None:
        day = _day(blob["completed_through"])
        return Coverage(begin, (Covered(day, _mark(blob.get("processed_until_ms"))),))
    if latest_ms is None:
        return Coverage()
    # Somebody else's cursor: the day of the latest event, which may not have been over. Both
    # connectors wrote it by the clock that from_date and to_date count in.
    seen = (datetime.fromtimestamp(latest_ms / 1000, tz=timezone.utc)).date()
    return Coverage(begin, (Covered(seen - ONE_DAY, None),))


def _instant(value: Any) -> int:
    """A cursor as text, or as epoch seconds or milliseconds (early connectors)."""
    if isinstance(value, str):
        text = value if len(value) > len("2026-01-31") else f"{value}T00:00:00"
        return from_rfc3339(text)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is no instant")
    ms = int(value if abs(value) > _FIRST_MS else value * 1000)
    if not 0 <= ms <= _LAST_MS:
        raise ValueError(f"{value!r} is no instant")
    return ms


def _name(value: Any) -> str | None:
    if not isinstance(value, (str, type(None))):
        raise TypeError(f"{value!r} is no name")
    return value


def _mark(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no watermark")
    if not 0 <= value <= _LAST_MS:
        raise ValueError(f"{value!r} is no watermark")
    return value


def _day(value: Any) -> date:
    """A day that has days before and after it to count with."""
    day = date.fromisoformat(value)
    if not date.min.year < day.year < date.max.year:
        raise ValueError(f"{value!r} is no day of any event")
    return day


def _is_text_map(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(k, str) and isinstance(v, str) for k, v in value.items()
    )
