"""A person at a terminal sees how far a sync is; nobody else sees anything of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unit_tests.harness import Output, Running
from unit_tests.project import Project
from unit_tests.terminal import Terminal, plain, screen

EXPORT, ENGAGE = "/api/2.0/export", "/api/query/engage"
USUAL = {"TERM": "xterm-256color", "NO_COLOR": ""}
Files = dict[str, Any]


@pytest.fixture
def files(project: Project) -> Files:
    """What reads events, profiles and cohorts of a small project."""
    project.mixpanel.seed(7, events=300, days=9, profiles=30)
    project.config["date_window_size"] = 1
    catalog = project.catalog("export", "engage", "cohorts", mode="full_refresh")
    return {"config": project.config, "catalog": catalog}


def _nothing(_running: Running, _terminal: Terminal) -> None:
    """Let it run to its end."""


def _at_terminal(
    project: Project,
    files: Files,
    *,
    verb: str = "read",
    both: bool = False,
    env: dict[str, str] | None = None,
    meanwhile: Callable[[Running, Terminal], None] = _nothing,
) -> tuple[Output, str]:
    """What a run put out, and what it wrote to the terminal of its standard error."""
    with Terminal() as terminal:
        places = dict.fromkeys(("stdout", "stderr") if both else ("stderr",), terminal.path)
        running = project.start(verb, **files, env={**USUAL, **(env or {})}, places=places)
        meanwhile(running, terminal)
        out = running.end()
    return out, terminal.shown


def _rows(messages: list[dict[str, Any]]) -> list[str]:
    """What the records hold, sorted."""
    rows = [m["record"] for m in messages if m["type"] == "RECORD"]
    return sorted(json.dumps([row["stream"], row["data"]], sort_keys=True) for row in rows)


def test_a_terminal_shows_how_far_streams_are_and_the_output_is_the_same(
    project: Project, files: Files
) -> None:
    project.mixpanel.add_fault("slow_first_byte", EXPORT, seconds=1, times=2, skip=3)
    project.mixpanel.add_fault("slow_first_byte", ENGAGE, seconds=2, times=1)
    out, shown = _at_terminal(project, files)
    assert out.code == 0, out.log
    frames = plain(shown).split("\x1b[J")
    assert any("all streams" in f and "/10 days" in f and "requests left" in f for f in frames)
    # Lanes side by side have a line each.
    assert any("export" in frame and "engage" in frame for frame in frames)
    assert b"\x1b" not in out.raw
    usual = project.run("read", **files)
    assert _rows(out.messages) == _rows(usual.messages)
    told = f"Read {len(usual.records())} records; 3 of 3 streams are whole."
    assert screen(shown) == [told]


def test_the_installed_command_has_it_too(files: Files, tmp_path: Path) -> None:
    args = []
    for name, content in files.items():
        path = tmp_path / name
        path.write_text(json.dumps(content))
        args += [f"--{name}", str(path)]
    installed = Path(sys.executable).with_name("source-mixpanel")
    with Terminal() as terminal, Path(terminal.path).open("wb") as err:
        done = subprocess.run(  # noqa: S603 - our own command
            [str(installed), "read", *args],
            stdout=subprocess.PIPE,
            stderr=err,
            check=True,
            env={**os.environ, **USUAL},
        )
    assert all(json.loads(line) for line in done.stdout.split(b"\n") if line)
    assert "all streams" in terminal.shown


def test_on_one_terminal_for_both_no_line_is_torn_or_lost(project: Project, files: Files) -> None:
    project.mixpanel.add_fault("slow_first_byte", EXPORT, seconds=0.7, times=3, skip=1)
    out, shown = _at_terminal(project, files, both=True)
    assert out.code == 0
    assert "all streams" in plain(shown)
    *lines, last = screen(shown)
    usual = project.run("read", **files)
    assert _rows([json.loads(line) for line in lines]) == _rows(usual.messages)
    assert last == f"Read {len(usual.records())} records; 3 of 3 streams are whole."


@pytest.mark.parametrize("env", [{}, {"FORCE_COLOR": "1", "TTY_INTERACTIVE": "1"}])
def test_a_pipe_or_a_file_shows_nothing(
    project: Project, files: Files, env: dict[str, str]
) -> None:
    out = project.run("read", **files, env=env)
    assert (out.code, out.stderr) == (0, "")
    assert b"\x1b" not in out.raw


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TTY_INTERACTIVE": "0"}])
def test_a_terminal_that_takes_no_bar_shows_nothing(
    project: Project, files: Files, env: dict[str, str]
) -> None:
    out, shown = _at_terminal(project, files, env=env)
    assert (out.code, shown) == (0, "")


@pytest.mark.parametrize(("wish", "coloured"), [("", True), ("1", False)])
def test_no_color_takes_the_colours(
    project: Project, files: Files, wish: str, *, coloured: bool
) -> None:
    _, shown = _at_terminal(project, files, env={"NO_COLOR": wish})
    assert "all streams" in shown
    assert ("\x1b[38;5;" in shown) is coloured


def test_other_commands_have_no_bar(project: Project, files: Files) -> None:
    del files["catalog"]
    for verb in ("check", "discover"):
        out, shown = _at_terminal(project, files, verb=verb)
        assert (out.code, shown) == (0, "")


def test_a_wait_for_quota_is_shown(project: Project, files: Files) -> None:
    headers = {"Retry-After": "2"}
    project.mixpanel.add_fault("status", EXPORT, status=429, headers=headers, times=1, skip=2)
    out, shown = _at_terminal(project, files)
    assert out.code == 0, out.log
    assert "waits until " in plain(shown)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_sync_that_is_stopped_leaves_the_terminal_clean(
    project: Project, files: Files, number: signal.Signals
) -> None:
    project.mixpanel.add_fault("hang", EXPORT, query={"from_date": "2026-03-04"}, seconds=60)

    def stop(running: Running, terminal: Terminal) -> None:
        while "3/10 days" not in plain(terminal.shown) or b"cohorts stream" not in running.so_far():
            assert running.alive()
            time.sleep(0.02)
        running.kill(number)

    out, shown = _at_terminal(project, files, meanwhile=stop)
    assert out.code == -number
    assert out.records("export")
    [last] = screen(shown)
    assert last.endswith("2 of 3 streams are whole, not export. The sync was stopped.")


def test_a_sync_that_fails_says_why(project: Project, files: Files) -> None:
    project.mixpanel.add_fault("status", ENGAGE, status=403, body={"error": "not for you"})
    out, shown = _at_terminal(project, files)
    assert out.code == 1
    told, *why = screen(shown)
    assert told.endswith("2 of 3 streams are whole, not engage.")
    assert "not for you" in " ".join(why)
    assert files["config"]["credentials"]["secret"] not in shown


def test_settings_that_are_wrong_are_told_at_the_terminal(project: Project, files: Files) -> None:
    files["config"]["region"] = "MARS"
    out, shown = _at_terminal(project, files)
    assert out.code == 1
    assert "region" in screen(shown)[-1]
