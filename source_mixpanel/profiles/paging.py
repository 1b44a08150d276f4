"""How a profile query is walked: sessions, pages, and when it is over. Pure.

The first answer opens a session and tells `total` and `page_size`; further pages are asked for by
session and number, and use up no quota (Query API: engage). Documentation and clients disagree on
whether `total` counts the payload or all matches, and on when to stop. So a walk is over only when
both the count and the last page say so: a short page before `total` is a fault, not the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

UNCACHED = "uncached query"
"""Part of the 400 for a page of a session that is over, or that never was."""


@dataclass(frozen=True)
class Walk:
    """A profile query on its way.

    Attributes:
        size: Profiles in a page as Mixpanel told, None if it did not.
        total: Profiles in all as far as is known, None if Mixpanel did not tell.
    """

    session: str | None = None
    size: int | None = None
    total: int | None = None
    next_page: int = 0
    over: bool = False

    @property
    def pages(self) -> int | None:
        """Pages in all as far as `total` tells, None where it does not."""
        if self.total is None or self.size is None:
            return None
        return max(1, -(-self.total // self.size))

    @property
    def due(self) -> range:
        """The pages that can be asked for now: those known to be there, the next one at least."""
        if self.over or (self.session is None and self.next_page):
            return range(0)
        return range(self.next_page, max(self.next_page + 1, self.pages or 0))

    @property
    def has_all_that_was_told(self) -> bool:
        """Whether as many pages have been read as `total` tells: a further one may be refused."""
        return self.pages is not None and self.next_page >= self.pages

    def lacks(self, page: int, count: int) -> bool:
        """Whether a page holds fewer profiles than it must by what was told before."""
        if self.total is None or self.size is None:
            return False
        return count < min(self.size, self.total - page * self.size)

    def after(self, answer: Mapping[str, Any], count: int) -> Walk:
        """The walk after its next page, with `count` profiles beside the members in `answer`."""
        walk = self._told(answer, count) if self.next_page == 0 else self
        done = walk.next_page + 1
        full = count > 0 if walk.size is None else count >= walk.size
        told = walk.pages is not None and done < walk.pages
        return replace(walk, next_page=done, over=not (full or told))

    def _told(self, answer: Mapping[str, Any], count: int) -> Walk:
        session = answer.get("session_id")
        total = _count(answer.get("total"))
        size = _count(answer.get("page_size"))
        if not size and total is not None and total > count:
            # A first page that is not all of it is a full one.
            size = count
        return replace(
            self,
            session=session if isinstance(session, str) and session else None,
            size=size or None,
            total=total,
        )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
