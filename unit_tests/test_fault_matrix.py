"""Under any fault the records are exact, or the stream fails by name and the next sync is exact.

`make soak` plays every case; an ordinary run a sample that has each fault at each place, and each
stream.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from mixpanel_emulator.faults import KINDS
from mixpanel_emulator.options import EmulatorOptions
from mixpanel_emulator.server import EmulatorServer
from source_mixpanel.source import SourceMixpanel
from unit_tests.builders import REPORTS
from unit_tests.fault_matrix import EMPTY, FAULTS, SETTINGS, Case, matrix, sample
from unit_tests.harness import Output, multiset
from unit_tests.project import Project, Streams

_NOBODY = {"credentials": {"username": "u", "secret": "s", "project_id": 1}, "reports": REPORTS}
NAMES = [stream.name for stream in SourceMixpanel().streams(_NOBODY)]
ALL = list(matrix(NAMES))
CASES = list(sample(ALL, NAMES, int(os.environ.get("SOAK_FAULTS", "1"))))
ABOUT_ME = "/api/app/me for the project's settings"
"""What an error says that many streams may meet."""


@dataclass(frozen=True)
class Clean:
    """A sync of one stream without faults: its records, and the requests it made, in order."""

    records: Counter[Any]
    paths: list[str]

    def targets(self) -> list[tuple[str, int]]:
        """For each path its first and its last request, counted as a fault by prefix counts."""
        found = []
        for path in dict.fromkeys(self.paths):
            hits = [p for p in self.paths if p.startswith(path)]
            own = [n for n, p in enumerate(hits, start=1) if p == path]
            found += [(path, n) for n in sorted({own[0], own[-1]})]
        return found

    def asks(self, path: str) -> bool:
        """Whether a fault on this path would hit it."""
        return any(p.startswith(path) for p in self.paths)


@dataclass
class Bench:
    """A world that stands still, the same one each time, and what comes out of it."""

    project: Project

    def sync(self, case: Case, names: list[str], **how: Any) -> Output:
        """A sync of some streams with the settings of a case."""
        mode = self.mode(case, case.stream)
        return self.project.using(**SETTINGS[case.settings]).sync(*names, mode=mode, **how)

    def mode(self, case: Case, name: str) -> str:
        """How a stream is read beside that of a case."""
        mode = case.mode(self.project.streams[case.stream]["supported_sync_modes"])
        modes = self.project.streams[name]["supported_sync_modes"]
        return mode if mode in modes else "full_refresh"

    def clean(self, case: Case, name: str) -> Clean:
        """What a stream gives with the settings of a case, without its fault."""
        key = (name, self.mode(case, name), case.settings)
        if key not in _CLEAN:
            self.project.mixpanel.clear_journal()
            out = self.project.using(**SETTINGS[case.settings]).sync(name, mode=key[1])
            assert out.code == 0, out.log
            assert out.records(), "the seed has something for every stream"
            paths = [entry["path"] for entry in self.project.mixpanel.journal()]
            _CLEAN[key] = Clean(multiset(out.records()), paths)
        return _CLEAN[key]

    def bystander(self, case: Case, path: str) -> str:
        """The next stream that asks for nothing where the fault is."""
        others = (NAMES * 2)[NAMES.index(case.stream) + 1 :]
        return next(name for name in others if not self.clean(case, name).asks(path))


_STREAMS: Streams = {}
_CLEAN: dict[tuple[str, str, str], Clean] = {}


@pytest.fixture(scope="module")
def shop() -> Iterator[EmulatorServer]:
    """Two hours after the last event was processed, so that no two syncs overlap."""
    options = EmulatorOptions(
        empty=True, quota=False, now="2026-03-10T12:00:00Z", timezone="America/Los_Angeles"
    )
    with EmulatorServer(options) as server:
        server.control.seed(11, events=120, days=4, profiles=40)
        server.control.set_clock("2026-03-10T14:00:00Z", frozen=True)
        yield server


@pytest.fixture
def bench(project: Project, shop: EmulatorServer) -> Bench:
    """Nobody writes to the shop, so that it is made once."""
    project.config.update(
        api_url=shop.base_url,
        start_date="2026-03-06",
        page_size=15,
        date_window_size=2,
        attribution_window=0,
        reports=REPORTS,
    )
    shop.control.clear_faults()
    if not _STREAMS:
        _STREAMS.update(project.discover())
    return Bench(project.at(shop.control, _STREAMS))


def test_every_kind_of_fault_has_its_place_in_the_matrix() -> None:
    assert set(FAULTS) == KINDS


def test_the_sample_has_every_stream_and_every_fault_at_every_place() -> None:
    cases = list(sample(ALL, NAMES, 1))
    assert {case.stream for case in cases} == set(NAMES)
    assert {case.settings for case in cases} == set(SETTINGS)
    played = {(case.kind, case.place, case.lasts) for case in cases}
    everything = {(case.kind, case.place, case.lasts) for case in ALL}
    assert everything - played <= {(*fault, True) for fault in EMPTY}
    assert list(sample(ALL, NAMES, len(NAMES) * len(SETTINGS))) == ALL


@pytest.mark.parametrize("case", CASES, ids=str)
def test_records_are_exact_or_the_stream_fails_by_name_and_the_next_sync_is_exact(
    bench: Bench, case: Case, record_property: Callable[[str, int], None]
) -> None:
    clean = bench.clean(case, case.stream)
    targets = clean.targets()
    path, nth = targets[case.target(len(targets))]
    names = [case.stream, bench.bystander(case, path)] if case.lasts else [case.stream]
    bench.project.mixpanel.add_fault(path=path, skip=nth - 1, times=case.times, **case.fault)
    out = bench.sync(case, names, **case.patience)
    assert bench.project.mixpanel.faults()[0]["seen"] >= nth, "the fault never struck"
    bench.project.mixpanel.clear_faults()
    for name in names[1:]:
        assert out.statuses(name)[-1] == "COMPLETE", out.log
        assert multiset(out.records(name)) == bench.clean(case, name).records
    compared = len(out.records())
    if out.code == 0:
        assert out.statuses(case.stream)[-1] == "COMPLETE"
        assert multiset(out.records(case.stream)) == clean.records
    else:
        assert case.lasts, f"a fault that passed is no reason to fail: {out.log}"
        compared += judge_failed(bench, case, out)
    record_property("faults tried", 1)
    record_property("records compared", compared)


def judge_failed(bench: Bench, case: Case, out: Output) -> int:
    """Hold a sync that failed, and the one after it, to what is promised.

    Returns:
        How many records the one after it gave.
    """
    name = case.stream
    assert (out.code, out.statuses(name)[-1]) == (1, "INCOMPLETE")
    [error] = [e for e in out.errors if e.get("stream_descriptor", {}).get("name") == name]
    assert name in error["message"] or ABOUT_ME in error["message"], error["message"]
    emitted = out.prefixes(name)
    done, state = emitted[-1] if emitted else ([], None)
    rest = bench.sync(case, [name], state=[state] if state else None)
    assert rest.code == 0, rest.log
    want, got = bench.clean(case, name).records, multiset(done + rest.records())
    if bench.mode(case, name) == "full_refresh":
        # It goes on where it was broken off, or begins anew.
        assert want in (got, multiset(rest.records()))
    else:
        assert not want - got, "records were lost"
        assert set(got) == set(want), "records were made up"
        [cursor] = bench.project.streams[name]["default_cursor_field"]
        again: dict[Any, set[Any]] = {}
        for _, values in got - want:
            row = dict(values)
            again.setdefault(row.get("funnel_id"), set()).add(row[cursor])
        days = [len(of_a_part) for of_a_part in again.values()]
        assert max(days, default=0) <= most_days_again(name), "more than the last day came again"
        if name == "export":
            silent = (dict(values).get("mp_processing_time_ms") for _, values in got - want)
            assert set(silent) <= {None}, "what is known to have been had came again"
    return len(rest.records())


def most_days_again(name: str) -> float:
    """How many days an incremental sync may read again that goes on after a failure.

    A day is read again while it is not over, a row of a report until its intervals are. Of raw
    events it is those that do not say when they were processed, of the day before as well.
    """
    if name == "export":
        return math.inf
    return math.inf if name.startswith("report_") else 1
