"""The app API's lists: one table of paths, one way to answer (OpenAPI; observed)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from mixpanel_emulator.http import ApiError, Call, Family, Reply, app_reply, json_reply
from mixpanel_emulator.options import CREDENTIALS
from mixpanel_emulator.routes.account import own_project
from mixpanel_emulator.routes.reading import flag, whole
from mixpanel_emulator.routing import Route, params

if TYPE_CHECKING:
    from collections.abc import Callable

    from mixpanel_emulator.world import World

    Items = list[dict[str, Any]]
    Sift = Callable[[Call, Items], Items]

_PAGING = "page_size cursor"
ADMINS = ("owner", "admin")
ANALYSTS = ("owner", "admin", "analyst")


@dataclass(frozen=True)
class Listing:
    """One list.

    Attributes:
        path: Path below /api/app/.
        kind: Where its items are in the world.
        sift: Filters by the request's parameters.
        names: Parameters besides those of paging.
        roles: Roles that may read it; empty is all.
        status_error: Whether `status_error_200` can turn its answer into a 200 with an error.
    """

    path: str
    kind: str
    sift: Sift | None = None
    names: str = ""
    roles: tuple[str, ...] = ()
    status_error: bool = False


def guard(call: Call, world: World, roles: tuple[str, ...] = ()) -> None:
    """Check project, organisation, workspace and role of a request.

    Raises:
        ApiError: 403 for what the caller may not see, 404 for an unknown workspace.
    """
    if "pid" in call.args:
        own_project(call)
    if call.args.get("org", str(CREDENTIALS.organization_id)) != str(CREDENTIALS.organization_id):
        raise ApiError(403, "You do not have access to this organization")
    known = (CREDENTIALS.workspace_id, CREDENTIALS.workspace_id + 1)
    if call.args.get("wid", str(known[0])) not in map(str, known):
        raise ApiError(404, "Workspace not found")
    if roles and world.settings.service_account_role not in roles:
        raise ApiError(403, "You do not have permission to do this")


def page_of(call: Call, world: World, items: Items) -> Reply:
    """A list whole, or a page of it with a cursor when paging is switched on."""
    size = world.settings.app_page_size
    if size is None:
        return app_reply(items)
    size = min(whole(call, "page_size", size, 1), size)
    start = whole(call, "cursor", 0, 0)
    more = start + size < len(items)
    next_cursor = str(start + size) if more or world.settings.endless_cursor else None
    previous = str(max(start - size, 0)) if start else None
    return app_reply(
        items[start : start + size],
        pagination={"page_size": size, "next_cursor": next_cursor, "previous_cursor": previous},
    )


def status_error(call: Call, world: World) -> Reply | None:
    """A 200 whose status is "error" if set for the path (OpenAPI: experiments)."""
    if any(part in call.path for part in world.settings.status_error_200):
        error = {"message": "could not be loaded"}
        return json_reply({"status": "error", "type": "InternalError", "error": error})
    return None


def _answer(listing: Listing, call: Call, world: World) -> Reply:
    guard(call, world, listing.roles)
    refused = status_error(call, world) if listing.status_error else None
    if refused is not None:
        return refused
    items = world.entities.get(listing.kind)
    return page_of(call, world, listing.sift(call, items) if listing.sift else items)


def _one(listing: Listing, call: Call, world: World) -> Reply:
    guard(call, world, listing.roles)
    refused = status_error(call, world) if listing.status_error else None
    item = world.entities.find(listing.kind, "id", call.args["id"])
    if item is None:
        raise ApiError(404, f"No such item: {call.args['id']}")
    return refused or app_reply(item)


def by_ids(call: Call, items: Items) -> Items:
    """Keep the items of a comma-separated `ids`."""
    text = call.text("ids")
    return [item for item in items if text is None or str(item["id"]) in text.split(",")]


def by_dates(call: Call, items: Items) -> Items:
    """Keep annotations by fromDate, toDate and tags; other spellings are ignored."""
    first, last = call.text("fromDate") or "", call.text("toDate") or "9999"
    tags = set((call.text("tags") or "").split(",")) - {""}
    return [
        item
        for item in items
        if first <= item["date"][:10] <= last
        and (not tags or tags & {str(tag["id"]) for tag in item.get("tags", [])})
    ]


def by_archive(call: Call, items: Items) -> Items:
    """Leave archived items out unless include_archived."""
    everything = flag(call, "include_archived")
    return [item for item in items if everything or item.get("status") != "archived"]


def by_group(call: Call, items: Items) -> Items:
    """Keep the cohorts of a data group; this API's is_visible is a boolean."""
    group = call.text("data_group_id")
    found = [{**item, "is_visible": bool(item["is_visible"])} for item in by_ids(call, items)]
    return [item for item in found if group is None or str(item.get("data_group_id")) == group]


_P = "projects/{pid}/"
_NOTES = "fromDate toDate tags from_date to_date"

LISTINGS = (
    Listing(_P + "annotations", "annotations", by_dates, _NOTES),
    Listing(
        _P + "workspaces/{wid}/feature-flags",
        "feature_flags",
        by_archive,
        "include_archived",
        status_error=True,
    ),
    Listing(
        "workspaces/{wid}/experiments",
        "experiments",
        by_archive,
        "include_archived",
        status_error=True,
    ),
    Listing(_P + "experiments", "experiments", by_archive, "include_archived", status_error=True),
    Listing(_P + "service-accounts", "project_service_accounts", roles=ADMINS),
    Listing("organizations/{org}/service-accounts", "service_accounts", roles=ADMINS),
    Listing(_P + "warehouse-sources/imports", "warehouse_imports"),
    Listing(_P + "warehouse-sources/sources", "warehouse_sources"),
    Listing(_P + "dashboards", "dashboards", by_ids, "ids"),
    Listing(_P + "cohorts", "cohorts", by_group, "data_group_id ids"),
    Listing(_P + "custom_properties", "custom_properties"),
    Listing(_P + "custom_events", "custom_events"),
    Listing("custom_events/{pid}", "custom_events"),
    Listing(_P + "data-groups", "data_groups"),
)
_WITH_ITEMS = ("annotations", "feature_flags", "experiments", "dashboards")


def _routes() -> tuple[Route, ...]:
    lists = [
        Route(
            Family.APP,
            listing.path,
            partial(_answer, listing),
            params(f"{listing.names} {_PAGING}"),
        )
        for listing in LISTINGS
    ]
    items = [
        Route(Family.APP, listing.path + "/{id}", partial(_one, listing))
        for listing in LISTINGS
        if listing.kind in _WITH_ITEMS
    ]
    return (*lists, *items)


ROUTES = _routes()
