"""Which windows a year of a busy project is read in, by calculation: no bytes are sent."""

from __future__ import annotations

import json
from datetime import date

from source_mixpanel.events.window import Pace, last_window
from source_mixpanel.streams.coverage import Span

_YEAR = Span(date(2025, 1, 1), date(2025, 12, 31))
_EVENT_BYTES = 96
"""What gzip leaves of an event of the bodies that the bench reads."""
_DAY_BYTES = 2_000_000 * _EVENT_BYTES


def main() -> None:
    """Print, as JSON, days and megabytes of the largest window, and how many windows there are."""
    pace = Pace()
    left: Span | None = _YEAR
    windows = []
    while left is not None:
        window, left = last_window(left, pace.days)
        # In no time: size alone decides, as wherever such a day comes within `TARGET_SECONDS`.
        pace = pace.after(window.days, window.days * _DAY_BYTES, 0.0)
        windows.append(window.days)
    print(json.dumps([max(windows), max(windows) * _DAY_BYTES // 1_000_000, len(windows)]))


if __name__ == "__main__":
    main()
