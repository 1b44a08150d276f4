"""Reading list endpoints whole, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from source_mixpanel.api.client import MixpanelClient
from source_mixpanel.api.envelopes import CursorGuard, unwrap
from source_mixpanel.api.once import Once
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.errors import DataError, ForbiddenError, RefusedError, TransientError


@dataclass(frozen=True)
class Listing:
    """A list endpoint.

    Attributes:
        api: Where it goes and which quota it spends.
        path: May hold `{project}` and `{workspace}`; with the latter it is as many lists as the
            project has data views, and an item that several of them show comes once.
        params: The query string beside the paging.
        under: The key that holds the items, where the answer is an object.
        shared: Whether several streams need it: then it is asked once a sync, and kept.
    """

    api: Api
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    under: str = "results"
    shared: bool = False


WORKSPACES = Listing(Api.APP, "/api/app/projects/{project}/workspaces/public", shared=True)


class ListReader:
    """Reads lists. Thread safe.

    Args:
        client: Asks Mixpanel.
        workspaces: The data views' numbers where their own list does not tell.
        once: Keeps the lists that several streams need.
    """

    def __init__(
        self, client: MixpanelClient, workspaces: Callable[[], list[int]], once: Once
    ) -> None:
        self._client = client
        self._views_of_project = workspaces
        self._once = once

    def pages(self, listing: Listing, stream: str) -> Iterator[Sequence[Any]]:
        """The items, a page at a time.

        Raises:
            ForbiddenError: The credentials are of a kind that this API does not take.
            DataError: There is no list in the answer, or no end to it.
            SourceError: As the client's.
        """
        if listing.shared:
            yield self._once.get(listing.path, lambda: self._whole(listing, stream))
        else:
            yield from self._walk(listing, stream)

    def all(self, listing: Listing, stream: str) -> list[Any]:
        """Every item at once."""
        return [item for page in self.pages(listing, stream) for item in page]

    def keyed(self, listing: Listing, stream: str, key: str) -> list[Mapping[str, Any]]:
        """Every item at once, each an object that has a number or a text under `key`.

        Raises:
            DataError: One is not.
        """
        items = self.all(listing, stream)
        if not all(isinstance(item, Mapping) and _is_key(item.get(key)) for item in items):
            raise DataError(
                f"Mixpanel's answer to GET {self._path(listing, stream)} for stream {stream!r} has "
                f"an item without {key!r}."
            )
        return items

    def _whole(self, listing: Listing, stream: str) -> list[Any]:
        return [item for page in self._walk(listing, stream) for item in page]

    def paths(self, listing: Listing, stream: str) -> list[str]:
        """Where the list is: one path, or one for each data view."""
        path = self._path(listing, stream)
        if "{workspace}" not in path:
            return [path]
        return [path.replace("{workspace}", str(number)) for number in self._workspaces(stream)]

    def _workspaces(self, stream: str) -> list[int]:
        """The data view that is configured, or all of them."""
        configured = self._client.access.workspace_id
        if configured is not None:
            return [configured]
        try:
            views = self.keyed(WORKSPACES, stream, "id")
        except (ForbiddenError, RefusedError, TransientError, DataError):
            # Mixpanel does not document that list; what it says of the project tells as well.
            views = []
        return [view["id"] for view in views] or self._views_of_project()

    def _walk(self, listing: Listing, stream: str) -> Iterator[Sequence[Any]]:
        """Every path's pages; one that is closed does not stop the others."""
        seen: set[Any] = set()
        closed: list[ForbiddenError | RefusedError] = []
        paths = self.paths(listing, stream)
        for path in paths:
            try:
                for items in self._pages(listing, path, stream):
                    yield items if len(paths) == 1 else _unseen(items, seen)
            except (ForbiddenError, RefusedError) as error:  # noqa: PERF203 - a request is dearer
                closed.append(error)
        if closed:
            raise closed[0]

    def _pages(self, listing: Listing, path: str, stream: str) -> Iterator[Sequence[Any]]:
        guard = CursorGuard(stream)
        params = dict(listing.params)
        while True:
            request = ApiRequest(listing.api, path, stream, params)
            page = unwrap(self._client.json(request), listing.under)
            if page is None:
                raise DataError(f"Mixpanel's {request.answer} is no list.")
            guard.check(page)
            yield page.items
            if page.next_cursor is None:
                return
            params = {**listing.params, "cursor": page.next_cursor}

    def _path(self, listing: Listing, stream: str) -> str:
        number = self._client.access.project_id
        if number is None and listing.api is not Api.QUERY:
            raise ForbiddenError(
                f"Stream {stream!r} is read from Mixpanel's {listing.api.value}, which takes no "
                f"project secret. Use a service account (Organization Settings > Service "
                f"Accounts), or leave the stream out."
            )
        return listing.path.replace("{project}", str(number))


def _unseen(items: Sequence[Any], seen: set[Any]) -> list[Any]:
    """The items whose `id` did not come before."""
    fresh = []
    for item in items:
        key = item.get("id") if isinstance(item, Mapping) else None
        if not _is_key(key):
            fresh.append(item)
        elif key not in seen:
            fresh.append(item)
            seen.add(key)
    return fresh


def _is_key(value: Any) -> bool:
    """Whether a value can tell one item from another."""
    return isinstance(value, (int, str)) and not isinstance(value, bool) and value != ""
