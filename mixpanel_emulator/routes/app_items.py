"""App API answers that do not fit the common list (OpenAPI; observed)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixpanel_emulator.http import ApiError, Call, Family, Reply, app_reply, json_reply
from mixpanel_emulator.routes.app_lists import ADMINS, ANALYSTS, by_ids, guard, page_of
from mixpanel_emulator.routing import Route, params

if TYPE_CHECKING:
    from mixpanel_emulator.world import World

MOST_RUNS = 30


def tags(call: Call, world: World) -> Reply:
    """The annotation tags, wrapped or (the spec's form) as a bare array."""
    guard(call, world, ANALYSTS)
    found = world.entities.get("annotation_tags")
    return json_reply(found) if world.settings.annotation_tags_bare else app_reply(found)


def bookmarks(call: Call, world: World) -> Reply:
    """The saved reports, flat or with results in results."""
    guard(call, world)
    kind = call.text("type")
    found = [
        item
        for item in by_ids(call, world.entities.get("bookmarks"))
        if kind is None or item["type"] == kind
    ]
    if world.settings.bookmarks_nested:
        return app_reply({"results": found})
    return page_of(call, world, found)


def service_account(call: Call, world: World) -> Reply:
    """One service account as a bare object, as the spec has it."""
    guard(call, world, ADMINS)
    item = world.entities.find("service_accounts", "id", call.args["id"])
    if item is None:
        raise ApiError(404, "Service account not found")
    return json_reply(item)


def warehouse_import(call: Call, world: World) -> Reply:
    """One import with its details."""
    guard(call, world)
    item = world.entities.find("warehouse_imports", "id", call.args["id"])
    if item is None:
        raise ApiError(404, "Import not found")
    details = world.entities.find("warehouse_import_details", "id", call.args["id"]) or {}
    return app_reply({**item, **details})


def warehouse_runs(call: Call, world: World) -> Reply:
    """An import's latest runs, 30 at most."""
    guard(call, world)
    if world.entities.find("warehouse_imports", "id", call.args["id"]) is None:
        raise ApiError(404, "Import not found")
    runs = [
        {name: value for name, value in run.items() if name != "import_id"}
        for run in world.entities.get("warehouse_runs")
        if str(run["import_id"]) == call.args["id"]
    ]
    return app_reply({"runs": runs[-MOST_RUNS:]})


def lookup_tables(_call: Call, world: World) -> Reply:
    """The lookup tables in the ingestion host's envelope (OpenAPI: ingestion)."""
    tables = world.entities.get("lookup_tables")
    return json_reply({"code": 200, "status": "OK", "results": tables})


_IMPORTS = "projects/{pid}/warehouse-sources/imports/{id}"

ROUTES = (
    Route(Family.APP, "projects/{pid}/annotations/tags", tags),
    Route(Family.APP, "projects/{pid}/bookmarks", bookmarks, params("v type ids page_size cursor")),
    Route(Family.APP, "organizations/{org}/service-accounts/{id}", service_account),
    Route(Family.APP, _IMPORTS, warehouse_import),
    Route(Family.APP, _IMPORTS + "/history", warehouse_runs),
    Route(Family.LOOKUP, "lookup-tables", lookup_tables),
)
