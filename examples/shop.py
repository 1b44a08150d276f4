"""A few events of a shop, sent to Mixpanel as a shop sends them: with the official SDK."""

from __future__ import annotations

import time
from typing import Any

from mixpanel import Consumer, Mixpanel, ServiceAccountCredentials

from mixpanel_emulator.options import CREDENTIALS

_HOUR = 3_600
_LATE_HOURS = (2, 7, 30, 80, 130, 200, 300, 400, 500, 600)
_ODD: tuple[dict[str, Any], ...] = (
    {"note": "a\u2028b\u0085c \U0001f6d2", "Note": 2**70, "note ": [True, None, {"$x": 1.0}]},
    {"event": "not the name", "time_": 1e21, "": "no name", "Größe": 2**53 + 1},
)


class Shop:
    """Sends events to one project of a Mixpanel.

    Args:
        base_url: Where that Mixpanel is.
    """

    def __init__(self, base_url: str) -> None:
        account = ServiceAccountCredentials(
            CREDENTIALS.username, CREDENTIALS.secret, str(CREDENTIALS.project_id)
        )
        consumer = Consumer(
            events_url=f"{base_url}/track",
            import_url=f"{base_url}/import",
            credentials=account,
        )
        self._sdk = Mixpanel(CREDENTIALS.token, consumer=consumer)

    def live(self, count: int) -> int:
        """Track what visitors do right now, some of it with odd names and values."""
        for number in range(count):
            extra = _ODD[number % len(_ODD)] if number % 5 == 0 else {"price": number / 4}
            self._sdk.track(f"visitor-{number % 7}", "Live View", {"step": number, **extra})
        return count

    def late(self) -> int:
        """Import what a phone without a network kept: hours to weeks old, one of it twice."""
        now = int(time.time())
        for number, hours in enumerate(_LATE_HOURS):
            self._import(number, now - hours * _HOUR)
        self._import(0, now - _LATE_HOURS[0] * _HOUR)
        return len(_LATE_HOURS) + 1

    def _import(self, number: int, moment: int) -> None:
        self._sdk.import_data(
            None,
            f"phone-{number % 3}",
            "Offline View",
            moment,
            {"$insert_id": f"offline-{moment}", "step": number, **_ODD[number % len(_ODD)]},
        )
