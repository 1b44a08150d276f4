"""How many cores this process may use at once."""

from __future__ import annotations

import os
from pathlib import Path

_LIMIT = Path("/sys/fs/cgroup/cpu.max")
_OLDER_LIMITS = Path("/sys/fs/cgroup/cpu")
_ANY = 1 << 30


def cores() -> int:
    """The cores that it may run on, or as many as the container's limit comes to; at least 1."""
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:
        # Not every system knows this.
        allowed = os.cpu_count() or 1
    return max(1, min(allowed, limit_of(_LIMIT), older_limit_of(_OLDER_LIMITS)))


def limit_of(file: Path) -> int:
    """Whole cores by a file such as Linux keeps for each container, e.g. `150000 100000`."""
    try:
        return _whole(*file.read_text().split())
    except (OSError, ValueError, TypeError):
        return _ANY


def older_limit_of(folder: Path) -> int:
    """The same by the two files of older systems; -1 stands for no limit."""
    try:
        texts = [(folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")]
        return _whole(*texts)
    except (OSError, ValueError):
        return _ANY


def _whole(quota: str, period: str) -> int:
    limit = int(quota)
    return limit // max(1, int(period)) if limit >= 0 else _ANY
