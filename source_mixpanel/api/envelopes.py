"""Lists in Mixpanel's envelopes: the items and the cursor of the next page. Pure.

Known are a bare array, `{"results": [...]}`, results in results (bookmarks), another key instead
of `results` (legacy annotations), and `pagination.next_cursor` beside any of them
(API docs: App API; recorded traffic).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from source_mixpanel.errors import DataError

MOST_PAGES = 10_000
"""No list is that long: a cursor that still points to a next page would never end."""

_MOST_EMPTY = 20


@dataclass(frozen=True)
class ListPage:
    """One answer of a list endpoint; `next_cursor` is None on the last page."""

    items: Sequence[Any]
    next_cursor: str | None = None


def unwrap(body: Any, items_key: str = "results") -> ListPage | None:
    """The page in a parsed body; None if it contains no list."""
    if isinstance(body, list):
        return ListPage(body)
    if not isinstance(body, Mapping):
        return None
    inner = unwrap(body.get(items_key), items_key)
    if inner is None:
        return None
    return ListPage(inner.items, _cursor(body) or inner.next_cursor)


def _cursor(body: Mapping[str, Any]) -> str | None:
    pagination = body.get("pagination")
    cursor = pagination.get("next_cursor") if isinstance(pagination, Mapping) else None
    return None if cursor in (None, "") else str(cursor)


class CursorGuard:
    """Detects pages that never end."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._seen: set[str] = set()
        self._empty = 0

    def check(self, page: ListPage) -> None:
        """Raise unless the page is the last one or leads to a new page.

        Raises:
            DataError: Its cursor has come before, pages stay empty, or there are far too many.
        """
        if page.next_cursor is None:
            return
        self._empty = 0 if page.items else self._empty + 1
        endless = len(self._seen) >= MOST_PAGES or self._empty >= _MOST_EMPTY
        if endless or page.next_cursor in self._seen:
            raise DataError(
                f"Mixpanel's list for stream {self._stream!r} does not end: after "
                f"{len(self._seen) + 1} pages its cursor still points to a further one."
            )
        self._seen.add(page.next_cursor)
