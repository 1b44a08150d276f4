"""The columns of `export`: names and types of event properties."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from source_mixpanel.api.client import MixpanelClient
from source_mixpanel.api.document import Document
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.columns.catalog import EVENT_KEY
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.columns.reserved import EVENT_PROPERTIES, FURTHER_EVENT_PROPERTIES
from source_mixpanel.columns.schema import TIMESTAMP, Naming, columns_of
from source_mixpanel.columns.types import common_type, declared_types, json_type_of
from source_mixpanel.errors import (
    CutError,
    DataError,
    SourceError,
    StrainError,
    TransientError,
)
from source_mixpanel.events.request import (
    ExportFilter,
    rare_sample_request,
    sample_request,
)
from source_mixpanel.events.rows import EVENT_CORE
from source_mixpanel.streams.coverage import Span
from source_mixpanel.texts.json_elements import Elements
from source_mixpanel.texts.json_lines import parse_lines
from source_mixpanel.times.days import Days

_ALL_NAMES = 5_000
_SAMPLE_DAYS = 30

T = TypeVar("T")
Kinds = Mapping[str, Counter[str]]
"""By raw name: how many values have, or how many events declare, each type."""

Log = Callable[[str], None]

CORE: Mapping[str, Any] = {
    EVENT_KEY: {"type": "string"},
    "event": "string",
    "time": TIMESTAMP,
    "distinct_id": "string",
    "insert_id": "string",
}
"""The core columns of events."""


def core_columns(privacy: Privacy) -> dict[str, Any]:
    """The core columns of events, without excluded ones."""
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
    """A column for each property, and for each of Mixpanel's own whose name is free.

    Args:
        properties: JSON type by raw name; None if it is not known.
        pinned: The columns that the user has pinned, by raw name.
        privacy: Which properties are left out, or hashed and so text.
        to_text: Whether custom properties are text.
    """
    naming = Naming(EVENT_CORE, EVENT_PROPERTIES, pinned, privacy, to_text)
    return columns_of(properties, naming, EVENT_PROPERTIES)


def find_properties(
    client: MixpanelClient,
    days: Days,
    wanted: ExportFilter,
    *,
    now: datetime,
    log: Log,
    privacy: Privacy,
    to_text: bool = False,
) -> dict[str, str | None]:
    """Event properties of the project and their JSON types, out of several sources.

    Three requests: one query, one of the Lexicon quota, one export; and a second export for
    properties whose type is still unknown, unless they become text (`to_text`, or hashed). A source
    that refuses, or has another form than expected, is left out with a log line. Properties that
    `privacy` excludes are not in the result.

    Raises:
        TransientError: A source fails for the moment: without it, columns would be missing.
        SourceError: All sources refuse.
    """
    sources = _Sources(client, log)
    today = days.today(now)
    month = Span(today - timedelta(days=_SAMPLE_DAYS), today)
    names = sources.names()
    lexicon = sources.lexicon()
    sample = sources.sample("a sample of events", sample_request(month, wanted))
    sources.raise_if_all_failed()
    types = _typed(names or (), (sample or {}, lexicon or {}), privacy)
    rare = [raw for raw, kind in types.items() if kind is None and raw not in EVENT_PROPERTIES]
    request = rare_sample_request(month, wanted, rare)
    if request is not None and sample is not None and not to_text:
        # A time-out because of too many days is no outage, and no column is lost by it.
        sampled = sources.sample("a sample of its rare properties", request, StrainError) or {}
        types.update({raw: common_type(sampled[raw]) for raw in rare if raw in sampled})
    return types


def _typed(
    names: Iterable[str], sources: Iterable[Kinds], privacy: Privacy
) -> dict[str, str | None]:
    """The type of each property that is neither a core one nor excluded; None if unknown.

    Later sources override earlier ones.
    """
    types: dict[str, str | None] = dict.fromkeys(names)
    for kinds_by_name in sources:
        types.update({raw: common_type(kinds) for raw, kinds in kinds_by_name.items()})
    types.update({raw: FURTHER_EVENT_PROPERTIES.get(raw, kind) for raw, kind in types.items()})
    return {
        raw: "string" if privacy.hashes(raw) else kind
        for raw, kind in types.items()
        if raw not in EVENT_CORE.properties and not privacy.excludes(raw)
    }


class _Sources:
    """The sources of properties; one that refuses, or has another form, gives None."""

    def __init__(self, client: MixpanelClient, log: Log) -> None:
        self._client = client
        self._log = log
        self._requests = 0
        self._errors: list[SourceError] = []

    def raise_if_all_failed(self) -> None:
        """Raise the last error if all sources have failed.

        Raises:
            SourceError: The error of the last source.
        """
        if len(self._errors) == self._requests:
            raise self._errors[-1]

    def names(self) -> list[str] | None:
        """Names without types."""
        # An answer that is never JSON has another form; one of events may be cut.
        return self._ask("the list of property names", lambda: _listed(self._client), CutError)

    def lexicon(self) -> Kinds | None:
        """Names and types; None also with a project secret, which the Lexicon does not accept."""
        number = self._client.access.project_id
        if number is None:
            return None
        return self._ask("Lexicon", lambda: _lexicon(self._client, number), CutError)

    def sample(
        self, what: str, request: ApiRequest, *tolerated: type[TransientError]
    ) -> Kinds | None:
        """Names and types in some events."""
        return self._ask(what, lambda: _sampled(self._client, request), *tolerated)

    def _ask(self, what: str, find: Callable[[], T], *tolerated: type[TransientError]) -> T | None:
        self._requests += 1
        try:
            return find()
        except SourceError as error:
            if isinstance(error, TransientError) and not isinstance(error, tolerated):
                raise
            self._log(f"Stream 'export' is discovered without {what}: {error}")
            self._errors.append(error)
            return None


def _listed(client: MixpanelClient) -> list[str]:
    """Names without types, from `events/properties/top`, whose default limit is 10."""
    path = "/api/query/events/properties/top"
    request = ApiRequest(Api.QUERY, path, "export", {"limit": str(_ALL_NAMES)})
    answer = client.json(request)
    if not isinstance(answer, Mapping):
        raise DataError(f"Mixpanel's {request.answer} names no properties.")
    return list(answer)


def _lexicon(client: MixpanelClient, number: int) -> Kinds:
    """Names and types that the project's owners have described."""
    request = ApiRequest(Api.LEXICON, f"/api/app/projects/{number}/schemas/event", "export")
    described = client.digest(request, _described)
    if described is None:
        raise DataError(f"Mixpanel's {request.answer} is no list.")
    return {raw: kinds for raw, kinds in described.items() if kinds.keys() - {"null"}}


def _described(document: Document) -> Kinds | None:
    """Names and types in a list of schemas of events; None if it is not a list."""
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    entries = Elements(document.chunks(), "results", enveloped=True)
    for entry in entries:
        # These are written by hand, and need not be schemas.
        for raw, spec in _inside(_inside(entry, "schemaJson"), "properties").items():
            kinds[raw].update(declared_types(spec))
    return kinds if entries.has_array else None


def _inside(value: Any, key: str) -> Mapping[str, Any]:
    """The object under a key of an object; an empty one if there is none."""
    inner = value.get(key) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _sampled(client: MixpanelClient, request: ApiRequest) -> Kinds:
    spool = client.spool(request)
    try:
        return types_of(event for block in spool.blocks() for event in parse_lines(block))
    finally:
        spool.close()


def types_of(events: Iterable[Mapping[str, Any]]) -> Kinds:
    """How many values of each type there are in each property."""
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for event in events:
        for raw, value in event["properties"].items():
            kinds[raw][json_type_of(value)] += 1
    return kinds
