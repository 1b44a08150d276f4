"""Plants a whole project in a world."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from mixpanel_emulator import database
from mixpanel_emulator.profiles import USERS
from mixpanel_emulator.seed.definitions import definitions
from mixpanel_emulator.seed.people import companies, people
from mixpanel_emulator.seed.shop import Plan, shop_events

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mixpanel_emulator.events import NewEvent
    from mixpanel_emulator.world import World

_BATCH = 5_000


def plant(
    world: World,
    seed: int,
    events: int | None = None,
    days: int | None = None,
    profiles: int | None = None,
) -> dict[str, int]:
    """Replace the world's data by what a seed grows into; numbers default to the start options.

    Returns:
        How many events and user profiles there are.
    """
    options = world.options
    anchor = world.clock.anchor_ms
    plan = Plan(
        seed=seed,
        events=options.events if events is None else events,
        days=max(options.days if days is None else days, 1),
        people=options.profiles if profiles is None else profiles,
        now_ms=world.clock.now_ms() if anchor is None else anchor,
    )
    database.clear(world.database)
    world.events.clear()
    world.sessions.clear()
    added = _plant_events(world, shop_events(plan))
    world.profiles.put(USERS, people(plan))
    for group_id, members in companies(plan).items():
        world.profiles.put(group_id, members)
    for kind, items in definitions(plan).items():
        world.entities.put(kind, items)
    world.mark_seeded()
    return {"events": added, "profiles": plan.people}


def _plant_events(world: World, source: Iterable[NewEvent]) -> int:
    lag = world.visible_at(0)
    zone = world.settings.zone()
    stream = iter(source)
    added = 0
    while batch := list(islice(stream, _BATCH)):
        visible = [event._replace(visible_at_ms=event.visible_at_ms + lag) for event in batch]
        added += world.events.add(visible, zone)
    return added
