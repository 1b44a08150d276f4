"""States in files: every form is read, and what is kept is whole whatever happens."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteStateMessageSerializer

from source_mixpanel.errors import ConfigError
from source_mixpanel.process.state_file import read_state
from unit_tests.builders import event
from unit_tests.project import Project

BLOB = {"time": "2026-01-31T00:00:00.000Z"}
STREAM = {
    "type": "STREAM",
    "stream": {"stream_descriptor": {"name": "export"}, "stream_state": BLOB},
}


def _file(folder: Path, content: Any) -> str:
    path = folder / "file.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(path)


def _streams(folder: Path, content: Any) -> dict[str, Any]:
    found = {}
    for entry in read_state(_file(folder, content)):
        stream = AirbyteStateMessageSerializer.dump(entry)["stream"]
        found[stream["stream_descriptor"]["name"]] = stream["stream_state"]
    return found


@pytest.mark.parametrize(
    "content",
    [
        [STREAM],
        STREAM,
        {"export": BLOB},
        {"bookmarks": {"export": BLOB}, "currently_syncing": None},
        {"type": "STATE", "state": STREAM},
        [{"type": "STATE", "state": STREAM}],
        [{**STREAM, "destinationStats": {"recordCount": 5.0}}],
        [{"type": "GLOBAL", "global": {"stream_states": [STREAM["stream"]]}}],
        {"type": "GLOBAL", "global": {"shared_state": {}, "stream_states": [STREAM["stream"]]}},
        [{"type": "LEGACY", "data": {"export": BLOB}}],
    ],
)
def test_a_state_is_read_in_each_of_its_forms(tmp_path: Path, content: Any) -> None:
    assert _streams(tmp_path, content) == {"export": BLOB}


def test_a_legacy_state_is_taken_apart_by_stream(tmp_path: Path) -> None:
    content = {"export": BLOB, "funnels": {"date": "2026-01-31"}}
    assert _streams(tmp_path, content) == content


@pytest.mark.parametrize("content", [[], {}, None])
def test_an_empty_state_is_none(tmp_path: Path, content: Any) -> None:
    assert read_state(_file(tmp_path, content)) == []


def test_no_state_file_is_no_state() -> None:
    assert read_state(None) == []


@pytest.mark.parametrize(
    "content",
    [
        5,
        0,
        False,
        "",
        "text",
        [{"type": "STREAM", "stream": None}],
        [{"type": "GLOBAL", "global": {"stream_states": None}}],
        [{"type": "LEGACY", "data": {"export": 5}}],
        [5],
        [[STREAM]],
        [{"export": BLOB}],
        {"export": "2026-01-31"},
        {"export": None},
        {"bookmarks": {"export": "2026-01-31"}},
        {"bookmarks": 5},
        {"type": "STREAM", "stream": {"stream_state": BLOB}},
        {"type": "STATE", "state": 5},
        [{"type": "NONSENSE", "stream": 5}],
    ],
)
def test_what_is_no_state_is_a_config_error_that_says_what_to_do(
    tmp_path: Path, content: Any
) -> None:
    with pytest.raises(ConfigError, match=r"no Airbyte state .* or none to begin anew"):
        read_state(_file(tmp_path, content))


# -- lines as saved from standard output -----------------------------------------------------


def _line(kind: str, **body: Any) -> str:
    return json.dumps({"type": kind, **body}, separators=(",", ":")) + "\n"


def _state_line(name: str, blob: Any) -> str:
    stream = {"stream_descriptor": {"name": name}, "stream_state": blob}
    return _line("STATE", state={"type": "STREAM", "stream": stream})


SAVED = "".join(
    [
        _line("LOG", log={"level": "INFO", "message": "begins"}),
        _line("RECORD", record={"stream": "export", "data": {"type": "STATE"}, "emitted_at": 1}),
        _state_line("export", {"time": "2026-01-30T00:00:00.000Z"}),
        _state_line("funnels", {"date": "2026-01-31"}),
        _line("TRACE", trace={"type": "ERROR", "emitted_at": 1}),
        _state_line("export", BLOB),
    ]
)


@pytest.mark.parametrize("end", ["", "\n", '{"type":"STATE","sta', '{"type":"RECORD","rec'])
def test_lines_are_read_and_the_last_state_of_a_stream_counts(tmp_path: Path, end: str) -> None:
    """A line that a kill has cut was never told."""
    found = _streams(tmp_path, (SAVED + end).encode())
    assert found == {"export": BLOB, "funnels": {"date": "2026-01-31"}}


def test_states_a_line_each_are_read(tmp_path: Path) -> None:
    lines = f"{json.dumps(STREAM)}\n{json.dumps(STREAM)}\n"
    assert _streams(tmp_path, lines.encode()) == {"export": BLOB}


def test_a_line_amid_them_that_is_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a line that is no valid JSON .*line 7"):
        read_state(_file(tmp_path, (SAVED + "oops\n" + SAVED).encode()))


def test_lines_without_a_state_are_no_beginning_without_a_word(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no state .*Leave --state out"):
        read_state(_file(tmp_path, SAVED.splitlines(keepends=True)[0].encode()))


# -- states that are kept --------------------------------------------------------------------


def _kept(path: Path) -> dict[str, Any]:
    """The states in a file by stream, as it is."""
    entries = json.loads(path.read_text())
    streams = [entry["stream"] for entry in entries]
    return {s["stream_descriptor"]["name"]: s["stream_state"] for s in streams}


def _printed(raw: bytes) -> dict[str, list[Any]]:
    """Every state that has left whole, by stream."""
    printed: dict[str, list[Any]] = {}
    for line in raw.split(b"\n")[:-1]:
        entry = json.loads(line)
        if entry["type"] == "STATE":
            told = entry["state"]["stream"]
            printed.setdefault(told["stream_descriptor"]["name"], []).append(told["stream_state"])
    return printed


def test_the_last_states_of_a_sync_are_kept_and_the_next_one_goes_on_from_them(
    project: Project, tmp_path: Path
) -> None:
    """The same command each time, the first included."""
    project.mixpanel.add_events([event(insert_id=f"i-{n}", days_ago=n) for n in range(8)])
    kept = tmp_path / "state.json"
    args = ["--streams", "export,cohorts", "--state", str(kept), "--state-out", str(kept)]
    first = project.run("read", more=args)
    assert first.code == 0, first.log
    assert len(first.records("export")) == 8
    assert _kept(kept) == {name: states[-1] for name, states in _printed(first.raw).items()}
    project.mixpanel.advance(7_200)
    project.mixpanel.add_events([event(insert_id="new", days_ago=-0.05)])
    second = project.run("read", more=args)
    assert second.code == 0, second.log
    assert {row["insert_id"] for row in second.records("export")} >= {"new"}
    assert len(second.records("export")) < 8
    assert list(tmp_path.iterdir()) == [kept]


def test_states_of_streams_that_are_not_read_stay(project: Project, tmp_path: Path) -> None:
    kept = tmp_path / "state.json"
    kept.write_text(
        _state_line("funnels", {"date": "2026-01-31"}) + _state_line("cohorts", {"a": 1})
    )
    args = ["--streams", "cohorts", "--state-out", str(kept)]
    assert project.run("read", more=args).code == 0
    assert _kept(kept)["funnels"] == {"date": "2026-01-31"}
    assert "a" not in _kept(kept)["cohorts"]


@pytest.mark.parametrize("content", ['{"credentials": {}}', "{ no json", "[5]"])
def test_a_file_that_is_no_state_is_never_written_over(
    project: Project, tmp_path: Path, content: str
) -> None:
    other = tmp_path / "other.json"
    other.write_text(content)
    args = ["--streams", "cohorts", "--state-out", str(other)]
    out = project.run("read", more=args)
    assert out.code == 1
    assert "The state file is no" in out.stderr
    assert other.read_text() == content
    assert project.mixpanel.journal() == []


def test_a_place_that_cannot_be_written_is_told_before_any_request(
    project: Project, tmp_path: Path
) -> None:
    args = ["--streams", "cohorts", "--state-out", str(tmp_path / "no" / "state.json")]
    out = project.run("read", more=args)
    assert out.code == 1
    assert "The states cannot be kept: No such file or directory" in out.stderr
    assert project.mixpanel.journal() == []


def test_no_state_is_kept_before_it_and_the_records_before_it_have_left(
    project: Project, tmp_path: Path
) -> None:
    """Nobody reads the output, so that it fills up; then the process is killed."""
    project.mixpanel.seed(7, events=3000, days=9, profiles=400)
    settings, kept = tmp_path / "config.json", tmp_path / "state.json"
    settings.write_text(json.dumps({**project.config, "date_window_size": 1}))
    args = ["--config", str(settings), "--streams", "cohorts,export,engage,funnels"]
    with subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "source_mixpanel", "read", *args, "--state-out", str(kept)],
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        asleep, before = 0, ""
        while asleep < 20:
            time.sleep(0.05)
            # Blocked for a second: the processor has done nothing for it.
            now = Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2]
            used = " ".join(now.split()[11:13])
            asleep, before = (asleep + 1 if used == before and kept.exists() else 0), used
        process.kill()
        raw = process.stdout.read()
    printed = _printed(raw)
    assert not raw.endswith(b"\n")
    for name, state in _kept(kept).items():
        assert state in printed[name]


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_a_sync_that_is_killed_goes_on_from_what_is_kept_and_loses_nothing(
    project: Project, tmp_path: Path, share: float
) -> None:
    project.mixpanel.seed(7, events=4000, days=9, profiles=10)
    project.config["date_window_size"] = 1
    kept = tmp_path / "state.json"
    args = ["--streams", "export", "--state", str(kept), "--state-out", str(kept)]
    whole = project.run("read", more=["--streams", "export"])
    running = project.start("read", more=args)
    while running.alive() and len(running.so_far()) < share * len(whole.raw):
        time.sleep(0.001)
    running.kill()
    first = running.end()
    if kept.exists():
        states = _printed(first.raw)
        assert all(state in states[name] for name, state in _kept(kept).items())
    second = project.run("read", more=args)
    assert second.code == 0, second.log
    ids = {row["insert_id"] for row in (*first.records(), *second.records())}
    assert ids == {row["insert_id"] for row in whole.records()}
