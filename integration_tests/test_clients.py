"""Other people's clients: PyAirbyte into DuckDB and PostgreSQL, airbyte-serverless into files.

A full refresh, two incremental syncs, and the rows are Mixpanel's: merged by key, or once a run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from integration_tests import postgres
from mixpanel_emulator.control_client import ControlClient
from mixpanel_emulator.options import EmulatorOptions, connector_config
from mixpanel_emulator.server import EmulatorServer
from unit_tests.builders import NOON_10_MARCH_MS, event
from unit_tests.documents import blocks

pytestmark = pytest.mark.clients

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / ".venv-pyairbyte" / "bin" / "python"
SERVERLESS = ROOT / ".venv-serverless" / "bin" / "python"
STREAMS = ("export", "engage", "cohorts")
EVENTS, PROFILES = 40, 20


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    options = EmulatorOptions(
        events=0,
        days=9,
        profiles=PROFILES,
        quota=False,
        now="2026-03-10T12:00:00Z",
        timezone="UTC",
    )
    with EmulatorServer(options) as running:
        yield running


@pytest.fixture
def mixpanel(server: EmulatorServer) -> ControlClient:
    control = server.control
    control.reset()
    control.seed(7, events=0, profiles=PROFILES)
    control.add_events([event(insert_id=f"i-{n}", days_ago=n / 5, n=n) for n in range(EVENTS)])
    return control


@pytest.fixture
def config(server: EmulatorServer, tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(connector_config(server.base_url, date(2026, 3, 1))))
    return path


def _run(work: Path, script: str, *args: str, python: Path = PYTHON) -> dict[str, Any]:
    """What an example printed last."""
    environment = {
        **os.environ,
        "AIRBYTE_PROJECT_DIR": str(work),
        "PGPASSWORD": postgres.PASSWORD,
        "SOURCE_MIXPANEL": str(ROOT / ".venv" / "bin" / "source-mixpanel"),
    }
    done = subprocess.run(  # noqa: S603 - our own script
        [str(python), str(ROOT / "examples" / script), *args],
        capture_output=True, text=True, check=False, env=environment, cwd=work, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _five_more(mixpanel: ControlClient) -> None:
    """Two hours later there are five events more; most of them happened days ago."""
    mixpanel.advance(7_200)
    fresh = [event(insert_id=f"new-{n}", days_ago=n - 0.05) for n in range(5)]
    for entry in fresh:
        entry["properties"]["mp_processing_time_ms"] = NOON_10_MARCH_MS + 7_000_000
    mixpanel.add_events(fresh)


def _three_syncs(mixpanel: ControlClient, work: Path, script: str, *args: str) -> None:
    """Everything; nothing but the overlap; what is new. The rows are Mixpanel's, each once."""
    people = len(mixpanel.truth("engage"))
    cohorts = len(mixpanel.truth("cohorts"))
    first = _run(work, script, *args, "--full")
    assert first["rows"] == {"export": EVENTS, "engage": people, "cohorts": cohorts}
    second = _run(work, script, *args)
    assert second["rows"] == first["rows"]
    assert second["processed"] < first["processed"]
    _five_more(mixpanel)
    third = _run(work, script, *args)
    assert third["rows"] == {**first["rows"], "export": EVENTS + 5}
    assert len(mixpanel.events()) == EVENTS + 5


def test_duckdb(mixpanel: ControlClient, config: Path, tmp_path: Path) -> None:
    database = str(tmp_path / "warehouse.duckdb")
    _three_syncs(mixpanel, tmp_path, "to_duckdb.py", str(config), database, *STREAMS)


def test_postgres(mixpanel: ControlClient, config: Path, tmp_path: Path) -> None:
    with postgres.running() as server:
        where = (server.host, str(server.port), postgres.DATABASE, postgres.USER)
        _three_syncs(mixpanel, tmp_path, "to_postgres.py", str(config), *where, *STREAMS)
        counted = "SELECT count(*), count(DISTINCT insert_id) FROM mixpanel.export"
        assert server.run(counted) == f"{EVENTS + 5}|{EVENTS + 5}"
        _local_clock_is_set_right(server)


def _local_clock_is_set_right(server: postgres.Postgres) -> None:
    """The UPDATE of docs/migrating.md: noon in Los Angeles, once as noon UTC, once right."""
    page = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")
    [statement] = re.findall(r"```sql postgres\n(.+?)```", page, re.DOTALL)
    statement, moments = re.subn("'<[^>]+>'", "'2021-07-03T08:00:00Z'", statement)
    assert moments == 1
    server.run(
        "CREATE TABLE export (time timestamptz, _airbyte_extracted_at timestamptz); "
        "INSERT INTO export VALUES ('2021-07-01T12:00:00Z', '2021-07-02T08:00:00Z'), "
        "('2021-07-01T19:00:00Z', '2021-07-03T08:00:00Z')"
    )
    server.run(statement)
    assert server.run("SELECT DISTINCT time = '2021-07-01T19:00:00Z' FROM export") == "t"


def test_airbyte_serverless(mixpanel: ControlClient, config: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lake"

    def run() -> dict[str, int]:
        args = (str(config), str(folder), "export", "cohorts")
        return dict(_run(tmp_path, "to_jsonl.py", *args, python=SERVERLESS)["rows"])

    cohorts = len(mixpanel.truth("cohorts"))
    assert run() == {"export": EVENTS, "cohorts": cohorts}
    second = run()
    assert second["cohorts"] == cohorts
    assert second.get("export", 0) < EVENTS
    _five_more(mixpanel)
    third = run()
    assert third["export"] < EVENTS
    lines = (folder / "export.jsonl").read_text("utf-8").split("\n")[:-1]
    assert len(lines) == EVENTS + second.get("export", 0) + third["export"]
    assert len({json.loads(line)["insert_id"] for line in lines}) == EVENTS + 5


def test_the_block_of_the_readme_works_by_copying(
    mixpanel: ControlClient, config: Path, tmp_path: Path
) -> None:
    [block] = blocks("README.md", "From PyAirbyte", "python")
    path = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
    own = {"AIRBYTE_PROJECT_DIR": str(tmp_path), "AIRBYTE_OFFLINE_MODE": "1", "PATH": path}
    done = subprocess.run(  # noqa: S603 - our own document
        [str(PYTHON), "-c", block],
        capture_output=True, text=True, check=False, env={**os.environ, **own}, cwd=config.parent,
        timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-4000:]}"
    assert f"[{len(mixpanel.events())} rows x" in done.stdout
