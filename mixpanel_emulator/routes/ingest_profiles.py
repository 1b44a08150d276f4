"""Profile updates: /engage for users, /groups for groups (OpenAPI: ingestion)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixpanel_emulator.dates import iso_seconds
from mixpanel_emulator.http import Call, Family, Reply
from mixpanel_emulator.options import CREDENTIALS
from mixpanel_emulator.profiles import USERS
from mixpanel_emulator.routes.ingest_batch import accept_all
from mixpanel_emulator.routing import POST, Route
from mixpanel_emulator.updates import apply_update

if TYPE_CHECKING:
    from mixpanel_emulator.world import World


def _apply(world: World, group_id: str, key: str, update: dict[str, Any]) -> None:
    old = world.profiles.get(group_id, key)
    new = apply_update(old or {}, update)
    if new is None:
        world.profiles.delete(group_id, key)
        return
    if not update.get("$ignore_time"):
        new = {**new, "$last_seen": iso_seconds(world.clock.now_ms(), "")}
    world.profiles.put(group_id, [(key, new)])


def _key(item: Any, name: str) -> str:
    if not isinstance(item, dict) or item.get("$token") != CREDENTIALS.token:
        raise ValueError("$token, missing or invalid")
    if item.get(name) in (None, ""):
        raise ValueError(f"{name}, missing or empty")
    return str(item[name])


def engage(call: Call, world: World) -> Reply:
    """Update user profiles."""

    def accept(item: Any) -> None:
        key = world.identities.of(_key(item, "$distinct_id"))
        _apply(world, USERS, key, item)

    return accept_all(call, accept)


def data_group(world: World, group_key: str) -> str:
    """The data group id of a group key; an unknown key becomes a new data group."""
    for group in world.entities.get("data_groups"):
        if group.get("property_name") == group_key:
            return str(group["data_group_id"])
    groups = world.entities.get("data_groups")
    number = str(6_000_000_000_000_000_001 + len(groups))
    created = {
        "data_group_id": number,
        "property_name": group_key,
        "display_name": group_key,
        "type": 0,
        "is_ready": True,
        "created_at": world.clock.now_ms() // 1000,
    }
    world.entities.put("data_groups", [*groups, created])
    return number


def groups(call: Call, world: World) -> Reply:
    """Update group profiles."""

    def accept(item: Any) -> None:
        key = _key(item, "$group_id")
        _apply(world, data_group(world, _key(item, "$group_key")), key, item)

    return accept_all(call, accept)


# The paths are shared with no other endpoint, and a JSON body's fields are no parameters.
ROUTES = (
    Route(Family.INGEST, "engage", engage, None, POST),
    Route(Family.INGEST, "groups", groups, None, POST),
)
