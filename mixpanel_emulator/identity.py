"""Merged identities (Mixpanel docs: identity management): who is the same person as whom.

In the original system events named `$identify`, `$create_alias` and `$merge` say so. In the
simplified one, any event that has both `$device_id` and `$user_id` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mixpanel_emulator.dates import iso_seconds
from mixpanel_emulator.json_text import ascii_text, loads
from mixpanel_emulator.profiles import USERS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from mixpanel_emulator.events import NewEvent
    from mixpanel_emulator.world import World

BEFORE = "$distinct_id_before_identity"
DEVICE = "$device:"


class Link(NamedTuple):
    """One id that becomes another.

    Attributes:
        old: The id that is given up.
        new: The id that it becomes.
        once: Whether the old one must not have become another before.
    """

    old: str
    new: str
    once: bool = False


def _pair(old: Any, new: Any, *, once: bool = False) -> list[Link]:
    usable = isinstance(old, str) and isinstance(new, str) and old and new and old != new
    return [Link(old, new, once)] if usable else []


def _original(event: NewEvent) -> list[Link]:
    held = event.properties
    if event.name == "$identify":
        return _pair(held.get("$anon_id"), held.get("$identified_id"), once=True)
    if event.name == "$create_alias":
        return _pair(held.get("alias"), held.get("distinct_id"))
    ids = held.get("$distinct_ids")
    if event.name == "$merge" and isinstance(ids, list) and ids:
        return [link for one in ids[1:] for link in _pair(one, ids[0])]
    return []


def _simplified(event: NewEvent) -> list[Link]:
    device, user = (event.properties.get(name) for name in ("$device_id", "$user_id"))
    return _pair(f"{DEVICE}{device}", user, once=True) if device else []


def links_of(event: NewEvent, system: str) -> list[Link]:
    """Which ids an event makes one with which others."""
    if system == "original":
        return _original(event)
    return _simplified(event) if system == "simplified" else []


def named(event: NewEvent, system: str) -> NewEvent:
    """An event with the id that the simplified system gives it: user before device."""
    device, user = (event.properties.get(name) for name in ("$device_id", "$user_id"))
    if system != "simplified" or not (device or user):
        return event
    who = user or f"{DEVICE}{device}"
    return event._replace(properties={**event.properties, "distinct_id": who})


class Identities:
    """Which id each merged id has become; ids are kept as ASCII, for they may hold any text."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def of(self, distinct_id: str) -> str:
        """The id that stands for one today."""
        parameters = (ascii_text(distinct_id),)
        row = self._db.execute("SELECT became FROM identities WHERE id = ?", parameters).fetchone()
        return str(loads(row[0])) if row else distinct_id

    def join(self, link: Link) -> list[Link]:
        """Let one id, and all that have become it, become another; return what changed.

        A device that belongs to a user stays with them, whoever signs in on it later.
        """
        old, new = self.of(link.old), self.of(link.new)
        if old == new or (link.once and old != link.old):
            return []
        then, now = ascii_text(old), ascii_text(new)
        self._db.execute("UPDATE identities SET became = ? WHERE became = ?", (now, then))
        self._db.execute("INSERT OR REPLACE INTO identities VALUES (?, ?)", (then, now))
        return [Link(old, new)]


def _resolved(world: World, event: NewEvent) -> NewEvent:
    who = event.properties.get("distinct_id")
    became = world.identities.of(who) if isinstance(who, str) else who
    if became == who:
        return event
    return event._replace(properties={**event.properties, "distinct_id": became, BEFORE: who})


def take(world: World, events: Iterable[NewEvent]) -> int:
    """Store events; those that join identities rewrite what is stored of the people they join.

    Return how many events there are.
    """
    system = world.settings.identity_merge
    zone = world.settings.zone()
    if system == "none":
        return world.events.add(events, zone)
    fresh = [named(event, system) for event in events]
    for event in fresh:
        for link in links_of(event, system):
            for changed in world.identities.join(link):
                _rewrite(world, changed)
    return world.events.add([_resolved(world, event) for event in fresh], zone)


def _rewrite(world: World, link: Link) -> None:
    """Give stored events and the profile of one id to another."""
    touches = world.settings.merge_touches_processing_time
    stamp = {"mp_processing_time_ms": world.clock.now_ms()} if touches else {}

    def rewritten(properties: dict[str, Any]) -> dict[str, Any]:
        return {BEFORE: link.old, **properties, "distinct_id": link.new, **stamp}

    world.events.rewrite(link.old, rewritten)
    old = world.profiles.get(USERS, link.old)
    if old is not None:
        kept = world.profiles.get(USERS, link.new) or {}
        seen = max(str(held.get("$last_seen", "")) for held in (old, kept))
        now = iso_seconds(world.clock.now_ms(), "")
        world.profiles.put(USERS, [(link.new, {**old, **kept, "$last_seen": seen or now})])
        world.profiles.delete(USERS, link.old)
