"""The `spec`: a JSON Schema made from the model, in the form that Airbyte's UI reads."""

from __future__ import annotations

from typing import Any

from source_mixpanel.config.model import Config


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
        "additionalProperties": True,
    }


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
