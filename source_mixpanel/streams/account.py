"""The project's surroundings: who may read it, what feeds it, which data views it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from source_mixpanel.api.lists import WORKSPACES, Listing
from source_mixpanel.api.request import Api
from source_mixpanel.streams.base import Row
from source_mixpanel.streams.listing import DATE_TIME, ListStream

_SECRET = ("secret", "token", "password")


class ServiceAccounts(ListStream):
    """The service accounts of the project; a secret never leaves, should Mixpanel send one."""

    name = "service_accounts"
    primary_key: ClassVar[list[str]] = ["id"]
    lane = Api.APP
    listing = Listing(Api.APP, "/api/app/projects/{project}/service-accounts")
    columns: ClassVar = {
        "id": "integer",
        "username": "string",
        "email": "string",
        "role": "string",
        "role_order": "integer",
        "hasSensitiveAccess": "boolean",
        "target_type": "string",
        "user": "integer",
        "creator": "integer",
        "creator_name": "string",
        "creator_email": "string",
        "created": DATE_TIME,
        "expires": DATE_TIME,
        "last_used": DATE_TIME,
    }

    def row(self, item: Any) -> Row:
        """The account without whatever is named like a secret."""
        row: Row = _open(super().row(item))
        return row


def _open(value: Any) -> Any:
    """A value without the parts of it that are named like secrets, at any depth."""
    if isinstance(value, list):
        return [_open(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: _open(held)
        for name, held in value.items()
        if not any(word in name.lower() for word in _SECRET)
    }


class WarehouseImports(ListStream):
    """What warehouse connectors bring into the project; `run_every` is in nanoseconds."""

    name = "warehouse_imports"
    primary_key: ClassVar[list[str]] = ["id"]
    lane = Api.APP
    listing = Listing(Api.APP, "/api/app/projects/{project}/warehouse-sources/imports")
    columns: ClassVar = {
        "id": "integer",
        "import_type": "string",
        "sync_mode": "string",
        "created": DATE_TIME,
        "creator_id": "integer",
        "creator_name": "string",
        "creator_email": "string",
        "warehouse_source_id": "integer",
        "table_params": "object",
        "paused": "boolean",
        "run_every": "integer",
        "last_dispatch": "integer",
        "is_deleted": "boolean",
    }


class Workspaces(ListStream):
    """The project's data views."""

    name = "workspaces"
    primary_key: ClassVar[list[str]] = ["id"]
    lane = Api.APP
    listing = WORKSPACES
    documented = False
    columns: ClassVar = {
        "id": "integer",
        "name": "string",
        "project_id": "integer",
        "description": "string",
        "creator_name": "string",
        "is_default": "boolean",
        "is_global": "boolean",
        "is_restricted": "boolean",
        "is_visible": "boolean",
    }
