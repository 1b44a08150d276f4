"""The world's clock: real time until somebody sets it, and then still ticking unless frozen."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def parse_instant(text: str) -> int:
    """The epoch milliseconds of an ISO 8601 instant; without a zone it is UTC.

    Raises:
        ValueError: If the text is no ISO 8601 instant.
    """
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return round(moment.timestamp() * 1000)


def format_instant(ms: int) -> str:
    """Epoch milliseconds as ISO 8601 UTC with milliseconds."""
    moment = datetime.fromtimestamp(ms / 1000, tz=timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class WorldClock:
    """Milliseconds since the epoch, movable.

    Attributes:
        anchor_ms: The instant last set, or None while it follows real time. Seeding starts from
            the anchor, so that a set clock gives the same world however long start-up took.
    """

    def __init__(self, now: str | None = None, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.restart(now)

    def restart(self, now: str | None) -> None:
        """Start again from an instant, or follow real time for None."""
        self._set_at = self._source()
        self._frozen = False
        self.anchor_ms: int | None = None
        if now is not None:
            self.set(parse_instant(now))

    def now_ms(self) -> int:
        """The world's present."""
        real = self._source()
        if self.anchor_ms is None:
            return int(real * 1000)
        passed = 0 if self._frozen else int((real - self._set_at) * 1000)
        return self.anchor_ms + passed

    def set(self, ms: int, *, frozen: bool = False) -> None:
        """Make it `ms` now; a frozen clock stands until moved again."""
        self.anchor_ms = ms
        self._frozen = frozen
        self._set_at = self._source()

    def advance(self, seconds: float) -> None:
        """Move forward; a frozen clock stays frozen."""
        self.set(self.now_ms() + round(seconds * 1000), frozen=self._frozen)
