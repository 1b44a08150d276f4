"""The image against the local Mixpanel, as the platform runs it (`make test-image`)."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from integration_tests.docker_image import IMAGE, UID_OF_THE_BASE, Container, docker
from mixpanel_emulator.control_client import ControlClient
from mixpanel_emulator.options import EmulatorOptions, connector_config
from mixpanel_emulator.server import EmulatorServer
from unit_tests.builders import event
from unit_tests.documents import blocks, shell
from unit_tests.harness import Output, configured, expected_export, multiset

pytestmark = pytest.mark.image_tests

ROOT = Path(__file__).parent.parent
Run = Callable[..., Output]


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    options = EmulatorOptions(empty=True, quota=False, now="2026-03-10T12:00:00Z", timezone="UTC")
    with EmulatorServer(options) as running:
        yield running


@pytest.fixture
def mixpanel(server: EmulatorServer) -> ControlClient:
    control = server.control
    control.reset()
    control.seed(7, events=2_000, days=9, profiles=50)
    return control


@pytest.fixture
def config(server: EmulatorServer) -> dict[str, Any]:
    return {**connector_config(server.base_url, date(2026, 3, 1)), "date_window_size": 1}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(verb: str, **files: Any) -> Output:
        return Container(verb, tmp_path, **files).end()

    return call


def _export(run: Run, config: dict[str, Any]) -> dict[str, Any]:
    found = run("discover", config=config)
    assert found.code == 0, found.log
    return found.streams()["export"]


# -- what the image is -----------------------------------------------------------------------


def test_labels_entry_point_and_user_are_what_the_platform_expects() -> None:
    [image] = json.loads(docker("image", "inspect", IMAGE))
    settings = image["Config"]
    text = (ROOT / "pyproject.toml").read_text()
    [version] = re.findall(r'^version = "(.+)"$', text, re.MULTILINE)
    assert settings["Labels"]["io.airbyte.name"] == "airbyte/source-mixpanel"
    assert settings["Labels"]["io.airbyte.version"] == version
    environment = dict(entry.split("=", 1) for entry in settings["Env"])
    assert environment["AIRBYTE_ENTRYPOINT"] == " ".join(settings["Entrypoint"])
    assert settings["User"] == "airbyte"
    assert docker("run", "--rm", "--entrypoint=id", IMAGE, "-u").strip() == str(UID_OF_THE_BASE)


def test_it_has_the_python_of_airbytes_base_and_a_list_of_what_is_in_it() -> None:
    assert docker("run", "--rm", "--entrypoint=python", IMAGE, "-V").startswith("Python 3.13.")
    listed = json.loads((ROOT / "dist" / "image.spdx.json").read_text())["packages"]
    names = {package["name"] for package in listed}
    assert {"source-mixpanel", "airbyte-cdk", "libc6"} <= names


def test_it_holds_the_connector_compiled_and_nothing_of_ours_beside() -> None:
    script = """
import importlib.util, json, pathlib, sys
folder = pathlib.Path(importlib.util.find_spec("source_mixpanel").origin).parent
sources = sorted(str(p.relative_to(folder)) for p in folder.rglob("*.py"))
compiled = [p for p in sources if pathlib.Path(
    importlib.util.cache_from_source(folder / p)).exists()]
names = ("mixpanel_emulator", "unit_tests", "integration_tests", "pytest", "uvicorn", "uv", "pip")
print(json.dumps([sources, compiled, [n for n in names if importlib.util.find_spec(n)]]))
"""
    told = docker("run", "--rm", "--entrypoint=python", IMAGE, "-c", script)
    sources, compiled, others = json.loads(told)
    package = ROOT / "source_mixpanel"
    assert "run.py" in sources
    assert set(sources) <= {str(path.relative_to(package)) for path in package.rglob("*.py")}
    assert compiled == sources
    assert others == []


def test_it_is_called_as_meltanos_wrapper_does(config: dict[str, Any], tmp_path: Path) -> None:
    """Two dashes before the command, and one directory for everything, at /tmp."""
    (tmp_path / "config.json").write_text(json.dumps(config))
    tmp_path.chmod(0o777)
    place = f"--volume={tmp_path}:/tmp"
    call = ("run", "--rm", "-i", "--network=host", place, IMAGE, "--")
    told = docker(*call, "check", "--config", "/tmp/config.json")  # noqa: S108 - the container's
    messages = [json.loads(line) for line in told.split("\n") if line]
    [status] = [m["connectionStatus"] for m in messages if m["type"] == "CONNECTION_STATUS"]
    assert status == {"status": "SUCCEEDED"}


# -- the four verbs --------------------------------------------------------------------------


def test_spec(run: Run) -> None:
    out = run("spec")
    [spec] = out.of("SPEC")
    assert (out.code, spec["connectionSpecification"]["required"]) == (0, ["credentials"])


def test_check(run: Run, mixpanel: ControlClient, config: dict[str, Any]) -> None:
    assert mixpanel.events()
    assert run("check", config=config).of("CONNECTION_STATUS") == [{"status": "SUCCEEDED"}]
    config["credentials"]["secret"] = "not-the-secret-1"
    [refused] = run("check", config=config).of("CONNECTION_STATUS")
    assert refused["status"] == "FAILED"
    assert "not-the-secret-1" not in refused["message"]


def test_two_syncs_bring_everything_and_then_what_is_new(
    run: Run, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    stream = _export(run, config)
    catalog = configured([stream], "incremental")
    first = run("read", config=config, catalog=catalog)
    assert first.code == 0, first.log
    assert multiset(first.records()) == multiset(expected_export(mixpanel.events(), stream))
    mixpanel.advance(7_200)
    mixpanel.add_events([event(insert_id="new", days_ago=-0.05)])
    second = run("read", config=config, catalog=catalog, state=first.state_file())
    assert second.code == 0, second.log
    assert "new" in {row["insert_id"] for row in second.records()}
    assert len(second.records()) < len(first.records()) / 2


def test_every_stream_is_read(run: Run, mixpanel: ControlClient, config: dict[str, Any]) -> None:
    assert mixpanel.events()
    streams = run("discover", config=config).streams()
    out = run("read", config=config, catalog=configured(streams))
    assert out.code == 0, out.log
    for name in streams:
        statuses = out.statuses(name)
        assert (statuses[0], statuses[-1]) == ("STARTED", "COMPLETE"), name


def test_sigterm_in_the_middle_loses_nothing(
    run: Run, mixpanel: ControlClient, config: dict[str, Any], tmp_path: Path
) -> None:
    stream = _export(run, config)
    catalog = configured([stream], "incremental")
    last = "2026-03-08"
    mixpanel.add_fault(
        "hang", "/api/2.0/export", query={"from_date": last}, after_bytes=300, seconds=60
    )
    running = Container("read", tmp_path, config=config, catalog=catalog)
    # The first days may be without events; a state of theirs would leave all of them to read.
    while b'"type":"STATE"' not in running.so_far().partition(b'"type":"RECORD"')[2]:
        assert running.running(), running.end().stderr
    assert running.terminate() < 10
    broken = running.end()
    assert broken.code == 143
    mixpanel.clear_faults()
    rest = run("read", config=config, catalog=catalog, state=broken.state_file())
    assert rest.code == 0, rest.log
    want = multiset(expected_export(mixpanel.events(), stream))
    got = multiset(broken.records()) + multiset(rest.records())
    assert got.keys() == want.keys()
    assert not want - got
    assert len(rest.records()) < want.total()


# -- by hand ---------------------------------------------------------------------------------


def _shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run commands of a document in a folder, as the user who runs the tests."""
    image = script.replace("source-mixpanel:dev", IMAGE)
    return shell(image, folder, ROOT / "scripts" / "host_network")


def test_the_commands_of_the_document_work_by_copying(
    mixpanel: ControlClient, config: dict[str, Any], tmp_path: Path
) -> None:
    [build] = blocks("docs/docker.md", "With Docker", "sh")
    [by_hand] = blocks("docs/docker.md", "A sync by hand", "sh")
    [platform] = blocks("docs/docker.md", "As the platform calls it", "sh")
    [in_short] = blocks("README.md", "With Docker", "sh")
    built = shell(build, ROOT, ROOT / ".venv" / "bin", IMAGE=IMAGE)
    assert f"Building {IMAGE}" in built.stderr
    assert f"Built {IMAGE}" in built.stdout
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "config.json").chmod(0o600)
    for script in (in_short, by_hand):
        done = _shell(script, tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    lines = (tmp_path / "records.jsonl").read_text().split("\n")[:-1]
    ids = {
        message["record"]["data"]["insert_id"]
        for message in map(json.loads, lines)
        if message["type"] == "RECORD" and message["record"]["stream"] == "export"
    }
    assert ids == {event["properties"].get("$insert_id") for event in mixpanel.events()}
    kept = tmp_path / "state.json"
    assert {s["stream"]["stream_descriptor"]["name"] for s in json.loads(kept.read_text())} == {
        "export",
        "engage",
    }
    assert kept.stat().st_uid == os.getuid()
    assert '"CATALOG"' in _shell(platform, tmp_path).stdout


def test_a_config_that_its_user_may_not_read_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("{}")
    path.chmod(0o600)
    tmp_path.chmod(0o755)
    done = _shell(
        'docker run --rm --user 4321 --volume "$PWD:/data" source-mixpanel:dev read '
        "--config /data/config.json --streams export",
        tmp_path,
    )
    assert done.returncode == 1
    assert "cannot be read: Permission denied (/data/config.json)." in done.stderr
    assert "The connector runs as user 4321" in done.stderr
    assert 'docker run --user "$(id -u):$(id -g)"' in done.stderr
