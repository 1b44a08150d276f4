"""How many cores this process may use at once."""

from __future__ import annotations

import os
from pathlib import Path

_LIMIT = Path("/sys/fs/cgroup/cpu.max")


def cores() -> int:
    """The cores that it may run on, or as many as the container's limit comes to; at least 1."""
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:
        # Not every system knows this.
        allowed = os.cpu_count() or 1
    return max(1, min(allowed, limit_of(_LIMIT)))


def limit_of(file: Path) -> int:
    """Whole cores by a file such as Linux keeps for each container, e.g. `150000 100000`."""
    try:
        most, period = file.read_text().split()
        return int(most) // int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return os.cpu_count() or 1
