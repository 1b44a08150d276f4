"""What people have saved to look at: reports and dashboards."""

from __future__ import annotations

from typing import Any, ClassVar

from source_mixpanel.api.lists import Listing
from source_mixpanel.api.request import Api
from source_mixpanel.streams.listing import ListStream

SAVED_REPORTS = Listing(
    Api.APP, "/api/app/projects/{project}/bookmarks", params={"v": "2"}, shared=True
)

_HISTORY: dict[str, Any] = {
    "created": "string",
    "modified": "string",
    "creator_id": "integer",
    "creator_name": "string",
    "creator_email": "string",
    "last_modified_by_id": "integer",
    "last_modified_by_name": "string",
    "last_modified_by_email": "string",
    "total_view_count": "integer",
    "unique_view_count": "integer",
}


class SavedReports(ListStream):
    """Every saved report of every kind; `params` is its whole definition."""

    name = "saved_reports"
    primary_key: ClassVar[list[str]] = ["id"]
    lane = Api.APP
    listing = SAVED_REPORTS
    documented = False
    columns: ClassVar = {
        "id": "integer",
        "name": "string",
        "type": "string",
        "original_type": "string",
        "project_id": "integer",
        "workspace_id": "integer",
        "dashboard_id": "integer",
        "description": "string",
        "icon": "string",
        "params": "object",
        "include_in_dashboard": "boolean",
        "is_default": "boolean",
        **_HISTORY,
    }


class Dashboards(ListStream):
    """Every dashboard, without what is on it: reports name theirs in `dashboard_id`."""

    name = "dashboards"
    primary_key: ClassVar[list[str]] = ["id"]
    lane = Api.APP
    listing = Listing(Api.APP, "/api/app/projects/{project}/dashboards")
    documented = False
    columns: ClassVar = {
        "id": "integer",
        "title": "string",
        "description": "string",
        "is_private": "boolean",
        "is_restricted": "boolean",
        "is_favorited": "boolean",
        "layout_version": "integer",
        "time_filter": "object",
        **_HISTORY,
    }
