"""The figures as text: all of them for the terminal, ratios for the documentation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.results import MICRO, PER, Ratio, Results, Row, Series, pooled

PLAIN, OURS, PEER = "plain Python", "this connector", "Airbyte 4.0.2"
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
    if results.year_requests is not None:
        lines.append(
            f"A year of 2,000 events a day ({results.year_events:,} events): "
            f"{results.year_requests} export requests."
        )
    if results.busy is not None:
        days, megabytes, requests = results.busy
        lines.append(
            f"A year of 2M events a day (windows by calculation): {requests} requests, the "
            f"largest of {days} {'day' if days == 1 else 'days'} and {megabytes} MB."
        )
    lines.append(
        f"In the ratios of CPU of the first two tables, the start-up left out, the middle half of "
        f"the rounds is at most {noise(results):.0%} of the median wide."
    )
    return ["\n".join(lines)]


# -- for the documentation -----------------------------------------------------------------


def ratios(results: Results) -> str:
    """What does not depend on the machine."""
    parts = [_against_peer(results), _against_plain(results), _memory(results), _start(results)]
    if results.profiles:
        parts.append(_profile_ratios(results))
    parts += _lines(results)
    return "\n\n".join(parts)


def to_peer(results: Results) -> Ratio:
    """How many times more CPU a record takes the peer, the start-up left out."""
    return Ratio.of(_peer(results).net_of_rounds(), _events(results))


def to_plain(results: Results) -> list[tuple[Row, Ratio, Ratio]]:
    """For each size: our speed in CPU and in time, plain Python's being 1."""
    found = []
    for ours, plain in zip(_rows_of(results, OURS), _rows_of(results, PLAIN), strict=True):
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
            "CPU speed, plain Python = 1",
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


def _memory(results: Results) -> str:
    rows = _rows_of(results, OURS)
    base = next(row for row in rows if row.dataset.events == MEMORY_BASE).whole.rss
    return table(
        ("events a day", "peak memory MB", f"{MEMORY_BASE:,} a day = 1"),
        (
            (f"{row.dataset.events:,}", _mib(row.whole.rss), f"{row.whole.rss / base:.2f}")
            for row in rows
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
