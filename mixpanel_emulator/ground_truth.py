"""What a complete read of each endpoint must give, for tests to compare with and to set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixpanel_emulator.profiles import USERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mixpanel_emulator.world import World

ENGAGE = "engage"
GROUPS = "groups:"


def _group(kind: str) -> str | None:
    """The profile group a kind names: "engage" users, "groups:<data_group_id>" groups."""
    if kind == ENGAGE:
        return USERS
    return kind.removeprefix(GROUPS) if kind.startswith(GROUPS) else None


def read(world: World, kind: str) -> list[Any]:
    """A kind's whole truth."""
    group = _group(kind)
    if group is None:
        return world.entities.get(kind)
    return [
        {"$distinct_id": key, "$properties": properties}
        for key, properties in world.profiles.each(group)
    ]


def write(world: World, kind: str, items: Sequence[Any]) -> None:
    """Replace a kind's whole truth."""
    group = _group(kind)
    if group is None:
        world.entities.put(kind, items)
        return
    world.profiles.clear(group)
    world.profiles.put(group, [(item["$distinct_id"], item["$properties"]) for item in items])


def append(world: World, kind: str, items: Sequence[Any]) -> None:
    """Add to a kind's truth."""
    group = _group(kind)
    if group is None:
        world.entities.put(kind, [*world.entities.get(kind), *items])
        return
    world.profiles.put(group, [(item["$distinct_id"], item["$properties"]) for item in items])
