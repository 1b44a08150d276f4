"""Lexicon schemas (OpenAPI: lexicon-schemas)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixpanel_emulator.http import ApiError, Call, Family, Reply, app_reply, json_reply
from mixpanel_emulator.routes.account import own_project
from mixpanel_emulator.routing import Route, params

if TYPE_CHECKING:
    from mixpanel_emulator.world import World

ENTITY_TYPES = ("event", "profile", "custom_event", "group")


def _of_type(call: Call, world: World) -> list[dict[str, Any]]:
    kind = call.args["kind"]
    if kind not in ENTITY_TYPES:
        raise ApiError(400, f"Invalid entity type: {kind}")
    return [schema for schema in world.entities.get("schemas") if schema["entityType"] == kind]


def _named(schemas: list[dict[str, Any]], name: str) -> Any:
    for schema in schemas:
        if schema["name"] == name:
            return schema["schemaJson"]
    raise ApiError(404, f"Schema not found: {name}")


def all_schemas(call: Call, world: World) -> Reply:
    """All schemas."""
    own_project(call)
    return app_reply(world.entities.get("schemas"))


def schemas_of_type(call: Call, world: World) -> Reply:
    """A type's schemas, or with entity_name that one's schemaJson."""
    own_project(call)
    found = _of_type(call, world)
    name = call.text("entity_name")
    return app_reply(found if name is None else _named(found, name))


def schema_by_name(call: Call, world: World) -> Reply:
    """One schemaJson, wrapped or (the spec's form) bare."""
    own_project(call)
    schema = _named(_of_type(call, world), call.args["name"])
    return json_reply(schema) if world.settings.schema_by_name_bare else app_reply(schema)


ROUTES = (
    Route(Family.APP, "projects/{pid}/schemas", all_schemas),
    Route(Family.APP, "projects/{pid}/schemas/{kind}", schemas_of_type, params("entity_name")),
    Route(Family.APP, "projects/{pid}/schemas/{kind}/{name}", schema_by_name),
)
