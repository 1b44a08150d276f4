"""What small worlds are made of."""

from __future__ import annotations

from typing import Any

DAY_MS = 86_400_000
NOON_10_MARCH_MS = 1_773_144_000_000
REPORTS = [
    {"name": name, "kind": name, "parameters": parameters}
    for name, parameters in {
        "segmentation": {"event": "Page View", "on": 'properties["$os"]'},
        "retention": {"born_event": "Sign Up", "interval_count": 3},
        "funnel": {"funnel_id": 4411, "length": 1, "length_unit": "day"},
        "frequency": {"unit": "day", "addiction_unit": "hour"},
    }.items()
]
"""One report of each kind that the seeded shop has an answer to, for the settings."""


def event(
    name: str = "Sign Up", *, days_ago: float = 1.0, insert_id: str = "i-1", **properties: Any
) -> dict[str, Any]:
    """An event that happened so many days before noon of 10 March 2026, sent at once."""
    ms = NOON_10_MARCH_MS - int(days_ago * DAY_MS)
    plain = {"time": ms, "distinct_id": "u-1", "$insert_id": insert_id}
    sent = {"$mp_api_timestamp_ms": ms + 1200, "mp_processing_time_ms": ms + 2300}
    return {"event": name, "properties": {**plain, **sent, **properties}}


def bare(name: str) -> dict[str, Any]:
    """A stream as a catalog without columns has it."""
    return {
        "name": name,
        "json_schema": {},
        "supported_sync_modes": ["full_refresh", "incremental"],
    }
