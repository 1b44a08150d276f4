"""What the project's people have defined: Lexicon, custom events and properties, keys, tags."""

from __future__ import annotations

from typing import ClassVar

from source_mixpanel.api.lists import Listing
from source_mixpanel.api.request import Api
from source_mixpanel.streams.groups import DATA_GROUPS
from source_mixpanel.streams.listing import ListStream


class EventDefinitions(ListStream):
    """Lexicon's schemas of events and profiles; only what somebody has described has one."""

    name = "event_definitions"
    primary_key: ClassVar[list[str]] = ["entity_type", "name"]
    lane = Api.LEXICON
    listing = Listing(Api.LEXICON, "/api/app/projects/{project}/schemas")
    also: ClassVar = {"entity_type": "entityType"}
    columns: ClassVar = {"entity_type": "string", "name": "string", "schemaJson": "object"}


class CustomEvents(ListStream):
    """Events that are made of others."""

    name = "custom_events"
    primary_key: ClassVar[list[str]] = ["id"]
    lane = Api.APP
    listing = Listing(Api.APP, "/api/app/projects/{project}/custom_events")
    documented = False
    columns: ClassVar = {
        "id": "integer",
        "name": "string",
        "alternatives": "array",
        "deleted": "boolean",
        "user_id": "integer",
    }


class CustomProperties(ListStream):
    """Properties that are computed from others; their number comes as `id`, too."""

    name = "custom_properties"
    primary_key: ClassVar[list[str]] = ["id"]
    lane = Api.APP
    listing = Listing(Api.APP, "/api/app/projects/{project}/custom_properties")
    documented = False
    also: ClassVar = {"id": "customPropertyId"}
    columns: ClassVar = {
        "id": "integer",
        "customPropertyId": "integer",
        "name": "string",
        "resourceType": "string",
        "propertyType": "string",
        "displayFormula": "string",
        "created": "string",
        "modified": "string",
    }


class DataGroups(ListStream):
    """The group keys, whose profiles are in `groups`."""

    name = "data_groups"
    primary_key: ClassVar[list[str]] = ["data_group_id"]
    lane = Api.APP
    listing = DATA_GROUPS
    documented = False
    columns: ClassVar = {
        "data_group_id": ["string", "integer"],
        "property_name": "string",
        "display_name": "string",
        "type": "integer",
        "is_ready": "boolean",
        "ready_at": ["string", "integer"],
        "created_at": "integer",
        "metadata": "object",
    }


class AnnotationTags(ListStream):
    """What annotations are sorted by."""

    name = "annotation_tags"
    primary_key: ClassVar[list[str]] = ["id"]
    lane = Api.APP
    listing = Listing(Api.APP, "/api/app/projects/{project}/annotations/tags")
    columns: ClassVar = {
        "id": "integer",
        "name": "string",
        "project_id": "integer",
        "has_annotations": "boolean",
    }


class LookupTables(ListStream):
    """Names and numbers of the lookup tables; Mixpanel gives no way to read their rows."""

    name = "lookup_tables"
    primary_key: ClassVar[list[str]] = ["id"]
    lane = Api.INGESTION
    listing = Listing(Api.INGESTION, "/lookup-tables")
    columns: ClassVar = {"id": "string", "name": "string"}
