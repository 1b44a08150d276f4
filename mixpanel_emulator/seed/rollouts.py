"""Feature flags and experiments (OpenAPI: feature-flags-management, experiments)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from mixpanel_emulator.dates import DAY_MS, iso_seconds
from mixpanel_emulator.options import CREDENTIALS

if TYPE_CHECKING:
    from mixpanel_emulator.seed.shop import Plan

_STATUSES = ("enabled", "disabled", "archived")


def _common(plan: Plan, number: int) -> dict[str, Any]:
    return {
        "description": None if number else "First of its kind",
        "tags": ["checkout"],
        "created": iso_seconds(plan.now_ms - (40 + number) * DAY_MS, "Z"),
        "modified": iso_seconds(plan.now_ms - number * DAY_MS, ".123456Z"),
        "deleted": None,
        "creator_id": 7,
        "creator_name": "Ana Roy",
        "creator_email": "ana@shop.example",
        "last_modified_by_id": 7,
        "last_modified_by_name": "Ana Roy",
        "last_modified_by_email": "ana@shop.example",
        "is_favorited": False,
        "pinned_date": None,
        "can_view": True,
    }


def feature_flags(plan: Plan) -> list[dict[str, Any]]:
    """The flags, an archived one among them."""
    variants = [
        {"key": "control", "value": False, "is_control": True, "split": 0.5, "is_sticky": False},
        {"key": "on", "value": {"color": "blue"}, "is_control": False, "split": 0.5},
    ]
    rollout = [{"rollout_percentage": 0.25, "variant_splits": {"control": 0.5, "on": 0.5}}]
    return [
        {
            "id": str(UUID(int=1000 + number)),
            "project_id": CREDENTIALS.project_id,
            "workspace_id": CREDENTIALS.workspace_id,
            "name": f"Flag {number}",
            "key": f"flag-{number}",
            "experiment_id": None,
            "status": status,
            "context": "distinct_id",
            "data_group_id": None,
            "serving_method": "client",
            "ruleset": {"variants": variants, "rollout": rollout},
            "hash_salt": f"{number:032x}",
            "content_type": "feature-flags",
            "enabled_at": None,
            **_common(plan, number),
        }
        for number, status in enumerate(_STATUSES)
    ]


def experiments(plan: Plan) -> list[dict[str, Any]]:
    """The experiments."""
    return [
        {
            "id": str(UUID(int=2000 + number)),
            "name": f"Experiment {number}",
            "hypothesis": "More colour, more sales",
            "status": status,
            "variants": [{"key": "a"}, {"key": "b"}],
            "metrics": [{"id": 1, "name": "Purchase"}],
            "settings": {"confidence": 0.95},
            "exposures_cache": {},
            "results_cache": {},
            "start_date": iso_seconds(plan.now_ms - 20 * DAY_MS, "Z"),
            "end_date": None,
            "feature_flag": None,
            "content_type": "experiment",
            **_common(plan, number),
        }
        for number, status in enumerate(("active", "draft", "concluded"))
    ]
