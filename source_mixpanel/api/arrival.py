"""Reading a response body: long ones are logged, and those that hardly move are given up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import requests

from source_mixpanel.api.ledger import HEARTBEAT_S
from source_mixpanel.api.patience import Timeouts
from source_mixpanel.api.request import ApiRequest
from source_mixpanel.errors import StrainError
from source_mixpanel.times.clock import Clock

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Arrival:
    """Reads bodies, with a log and a least speed.

    Attributes:
        clock: Measures how long a body takes.
        log: Gets a sentence every `HEARTBEAT_S` seconds of a body.
        timeouts: Fewer than `least_bytes` in `read` seconds count as a broken connection.
    """

    clock: Clock
    log: Callable[[str], None]
    timeouts: Timeouts

    def chunks(self, response: requests.Response, request: ApiRequest) -> Iterator[bytes]:
        """The chunks of a body as they arrive, still compressed.

        Raises:
            StrainError: The body comes so slowly that it counts as broken.
            urllib3.exceptions.HTTPError: The connection was cut.
        """
        started_at = logged_at = interval_start = self.clock.monotonic()
        size = interval_bytes = 0
        while chunk := response.raw.read1(_CHUNK, decode_content=False):
            yielded_at = self.clock.monotonic()
            yield chunk
            # The consumer may wait for disk space: that time does not count against the network.
            interval_start += self.clock.monotonic() - yielded_at
            size += len(chunk)
            interval_bytes += len(chunk)
            now = self.clock.monotonic()
            if now - logged_at >= HEARTBEAT_S:
                logged_at = now
                self.log(
                    f"For {request.requester}, {size / 1e6:.1f} MB of the answer to {request} "
                    f"have come in {(now - started_at) / 60:.0f} min, and more is on its way."
                )
            if now - interval_start >= self.timeouts.read:
                if interval_bytes < self.timeouts.least_bytes:
                    raise StrainError(
                        f"Mixpanel's {request.answer} came too slowly: {interval_bytes} bytes in "
                        f"{now - interval_start:.0f} s."
                    )
                interval_start, interval_bytes = now, 0
