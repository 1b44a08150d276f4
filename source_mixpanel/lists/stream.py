"""Streams that are a list endpoint: their declaration, and how they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from source_mixpanel.api.endpoints import Listing
from source_mixpanel.columns.fitting import Row
from source_mixpanel.columns.types import object_schema
from source_mixpanel.errors import ConfigError, DataError, ForbiddenError, RefusedError, SourceError
from source_mixpanel.streams.base import Checkpoint, Item, MixpanelStream, StreamContext
from source_mixpanel.streams.parts import Part, PartRun

_GONE_STATUSES = (404, 410)
_SECRET_WORDS = ("secret", "token", "password")
_TYPES: Mapping[str, Any] = {
    "date-time": {"type": ["null", "string"], "format": "date-time"},
    "string|integer": ["string", "integer"],
}


def columns_in(text: str) -> dict[str, Any]:
    """Types by column, out of words `name:type`; a name without a type is a string.

    Types are JSON's, `date-time` for an RFC 3339 instant, and `string|integer` for either.
    """
    pairs = (word.partition(":") for word in text.split())
    return {name: _TYPES.get(kind, kind or "string") for name, _, kind in pairs}


@dataclass(frozen=True)
class StandIn:
    """The Lexicon's list that is read if a stream's own endpoint answers 404 or 410.

    Attributes:
        key: The key of its items that holds the stream's `id`; their own id becomes
            `definition_id`.
    """

    listing: Listing
    key: str

    def item(self, definition: Any) -> Any:
        """An item with the keys of the stream."""
        if not isinstance(definition, Mapping):
            return definition
        return {"definition_id": definition.get("id"), **definition, "id": definition.get(self.key)}


@dataclass(frozen=True)
class ListDeclaration:
    """A stream that is a list.

    Attributes:
        columns: Columns and types, as for `columns_in`; undeclared ones are emitted as well.
        about: The description in the schema.
        key: The columns of the primary key, with spaces between.
        documented: Whether Mixpanel documents the endpoint.
        aliases: By column: the key of an item whose value it repeats.
        without_secrets: Whether values that are named like secrets are left out.
        properties_in: The column with a JSON Schema of properties, without excluded ones.
        stand_in: The list to read if the endpoint is gone.
    """

    name: str
    listing: Listing
    columns: str
    about: str
    key: str = "id"
    documented: bool = True
    aliases: Mapping[str, str] = field(default_factory=dict)
    without_secrets: bool = False
    properties_in: str | None = None
    stand_in: StandIn | None = None


class ListStream(MixpanelStream):
    """All items of a list; with a list for each data view, each item only once."""

    is_resumable = False

    def __init__(self, context: StreamContext, declared: ListDeclaration) -> None:
        super().__init__(context)
        self.declared = declared
        self.name = declared.name
        self.primary_key = declared.key.split()
        self.documented = declared.documented
        self.lane = declared.listing.api
        self.paths = (declared.listing.path,)
        self._seen: set[Any] | None = None

    @property
    def listing(self) -> Listing:
        """The list endpoint."""
        return self.declared.listing

    def schema(self) -> Mapping[str, Any]:
        """The declared columns."""
        return {
            **object_schema(columns_in(self.declared.columns)),
            "description": self.declared.about,
        }

    def requests_planned(self) -> int | None:
        """One, or one for each data view."""
        return len(self.context.lists.paths(self.listing, self.name))

    def sync(self, saved: Mapping[str, Any], *, full: bool) -> Iterator[Item]:  # noqa: ARG002 - all of it, always
        """The list, page by page."""
        try:
            yield from self.items()
        except (ForbiddenError, RefusedError, DataError) as error:
            if self.documented or self.context.client.access.project_id is None:
                raise
            raise undocumented_change_error(self.name, error) from error

    def items(self) -> Iterator[Item]:
        """The rows of the list, or of the list of each data view."""
        lists = self.context.lists
        paths = lists.paths(self.listing, self.name)
        if len(paths) == 1:
            for page, items in enumerate(self._pages(paths[0]), 1):
                yield self.rows(items)
                # Most lists are a single page, which the stream's last line reports as well.
                if page > 1:
                    yield Checkpoint(place=f"page {page}", done=page, unit="pages")
            return
        self._seen = set()
        run = PartRun(
            self,
            [Part(path, f"the list at {path}") for path in paths],
            each=None,
            begin=lambda part: list(lists.pages(self.listing, part.key, self.name)),
            read=lambda _, pages: map(self.rows, pages),
            workers=1,
        )
        yield from run.whole()

    def _pages(self, path: str) -> Iterator[Sequence[Any]]:
        """The items of the stream's own endpoint or, if that is gone, of its stand-in."""
        lists, stand_in = self.context.lists, self.declared.stand_in
        pages = lists.pages(self.listing, path, self.name)
        try:
            first = next(pages)
        except RefusedError as error:
            if stand_in is None or error.status not in _GONE_STATUSES:
                raise
            [stand_in_path] = lists.paths(stand_in.listing, self.name)
            self.logger.warning(
                f"{error} Stream {self.name!r} is read from {stand_in_path} instead."
            )
            try:
                for page in lists.pages(stand_in.listing, stand_in_path, self.name):
                    yield [stand_in.item(item) for item in page]
            except (ForbiddenError, RefusedError):
                raise error from None
            return
        yield first
        yield from pages

    def rows(self, items: Any) -> list[Row]:
        """The rows of a page: the items themselves."""
        usable_items = self.context.lists.usable(items, self.name)
        return [self._row(item) for item in usable_items if self._is_new(item)]

    def _row(self, item: Row) -> Row:
        aliases = {
            column: item.get(source_key) for column, source_key in self.declared.aliases.items()
        }
        row = {**aliases, **item}
        if (column := self.declared.properties_in) in row:
            row[column] = self.context.privacy.guard_schema(row[column])
        return _without_secrets(row) if self.declared.without_secrets else row

    def _is_new(self, item: Row) -> bool:
        """Whether no other data view had the item; an item without a valid id is always new."""
        key = item.get("id")
        if self._seen is None or not isinstance(key, (int, str)):
            return True
        new = key not in self._seen
        self._seen.add(key)
        return new


def _without_secrets(value: Any) -> Any:
    """A value without the members that are named like secrets, at any depth."""
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: _without_secrets(member)
        for name, member in value.items()
        if not any(word in name.lower() for word in _SECRET_WORDS)
    }


def undocumented_change_error(stream: str, error: SourceError) -> SourceError:
    """The error for an undocumented endpoint that refuses, or has another form than before."""
    return ConfigError(
        f"{error} The endpoint is undocumented, and Mixpanel may have changed or closed it. Leave "
        f"stream {stream!r} out if this stays so.",
        detail=str(error.internal_message),
    )
