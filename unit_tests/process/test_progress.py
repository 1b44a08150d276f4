"""Steps become sentences, and not more of them than anybody reads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from source_mixpanel.process.progress import EVERY_S, Progress, Step, Watcher, sentence

STEP = Step("export", "2026-03-01 to 2026-03-04", 4, 10, "days", 1234, 57)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (STEP, "4 of 10 days, 1234 records so far, 57 requests left this hour."),
        (replace(STEP, total=None), "4 days, 1234 records so far, 57 requests left this hour."),
        (replace(STEP, done=1, total=1, records=1), "1 of 1 day, 1 record so far, 57 requests "),
        (replace(STEP, requests_left=1), ", 1 request left this hour."),
        (replace(STEP, requests_left=0), ", 0 requests left this hour."),
        (replace(STEP, requests_left=None), "4 of 10 days, 1234 records so far."),
        (replace(STEP, done=1, total=3, unit="group keys"), "1 of 3 group keys, "),
    ],
)
def test_a_step_tells_what_is_done_and_what_is_left(step: Step, expected: str) -> None:
    told = sentence(step)
    assert told.startswith("Stream 'export' has read 2026-03-01 to 2026-03-04: ")
    assert expected in told


@dataclass
class Stage:
    """Progress with a clock that is moved by hand."""

    now: float = 100.0
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.progress = Progress(self.lines.append, lambda: self.now, Watcher())

    def step(self, done: int, stream: str = "export") -> None:
        self.progress.step(replace(STEP, stream=stream, done=done))


def test_small_steps_share_a_line_and_the_last_one_is_told() -> None:
    stage = Stage()
    for done in range(1, 8):
        stage.step(done)
    assert [line.partition(": ")[2][:1] for line in stage.lines] == ["1"]
    stage.progress.end("export", whole=True)
    assert [line.partition(": ")[2][:1] for line in stage.lines] == ["1", "7"]
    stage.progress.end("export", whole=True)
    assert len(stage.lines) == 2


def test_slow_steps_have_a_line_each_and_streams_do_not_share() -> None:
    stage = Stage()
    for done in range(1, 4):
        stage.step(done)
        stage.now += EVERY_S
    assert len(stage.lines) == 3
    stage.step(1, "engage")
    assert stage.lines[-1].startswith("Stream 'engage'")
    stage.progress.end("export", whole=True)
    assert len(stage.lines) == 4
