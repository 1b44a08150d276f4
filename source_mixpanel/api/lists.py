"""Reading list endpoints whole, page by page."""

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
"""Mixpanel lists no more [observed]."""


@dataclass(frozen=True)
class ListReader:
    """Reads lists, and tells `warn` of items that cannot be used. Thread safe.

    `workspaces` gives the data views' numbers where their own list does not tell.
    """

    client: MixpanelClient
    workspaces: Callable[[], list[int]]
    cache: Cache
    warn: Callable[[str], None]

    def pages(self, listing: Listing, path: str, stream: str) -> Iterator[Sequence[Any]]:
        """The items at one of `paths`, a page at a time.

        Raises:
            DataError: There is no list in the answer, or no end to it.
            SourceError: As the client's.
        """
        if listing.shared:
            yield self.cache.get(path, lambda: self._whole(listing, path, stream))
        else:
            yield from self._pages(listing, path, stream)

    def items(self, listing: Listing, stream: str) -> list[Any]:
        """Every item of a list that is the project's own, at once."""
        [path] = self.paths(listing, stream)
        return [item for page in self.pages(listing, path, stream) for item in page]

    def keyed(self, listing: Listing, stream: str, key: str) -> list[Mapping[str, Any]]:
        """The items that have a number or a text under `key`; others are told.

        Raises:
            DataError: There are items, and none has.
        """
        return self._keyed(self.items(listing, stream), stream, key)

    def keys_now(self, listing: Listing, stream: str, key: str) -> set[str]:
        """The keys that the list has by now, whatever it had when it was kept."""
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
        """The items that are objects and fit; the others are told, with what is wrong with them.

        Raises:
            DataError: There are items, and none will do.
        """
        good, odd = [], Oddities()
        for item in items:
            if isinstance(item, Mapping) and fits(item):
                good.append(item)
            else:
                odd.add(item)
        if not odd.count:
            return good
        told = (
            f"Mixpanel's list for stream {stream!r} has {odd.count} of {len(items)} items {what}: "
            f"{odd.shown()}."
        )
        if not good:
            raise DataError(told)
        self.warn(f"{told} They are left out, the others are read.")
        return good

    def event_names(self, first: date, last: date, stream: str) -> list[str]:
        """The events of some days, asked for once; of `MOST_EVENT_NAMES` there may be more.

        Raises:
            DataError: The answer is no list.
            SourceError: As the client's.
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
        """Where the list is: one path, or one for each data view.

        Raises:
            ForbiddenError: The credentials are of a kind that this API does not take.
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
            # Mixpanel does not document that list; what it says of the project tells as well.
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
    """Whether a value can tell one item from another."""
    return isinstance(value, (int, str)) and not isinstance(value, bool) and value != ""
