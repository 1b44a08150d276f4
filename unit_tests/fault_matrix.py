"""Every fault that the local Mixpanel plays, at every place of a body, for every stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

_PLACES: dict[str, dict[str, Any]] = {
    "at the first byte": {"after_bytes": 0},
    "in the middle": {"after_share": 0.5},
    "at the last byte": {"after_bytes": -1},
}
_LINES: dict[str, dict[str, Any]] = {
    "before the last line": {"after_lines": -1},
    "after the last line": {"after_lines": 1_000_000},
}
_BREAKS = {"before the answer": {}, **_PLACES}
_MARKERS = {**_PLACES, **_LINES}
_IMPATIENT = {"read_s": 0.5}

FAULTS: dict[str, dict[str, dict[str, Any]]] = {
    "status": {
        "500 without a body": {"status": 500},
        "500 with HTML": {"status": 500, "body": "<html>Internal Server Error</html>"},
        "502 with HTML": {"status": 502, "body": "<html>Bad Gateway</html>"},
        "503 with HTML": {"status": 503, "body": "<html>busy</html>"},
        "400 for time": {"status": 400, "body": '{"error": "Timeout Error."}'},
        "429 with HTML": {"status": 429, "body": "<html>Too Many Requests</html>"},
        "429 with Retry-After": {"status": 429, "headers": {"Retry-After": "7"}},
    },
    "empty_200": {"alone": {}},
    "json_error_200": {
        "alone": {},
        "in the app API's envelope": {"body": {"status": "error", "error": "internal error"}},
    },
    "terminated_early": _MARKERS,
    "export_terminated_early": _MARKERS,
    "error_line": _MARKERS,
    "bad_line_middle": _MARKERS,
    "cut_mid_line": {**_PLACES, "in the last line": {"after_lines": -1}},
    "missing_last_newline": {"alone": {}},
    "gzip_no_trailer": {"alone": {}},
    "gzip_cut": _PLACES,
    "chunk_cut": {**_PLACES, "after the last byte": {}},
    "length_cut": _PLACES,
    "reset": _BREAKS,
    "hang": _BREAKS,
    "trickle": {
        "within patience": {"bandwidth": 1_000_000},
        "beyond patience": {"bandwidth": 20},
    },
    "maintenance": {"told by Retry-After": {}},
    "slow_first_byte": {
        "within patience": {"seconds": 0.05},
        "beyond patience": {"seconds": 1.0},
    },
}
"""The places, or the forms, of each kind of fault."""

EMPTY = {("empty_200", "alone"), ("cut_mid_line", "at the first byte")}
"""An answer without a byte under status 200: of `export`, that of a project without events."""

SETTINGS: dict[str, dict[str, Any]] = {
    "one at a time": {"num_workers": 1, "download_ahead_mb": 0},
    "ahead and in parallel": {},
}


SPLIT = "export"
"""The stream whose requests are asked for in parts where they cannot be had whole."""


@dataclass(frozen=True)
class Case:
    """One fault for one stream.

    Attributes:
        number: Its place in the matrix.
        kind: The fault's.
        place: Where in the body, or in which form.
        stream: Whose answer it hits.
        settings: How far the connector works ahead.
        lasts: Played for good, and not once.
    """

    number: int
    kind: str
    place: str
    stream: str
    settings: str
    lasts: bool

    def __str__(self) -> str:
        often = "for good" if self.lasts else "once"
        return f"{self.stream}-{self.kind} {self.place}-{often}-{self.settings}"

    @property
    def fault(self) -> dict[str, Any]:
        """What the control plane is told, but for the request that is hit."""
        lasts = {"seconds": 3_600 if self.lasts else 0.3} if self.kind == "maintenance" else {}
        return {"kind": self.kind, **FAULTS[self.kind][self.place], **lasts}

    @property
    def times(self) -> int | None:
        """How often it is played, None for good; a 429 a few times, for it is waited out."""
        if self.place.startswith("429"):
            return 3 if self.lasts else 1
        return None if self.lasts else 1

    @property
    def patience(self) -> dict[str, float]:
        """How long the connector waits for a byte, and how often it asks; never for one alone."""
        silent = self.kind == "hang" or self.place == "beyond patience"
        tries = 5 if not self.lasts else 3 if silent else 2
        waits = {"skip_waits": self.lasts} if self.kind == "maintenance" else {}
        return {"tries": tries, "quick_s": 0.0, **waits, **(_IMPATIENT if silent else {})}

    def mode(self, modes: list[str]) -> str:
        """One of a stream's sync modes, turn by turn."""
        return sorted(modes)[self.number // 3 % len(modes)]

    def target(self, count: int) -> int:
        """One of so many requests, turn by turn."""
        return self.number // 5 % count


def matrix(streams: Iterable[str]) -> Iterator[Case]:
    """Every case."""
    places = [(kind, place) for kind, places in FAULTS.items() for place in places]
    for number, ((kind, place), stream, settings, lasts) in enumerate(
        product(places, streams, SETTINGS, (False, True))
    ):
        if not (lasts and stream == "export" and (kind, place) in EMPTY):
            yield Case(number, kind, place, stream, settings, lasts)


def sample(cases: Iterable[Case], streams: list[str], each: int) -> Iterator[Case]:
    """Each fault at each place, once and for good, for some of the streams, each time others.

    For good, `export` has each of them: its requests are the only ones that are split.

    Args:
        cases: All of them.
        streams: Of all of them.
        each: For how many streams; one counts twice if it is read with either settings.
    """
    readers = [(stream, settings) for settings in SETTINGS for stream in streams]
    turns: dict[tuple[str, str, bool], int] = {}
    for case in cases:
        turn = turns.setdefault((case.kind, case.place, case.lasts), len(turns))
        half = turn // 2 % len(SETTINGS)
        first = turn + half * len(streams)
        place = readers.index((case.stream, case.settings))
        split = case.stream == SPLIT and case.lasts and case.settings == [*SETTINGS][half]
        if split or (place - first) % len(readers) < each:
            yield case
