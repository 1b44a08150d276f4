"""The figures as text: all of them for the terminal, ratios for the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.results import MICRO, PER, Ratio, Results, Row, Series, Timed, Walls, pooled

PLAIN, OURS, PEER = "plain Python", "this connector", "Airbyte 4.0.2"
ALONE, CLIENT = "this connector, one process", "official client, 8 threads"
DAILY = "the daily sync after it"
CDK_IMPORT, SPEC = "import of Airbyte's CDK", "spec"
MEMORY_BASE = 50_000
_MIB = 1 << 20
_MARKERS = re.compile(r"(<!-- figures: begin -->\n).*(<!-- figures: end -->)", re.DOTALL)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    every = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[n]) for row in every) for n in range(len(head))]
    lines = [
        "| " + " | ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)) + " |"
        for row in every
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


# -- for the terminal ----------------------------------------------------------------------


def full(results: Results) -> str:
    """Every figure of this machine."""
    parts = [
        table(
            (
                "events a day",
                "days",
                "reader",
                f"CPU s / {PER // 1000}k",
                "without start-up",
                "records/s",
                "peak RSS MB",
                "a worker's",
                "spread",
            ),
            (_full_row(row) for row in results.rows()),
        ),
        table(
            ("started", "CPU s", "peak RSS MB", "spread"),
            (
                (name, f"{series.cpu:.2f}", _mib(series.rss), f"{series.spread:.0%}")
                for name, series in {**results.starts, **_reading_nothing(results)}.items()
            ),
        ),
        _profiles(results),
        _against_peer(results),
        _against_plain(results),
        _processes(results),
        _memory(results),
        _walls(results.walls),
        *_lines(results),
    ]
    return "\n\n".join(part for part in parts if part)


def _full_row(row: Row) -> Sequence[str]:
    scale = PER / MICRO
    unknown = row.mostly_start
    return (
        f"{row.dataset.events:,}",
        str(row.dataset.days),
        row.reader,
        f"{row.micros * scale:.2f}",
        "-" if unknown else f"{row.net_micros * scale:.2f}",
        "-" if unknown else f"{row.rate:,.0f}",
        _mib(row.whole.rss),
        _mib(row.whole.worker),
        f"{row.whole.spread:.0%}",
    )


def _reading_nothing(results: Results) -> dict[str, Series]:
    return {f"{name}, reading nothing": series for name, series in results.empties.items()}


def _mib(size: int) -> str:
    return f"{size / _MIB:.0f}"


def _profiles(results: Results) -> str:
    if not results.profiles:
        return ""
    empty = results.no_profiles.cpu
    return table(
        ("profiles", "page size", "profiles / CPU s", "without start-up", "peak RSS MB", "spread"),
        (
            (
                f"{s.records:,}",
                "chosen" if size is None else f"{size:,}",
                f"{s.records / s.cpu:,.0f}",
                f"{s.records / (s.cpu - empty):,.0f}",
                _mib(s.rss),
                f"{s.spread:.0%}",
            )
            for size, s in results.profiles.items()
        ),
    )


def _lines(results: Results) -> list[str]:
    """What is no table."""
    lines = []
    if results.busy is not None:
        days, megabytes, requests = results.busy
        lines.append(
            f"A year of 2M events a day (windows by calculation): {requests} requests, the "
            f"largest of {days} {'day' if days == 1 else 'days'} and {megabytes} MB."
        )
    lines.append(
        f"In the ratios of CPU to the other two readers, the start-up left out, the middle half of "
        f"the rounds is at most {noise(results):.0%} of the median wide."
    )
    return ["\n".join(lines)]


# -- for the documentation -----------------------------------------------------------------


def ratios(results: Results) -> str:
    """What does not depend on the machine, or hardly."""
    parts = [_walls(results.walls), _against_peer(results), _against_plain(results)]
    parts += [_processes(results), _memory(results), _start(results)]
    if results.profiles:
        parts.append(_profile_ratios(results))
    parts += _lines(results)
    return "\n\n".join(parts)


def to_peer(results: Results) -> Ratio:
    """How many times more CPU a record takes the peer, the start-up left out."""
    return Ratio.of(_peer(results).net_of_rounds(), _events(results))


def to_plain(results: Results) -> list[tuple[Row, Ratio, Ratio]]:
    """For each size: the speed of one process in CPU and in time, plain Python's being 1."""
    found = []
    for ours, plain in zip(_rows_of(results, ALONE), _rows_of(results, PLAIN), strict=True):
        if not ours.mostly_start:
            cpu = Ratio.of(plain.net_of_rounds(), ours.net_of_rounds())
            found.append((ours, cpu, Ratio.of(ours.rate_of_rounds(), plain.rate_of_rounds())))
    return found


def noise(results: Results) -> float:
    """How wide the middle half of the rounds is, of the ratio of CPU that is the least sure."""
    return max(to_peer(results).spread, *(cpu.spread for _, cpu, _ in to_plain(results)))


def _rows_of(results: Results, reader: str) -> list[Row]:
    return [row for row in results.rows() if row.reader == reader]


def _events(results: Results) -> dict[int, float]:
    """CPU microseconds an event takes us in each round, the start-up left out."""
    ours = _rows_of(results, OURS)
    return pooled([row.beyond() for row in ours if not row.mostly_start])


def _peer(results: Results) -> Row:
    return _rows_of(results, PEER)[0]


def _against_peer(results: Results) -> str:
    peer, small = _peer(results), _rows_of(results, OURS)[0]
    ratio, whole = to_peer(results), Ratio.of(peer.of_rounds(), small.of_rounds())
    events = f"{peer.whole.records:,} events"
    return table(
        ("CPU a record", PEER, OURS, "times less", "rounds"),
        (
            (
                f"start-up left out, {events} against all of ours",
                "1",
                f"{1 / ratio.value:.4f}",
                f"{ratio.value:.0f}",
                _rounds(ratio, ".0f"),
            ),
            (
                f"start-up included, {events} each",
                "1",
                f"{1 / whole.value:.3f}",
                f"{whole.value:.0f}",
                _rounds(whole, ".0f"),
            ),
        ),
    )


def _rounds(ratio: Ratio, form: str) -> str:
    low, high = ratio.extremes
    return f"{len(ratio.rounds)}: {low:{form}} to {high:{form}}"


def _against_plain(results: Results) -> str:
    return table(
        (
            "events a day",
            "days",
            "CPU speed in one process, plain Python = 1",
            "rounds",
            "records a second, plain Python = 1",
        ),
        (
            (
                f"{row.dataset.events:,}",
                str(row.dataset.days),
                f"{cpu.value:.2f}",
                _rounds(cpu, ".2f"),
                f"{rate.value:.2f}",
            )
            for row, cpu, rate in to_plain(results)
        ),
    )


def _processes(results: Results) -> str:
    pairs = zip(_rows_of(results, ALONE), _rows_of(results, OURS), strict=True)
    found = [
        (
            each.dataset,
            Ratio.of(one.whole.wall_of_rounds(), each.whole.wall_of_rounds()),
            Ratio.of(each.whole.cpu_of_rounds(), one.whole.cpu_of_rounds()),
        )
        for one, each in pairs
        if not one.mostly_start
    ]
    return table(
        ("events a day", "days", "speed, one process = 1", "rounds", "CPU, one process = 1"),
        (
            (
                f"{dataset.events:,}",
                str(dataset.days),
                f"{speed.value:.2f}",
                _rounds(speed, ".2f"),
                f"{cpu.value:.2f}",
            )
            for dataset, speed, cpu in found
        ),
    )


def _walls(walls: Walls) -> str:
    return table(
        (
            f"{walls.latency:g} s to the first byte",
            "reader",
            "events",
            "requests",
            "seconds",
            "rounds",
            "bound",
            "set by",
            "bound = 1",
        ),
        (_wall(what, reader, timed) for (what, reader), timed in walls.readings.items()),
    )


def _wall(what: str, reader: str, timed: list[Timed]) -> Sequence[str]:
    seconds = Ratio([each.cost.wall for each in timed])
    middle = sorted(timed, key=lambda each: each.cost.wall / each.bound.seconds)[len(timed) // 2]
    return (
        what,
        reader,
        f"{middle.cost.records:,}",
        str(middle.requests),
        f"{seconds.value:.1f}",
        _rounds(seconds, ".1f"),
        f"{middle.bound.seconds:.1f}",
        middle.bound.reason,
        f"{middle.cost.wall / middle.bound.seconds:.2f}",
    )


def _memory(results: Results) -> str:
    rows = _rows_of(results, OURS)
    base = next(row for row in rows if row.dataset.events == MEMORY_BASE).whole.rss
    peaks = [(row.dataset.words, row.whole.rss, row.whole.worker) for row in rows]
    for (what, reader), timed in results.walls.readings.items():
        if reader == OURS:
            costs = [each.cost for each in timed]
            worker = max(cost.worker for cost in costs)
            peaks.append((f"{what}, from far away", max(cost.rss for cost in costs), worker))
    return table(
        ("read", "peak memory MB", f"{MEMORY_BASE:,} a day = 1", "a worker's MB"),
        (
            (what, _mib(rss), f"{rss / base:.2f}", _mib(worker) if worker else "-")
            for what, rss, worker in peaks
        ),
    )


def _start(results: Results) -> str:
    imports = results.starts[CDK_IMPORT].cpu_of_rounds()
    told = {**results.starts, **_reading_nothing(results)}
    found = {name: Ratio.of(series.cpu_of_rounds(), imports) for name, series in told.items()}
    return table(
        ("start-up", "CPU, the import of Airbyte's CDK = 1", "rounds"),
        ((name, f"{ratio.value:.2f}", _rounds(ratio, ".2f")) for name, ratio in found.items()),
    )


def _profile_ratios(results: Results) -> str:
    events, nothing = _events(results), results.no_profiles
    found = [
        (size, series, Ratio.of(pooled([series.beyond(nothing)]), events))
        for size, series in results.profiles.items()
    ]
    return table(
        ("profiles", "page size", "CPU a profile, an event = 1", "rounds", "peak memory MB"),
        (
            (
                f"{series.records:,}",
                "chosen" if size is None else f"{size:,}",
                f"{ratio.value:.2f}",
                _rounds(ratio, ".2f"),
                _mib(series.rss),
            )
            for size, series, ratio in found
        ),
    )


def write(path: Path, text: str) -> None:
    """Put the figures in their place in a document.

    Raises:
        ValueError: The document has no place for them.
    """
    before = path.read_text(encoding="utf-8")
    after, found = _MARKERS.subn(lambda match: f"{match[1]}\n{text}\n\n{match[2]}", before)
    if not found:
        raise ValueError(f"{path.name} has no markers for figures")
    path.write_text(after, encoding="utf-8")
