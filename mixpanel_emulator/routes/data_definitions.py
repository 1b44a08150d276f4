"""The Lexicon's own lists below `data-definitions/` (observed: the official client)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixpanel_emulator.http import Call, Family, Reply, app_reply
from mixpanel_emulator.options import CREDENTIALS
from mixpanel_emulator.profiles import USERS
from mixpanel_emulator.routes.app_lists import guard
from mixpanel_emulator.routes.reading import choice, flag
from mixpanel_emulator.routing import Route, params

if TYPE_CHECKING:
    from mixpanel_emulator.world import World

    Items = list[dict[str, Any]]

_FIRST_ID = 70_001
_RESOURCES = ("Event", "User")


def _described(name: str, number: int, schema: dict[str, Any]) -> dict[str, Any]:
    """What both lists say of an entry."""
    held = schema.get("metadata", {}).get("com.mixpanel", {})
    return {
        "id": _FIRST_ID + number,
        "name": name,
        "displayName": held.get("displayName", name),
        "description": schema.get("description", ""),
        "hidden": held.get("hidden", False),
        "dropped": held.get("dropped", False),
        "tags": held.get("tags", []),
    }


def _schema(world: World, name: str) -> dict[str, Any]:
    for entry in world.entities.get("schemas"):
        if entry["entityType"] == "event" and entry["name"] == name:
            return dict(entry["schemaJson"])
    return {}


def _events(world: World) -> Items:
    names = sorted(world.events.name_totals())
    rows = [_described(name, n, _schema(world, name)) for n, name in enumerate(names)]
    return [{**row, "merged": False, "verified": False, "customEventId": None} for row in rows]


def _custom_events(world: World) -> Items:
    return [
        {
            **_described(item["name"], number, {}),
            "customEventId": item["id"],
            "alternatives": item.get("alternatives", []),
        }
        for number, item in enumerate(world.entities.get("custom_events"))
    ]


def _named(call: Call, items: Items) -> Items:
    wanted = call.each("name[]")
    return [item for item in items if not wanted or item["name"] in wanted]


def events(call: Call, world: World) -> Reply:
    """Events, or with custom_event the custom events; `name[]` keeps the named."""
    guard(call, world)
    found = _custom_events(world) if flag(call, "custom_event") else _events(world)
    return app_reply(_named(call, found))


def properties(call: Call, world: World) -> Reply:
    """The properties of events or of users; `name[]` keeps the named."""
    guard(call, world)
    resource = choice(call, "resourceType", _RESOURCES, "Event")
    names = sorted(_profile_properties(world) if resource == "User" else _totals(world))
    rows = [{**_described(name, n, {}), "resourceType": resource} for n, name in enumerate(names)]
    return app_reply(_named(call, rows))


def _totals(world: World) -> set[str]:
    return set(world.events.property_totals(None))


def _profile_properties(world: World) -> set[str]:
    return {name for _, held in world.profiles.each(USERS) for name in held}


def lookup_tables(call: Call, world: World) -> Reply:
    """The lookup tables with integer ids of their own; `token` holds the public id."""
    guard(call, world)
    return app_reply(
        [
            {
                "id": _FIRST_ID + number,
                "name": table["name"],
                "token": table["id"],
                "projectId": CREDENTIALS.project_id,
                "hasMappedProperties": False,
            }
            for number, table in enumerate(world.entities.get("lookup_tables"))
        ]
    )


_P = "projects/{pid}/data-definitions/"
_SIFTED = "name[] resourceType includeEvents includeDensity includeCustom includeZeroCounts"

ROUTES = (
    Route(Family.APP, _P + "events", events, params("name[] custom_event")),
    Route(Family.APP, _P + "properties", properties, params(_SIFTED)),
    Route(Family.APP, _P + "lookup-tables", lookup_tables, params("data-group-id")),
)
