"""Scripted failures: the requests that fail, and how."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, fields
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixpanel_emulator.http import Call

INSTEAD = frozenset(("status", "empty_200", "json_error_200", "maintenance"))
TEXT = frozenset(
    (
        "terminated_early",
        "export_terminated_early",
        "error_line",
        "bad_line_middle",
        "cut_mid_line",
        "missing_last_newline",
    )
)
GZIP = frozenset(("gzip_no_trailer", "gzip_cut"))
WIRE = GZIP | {"chunk_cut", "length_cut", "reset", "hang"}
KINDS = INSTEAD | TEXT | WIRE | {"slow_first_byte", "trickle"}


@dataclass
class Fault:
    """One scripted failure.

    Attributes:
        kind: One of `KINDS`.
        path: Prefix the request's path must have.
        method: Verb the request must have; empty is any.
        query: Parameters (URL or body) the request must carry with exactly these values.
        over_days: Days that the request must ask for more than, from_date to to_date; None for any.
        skip: Matching requests let through first.
        times: Matching requests hit after those; None hits all. "maintenance" lasts its seconds
            from the first of them on, and hits all until then.
        status: For "status": the answer's status.
        headers: For "status": the answer's headers.
        body: For "status" and "json_error_200": text, or a value sent as JSON.
        content_type: For "status"; guessed from the body when empty.
        after_lines: Position in whole lines of the body; negative counts from the end.
        after_bytes: Position in bytes: for `TEXT` kinds in the text, for the others in what goes
            over the wire, compressed or not; negative counts from the end.
        after_share: The same position as a share of all bytes, 0 to 1.
        text: For the marker faults: what to write instead of the usual text.
        seconds: For "slow_first_byte", "hang" and "maintenance"; of real time.
        bandwidth: For "trickle": bytes of the body a second.
        seen: Matching requests so far.
        ends_at: When maintenance is over, by the monotonic clock; None before it has begun.
    """

    kind: str
    path: str = "/"
    method: str = ""
    query: dict[str, Any] = field(default_factory=dict)
    over_days: int | None = None
    skip: int = 0
    times: int | None = None
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = ""
    content_type: str = ""
    after_lines: int | None = None
    after_bytes: int | None = None
    after_share: float | None = None
    text: str | None = None
    seconds: float = 30.0
    bandwidth: float = 10.0
    seen: int = 0
    ends_at: float | None = None

    @property
    def is_placed(self) -> bool:
        """Whether it has a position in the body."""
        return (self.after_lines, self.after_bytes, self.after_share) != (None, None, None)

    @property
    def is_relative(self) -> bool:
        """Whether its position is known only when all of the body is."""
        return self.after_share is not None or (self.after_bytes or 0) < 0

    def place(self, size: int) -> int:
        """The position in bytes, for a body of so many, of a fault placed by bytes."""
        if self.after_share is not None:
            return round(size * self.after_share)
        at = self.after_bytes or 0
        return max(0, size + at) if at < 0 else at

    @property
    def left_s(self) -> int:
        """Whole seconds that maintenance still lasts."""
        return 0 if self.ends_at is None else max(0, math.ceil(self.ends_at - time.monotonic()))

    def matches(self, call: Call) -> bool:
        """Whether a request is of the kind meant, whatever the counters say."""
        if not call.path.startswith(self.path) or self.method not in ("", call.method):
            return False
        if self.over_days is not None and _days_of(call) <= self.over_days:
            return False
        return all(call.text(name) == str(value) for name, value in self.query.items())

    def strikes(self) -> bool:
        """Count a matching request and say whether it is hit."""
        self.seen += 1
        if self.kind == "maintenance":
            if self.ends_at is None and self.seen > self.skip:
                self.ends_at = time.monotonic() + self.seconds
            return self.left_s > 0
        late = self.times is not None and self.seen > self.skip + self.times
        return self.seen > self.skip and not late


def _days_of(call: Call) -> int:
    """How many days a request asks for; 0 if it names none."""
    try:
        first, last = (date.fromisoformat(call.text(n) or "") for n in ("from_date", "to_date"))
    except ValueError:
        return 0
    return (last - first).days + 1


def read_fault(spec: Mapping[str, Any]) -> Fault:
    """Build a fault from its JSON form; `nth` (from 1) is short for skip = nth - 1, times = 1.

    Raises:
        ValueError: If a field or the kind is unknown.
    """
    values = dict(spec)
    nth = values.pop("nth", None)
    if nth is not None:
        values.update(skip=int(nth) - 1, times=1)
    unknown = set(values) - ({entry.name for entry in fields(Fault)} - {"seen", "ends_at"})
    if unknown or values.get("kind") not in KINDS:
        raise ValueError(f"unknown fault fields {sorted(unknown)} or kind {values.get('kind')!r}")
    return Fault(**values)


def pick(faults: list[Fault], call: Call) -> Fault | None:
    """The first fault that hits a request; the counters of those before it move too."""
    for fault in faults:
        if fault.matches(call) and fault.strikes():
            return fault
    return None
