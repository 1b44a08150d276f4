"""A body on its way: told of while it lasts, and given up when hardly anything comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import requests

from source_mixpanel.api.ledger import HEARTBEAT_S
from source_mixpanel.api.patience import Timeouts
from source_mixpanel.api.request import ApiRequest
from source_mixpanel.errors import StrainError
from source_mixpanel.times.clock import Clock

_PIECE = 1 << 16


@dataclass(frozen=True)
class Arrival:
    """How bodies are watched.

    Attributes:
        clock: Measures how long they take.
        log: Where a sentence about each long one goes.
        timeouts: When a slow one counts as broken.
    """

    clock: Clock
    log: Callable[[str], None]
    timeouts: Timeouts

    def pieces(self, response: requests.Response, request: ApiRequest) -> Iterator[bytes]:
        """The body as it comes off the wire, still compressed, in pieces as they come.

        Raises:
            StrainError: It comes so slowly that it counts as broken.
            urllib3.exceptions.HTTPError: The transport was cut.
        """
        began = told = marked = self.clock.monotonic()
        size = since_mark = 0
        while piece := response.raw.read1(_PIECE, decode_content=False):
            given = self.clock.monotonic()
            yield piece
            # What takes it may wait for room; that is no fault of the wire's.
            marked += self.clock.monotonic() - given
            size += len(piece)
            since_mark += len(piece)
            now = self.clock.monotonic()
            if now - told >= HEARTBEAT_S:
                told = now
                self.log(
                    f"For {request.whom}, {size / 1e6:.1f} MB of the answer to {request} have come "
                    f"in {(now - began) / 60:.0f} min, and more is on its way."
                )
            if now - marked >= self.timeouts.read:
                if since_mark < self.timeouts.least_bytes:
                    raise StrainError(
                        f"Mixpanel's {request.answer} came too slowly: {since_mark} bytes in "
                        f"{now - marked:.0f} s."
                    )
                marked, since_mark = now, 0
