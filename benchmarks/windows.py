"""Which windows a year of a busy project is read in, by calculation: no bytes are sent."""

from __future__ import annotations

import json
from datetime import date

from source_mixpanel.sync.coverage import Span
from source_mixpanel.sync.window import Pace, next_window

_YEAR = Span(date(2025, 1, 1), date(2025, 12, 31))
_DAY_BYTES = 2_000_000 * 105
_BYTES_A_SECOND = 20_000_000


def main() -> None:
    """Print days and bytes of the largest window, and how many there are."""
    pace, first = Pace(), _YEAR.first
    windows = []
    while first <= _YEAR.last:
        window = next_window(_YEAR, first, pace)
        stored = window.days * _DAY_BYTES
        pace = pace.after(window.days, stored, stored / _BYTES_A_SECOND)
        windows.append(window.days)
        first = date.fromordinal(window.span.last.toordinal() + 1)
    print(json.dumps([max(windows), max(windows) * _DAY_BYTES // 1_000_000, len(windows)]))


if __name__ == "__main__":
    main()
