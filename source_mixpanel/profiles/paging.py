"""Paging through a profile query: sessions, pages, and when it is over. Pure.

The first answer opens a session and has `total` and `page_size`; further pages are requested by
session and number, and use no quota (Query API: engage). Documentation and clients disagree on
whether `total` counts the payload or all matches, and on when to stop. So a walk is over only when
both the total and the last page say so: a short page before `total` is an error, not the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

UNCACHED = "uncached query"
"""Part of the 400 for a page of a session that has expired or never existed."""


@dataclass(frozen=True)
class Walk:
    """How far a profile query has been read.

    Attributes:
        session: The session's id; None before the first page, and if Mixpanel gave none.
        size: Profiles in a page, by Mixpanel; None if it did not say.
        total: Profiles in all, by Mixpanel; None if it did not say.
        next_page: The number of the next page, from 0.
        over: Whether all pages have been read.
    """

    session: str | None = None
    size: int | None = None
    total: int | None = None
    next_page: int = 0
    over: bool = False

    @property
    def pages(self) -> int | None:
        """Pages in all by `total`; None without it."""
        if self.total is None or self.size is None:
            return None
        return max(1, -(-self.total // self.size))

    @property
    def due(self) -> range:
        """The pages that can be requested now: those that `total` promises, at least the next."""
        if self.over or (self.session is None and self.next_page):
            return range(0)
        return range(self.next_page, max(self.next_page + 1, self.pages or 0))

    @property
    def has_read_total(self) -> bool:
        """Whether all pages by `total` have been read: the next one may be refused."""
        return self.pages is not None and self.next_page >= self.pages

    def is_short(self, page: int, count: int) -> bool:
        """Whether a page with `count` profiles has fewer than `total` and `size` promise."""
        if self.total is None or self.size is None:
            return False
        return count < min(self.size, self.total - page * self.size)

    def after(self, answer: Mapping[str, Any], count: int) -> Walk:
        """The walk after its next page: `count` profiles, and the other members of the answer."""
        walk = self._opened(answer, count) if self.next_page == 0 else self
        done = walk.next_page + 1
        is_full = count > 0 if walk.size is None else count >= walk.size
        is_before_total = walk.pages is not None and done < walk.pages
        return replace(walk, next_page=done, over=not (is_full or is_before_total))

    def _opened(self, answer: Mapping[str, Any], count: int) -> Walk:
        session = answer.get("session_id")
        total = _count(answer.get("total"))
        size = _count(answer.get("page_size"))
        if not size and total is not None and total > count:
            # A first page with fewer profiles than the total is a full page.
            size = count
        return replace(
            self,
            session=session if isinstance(session, str) and session else None,
            size=size or None,
            total=total,
        )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
