"""The `spec`: a JSON Schema made from the model, in the form that Airbyte's UI reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from source_mixpanel.config.model import Config


class Group(NamedTuple):
    """Fields that stand together in the form.

    Attributes:
        id: What fields name it by.
        title: Its heading.
        fields: Their keys, in order.
    """

    id: str
    title: str
    fields: str


GROUPS = (
    Group("project", "Mixpanel Project", "credentials region project_timezone workspace_id"),
    Group("scope", "What to Read", "start_date end_date export_events export_where reports"),
    Group(
        "properties",
        "Properties and Privacy",
        "exclude_properties hash_properties hash_salt select_properties_by_default property_layout"
        " property_types column_names",
    ),
    Group(
        "time",
        "Late Events and Time",
        "attribution_window export_lookback_window late_events event_timestamps",
    ),
    Group(
        "advanced",
        "Advanced",
        "date_window_size page_size num_workers rate_limits api_url download_ahead_mb"
        " longest_wait_hours",
    ),
)
"""The form's groups: what everybody has to think of comes first."""

_ALWAYS_SHOWN = ("region", "start_date")
"""Optional fields that the platform does not fold away."""


def connection_specification() -> dict[str, Any]:
    """The JSON Schema of the settings, in the form that Airbyte's UI reads."""
    schema = Config.model_json_schema()
    definitions = schema.pop("$defs")
    for definition in definitions.values():
        # The docstring, which is for readers of the code.
        definition.pop("description", None)
    flat = _inline(schema, definitions)
    flat.pop("description", None)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **flat,
        "title": "Source Mixpanel Spec",
        "groups": [{"id": group.id, "title": group.title} for group in GROUPS],
        "properties": _grouped(flat["properties"]),
        "additionalProperties": True,
    }


def _grouped(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields in the order of their groups."""
    group_of = {key: group.id for group in GROUPS for key in group.fields.split()}
    found = {
        key: {**fields[key], "group": group, "order": place}
        for place, (key, group) in enumerate(group_of.items())
    }
    for key in _ALWAYS_SHOWN:
        found[key]["always_show"] = True
    return found


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    """Replace references, and `anyOf [X, null]` by X: optional is what `required` says."""
    if isinstance(node, list):
        return [_inline(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    node = dict(node)
    if "$ref" in node:
        target = dict(definitions[node.pop("$ref").rsplit("/", 1)[1]])
        node = {**target, **node}
    if "anyOf" in node:
        branches = [b for b in node.pop("anyOf") if b.get("type") != "null"]
        node = {**branches[0], **node}
    node.pop("discriminator", None)
    if node.get("default", ...) is None:
        node.pop("default")
    flat = {key: _inline(value, definitions) for key, value in node.items()}
    return _tidy(flat)


def _tidy(node: dict[str, Any]) -> dict[str, Any]:
    """Drop what says nothing to a user, mark one-of groups and dates as Airbyte wants them."""
    if "oneOf" in node:
        node["type"] = "object"
    if node.get("format") == "password":
        del node["format"], node["writeOnly"]
    if node.get("type") == "object" and "properties" in node:
        node["additionalProperties"] = True
        for place, field in enumerate(node["properties"].values()):
            field["order"] = place
    if "const" in node:
        node.pop("title", None)
    return node
