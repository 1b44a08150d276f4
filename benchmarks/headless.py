"""Reads with the official client as a person in a hurry would: ranges of days, side by side.

    python headless.py FROM TO

Writes events as lines of JSON.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

from mixpanel_headless import Workspace

THREADS = 8
DAY = timedelta(days=1)
LOCK = threading.Lock()


def copy(first: date, end: date) -> None:
    """Write the events of the days before `end`."""
    if first == end:
        return
    with Workspace() as client:
        for event in client.stream_events(from_date=str(first), to_date=str(end - DAY), raw=True):
            line = json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n"
            with LOCK:
                sys.stdout.write(line)


def main() -> None:
    """Read, and write to standard output."""
    first, last = map(date.fromisoformat, sys.argv[1:])
    days = (last - first).days + 1
    edges = [first + DAY * (days * n // THREADS) for n in range(THREADS + 1)]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(copy, edges, edges[1:]))


if __name__ == "__main__":
    main()
