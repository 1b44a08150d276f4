"""What the README says to do with one's own project, done in a copy of the clone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from mixpanel_emulator.options import EmulatorOptions, connector_config
from mixpanel_emulator.server import EmulatorServer
from unit_tests.builders import event
from unit_tests.documents import blocks, shell

pytestmark = pytest.mark.clients

ROOT = Path(__file__).parent.parent
TOOLS = ROOT / ".venv" / "bin"
WEEKS = {"2026-02-23": 2, "2026-03-02": 5, "2026-03-09": 2}
"""How many people do something in the week from a Monday."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clone that is set up, with the settings of a project of one's own."""
    made = tmp_path_factory.mktemp("clone") / "source-mixpanel"
    shutil.copytree(ROOT, made, ignore=shutil.ignore_patterns(".*", "build", "__pycache__"))
    for environment in (".venv", ".venv-pyairbyte"):
        (made / environment).symlink_to(ROOT / environment)
    options = EmulatorOptions(empty=True, quota=False, now="2026-03-10T12:00:00Z")
    with EmulatorServer(options) as server:
        for monday, people in WEEKS.items():
            ago = (date(2026, 3, 10) - date.fromisoformat(monday)).days
            server.control.add_events(
                [
                    event(insert_id=f"{monday}-{n}", days_ago=ago, distinct_id=f"u-{n}")
                    for n in range(people)
                ]
            )
        config = connector_config(server.base_url, date(2026, 2, 20))
        (made / "config.json").write_text(json.dumps(config))
        yield made


def run(script: str, clone: Path, commands: Path = TOOLS) -> str:
    """What a block prints."""
    done = shell(script, clone, commands)
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


def test_three_commands_bring_a_project_into_duckdb_with_answers(clone: Path) -> None:
    commands, query = blocks("README.md", "From sync to answer", "sh")
    for _ in range(2):
        run(commands, clone)
        weeks = re.findall(r"(\d{4}-\d\d-\d\d)\W+(\d+)", run(query, clone))
        assert {week: int(users) for week, users in weeks} == WEEKS


def test_it_is_installed_by_pip(clone: Path, tmp_path: Path) -> None:
    [install] = blocks("README.md", "Installing it", "sh")
    subprocess.run([sys.executable, "-m", "venv", tmp_path], check=True)  # noqa: S603 - ours
    run(install, clone, tmp_path / "bin")
    installed = shell("command -v source-mixpanel", clone, tmp_path / "bin").stdout.strip()
    assert Path(installed).parent == tmp_path / "bin"
    assert "SUCCEEDED" in run(f"{installed} check --config config.json", clone)


def test_uv_runs_it_without_an_installation(clone: Path) -> None:
    [check] = blocks("README.md", "With uv", "sh")
    assert "SUCCEEDED" in run(check, clone)
