"""Warehouse sources, imports and their runs (OpenAPI: warehouse-connectors; observed)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixpanel_emulator.dates import DAY_MS, iso_seconds

if TYPE_CHECKING:
    from mixpanel_emulator.seed.shop import Plan

_HOUR_NS = 3_600_000_000_000
_RUNS = 33


def warehouse(plan: Plan) -> dict[str, list[dict[str, Any]]]:
    """The kinds of the warehouse connectors; the first import has more runs than show."""
    creator = {"creator_id": 7, "creator_name": "Ana Roy", "creator_email": "ana@shop.example"}
    created = iso_seconds(plan.now_ms - 100 * DAY_MS, "Z")
    imports = [
        {
            "id": 301 + number,
            "import_type": kind,
            "sync_mode": "time_based",
            "created": created,
            **creator,
            "warehouse_source_id": 21,
            "table_params": {"schema": "shop", "table": kind},
            "paused": bool(number),
            "run_every": _HOUR_NS,
            "last_dispatch": plan.now_ms // 1000,
            "is_deleted": False,
        }
        for number, kind in enumerate(("event_stream", "people"))
    ]
    runs = [
        {
            "import_id": 301,
            "status": "FAILED" if number % 10 == 0 else "SUCCEEDED",
            "start_time": plan.now_ms // 1000 - (_RUNS - number) * 3600,
            "end_time": plan.now_ms // 1000 - (_RUNS - number) * 3600 + 90,
            "num_events_imported": 10 * number,
        }
        for number in range(_RUNS)
    ]
    source = {"id": 21, "source_name": "Lake", "warehouse_type": "bigquery", "created": created}
    return {
        "warehouse_imports": imports,
        "warehouse_import_details": [{"id": 301, "event_name": "Purchase", "group_key": None}],
        "warehouse_runs": runs,
        "warehouse_sources": [{**source, **creator}],
    }
