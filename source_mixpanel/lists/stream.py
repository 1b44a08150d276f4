"""Streams that a list endpoint answers whole: what one is made of, and how all are read."""

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

_GONE = (404, 410)
_SECRET = ("secret", "token", "password")
_TYPES: Mapping[str, Any] = {
    "date-time": {"type": ["null", "string"], "format": "date-time"},
    "string|integer": ["string", "integer"],
}


def columns_in(text: str) -> dict[str, Any]:
    """Types by column out of words `name:type`; a bare name is a string.

    Types are JSON's, `date-time` for an RFC 3339 instant, and `string|integer` for either.
    """
    pairs = (word.partition(":") for word in text.split())
    return {name: _TYPES.get(kind, kind or "string") for name, _, kind in pairs}


@dataclass(frozen=True)
class StandIn:
    """The list that is read where a stream's own endpoint is gone, from the Lexicon.

    Attributes:
        key: Where its items hold the stream's `id`; their own is in `definition_id`.
    """

    listing: Listing
    key: str

    def item(self, held: Any) -> Any:
        """An item as the stream has it."""
        if not isinstance(held, Mapping):
            return held
        return {"definition_id": held.get("id"), **held, "id": held.get(self.key)}


@dataclass(frozen=True)
class ListOf:
    """A stream that is a list.

    Attributes:
        columns: As `columns_in` reads them; further ones are emitted as they come.
        aliases: Columns that repeat one of the item's own under the name that the key needs.
        without_secrets: Whether what is named like a secret is left out.
        properties_in: The column with a JSON Schema of properties, if there is one; those that are
            kept back are not in it.
        stand_in: Read instead where the endpoint is gone, if there is such a list.
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
    """Every item of a list, in full; where each data view has its own, an item comes once."""

    is_resumable = False

    def __init__(self, context: StreamContext, declared: ListOf) -> None:
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
        """Where the list is."""
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
        """The list, a page at a time."""
        try:
            yield from self.items()
        except (ForbiddenError, RefusedError, DataError) as error:
            if self.documented or self.context.client.access.project_id is None:
                raise
            raise changed(self.name, error) from error

    def items(self) -> Iterator[Item]:
        """The rows of the list, or of each data view's."""
        lists = self.context.lists
        paths = lists.paths(self.listing, self.name)
        if len(paths) == 1:
            for page, items in enumerate(self._pages(paths[0]), 1):
                yield self.rows(items)
                # Most lists are a single page, which the stream's last line tells of as well.
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
        """The items at the stream's own endpoint or, where that is gone, of its stand-in."""
        lists, other = self.context.lists, self.declared.stand_in
        pages = lists.pages(self.listing, path, self.name)
        try:
            first = next(pages)
        except RefusedError as error:
            if other is None or error.status not in _GONE:
                raise
            [place] = lists.paths(other.listing, self.name)
            self.logger.warning(f"{error} Stream {self.name!r} is read from {place} instead.")
            try:
                for page in lists.pages(other.listing, place, self.name):
                    yield [other.item(item) for item in page]
            except (ForbiddenError, RefusedError):
                raise error from None
            return
        yield first
        yield from pages

    def rows(self, items: Any) -> list[Row]:
        """The records of a page: the items themselves."""
        good = self.context.lists.usable(items, self.name)
        return [self._row(item) for item in good if self._is_new(item)]

    def _row(self, item: Row) -> Row:
        aliases = {column: item.get(own) for column, own in self.declared.aliases.items()}
        row = {**aliases, **item}
        if (column := self.declared.properties_in) in row:
            row[column] = self.context.privacy.guard_schema(row[column])
        return _without_secrets(row) if self.declared.without_secrets else row

    def _is_new(self, item: Row) -> bool:
        """Whether no other data view has shown it; what has no usable id is always new."""
        key = item.get("id")
        if self._seen is None or not isinstance(key, (int, str)):
            return True
        new = key not in self._seen
        self._seen.add(key)
        return new


def _without_secrets(value: Any) -> Any:
    """A value without the parts of it that are named like secrets, at any depth."""
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: _without_secrets(held)
        for name, held in value.items()
        if not any(word in name.lower() for word in _SECRET)
    }


def changed(stream: str, error: SourceError) -> SourceError:
    """What a refusal, or an answer of another form, means where nothing is promised."""
    return ConfigError(
        f"{error} The endpoint is undocumented, and Mixpanel may have changed or closed it. Leave "
        f"stream {stream!r} out if this stays so.",
        detail=str(error.internal_message),
    )
