"""Makes the bodies that the replay server serves: days of events, and profiles.

Events are the local Mixpanel's seeded ones, filled up to what web events usually carry (about 26
properties and 780 bytes); each has a time, an `$insert_id` and a processing time of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from random import Random

from benchmarks.datasets import (
    LATE,
    LATE_EVENTS,
    Dataset,
    day_file,
    late_days,
    names_file,
    profiles_file,
    sample_file,
)
from benchmarks.gzip_parts import write_part
from mixpanel_emulator.seed.people import people
from mixpanel_emulator.seed.shop import Plan, shop_events

_TEMPLATES = 2_000
_NASTY = 40
_BLOCK = 2_000
_DAY_MS = 86_400_000
_SAMPLE = 2_000
_NOW_MS = 1_767_225_600_000
_PLAN = Plan(seed=7, events=_TEMPLATES + _NASTY, days=1, people=2_000, now_ms=_NOW_MS)
_TIME, _ID, _RECEIVED, _PROCESSED = 1111111111, "\u0001id\u0001", 2222222222, 3333333333
_MORE = {
    "$referrer": "https://search.example/results?q=blue+chair",
    "$search_engine": "example",
    "utm_source": "newsletter",
    "utm_campaign": "autumn-sale",
}

Template = tuple[bytes, bytes, bytes, bytes, bytes]


def templates() -> list[Template]:
    """Lines in five pieces, between which time, id and the two instants of arrival go."""
    rng = Random(7)  # noqa: S311 - reproducible, not secret
    made = []
    for event in list(shop_events(_PLAN))[_NASTY:]:
        own = {
            "$insert_id": _ID,
            "$mp_api_timestamp_ms": _RECEIVED,
            "mp_processing_time_ms": _PROCESSED,
            "session": f"{rng.getrandbits(128):032x}",
        }
        theirs = {name: value for name, value in event.properties.items() if name not in own}
        properties = {"time": _TIME, **theirs, **own, **_MORE}
        line = {"event": event.name, "properties": properties}
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"
        made.append(_pieces(text))
    return made


def _pieces(text: str) -> Template:
    pieces = []
    # The order of the four in the text is that of the dictionary above.
    for mark in (str(_TIME), json.dumps(_ID)[1:-1], str(_RECEIVED), str(_PROCESSED)):
        head, found, text = text.partition(mark)
        if not found:
            raise ValueError(f"a template has no {mark!r}")
        pieces.append(head.encode())
    return (pieces[0], pieces[1], pieces[2], pieces[3], text.encode())


def lines(
    made: list[Template], day: date, count: int, unit_ms: int, late_ms: int = 0
) -> Iterator[list[bytes]]:
    """A day's events that come so late, in blocks of lines, in no order of time."""
    rng = Random(day.toordinal() + late_ms)  # noqa: S311 - reproducible, not secret
    start = int(datetime.combine(day, time.min, tzinfo=timezone.utc).timestamp()) * 1000
    block: list[bytes] = []
    for number in range(count):
        a, b, c, d, e = made[number % len(made)]
        ms = start + rng.randrange(_DAY_MS)
        own = b"%036x" % rng.getrandbits(144)
        seen = ms + 900 + late_ms
        block.append(b"%b%d%b%b%b%d%b%d%b" % (a, ms // unit_ms, b, own, c, seen, d, seen + 1100, e))
        if len(block) == _BLOCK:
            yield block
            block = []
    if block:
        yield block


def make_days(cache: Path, dataset: Dataset) -> None:
    """Make what is not there yet of a dataset's days."""
    made: list[Template] = []
    for number in range(dataset.days):
        day = dataset.first + timedelta(days=number)
        path = day_file(cache, dataset.events, dataset.unit, day)
        if path.exists():
            continue
        made = made or templates()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_part(path, lines(made, day, dataset.events, dataset.unit_ms))


def make_late(cache: Path, dataset: Dataset) -> None:
    """Make the events of earlier days that come on the last day."""
    made: list[Template] = []
    for day in late_days(dataset):
        path = day_file(cache, dataset.events, f"{dataset.unit}{LATE}", day)
        if not path.exists():
            made = made or templates()
            path.parent.mkdir(parents=True, exist_ok=True)
            late_ms = (dataset.last - day).days * _DAY_MS
            write_part(path, lines(made, day, LATE_EVENTS, dataset.unit_ms, late_ms))


def make_sample(cache: Path, day: date) -> None:
    """Make a small body for requests with a limit, and the list of property names."""
    made = templates()
    for unit, unit_ms in (("s", 1000), ("ms", 1)):
        write_part(sample_file(cache, unit), lines(made, day, _SAMPLE, unit_ms))
    block = next(lines(made, day, _SAMPLE, 1))
    names = {name: {"count": 1} for line in block for name in json.loads(line)["properties"]}
    names_file(cache).write_text(json.dumps(names))


def make_profiles(cache: Path, count: int) -> None:
    """Make user profiles, one a line."""
    path = profiles_file(cache, count)
    if path.exists():
        return
    some = people(Plan(seed=7, events=0, days=1, people=2_000, now_ms=_NOW_MS))
    some = [entry for number, entry in enumerate(some) if number % 40 != 1]
    with path.open("wb") as out:
        for number in range(count):
            properties = {**some[number % len(some)][1], "number": number, **_MORE}
            profile = {"$distinct_id": f"user-{number:09d}", "$properties": properties}
            text = json.dumps(profile, ensure_ascii=False, separators=(",", ":"))
            out.write(text.encode() + b"\n")


def main() -> None:
    """Make what the command line names: the cache, then `profiles:COUNT`, `late:` and datasets."""
    cache = Path(sys.argv[1])
    cache.mkdir(parents=True, exist_ok=True)
    for text in sys.argv[2:]:
        kind, _, rest = text.partition(":")
        if kind == "profiles":
            make_profiles(cache, int(rest))
        elif kind == "late":
            make_late(cache, Dataset.parse(rest))
        else:
            make_days(cache, Dataset.parse(text))
    if not names_file(cache).exists():
        make_sample(cache, Dataset.FIRST)


if __name__ == "__main__":
    main()
