"""A full refresh in several attempts: which parts it has read, and when it is over. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from source_mixpanel.sync.coverage import parse_mark

RETRIED_WITHIN_MS = 30 * 60 * 1000
"""How soon the platform tries again what failed in a way that passes."""


@dataclass(frozen=True)
class Refresh:
    """How far a full refresh is.

    Attributes:
        finished: Keys of the parts that have been read whole.
        ended_ms: When it came to its end without some parts that may be had soon, UTC; None while
            it is on its way, and where there is none.
    """

    finished: tuple[str, ...] = ()
    ended_ms: int | None = None

    def is_over(self, now_ms: int) -> bool:
        """Whether nobody is to finish it any more: whoever comes now wants a new one."""
        return self.ended_ms is not None and now_ms - self.ended_ms > RETRIED_WITHIN_MS

    def with_part(self, key: str) -> Refresh:
        """With a part read whole."""
        return replace(self, finished=(*self.finished, key))

    def dump(self) -> dict[str, Any]:
        """As JSON, to be told beside what else the state says; None for what says nothing."""
        return {"finished": list(self.finished) or None, "ended_ms": self.ended_ms}


def parse_refresh(blob: Mapping[str, Any]) -> Refresh:
    """The refresh in a state.

    Raises:
        TypeError: Its parts are no list of texts.
        ValueError: Its end is no instant.
    """
    finished = blob.get("finished") or []
    if not isinstance(finished, list) or not all(isinstance(key, str) for key in finished):
        raise TypeError("finished")
    return Refresh(tuple(finished), parse_mark(blob.get("ended_ms")))
