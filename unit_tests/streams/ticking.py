"""Projects whose clock ticks: events at even distances, each received at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from unit_tests.project import Project

KINDS = {"utc": "utc", "local": "project_time"}
"""What the state calls each kind of project."""

PROMPT_MS = 2000


def ticks(start: datetime, hours: float, minutes: int, name: str = "t") -> list[dict[str, Any]]:
    """An event every so many minutes, each received at once."""
    events = []
    for n in range(int(hours * 60 / minutes)):
        ms = int((start + timedelta(minutes=minutes * n)).timestamp() * 1000)
        events.append(
            {
                "event": "Tick",
                "properties": {
                    "time": ms,
                    "distinct_id": "u",
                    "$insert_id": f"{name}-{n}",
                    "$mp_api_timestamp_ms": ms + PROMPT_MS,
                    "mp_processing_time_ms": ms + PROMPT_MS,
                },
            }
        )
    return events


_STREAM: dict[str, Any] = {}


def export(project: Project) -> dict[str, Any]:
    """What is discovered; its columns are the same in each of these projects."""
    if not _STREAM:
        _STREAM.update(project.discover()["export"])
    return _STREAM
