"""Reading list endpoints whole, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from source_mixpanel.api.client import MixpanelClient
from source_mixpanel.api.envelopes import CursorGuard, unwrap
from source_mixpanel.api.once import Once
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.errors import DataError, ForbiddenError


@dataclass(frozen=True)
class Listing:
    """A list endpoint.

    Attributes:
        api: Where it goes and which quota it spends.
        path: May hold `{project}` and `{workspace}`.
        params: The query string beside the paging.
        under: The key that holds the items, where the answer is an object.
        shared: Whether several streams need it: then it is asked once a sync, and kept.
    """

    api: Api
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    under: str = "results"
    shared: bool = False


class ListReader:
    """Reads lists. Thread safe.

    Args:
        client: Asks Mixpanel.
        workspace: Finds the number for `{workspace}`; only called where a path holds it.
        once: Keeps the lists that several streams need.
    """

    def __init__(self, client: MixpanelClient, workspace: Callable[[], int], once: Once) -> None:
        self._client = client
        self._workspace = workspace
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

    def _whole(self, listing: Listing, stream: str) -> list[Any]:
        return [item for page in self._walk(listing, stream) for item in page]

    def _walk(self, listing: Listing, stream: str) -> Iterator[Sequence[Any]]:
        path = self._path(listing, stream)
        guard = CursorGuard(stream)
        params = dict(listing.params)
        while True:
            request = ApiRequest(listing.api, path, stream, params)
            page = unwrap(self._client.json(request), listing.under)
            if page is None:
                raise DataError(f"Mixpanel's answer to {request} for stream {stream!r} is no list.")
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
        path = listing.path.replace("{project}", str(number))
        if "{workspace}" in path:
            path = path.replace("{workspace}", str(self._workspace()))
        return path
