"""Feature flags and experiments, of every data view (or of the configured one)."""

from __future__ import annotations

from typing import Any, ClassVar

from source_mixpanel.api.lists import Listing
from source_mixpanel.api.request import Api
from source_mixpanel.streams.listing import DATE_TIME, ListStream

_ALL = {"include_archived": "true"}
_COMMON: dict[str, Any] = {
    "id": "string",
    "name": "string",
    "description": "string",
    "status": "string",
    "tags": "array",
    "content_type": "string",
    "created": DATE_TIME,
    "modified": DATE_TIME,
    "deleted": "string",
    "creator_id": "integer",
    "creator_name": "string",
    "creator_email": "string",
    "last_modified_by_id": "integer",
    "last_modified_by_name": "string",
    "last_modified_by_email": "string",
    "is_favorited": "boolean",
    "pinned_date": "string",
    "can_edit": "boolean",
    "can_view": "boolean",
}


class FeatureFlags(ListStream):
    """Every flag with its rules, archived ones too."""

    name = "feature_flags"
    primary_key: ClassVar[list[str]] = ["id"]
    lane = Api.APP
    listing = Listing(
        Api.APP, "/api/app/projects/{project}/workspaces/{workspace}/feature-flags", params=_ALL
    )
    columns: ClassVar = {
        **_COMMON,
        "key": "string",
        "project_id": "integer",
        "workspace_id": "integer",
        "project_name": "string",
        "experiment_id": "string",
        "is_experiment_active": "boolean",
        "context": "string",
        "data_group_id": ["string", "integer"],
        "serving_method": "string",
        "ruleset": "object",
        "hash_salt": "string",
        "enabled_at": "string",
        "content_environments_id": ["string", "integer"],
    }


class Experiments(ListStream):
    """Every experiment, archived ones too."""

    name = "experiments"
    primary_key: ClassVar[list[str]] = ["id"]
    lane = Api.APP
    listing = Listing(Api.APP, "/api/app/workspaces/{workspace}/experiments", params=_ALL)
    columns: ClassVar = {
        **_COMMON,
        "hypothesis": "string",
        "variants": "array",
        "metrics": "array",
        "settings": "object",
        "exposures_cache": "object",
        "results_cache": "object",
        "start_date": "string",
        "end_date": "string",
        "feature_flag": "object",
    }
