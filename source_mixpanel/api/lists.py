"""Reading all pages of list endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from source_mixpanel.api.cache import Cache
from source_mixpanel.api.client import MixpanelClient
from source_mixpanel.api.endpoints import WORKSPACES, Listing
from source_mixpanel.api.envelopes import CursorGuard, unwrap
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.errors import DataError, ForbiddenError, RefusedError, TransientError
from source_mixpanel.texts.oddities import Oddities

MOST_EVENT_NAMES = 5_000
"""The most names that Mixpanel lists [observed]."""


@dataclass(frozen=True)
class ListReader:
    """Reads lists. Thread safe.

    Attributes:
        workspaces: Gives the numbers of the data views where their own list cannot be read.
        warn: Gets a sentence about items that cannot be used.
    """

    client: MixpanelClient
    workspaces: Callable[[], list[int]]
    cache: Cache
    warn: Callable[[str], None]

    def pages(self, listing: Listing, path: str, stream: str) -> Iterator[Sequence[Any]]:
        """The items at one of `paths`, page by page.

        Raises:
            DataError: The answer contains no list, or its pages never end.
            SourceError: As for `MixpanelClient.json`.
        """
        if listing.shared:
            yield self.cache.get(path, lambda: self._whole(listing, path, stream))
        else:
            yield from self._pages(listing, path, stream)

    def items(self, listing: Listing, stream: str) -> list[Any]:
        """All items of a list that has one path."""
        [path] = self.paths(listing, stream)
        return [item for page in self.pages(listing, path, stream) for item in page]

    def keyed(self, listing: Listing, stream: str, key: str) -> list[Mapping[str, Any]]:
        """The items that have a number or a text under `key`; `warn` gets the others.

        Raises:
            DataError: There are items, and none of them has one.
        """
        return self._keyed(self.items(listing, stream), stream, key)

    def keys_now(self, listing: Listing, stream: str, key: str) -> set[str]:
        """The keys of a new read of the list, without the cache."""
        [path] = self.paths(listing, stream)
        items = self._whole(listing, path, stream)
        return {str(item[key]) for item in self._keyed(items, stream, key)}

    def _keyed(self, items: Sequence[Any], stream: str, key: str) -> list[Mapping[str, Any]]:
        return self.usable(items, stream, f"without {key!r}", lambda item: is_key(item.get(key)))

    def usable(
        self,
        items: Sequence[Any],
        stream: str,
        what: str = "that are no objects",
        fits: Callable[[Mapping[str, Any]], bool] = lambda _: True,
    ) -> list[Mapping[str, Any]]:
        """The items that are objects and for which `fits` holds; `warn` gets the others.

        `what` says in messages what is wrong with the others.

        Raises:
            DataError: There are items, and none is usable.
        """
        usable_items, odd = [], Oddities()
        for item in items:
            if isinstance(item, Mapping) and fits(item):
                usable_items.append(item)
            else:
                odd.add(item)
        if not odd.count:
            return usable_items
        sentence = (
            f"Mixpanel's list for stream {stream!r} has {odd.count} of {len(items)} items {what}: "
            f"{odd.shown()}."
        )
        if not usable_items:
            raise DataError(sentence)
        self.warn(f"{sentence} They are left out, the others are read.")
        return usable_items

    def event_names(self, first: date, last: date, stream: str) -> list[str]:
        """The names of the events of some days, cached; at most `MOST_EVENT_NAMES`.

        Raises:
            DataError: The answer is not a list.
            SourceError: As for `MixpanelClient.json`.
        """
        params = {
            "type": "general",
            "limit": str(MOST_EVENT_NAMES),
            "from_date": first.isoformat(),
            "to_date": last.isoformat(),
        }
        request = ApiRequest(Api.QUERY, "/api/query/events/names", stream, params)
        return self.cache.get(f"{request.path} {first} {last}", lambda: self._names(request))

    def _names(self, request: ApiRequest) -> list[str]:
        names = self.client.json(request)
        if not isinstance(names, list):
            raise DataError(f"Mixpanel's {request.answer} is no list.")
        return [str(name) for name in names]

    def paths(self, listing: Listing, stream: str) -> list[str]:
        """The paths of the list: one, or one for each data view.

        Raises:
            ForbiddenError: This API does not accept this kind of credentials.
        """
        number = self.client.access.project_id
        if number is None and listing.api is not Api.QUERY:
            raise ForbiddenError(
                f"Stream {stream!r} is read from Mixpanel's {listing.api.value}, which takes no "
                f"project secret. Use a service account (Organization Settings > Service "
                f"Accounts), or leave the stream out."
            )
        path = listing.path.replace("{project}", str(number))
        if "{workspace}" not in path:
            return [path]
        return [path.replace("{workspace}", str(view)) for view in self._workspaces(stream)]

    def _workspaces(self, stream: str) -> list[int]:
        """The data view that is configured, or all of them."""
        configured = self.client.access.workspace_id
        if configured is not None:
            return [configured]
        try:
            views = self.keyed(WORKSPACES, stream, "id")
        except (ForbiddenError, RefusedError, TransientError, DataError):
            # That list is undocumented; the project's settings name the data views, too.
            views = []
        return [view["id"] for view in views] or self.workspaces()

    def _whole(self, listing: Listing, path: str, stream: str) -> list[Any]:
        return [item for page in self._pages(listing, path, stream) for item in page]

    def _pages(self, listing: Listing, path: str, stream: str) -> Iterator[Sequence[Any]]:
        guard = CursorGuard(stream)
        params = dict(listing.params)
        while True:
            request = ApiRequest(listing.api, path, stream, params)
            page = unwrap(self.client.json(request), listing.items_key)
            if page is None:
                raise DataError(f"Mixpanel's {request.answer} is no list.")
            guard.check(page)
            yield page.items
            if page.next_cursor is None:
                return
            params = {**listing.params, "cursor": page.next_cursor}


def is_key(value: Any) -> bool:
    """Whether a value can identify an item: an integer, or a text that is not empty."""
    return isinstance(value, (int, str)) and not isinstance(value, bool) and value != ""
