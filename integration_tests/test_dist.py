"""The wheel of `make dist`, in an environment of its own, does the connector's work."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from mixpanel_emulator.options import EmulatorOptions, connector_config
from mixpanel_emulator.server import EmulatorServer
from unit_tests.builders import event
from unit_tests.harness import Output, configured, expected_export, multiset

pytestmark = pytest.mark.dist

ROOT = Path(__file__).parent.parent
COMMAND = ROOT / ".venv-dist" / "bin" / "source-mixpanel"


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    options = EmulatorOptions(
        events=2_000, days=9, profiles=50, quota=False, now="2026-03-10T12:00:00Z", timezone="UTC"
    )
    with EmulatorServer(options) as running:
        yield running


def run(folder: Path, verb: str, **files: Any) -> Output:
    """One run of the installed command, in a folder that holds nothing but its files."""
    command = [str(COMMAND), verb]
    for kind, content in files.items():
        (folder / f"{kind}.json").write_text(json.dumps(content))
        command += [f"--{kind}", f"{kind}.json"]
    done = subprocess.run(command, capture_output=True, check=False, cwd=folder, timeout=300)  # noqa: S603
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    return Output(done.returncode, messages, done.stderr.decode(), done.stdout)


def test_it_moves_a_project_and_then_what_is_new(server: EmulatorServer, tmp_path: Path) -> None:
    config = connector_config(server.base_url, date(2026, 3, 1))
    assert run(tmp_path, "spec").of("SPEC")
    assert run(tmp_path, "check", config=config).of("CONNECTION_STATUS") == [
        {"status": "SUCCEEDED"}
    ]
    streams = run(tmp_path, "discover", config=config).streams()
    assert run(tmp_path, "read", config=config, catalog=configured(streams)).code == 0
    catalog = configured([streams["export"]], "incremental")
    first = run(tmp_path, "read", config=config, catalog=catalog)
    want = expected_export(server.control.events(), streams["export"])
    assert multiset(first.records()) == multiset(want)
    server.control.advance(7_200)
    server.control.add_events([event(insert_id="new", days_ago=-0.05)])
    second = run(tmp_path, "read", config=config, catalog=catalog, state=first.state_file())
    assert "new" in {row["insert_id"] for row in second.records()}
    assert len(second.records()) < len(first.records()) / 2


def test_it_holds_the_connector_and_nothing_of_ours_beside() -> None:
    ours = {str(path.relative_to(ROOT)) for path in ROOT.glob("source_mixpanel/**/*.py")}
    [wheel], [sdist] = ROOT.glob("dist/*.whl"), ROOT.glob("dist/*.tar.gz")
    packed = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert {name for name in packed if name.endswith(".py")} == ours
    assert all(name.startswith("source_mixpanel/") for name in packed)
    with tarfile.open(sdist) as opened:
        folders = {Path(name).parts[1] for name in opened.getnames()}
    assert folders == {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "source_mixpanel"}
