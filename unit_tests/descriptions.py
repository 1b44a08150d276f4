"""Mixpanel's own descriptions of its APIs (OpenAPI) as judge of what clients and server say.

A deviation names an operation, a side (`operation`, `request` or `answer`) and a place. Those that
are known stand in FIDELITY.md, each with its evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jsonschema.exceptions import ValidationError
from openapi_core import Config, OpenAPI
from openapi_core.casting.schemas.exceptions import CastError
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.media_types.exceptions import MediaTypeNotFound
from openapi_core.templating.responses.exceptions import ResponseNotFound
from openapi_core.templating.security.exceptions import SecurityNotFound
from openapi_core.validation.request.exceptions import MissingRequiredParameter
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from werkzeug.datastructures import Headers

from mixpanel_emulator import json_text
from mixpanel_emulator.http import Call, Family

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT.parent / "shared" / "openapi"
_HOST = "http://mixpanel"
_MOST_ITEMS = 40
_MOST_BYTES = 1 << 20
# /track and its like answer with a number as text.
_NUMBERS = Config(extra_media_type_deserializers={"text/plain": json_text.loads})
_VERBS = {"get", "post", "put", "patch", "delete"}
PREFIXES = {
    Family.EXPORT: "/api/2.0",
    Family.QUERY: "/api/query",
    Family.APP: "/api/app",
    Family.LOOKUP: "",
    Family.INGEST: "",
}
_FILES = {
    Family.EXPORT: ("export",),
    Family.QUERY: ("query",),
    Family.APP: (
        "annotations",
        "experiments",
        "feature-flags-management",
        "lexicon-schemas",
        "service-accounts",
        "warehouse-connectors",
    ),
    Family.LOOKUP: ("ingestion",),
    Family.INGEST: ("ingestion",),
}
_UPDATES = {
    "$set": "profile-set",
    "$set_once": "profile-set-once",
    "$add": "profile-numerical-add",
    "$union": "profile-union",
    "$append": "profile-list-append",
    "$remove": "profile-list-remove",
    "$unset": "profile-unset",
    "$delete": "profile-delete",
}


class Deviation(NamedTuple):
    """One difference between what was said and its description."""

    operation: str
    side: str
    place: str

    def __str__(self) -> str:
        """As a row of the table."""
        return f"| `{self.operation}` | {self.side} | `{self.place}` |"


@dataclass
class Asked:
    """A request in the form that the library reads (and adds what it finds in the path to)."""

    method: str
    path: str
    parameters: RequestParameters
    body: bytes | None
    content_type: str
    host_url: str = _HOST


@dataclass(frozen=True)
class Given:
    """An answer in the form that the library reads."""

    status_code: int
    data: bytes
    content_type: str
    headers: Headers = field(default_factory=Headers)


@dataclass(frozen=True)
class Operation:
    """A described operation.

    Attributes:
        name: Verb and path.
        pattern: What paths look like.
        api: The description that it is part of.
        parameters: Names of the query parameters that it has.
    """

    name: str
    pattern: re.Pattern[str]
    api: OpenAPI
    parameters: frozenset[str]


@lru_cache(maxsize=1)
def operations() -> dict[Family, list[Operation]]:
    """Every described operation by the API that it belongs to; literal paths come first."""
    found: dict[Family, list[Operation]] = {}
    for family, names in _FILES.items():
        for name in names:
            text = (FOLDER / f"{name}.openapi.yaml").read_text(encoding="utf-8")
            found.setdefault(family, []).extend(
                _operations(yaml.load(text, yaml.CSafeLoader), PREFIXES[family])
            )
        found[family].sort(key=lambda operation: operation.name.count("{"))
    return found


def _operations(content: dict[str, Any], prefix: str) -> Iterator[Operation]:
    """The operations of one description; its server becomes a path on one host."""
    content["servers"] = [{"url": _HOST + prefix}]
    api = OpenAPI.from_dict(content, config=_NUMBERS if prefix == "" else None)
    shared = content.get("components", {}).get("parameters", {})
    for path, item in content["paths"].items():
        pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", prefix + path))
        for verb in _VERBS & set(item):
            told = [*item.get("parameters", []), *item[verb].get("parameters", [])]
            full = [shared.get(one.get("$ref", "").rpartition("/")[2], one) for one in told]
            names = frozenset(one["name"] for one in full if one["in"] == "query")
            yield Operation(f"{verb.upper()} {prefix}{path}", pattern, api, names)


def _shortened(value: Any) -> Any:
    if isinstance(value, list):
        return [_shortened(item) for item in value[:_MOST_ITEMS]]
    if isinstance(value, dict):
        return {key: _shortened(value[key]) for key in list(value)[: _MOST_ITEMS * 5]}
    return value


def capped(body: bytes) -> bytes:
    """The body, or of a long list in it the first items."""
    if len(body) < _MOST_ITEMS * 100:
        return body
    try:
        return json_text.ascii_bytes(_shortened(json_text.loads(body[:_MOST_BYTES])))
    except ValueError:
        return body[:_MOST_BYTES]


def _place(error: ValidationError) -> str:
    """Where in a value a schema is broken, and by which of its rules."""
    parts, steps = [], list(error.absolute_schema_path)
    while steps:
        step = steps.pop(0)
        if step == "properties":
            parts.append(f".{steps.pop(0)}")
        else:
            parts.append({"items": "[]", "additionalProperties": ".*"}.get(str(step), ""))
    # Which of the properties are too many stands only in the message.
    extra = re.search(r"\('(\w+)' was unexpected\)", error.message)
    named = f"{error.validator} {extra[1]}" if extra else str(error.validator)
    where = "".join(parts).removesuffix(".*") if named.startswith("additional") else "".join(parts)
    return f"${where}: {named}"


def _has_other_constant(form: list[ValidationError]) -> bool:
    return any(error.validator == "const" for error in form)


def _innermost(error: ValidationError) -> ValidationError:
    """What a value fails by in that of several forms whose constants it has."""
    if not error.context:
        return error
    branches: dict[Any, list[ValidationError]] = {}
    for one in error.context:
        branches.setdefault(one.schema_path[0], []).append(one)
    forms = sorted(branches.values(), key=_has_other_constant)
    return _innermost(min(forms[0], key=lambda one: -len(one.path)))


def _described(error: Any) -> Iterator[str]:
    """The places of one of the library's errors."""
    name = getattr(error, "name", "")
    while error.__cause__ is not None and not isinstance(error, CastError):
        error = error.__cause__
    if isinstance(error, InvalidSchemaValue):
        yield from (f"{name} {_place(_innermost(one))}".strip() for one in error.schema_errors)
    elif isinstance(error, MediaTypeNotFound):
        yield f"content type {error.mimetype}"
    elif isinstance(error, ResponseNotFound):
        yield "not described"
    elif isinstance(error, SecurityNotFound):
        yield "credentials"
    elif isinstance(error, MissingRequiredParameter):
        yield f"{name} required"
    elif isinstance(error, CastError):
        # The error does not say which field of a form it is.
        yield f"{name} no {error.type}".strip()
    else:
        yield f"{name} {type(error).__name__}".strip()


def fragment(family: Family, below: str, call: Call) -> str:
    """What the description tells apart updates of profiles by: a fragment of the path."""
    if family is not Family.INGEST or below not in ("engage", "groups"):
        return ""
    kind = "profile" if below == "engage" else "group"
    for operator, name in _UPDATES.items():
        if f'"{operator}"'.encode() in call.body:
            return "#" + name.replace("profile", kind)
    return f"#{kind}-batch-update"


def of_request(operation: Operation, asked: Asked) -> frozenset[Deviation]:
    errors = operation.api.iter_request_errors(asked)
    places = [place for error in errors for place in _described(error)]
    extra = sorted(set(asked.parameters.query) - operation.parameters)
    places += [f"{name}: not described" for name in extra]
    return frozenset(Deviation(operation.name, "request", place) for place in places)


def of_answer(operation: Operation, asked: Asked, given: Given) -> frozenset[Deviation]:
    errors = operation.api.iter_response_errors(asked, given)
    places = [f"{given.status_code} {place}" for error in errors for place in _described(error)]
    return frozenset(Deviation(operation.name, "answer", place) for place in places)
