"""What is asked for once a sync, however many streams need it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Cache:
    """Keeps the first good result by its key. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._kept: dict[str, Any] = {}

    def get(self, key: str, make: Callable[[], T]) -> T:
        """What `make` gave when it first succeeded for this key.

        A failure is not kept: each stream's own message names that stream.
        """
        with self._lock:
            lock = self._locks[key]
        with lock:
            if key not in self._kept:
                self._kept[key] = make()
            kept: T = self._kept[key]
            return kept
