"""The project's definitions: every list the app and query APIs give, by truth kind."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from mixpanel_emulator.dates import DAY_MS, day_of, iso_seconds
from mixpanel_emulator.options import CREDENTIALS
from mixpanel_emulator.seed.lexicon import schemas
from mixpanel_emulator.seed.people import COMPANY_GROUP, TEAM_GROUP
from mixpanel_emulator.seed.rollouts import experiments, feature_flags
from mixpanel_emulator.seed.shop import person_id
from mixpanel_emulator.seed.warehouse import warehouse

if TYPE_CHECKING:
    from mixpanel_emulator.seed.shop import Plan

Items = list[dict[str, Any]]
_TAGS = ((3, "release"), (4, "campaign"), (5, "unused"))


def _annotations(plan: Plan) -> Items:
    user = {"id": 7, "first_name": "Ana", "last_name": "Roy"}
    return [
        {
            "id": 9001 + number,
            "date": f"{day_of(plan.now_ms - number * 3 * DAY_MS)} 12:00:00",
            "description": f'Launch {number}: the "new" design',
            "user": user,
            "tags": [{"id": _TAGS[number % 2][0], "name": _TAGS[number % 2][1]}],
            "project_id": CREDENTIALS.project_id,
        }
        for number in range(8)
    ]


def _tags() -> Items:
    return [
        {
            "id": number,
            "name": name,
            "project_id": CREDENTIALS.project_id,
            "has_annotations": name != "unused",
        }
        for number, name in _TAGS
    ]


def _cohort_sizes(plan: Plan) -> list[tuple[int, str, int, str | None]]:
    return [
        (3207, "Buyers", plan.people // 4, None),
        (3208, "Lapsed", plan.people // 10, None),
        (3209, "Nobody", 0, None),
        (3210, "Big firms", 5, COMPANY_GROUP),
    ]


def _cohorts(plan: Plan) -> Items:
    return [
        {
            "id": number,
            "project_id": CREDENTIALS.project_id,
            "name": name,
            "description": f"{name} of the shop",
            "count": count,
            "created": iso_seconds(plan.now_ms - 90 * DAY_MS, "").replace("T", " "),
            "is_visible": 1 if name != "Lapsed" else 0,
            "data_group_id": group,
        }
        for number, name, count, group in _cohort_sizes(plan)
    ]


def _members(plan: Plan) -> Items:
    """Who is in which cohort; one of the buyers has no profile."""
    rng = Random(f"cohorts:{plan.seed}")  # noqa: S311 - reproducible, not secret
    found: Items = []
    for number, name, count, group in _cohort_sizes(plan):
        if group is None:
            ids = [person_id(who) for who in sorted(rng.sample(range(plan.people), count))]
        else:
            ids = [f"company-{firm:03d}" for firm in range(count)]
        if name == "Buyers" and ids:
            ids[-1] = "ghost-without-profile"
        found += [{"cohort_id": number, "distinct_id": who} for who in ids]
    return found


def _funnels() -> Items:
    steps = {
        "Look to buy": ("View Item", "Add to Cart", "Begin Checkout", "Purchase"),
        "Open to look": ("App Open", "View Item"),
    }
    return [
        {
            "funnel_id": 4411 + number,
            "name": name,
            "length": 14,
            "steps": [{"event": event} for event in events],
        }
        for number, (name, events) in enumerate(steps.items())
    ]


def _stamped(plan: Plan, number: int) -> dict[str, Any]:
    return {
        "created": iso_seconds(plan.now_ms - (60 + number) * DAY_MS, "Z"),
        "modified": iso_seconds(plan.now_ms - number * DAY_MS, "Z"),
        "creator_id": 7,
        "creator_name": "Ana Roy",
        "creator_email": "ana@shop.example",
    }


def _bookmarks(plan: Plan) -> Items:
    kinds = (("insights", "Purchase"), ("insights", "Search"), ("funnels", ""), ("retention", ""))
    return [
        {
            "id": 55001 + number,
            "name": f"{kind.title()} {number}",
            "type": kind,
            "project_id": CREDENTIALS.project_id,
            "workspace_id": CREDENTIALS.workspace_id,
            "dashboard_id": 66001,
            "description": "",
            "params": {"event": event} if event else {},
            **_stamped(plan, number),
        }
        for number, (kind, event) in enumerate(kinds)
    ]


def _dashboards(plan: Plan) -> Items:
    return [
        {
            "id": 66001 + number,
            "title": f"Board {number}",
            "description": None,
            "is_private": bool(number),
            "is_restricted": False,
            "is_favorited": False,
            "layout_version": 3,
            "time_filter": None,
            "total_view_count": 12,
            "unique_view_count": 3,
            **_stamped(plan, number),
        }
        for number in range(2)
    ]


def _data_groups(plan: Plan) -> Items:
    return [
        {
            "data_group_id": group_id,
            "property_name": name,
            "display_name": name.title(),
            "type": 0,
            "is_ready": True,
            "ready_at": None,
            "created_at": plan.now_ms // 1000 - 86_400,
            "metadata": {"is_company_key": name == "company"},
        }
        for group_id, name in ((COMPANY_GROUP, "company"), (TEAM_GROUP, "team"))
    ]


def _accounts(plan: Plan) -> Items:
    return [
        {
            "id": 801 + number,
            "username": f"sa-{number}.mp-service-account",
            "last_used": iso_seconds(plan.now_ms - DAY_MS, "Z"),
            "expires": None if number else iso_seconds(plan.now_ms + 90 * DAY_MS, "Z"),
            "creator": 7,
            "created": iso_seconds(plan.now_ms - 200 * DAY_MS, "Z"),
            "user": 9000 + number,
        }
        for number in range(3)
    ]


def _project_accounts(plan: Plan) -> Items:
    extra = {
        "role": "admin",
        "role_order": 2,
        "hasSensitiveAccess": False,
        "target_type": "individual",
        "email": "sa@shop.example",
    }
    return [{**account, **extra} for account in _accounts(plan)[:2]]


def _revenue(plan: Plan) -> Items:
    return [
        {
            "date": day_of(plan.now_ms - back * DAY_MS).isoformat(),
            "amount": 12.5 * (back + 1),
            "count": 17 + back,
            "paid_count": back,
        }
        for back in range(plan.days)
    ]


def _custom() -> dict[str, Items]:
    return {
        "custom_events": [
            {
                "id": 12,
                "name": "Buy or rate",
                "alternatives": [{"event": "Purchase"}, {"event": "Rate Item"}],
                "deleted": False,
                "user_id": 7,
            }
        ],
        "custom_properties": [
            {
                "customPropertyId": 31,
                "name": "Price band",
                "resourceType": "events",
                "propertyType": "string",
                "displayFormula": 'if(A > 100, "high", "low")',
                "created": "2026-01-02T03:04:05",
                "modified": "2026-01-02T03:04:05",
            }
        ],
        "lookup_tables": [
            {"id": "55b4fb2b-0000-466c-930f-000000000001", "name": "Products"},
            {"id": "55b4fb2b-0000-466c-930f-000000000002", "name": "Stores"},
        ],
    }


def definitions(plan: Plan) -> dict[str, Items]:
    """Every kind of definition with its list."""
    return {
        "annotations": _annotations(plan),
        "annotation_tags": _tags(),
        "bookmarks": _bookmarks(plan),
        "cohort_members": _members(plan),
        "cohorts": _cohorts(plan),
        "dashboards": _dashboards(plan),
        "data_groups": _data_groups(plan),
        "experiments": experiments(plan),
        "feature_flags": feature_flags(plan),
        "funnels": _funnels(),
        "project_service_accounts": _project_accounts(plan),
        "revenue": _revenue(plan),
        "schemas": schemas(),
        "service_accounts": _accounts(plan),
        **_custom(),
        **warehouse(plan),
    }
