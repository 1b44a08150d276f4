"""What is loaded before anything is done."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from unit_tests.project import Project

_RUN = """
import json, sys
from source_mixpanel.run import run
try:
    run()
finally:
    sys.stderr.write(json.dumps({"loaded": sorted(sys.modules)}) + "\\n")
"""

ROOMS = ("events", "profiles", "reports", "lists")
ASKED_BY_CHECK = {"events.request", "events.window"}
"""What `check` asks with, and what that builds on."""


def loaded(*args: str) -> set[str]:
    """The modules of streams that a process of its own has loaded when a verb is done."""
    command = [sys.executable, "-c", _RUN, *args]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    [told] = [line for line in done.stderr.splitlines() if line.startswith('{"loaded"')]
    names = (name.removeprefix("source_mixpanel.") for name in json.loads(told)["loaded"])
    return {name for name in names if name.startswith(tuple(f"{room}." for room in ROOMS))}


def test_spec_loads_no_stream_but_what_check_asks_with() -> None:
    assert loaded("spec") == ASKED_BY_CHECK


def test_check_loads_no_more(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(project.config))
    assert loaded("check", "--config", str(path)) == ASKED_BY_CHECK


def test_discover_loads_them_all(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(project.config))
    package = Path(__file__).parents[1] / "source_mixpanel"
    modules = {f"{room}.{file.stem}" for room in ROOMS for file in (package / room).glob("*.py")}
    packages = {f"{room}.__init__" for room in ROOMS}
    assert loaded("discover", "--config", str(path)) == modules - packages


def test_help_is_there_without_the_cdk() -> None:
    code = (
        "import sys; from source_mixpanel.run import run; sys.argv = ['source-mixpanel', '--help']"
    )
    code += """
try:
    run()
finally:
    print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert "usage" in done.stdout.lower()
    assert "airbyte_cdk" not in done.stdout.split()


_PLATFORM = {"airbyte_cdk", "airbyte_protocol_dataclasses", "requests", "urllib3"}


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        (
            "api.spool, events.line_maker, events.worker, profiles.rows, columns.fitting",
            _PLATFORM,
        ),
        ("config.model, events.window_queue, errors, texts.masking", _PLATFORM),
        ("api.client, api.lists", _PLATFORM - {"requests", "urllib3"}),
    ],
)
def test_the_core_loads_no_cdk_and_what_makes_lines_no_http_library(
    modules: str, heavy: set[str]
) -> None:
    names = ", ".join(f"source_mixpanel.{name}" for name in modules.split(", "))
    code = f"import {names}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert heavy.isdisjoint(done.stdout.split())
