"""Who am I, and which projects and workspaces are there (observed)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixpanel_emulator.http import ApiError, Call, Family, Reply, app_reply
from mixpanel_emulator.options import CREDENTIALS
from mixpanel_emulator.routing import Route

if TYPE_CHECKING:
    from mixpanel_emulator.world import World


def own_project(call: Call) -> None:
    """Refuse a project in the path that the caller is not in.

    Raises:
        ApiError: 403; which of 401, 403 and 404 the service sends is not on record.
    """
    if call.args.get("pid") != str(CREDENTIALS.project_id):
        raise ApiError(403, "You do not have access to this project")


def workspaces() -> list[dict[str, Any]]:
    """The project's data views: the global one and one more."""
    shared = {"project_id": CREDENTIALS.project_id, "description": "", "creator_name": "Ana Roy"}
    return [
        {
            "id": CREDENTIALS.workspace_id,
            "name": "All Project Data",
            "is_default": True,
            "is_global": True,
            "is_restricted": False,
            "is_visible": True,
            **shared,
        },
        {
            "id": CREDENTIALS.workspace_id + 1,
            "name": "Europe",
            "is_default": False,
            "is_global": False,
            "is_restricted": False,
            "is_visible": True,
            **shared,
        },
    ]


def me(_call: Call, world: World) -> Reply:
    """The caller, with organisations, projects and workspaces by id."""
    role = world.settings.service_account_role
    organization = {
        "id": CREDENTIALS.organization_id,
        "name": "Shop Example",
        "role": role,
        "permissions": ["view_projects"],
    }
    project = {
        "name": "Shop",
        "organization_id": CREDENTIALS.organization_id,
        "timezone": world.settings.timezone,
        "has_workspaces": True,
        "domain": "mixpanel.com",
        "type": "PROJECT",
    }
    inside = world.settings.service_account_in_project
    views = workspaces() if inside else []
    return app_reply(
        {
            "user_id": 7001,
            "user_email": f"{CREDENTIALS.username}@serviceaccount.example",
            "user_name": CREDENTIALS.username,
            "organizations": {str(CREDENTIALS.organization_id): organization},
            "projects": {str(CREDENTIALS.project_id): project} if inside else {},
            "workspaces": {str(view["id"]): view for view in views},
        }
    )


def public_workspaces(call: Call, _world: World) -> Reply:
    """The project's workspaces."""
    own_project(call)
    return app_reply(workspaces())


def metadata_index(_call: Call, world: World) -> Reply:
    """The workspaces by id of each project the caller is in."""
    if not world.settings.service_account_in_project:
        return app_reply({})
    views = {str(view["id"]): view for view in workspaces()}
    return app_reply({str(CREDENTIALS.project_id): {"workspaces": views}})


ROUTES = (
    Route(Family.APP, "me", me),
    Route(Family.APP, "projects/{pid}/workspaces/public", public_workspaces),
    Route(Family.APP, "projects/metadata/index", metadata_index),
)
