"""Has every request to a local Mixpanel, and its answer, judged by Mixpanel's own descriptions.

A test in which something differs that FIDELITY.md does not list fails; a run of all tests fails on
rows that nothing was found for. Where the descriptions are not beside the project, it says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from mixpanel_emulator.http import Call, Reply
from mixpanel_emulator.server import EmulatorServer
from unit_tests import descriptions
from unit_tests.descriptions import Deviation
from unit_tests.judge import Judge

_KEY = "descriptions"


class Judging:
    """The judge's part in a run of pytest: one a process, their results joined in the first."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        EmulatorServer.watcher = self.watch

    def watch(self, call: Call, reply: Reply | None) -> None:
        self.judge.watch(call, reply)

    @pytest.fixture(autouse=True)
    def _judged(self) -> Iterator[None]:
        """Let a test fail in which something new differed."""
        self.judge.fresh.clear()
        yield
        rows = sorted(map(str, self.judge.fresh))
        assert not rows, "not in FIDELITY.md:\n" + "\n".join(rows)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send what was found to the first process, or judge the table by all of it."""
        config: Any = session.config
        if hasattr(config, "workeroutput"):
            found = [[*deviation, times] for deviation, times in self.judge.found.items()]
            counts = [[*place, times] for place, times in self.judge.counts.items()]
            config.workeroutput[_KEY] = {"found": found, "counts": counts}
        elif _is_whole(config) and self.judge.stale():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Join what another process found."""
        told = getattr(node, "workeroutput", {}).get(_KEY, {"found": [], "counts": []})
        for *deviation, times in told["found"]:
            self.judge.found[Deviation(*deviation)] += times
        for name, kind, times in told["counts"]:
            self.judge.counts[name, kind] += times

    def pytest_terminal_summary(self, terminalreporter: Any, config: Any) -> None:
        """Print how many requests and answers were checked, by operation."""
        for line in _table(self.judge.counts):
            terminalreporter.write_line(line)
        if _is_whole(config):
            for row in self.judge.stale():
                terminalreporter.write_line(f"FIDELITY.md lists what nothing was found for: {row}")


def _is_whole(config: Any) -> bool:
    """Whether a run holds all unit tests."""
    chosen = (
        config.option.keyword or config.option.markexpr or config.getoption("lf", default=False)
    )
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return bool(whole and not chosen and not config.option.collectonly)


def _table(counts: Counter[tuple[str, str]]) -> list[str]:
    if not counts:
        return []
    names = sorted({name for name, _ in counts}, key=lambda name: (name.split()[1], name))
    rows = [
        f"{counts[name, 'requests']:>9,} {counts[name, 'answers']:>9,}  {name}" for name in names
    ]
    total = [
        sum(n for (_, kind), n in counts.items() if kind == k) for k in ("requests", "answers")
    ]
    head = f"{total[0]:,} requests and {total[1]:,} answers judged by Mixpanel's descriptions:"
    return [head, " requests   answers  operation", *rows]


class Absent:
    """Says that the descriptions are not there."""

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.write_line(
            "Nothing was judged by Mixpanel's descriptions: ../shared/openapi is not there."
        )


def pytest_configure(config: pytest.Config) -> None:
    """Take part in the run."""
    there = descriptions.FOLDER.is_dir()
    config.pluginmanager.register(Judging(Judge()) if there else Absent(), "judging")
