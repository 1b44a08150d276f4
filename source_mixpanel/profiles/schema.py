"""The columns of profiles: names and types of properties."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.columns.catalog import RAW_NAME
from source_mixpanel.columns.naming import Core
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.columns.reserved import PROFILE_PROPERTIES
from source_mixpanel.columns.schema import Naming, columns_of
from source_mixpanel.columns.types import column_schema, common_type
from source_mixpanel.errors import DataError, ForbiddenError, RefusedError
from source_mixpanel.profiles.rows import KEY_COLUMN
from source_mixpanel.streams.base import StreamContext

PATH = "/api/query/engage/properties"
_MOST_NAMES = 2_000
_JSON_TYPES = {"datetime": "string", "list": "array"}

LAST_SEEN_SCHEMA: Mapping[str, Any] = {
    "type": ["null", "string"],
    "format": "date-time",
    "airbyte_type": "timestamp_without_timezone",
    RAW_NAME: "$last_seen",
}
"""Mixpanel writes it in UTC, without a zone."""

Types = Mapping[str, set[str]]


def core_columns(fixed: Mapping[str, str]) -> dict[str, Any]:
    """The core columns of profiles with their schemas; `fixed` are further ones, by JSON type."""
    columns = {name: column_schema(json_type) for name, json_type in fixed.items()}
    return {
        KEY_COLUMN: column_schema("string"),
        **columns,
        "last_seen": dict(LAST_SEEN_SCHEMA),
    }


def property_columns(
    types: Types, core: Core, pinned: Mapping[str, str], privacy: Privacy, *, to_text: bool
) -> dict[str, Any]:
    """The schema of the column of each property that is not excluded."""
    naming = Naming(core, PROFILE_PROPERTIES, pinned, privacy, to_text)
    return columns_of({raw: common_type(types[raw]) for raw in sorted(types)}, naming)


def find_properties(
    context: StreamContext, stream: str, groups: Iterable[str | None], log: Callable[[str], None]
) -> dict[str, set[str]]:
    """Profile properties and their JSON types from Mixpanel, with one query for each group key.

    A list that is refused or has another form is left out with a log line, so that the stream is
    discovered in any case.
    """
    types: dict[str, set[str]] = {}
    for group in groups:
        try:
            listed = context.cache.get(f"{PATH}:{group}", partial(_ask, context, stream, group))
        except (ForbiddenError, RefusedError, DataError) as error:
            log(f"Stream {stream!r} is discovered without its properties: {error}")
            continue
        for raw, kinds in listed.items():
            types.setdefault(raw, set()).update(kinds)
    return types


def _ask(context: StreamContext, stream: str, group: str | None) -> dict[str, set[str]]:
    params = {"limit": str(_MOST_NAMES)}
    if group is not None:
        params["data_group_id"] = group
    answer = context.client.json(ApiRequest(Api.QUERY, PATH, stream, params))
    results = answer.get("results") if isinstance(answer, Mapping) else None
    if not isinstance(results, Mapping):
        raise DataError(f"Mixpanel's list of properties for stream {stream!r} is no such list.")
    return {raw: {_json_type(entry)} for raw, entry in results.items()}


def _json_type(entry: Any) -> str:
    kind = entry.get("type") if isinstance(entry, Mapping) else None
    return _JSON_TYPES.get(str(kind), str(kind))
