"""Profiles: the shop's customers, and the companies some of them work for."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from mixpanel_emulator.dates import DAY_MS, iso_seconds
from mixpanel_emulator.seed import nasty
from mixpanel_emulator.seed.shop import person_id

if TYPE_CHECKING:
    from mixpanel_emulator.seed.shop import Plan

COMPANY_GROUP = "-7712345678901234567"
TEAM_GROUP = "5512345678901234567"
_FIRST = ("Ana", "Bo", "Chloé", "Dmitri", "Eve", "Fatima", "Gō", "Zoë")
_LAST = ("Roy", "Nguyễn", "O'Hara", "Smith", "García", "Li", "Øst", "")
_PLANS = ("free", "basic", "pro", "enterprise")

_HALF = 0.5

Profile = tuple[str, dict[str, Any]]


def _person(rng: Random, number: int, plan: Plan) -> Profile:
    created = plan.now_ms - rng.randrange(30 * DAY_MS, 400 * DAY_MS)
    seen = plan.now_ms - rng.randrange(30 * DAY_MS)
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    properties: dict[str, Any] = {
        "$name": f"{first} {last}".strip(),
        "$first_name": first,
        "$last_name": last,
        "$email": f"{person_id(number)}@customers.example",
        "$created": iso_seconds(created, ""),
        "$last_seen": iso_seconds(seen, ""),
        "$city": rng.choice(("Paris", "München", "千代田区")),
        "$country_code": rng.choice(("FR", "DE", "JP")),
        "$timezone": "Europe/Paris",
        "plan": rng.choice(_PLANS),
        "orders": rng.randrange(40),
        "spent": round(rng.random() * 5_000, 2),
        "tags": rng.sample(("vip", "newsletter", "b2b", "beta"), rng.randrange(4)),
        "opted_in": rng.random() < _HALF,
        "company": f"company-{rng.randrange(40):03d}",
    }
    if number % 50 == 0:
        # Updates with $ignore_time set no $last_seen (observed).
        del properties["$last_seen"]
    if number % 40 == 1:
        properties.update(nasty.PROPERTY_SETS[number // 40 % len(nasty.PROPERTY_SETS)])
    return person_id(number), properties


def people(plan: Plan) -> list[Profile]:
    """The user profiles."""
    rng = Random(f"people:{plan.seed}")  # noqa: S311 - reproducible, not secret
    return [_person(rng, number, plan) for number in range(plan.people)]


def companies(plan: Plan) -> dict[str, list[Profile]]:
    """The group profiles by data group id, which may be negative (observed)."""
    rng = Random(f"groups:{plan.seed}")  # noqa: S311 - reproducible, not secret
    firms = [
        (f"company-{number:03d}", {"$name": f"Company {number}", "seats": rng.randrange(1, 500)})
        for number in range(40)
    ]
    teams = [(f"team-{number}", {"$name": f"Team {number}"}) for number in range(3)]
    return {COMPANY_GROUP: firms, TEAM_GROUP: teams}
