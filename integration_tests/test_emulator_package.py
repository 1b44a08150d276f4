"""The local Mixpanel as a package of its own: built, installed where nothing else is, and used."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from unit_tests.harness import Command

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")


def uv(*args: str | Path) -> None:
    command = [str(UV), *map(str, args)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment that holds the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("package")
    python = folder / "env" / "bin" / "python"
    here = ("--no-build-isolation", "--python", sys.executable)
    uv("build", "--quiet", "--wheel", *here, "--out-dir", folder, ROOT / "mixpanel_emulator")
    uv("venv", "--quiet", "--python", sys.executable, folder / "env")
    locked = ("--require-hashes", "--requirement", ROOT / "requirements" / "emulator.txt")
    uv("pip", "install", "--quiet", "--python", python, *locked)
    [wheel] = folder.glob("*.whl")
    uv("pip", "install", "--quiet", "--python", python, "--no-deps", "--no-index", wheel)
    uv("pip", "check", "--quiet", "--python", python)
    return python.parent


@pytest.fixture
def guide(scripts: Path, tmp_path: Path) -> Iterator[str]:
    """What the command tells, while it serves; Ctrl-C has to end it."""
    options = ["--quota", "off", "--seed", "7", "--events", "300", "--days", "4", "--port", "0"]
    with subprocess.Popen(  # noqa: S603 - our own
        [scripts / "mixpanel-emulator", *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or "Ctrl-C" not in lines[-1]:
            line = process.stdout.readline()
            assert line, "the command ended by itself"
            lines.append(line)
        yield "".join(lines)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def config_of(guide: str) -> dict[str, Any]:
    """The config that it prints."""
    start = guide.index("{")
    config, _ = json.JSONDecoder().raw_decode(guide[start:])
    return dict(config)


def test_the_config_that_it_prints_is_one_for_the_connector(guide: str, command: Command) -> None:
    config = config_of(guide)
    told = command.run("check", config=config)
    assert told.of("CONNECTION_STATUS")[0]["status"] == "SUCCEEDED", told.log


def test_the_curl_that_it_prints_shows_events(guide: str) -> None:
    [(user, secret, url)] = re.findall(r'curl -u ([^:]+):(\S+) "([^"]+)"', guide)
    answer = requests.get(url, auth=(user, secret), timeout=20)
    rows = [json.loads(line) for line in answer.content.split(b"\n") if line]
    assert len(rows) == 3
    assert all(row["event"] and row["properties"]["time"] for row in rows)


def test_limits_are_off_and_events_are_as_many_as_told(guide: str) -> None:
    assert "300 events from seed 7, rate limits off" in guide
    url = config_of(guide)["api_url"]
    settings = requests.get(url + "/_emulator/configure", timeout=20).json()
    assert settings["quota"] is False


def test_nothing_of_the_connector_is_there(scripts: Path, tmp_path: Path) -> None:
    def imports(name: str) -> int:
        command = [str(scripts / "python"), "-I", "-c", f"import {name}"]
        return subprocess.run(command, capture_output=True, check=False, cwd=tmp_path).returncode  # noqa: S603

    assert imports("mixpanel_emulator.server") == 0
    assert imports("source_mixpanel") != 0
    assert imports("requests") != 0
