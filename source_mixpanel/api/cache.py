"""Results that several streams share, so that a sync asks for each only once."""

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
        self._results: dict[str, Any] = {}

    def get(self, key: str, make: Callable[[], T]) -> T:
        """The result of the first call of `make` that succeeded for this key.

        Errors are not kept, so that the message of each stream names that stream.
        """
        with self._lock:
            lock = self._locks[key]
        with lock:
            if key not in self._results:
                self._results[key] = make()
            result: T = self._results[key]
            return result
