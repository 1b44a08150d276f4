"""The columns of `export`: which properties there are, and of what type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from source_mixpanel.api.client import MixpanelClient
from source_mixpanel.api.envelopes import unwrap
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.errors import CutError, DataError, SourceError, TransientError
from source_mixpanel.records.catalog import EVENT_KEY
from source_mixpanel.records.decode import parse_lines
from source_mixpanel.records.events import EVENT_CORE
from source_mixpanel.records.naming import ColumnNames
from source_mixpanel.records.privacy import Privacy
from source_mixpanel.records.types import JSON_TYPES, common_type, declared_types
from source_mixpanel.schemas.reserved import EVENT_PROPERTIES
from source_mixpanel.streams.export_request import ExportFilter, sample_request
from source_mixpanel.streams.property_schema import TIMESTAMP, columns_of
from source_mixpanel.sync.coverage import Span
from source_mixpanel.sync.days import Days

_ALL_NAMES = 5_000
_SAMPLE_DAYS = 30

Types = dict[str, set[str]]
Log = Callable[[str], None]


CORE: Mapping[str, Any] = {
    EVENT_KEY: {"type": "string"},
    "event": "string",
    "time": TIMESTAMP,
    "distinct_id": "string",
    "insert_id": "string",
}
"""The columns of every event."""


def core_columns(privacy: Privacy) -> dict[str, Any]:
    """The columns of every event, as far as they may come out."""
    raw_names = {column: raw for raw, column in EVENT_CORE.properties.items()}
    return {
        column: schema
        for column, schema in CORE.items()
        if not privacy.excludes(raw_names.get(column, column))
    }


def property_columns(
    properties: Mapping[str, str | None],
    pinned: Mapping[str, str],
    privacy: Privacy,
    *,
    to_text: bool,
) -> dict[str, Any]:
    """A column for each property and, where its name is free, each of Mixpanel's own.

    Args:
        properties: JSON type by raw name, None where nothing tells.
        pinned: The columns that the user has pinned, by raw name.
        privacy: What is left out, or hashed and so text.
        to_text: Whether custom properties are text.
    """
    seen = [raw for raw in properties if not privacy.excludes(raw)]
    own = [raw for raw in EVENT_PROPERTIES if not privacy.excludes(raw)]
    names = ColumnNames(EVENT_CORE, pinned)
    names.add(seen)
    names.add_if_free(own)

    def type_of(raw: str) -> str:
        if privacy.hashes(raw):
            return "string"
        custom = "string" if to_text else properties.get(raw)
        return EVENT_PROPERTIES.get(raw) or custom or "string"

    there = {*seen, *own} - EVENT_CORE.properties.keys()
    return columns_of({raw: c for raw, c in names.columns.items() if raw in there}, type_of)


def find_properties(
    client: MixpanelClient, days: Days, wanted: ExportFilter, *, now: datetime, log: Log
) -> dict[str, str | None]:
    """Event properties of the project and their JSON types, from every place that tells.

    Three requests: one query, one of the Lexicon quota, one export. A place that is closed to the
    account, or answers in another shape, is passed over with a log line.

    Raises:
        TransientError: One cannot be had now: without it the schema would lack columns for good.
        SourceError: All of them are closed.
    """
    failures: list[SourceError] = []
    sampled = partial(_sampled, client, days, wanted, now)

    def ask(source: str, find: Callable[[], Types]) -> Types:
        try:
            return find()
        except SourceError as error:
            # What is no JSON every time is of another shape; of events it may be a part.
            shapeless = isinstance(error, CutError) and find is not sampled
            if isinstance(error, TransientError) and not shapeless:
                raise
            log(f"Stream 'export' is discovered without {source}: {error}")
            failures.append(error)
            return {}

    number = client.access.project_id
    names = ask("the list of property names", lambda: _listed(client))
    # A project secret, which does without the number, does not open Lexicon.
    lexicon = {} if number is None else ask("Lexicon", lambda: _lexicon(client, number))
    sample = ask("a sample of events", sampled)
    if len(failures) == (2 if number is None else 3):
        raise failures[-1]
    types: dict[str, str | None] = dict.fromkeys(names)
    for source in (sample, lexicon):
        types.update({raw: common_type(kinds) for raw, kinds in source.items()})
    return {raw: kind for raw, kind in types.items() if raw not in EVENT_CORE.properties}


def _listed(client: MixpanelClient) -> Types:
    """Names alone: `events/properties/top`, whose limit is 10 unless told."""
    path = "/api/query/events/properties/top"
    request = ApiRequest(Api.QUERY, path, "export", {"limit": str(_ALL_NAMES)})
    answer = client.json(request)
    if not isinstance(answer, Mapping):
        raise DataError(f"Mixpanel's {request.answer} names no properties.")
    return {raw: set() for raw in answer}


def _lexicon(client: MixpanelClient, number: int) -> Types:
    """Names and types that the project's owners have written down."""
    request = ApiRequest(Api.LEXICON, f"/api/app/projects/{number}/schemas/event", "export")
    page = unwrap(client.json(request))
    if page is None:
        raise DataError(f"Mixpanel's {request.answer} is no list.")
    types: Types = {}
    for entry in page.items:
        # What people have written there by hand need not be a schema.
        for raw, spec in _inside(_inside(entry, "schemaJson"), "properties").items():
            types.setdefault(raw, set()).update(declared_types(spec))
    return {raw: kinds for raw, kinds in types.items() if kinds - {"null"}}


def _inside(value: Any, key: str) -> Mapping[str, Any]:
    """The object under a key of an object; an empty one where there is none."""
    held = value.get(key) if isinstance(value, Mapping) else None
    return held if isinstance(held, Mapping) else {}


def _sampled(client: MixpanelClient, days: Days, wanted: ExportFilter, now: datetime) -> Types:
    """Names and types in some recent events."""
    today = days.today(now)
    month = Span(today - timedelta(days=_SAMPLE_DAYS), today)
    spool = client.spool(sample_request(month, wanted))
    try:
        return types_of(event for block in spool.blocks() for event in parse_lines(block))
    finally:
        spool.close()


def types_of(events: Iterable[Mapping[str, Any]]) -> Types:
    """The JSON types seen in each property."""
    types: Types = {}
    for event in events:
        for raw, value in event["properties"].items():
            types.setdefault(raw, set()).add(JSON_TYPES[type(value)])
    return types
