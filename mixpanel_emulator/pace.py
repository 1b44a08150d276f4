"""The bandwidth of a connection: small chunks, with a pause for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_STEP = 0.05
# What a late timer may catch up; a client that reads slowly gets no burst afterwards.
_CATCH_UP = 0.2


@dataclass
class Pace:
    """One connection, as far as its speed is concerned.

    Attributes:
        bandwidth: Bytes a second; None is no limit.
        free_at: The moment, in seconds of a clock that only runs forward, from which it is free.
    """

    bandwidth: float | None
    free_at: float

    def chunks(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """A body in pieces that take a moment each."""
        if self.bandwidth is None:
            yield from blocks
            return
        size = max(1, int(self.bandwidth * _STEP))
        for block in blocks:
            for start in range(0, len(block), size):
                yield block[start : start + size]

    def wait(self, size: int, now: float) -> float:
        """The seconds until a piece of so many bytes is through."""
        if self.bandwidth is None:
            return 0.0
        self.free_at = max(self.free_at, now - _CATCH_UP) + size / self.bandwidth
        return max(0.0, self.free_at - now)
