"""Which profiles a query is about (OpenAPI: query; observed)."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from mixpanel_emulator import json_text
from mixpanel_emulator.dates import DAY_MS, HOUR_MS
from mixpanel_emulator.http import ApiError, Call
from mixpanel_emulator.profiles import USERS
from mixpanel_emulator.routes.reading import choice, flag, json_value, names, whole
from mixpanel_emulator.where import UNDEFINED, ExpressionError, compile_expression

if TYPE_CHECKING:
    from collections.abc import Callable

    from mixpanel_emulator.where import Evaluator
    from mixpanel_emulator.world import World

Profile = dict[str, Any]
Counts = dict[str, Counter[str]]
_WINDOW = re.compile(r"(\d+)([dh])", re.ASCII)


def matching(call: Call, world: World) -> list[Profile]:
    """The matching profiles, sorted, capped and trimmed as asked."""
    cohort = _cohort(call, world)
    group_id = _group(call, world, cohort)
    found = [
        {"$distinct_id": key, "$properties": properties}
        for key, properties in world.profiles.each(group_id)
    ]
    if cohort is not None:
        found = _members(call, world, cohort["id"], found)
    keep = _condition(call, _behaviors(call, world))
    wanted = _wanted(call)
    chosen = [
        profile
        for profile in found
        if (wanted is None or profile["$distinct_id"] in wanted) and keep(profile)
    ]
    chosen = _sorted(call, chosen)[: whole(call, "limit", len(chosen), 0)]
    return _trimmed(call, chosen)


def _cohort(call: Call, world: World) -> Profile | None:
    given = json_value(call, "filter_by_cohort")
    if given is None:
        return None
    if call.params.get("behaviors") is not None:
        raise ApiError(400, "filter_by_cohort and behaviors exclude each other")
    number = str(given.get("id")) if isinstance(given, dict) else ""
    # The official client writes the number as a string.
    if not number.isdigit():
        raise ApiError(400, 'Invalid parameter: filter_by_cohort must be {"id": number}')
    if int(number) in world.settings.missing_datagroup_cohorts:
        raise ApiError(404, "Missing Datagroup")
    cohort = world.entities.find("cohorts", "id", number)
    if not isinstance(cohort, dict):
        raise ApiError(404, f"Cohort {number} not found")
    return cohort


def _group(call: Call, world: World, cohort: Profile | None) -> str:
    """The profile group meant; a cohort of a group brings its own."""
    group_id = call.text("data_group_id") or str((cohort or {}).get("data_group_id") or USERS)
    known = {str(group["data_group_id"]) for group in world.entities.get("data_groups")}
    if group_id != USERS and group_id not in known | set(world.profiles.groups()):
        raise ApiError(404, "Missing Datagroup")
    return group_id


def _members(call: Call, world: World, cohort_id: int, found: list[Profile]) -> list[Profile]:
    """A cohort's members; by default also those without a profile."""
    ids = [
        pair["distinct_id"]
        for pair in world.entities.get("cohort_members")
        if pair["cohort_id"] == cohort_id
    ]
    profiles = {profile["$distinct_id"]: profile for profile in found}
    everyone = flag(call, "include_all_users", default=True)
    bare = [{"$distinct_id": key, "$properties": {}} for key in ids]
    return [
        profiles.get(profile["$distinct_id"], profile)
        for profile in bare
        if everyone or profile["$distinct_id"] in profiles
    ]


def _wanted(call: Call) -> set[str] | None:
    one, many = call.text("distinct_id"), names(call, "distinct_ids")
    if one is None and many is None:
        return None
    return {*(many or ()), *([one] if one is not None else [])}


def _behaviors(call: Call, world: World) -> Counts:
    """For each named behaviour how often each person did it in its window."""
    given = json_value(call, "behaviors")
    end = whole(call, "as_of_timestamp", world.clock.now_ms() // 1000) * 1000
    counts: Counts = {}
    for behavior in given or []:
        match = _WINDOW.fullmatch(str(behavior.get("window")))
        if match is None:
            raise ApiError(400, "Invalid parameter: behaviors: window must be like 30d")
        span = int(match[1]) * (DAY_MS if match[2] == "d" else HOUR_MS)
        events = [selector["event"] for selector in behavior.get("event_selectors", [])]
        counts[behavior["name"]] = world.events.people(events, end - span, end)
    return counts


def _condition(call: Call, behaviors: Counts) -> Callable[[Profile], bool]:
    text = call.text("where") or call.text("selector")
    search = (call.text("search") or "").lower()
    condition = _compile("where", text) if text else None

    def keep(profile: Profile) -> bool:
        if search and search not in json_text.export_bytes(profile).decode().lower():
            return False
        if condition is None:
            return True
        return bool(condition(lambda scope, name: _look(profile, behaviors, scope, name)))

    return keep


def _compile(name: str, text: str) -> Evaluator:
    try:
        return compile_expression(text)
    except ExpressionError as error:
        raise ApiError(400, f"Invalid parameter: {name}: {error}") from error


def _look(profile: Profile, behaviors: Counts, scope: str, name: str) -> Any:
    if scope == "behaviors":
        return behaviors.get(name, Counter())[profile["$distinct_id"]]
    if name == "$distinct_id":
        return profile["$distinct_id"]
    return profile["$properties"].get(name, UNDEFINED)


def _sorted(call: Call, chosen: list[Profile]) -> list[Profile]:
    text = call.text("sort_key")
    if not text:
        return chosen
    key = _compile("sort_key", text)
    downwards = choice(call, "sort_order", ("ascending", "descending"), "ascending") != "ascending"

    def rank(profile: Profile) -> tuple[str, Any]:
        value = key(lambda scope, name: _look(profile, {}, scope, name))
        if isinstance(value, (int, float)):
            return "number", value
        return ("string", value) if isinstance(value, str) else ("", 0)

    return sorted(chosen, key=rank, reverse=downwards)


def _trimmed(call: Call, chosen: list[Profile]) -> list[Profile]:
    """Keep only output_properties; one quoted name works like a list of one."""
    value = json_value(call, "output_properties")
    if value is None:
        return chosen
    kept = [value] if isinstance(value, str) else value
    if not isinstance(kept, list):
        raise ApiError(400, "Invalid parameter: output_properties must be a JSON array")
    return [
        {
            "$distinct_id": profile["$distinct_id"],
            "$properties": {
                name: held for name, held in profile["$properties"].items() if name in kept
            },
        }
        for profile in chosen
    ]
