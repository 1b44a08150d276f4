"""What pydantic finds wrong with a setting, in words for whoever wrote it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WORDS = {
    "missing": "it is required, and missing",
    "extra_forbidden": "it is not known",
    "enum": "it has to be {expected}",
    "literal_error": "it has to be {expected}",
    "union_tag_invalid": "its {discriminator} has to be one of {expected_tags}",
    "int_type": "it has to be an integer",
    "int_parsing": "it has to be an integer",
    "int_from_float": "it has to be an integer",
    "float_type": "it has to be a number",
    "float_parsing": "it has to be a number",
    "string_type": "it has to be a string",
    "bool_type": "it has to be a boolean: true or false",
    "bool_parsing": "it has to be a boolean: true or false",
    "string_too_short": "it is empty",
    "greater_than": "it has to be more than {gt}",
    "greater_than_equal": "it has to be {ge} or more",
    "less_than_equal": "it has to be {le} or less",
    "tuple_type": "it has to be a list",
    "model_type": "it has to be an object",
    "model_attributes_type": "it has to be an object",
}
"""By pydantic's name for the fault, with its own figures; other faults keep pydantic's words."""


def in_words(problem: Mapping[str, Any]) -> str:
    """What is wrong, without the place, and without the value, which may be a secret."""
    words = _WORDS.get(problem["type"])
    if words is None:
        return str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
    return words.format(**problem.get("ctx", {}))
