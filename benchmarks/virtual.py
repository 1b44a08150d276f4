"""A clock for simulations: hours of waiting pass in milliseconds, in the right order.

Threads that wait sleep until virtual time reaches their deadline. Virtual time moves only when
nothing else goes on: no request is under way at the local Mixpanel and no thread has asked for the
time for a moment. It then jumps to the earliest deadline, and the local Mixpanel's clock with it.
"""

from __future__ import annotations

import math
import threading
import time

from mixpanel_emulator.control_client import ControlClient

_TICK_S = 0.01
_QUIET_S = 0.4
_SLOW_S = 0.05


class VirtualClock:
    """The connector's clock (see `source_mixpanel.times.clock.Clock`) in a simulation.

    Args:
        mixpanel: Whose clock keeps in step; its `now` is the start.
    """

    def __init__(self, mixpanel: ControlClient) -> None:
        self._mixpanel = mixpanel
        self._start = mixpanel.now_ms() / 1000
        self._elapsed = 0.0
        self._lock = threading.Condition()
        self._deadlines: list[float] = []
        self._conditions: list[threading.Condition] = []
        self._asked = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._drive, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop driving."""
        self._over.set()
        self._thread.join()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._start + self.monotonic()

    def monotonic(self) -> float:
        """Virtual seconds since the start."""
        self._asked = time.monotonic()
        return self._elapsed

    def wait(self, seconds: float, on: threading.Condition | None = None) -> None:
        """Let virtual seconds go by, or less if `on` is notified."""
        deadline = self.monotonic() + seconds
        with self._lock:
            self._deadlines.append(deadline)
            if on is not None:
                self._conditions.append(on)
        try:
            if on is not None:
                # Without a time-out: a notification just after one would go unheard.
                on.wait()
            while on is None and self._elapsed < deadline:
                time.sleep(_TICK_S)
        finally:
            with self._lock:
                self._deadlines.remove(deadline)
                if on is not None:
                    self._conditions.remove(on)
            self._asked = time.monotonic()

    def _drive(self) -> None:
        while not self._over.wait(_TICK_S):
            with self._lock:
                deadline = min(self._deadlines, default=None)
            if (
                deadline in (None, math.inf)
                or time.monotonic() - self._asked < _QUIET_S
                or self._busy()
            ):
                continue
            if time.monotonic() - self._asked < _QUIET_S:
                continue
            self._mixpanel.advance(max(0.0, deadline - self._elapsed))
            self._asked = time.monotonic()
            self._elapsed = max(self._elapsed, deadline)
            with self._lock:
                waiting = list(self._conditions)
            for condition in waiting:
                with condition:
                    condition.notify_all()

    def _busy(self) -> bool:
        """Whether a request is under way; one that held the answer up has only just ended."""
        began = time.monotonic()
        running = any(bucket["running"] for bucket in self._mixpanel.quota().values())
        if running or time.monotonic() - began > _SLOW_S:
            self._asked = time.monotonic()
        return running
