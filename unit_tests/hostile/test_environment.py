"""What the machine has too little of, or does otherwise, is told in a sentence."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unit_tests.builders import DAY_MS, NOON_10_MARCH_MS, bare, event
from unit_tests.harness import Output, configured, multiset
from unit_tests.hostile.test_secrets import listening
from unit_tests.project import Project

HOUR = 3600.0
YEAR = 365 * 24 * HOUR
OVERLAP_MS = 3_600_000


def refused(out: Output, kind: str, *words: str) -> None:
    """One sentence of that kind, whatever the verb."""
    error = out.errors[0]
    assert out.code == 1
    assert error["failure_type"] == kind
    assert all(word in error["message"] for word in words), error["message"]
    assert "Traceback" not in error["message"]
    assert "Something went wrong" not in error["message"]
    assert out.stderr == ""


def bulky(count: int) -> list[dict[str, Any]]:
    """Events that no compression makes small."""
    chance = random.Random(3)  # noqa: S311 - made-up data
    return [event(insert_id=f"i-{n}", x=chance.randbytes(1000).hex()) for n in range(count)]


def alone(
    files: dict[str, Any],
    folder: Path,
    *,
    verb: str = "read",
    before: Callable[[], None] | None = None,
    stdout: Any = subprocess.PIPE,
    **env: str,
) -> tuple[int, list[dict[str, Any]], str]:
    """A run in a process of its own: exit code, messages, standard error."""
    args = [sys.executable, "-m", "source_mixpanel", verb]
    for name, content in files.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content))
        args += [f"--{name}", str(path)]
    done = subprocess.run(  # noqa: S603 - our own module
        args,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **env},
        preexec_fn=before,
        check=False,
    )
    lines = (done.stdout or b"").splitlines()
    return done.returncode, [json.loads(line) for line in lines], done.stderr.decode()


# -- disk and files --------------------------------------------------------------------------


def test_a_full_disk_ends_the_stream_and_the_next_sync_is_whole(project: Project) -> None:
    project.mixpanel.add_events(bulky(1500))
    stream = project.discover()["export"]
    out = project.sync(stream, limits={"RLIMIT_FSIZE": 700_000}, tries=2)
    refused(out, "system_error", "disk for temporary files is full", "TMPDIR")
    again = project.sync("export", state=out.state_file() or None)
    ids = [row["insert_id"] for row in (*out.records(), *again.records())]
    assert multiset(ids) == multiset(f"i-{n}" for n in range(1500))


def test_a_missing_temporary_directory_is_made_up_for(project: Project) -> None:
    project.mixpanel.add_events([event()])
    stream = project.discover()["export"]
    out = project.sync(stream, mode="full_refresh", env={"TMPDIR": "/no/such/place"})
    assert (out.code, len(out.records())) == (0, 1)


@pytest.mark.parametrize("verb", ["check", "read"])
def test_without_any_temporary_directory_it_says_what_to_set(
    project: Project, tmp_path: Path, verb: str
) -> None:
    files = {"config": project.config}
    if verb == "read":
        files["catalog"] = configured([bare("export")])

    def nothing_to_write() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    code, messages, stderr = alone(files, tmp_path, verb=verb, before=nothing_to_write)
    assert (code, stderr) == (1, "")
    [error] = [m["trace"]["error"] for m in messages if m["type"] == "TRACE"]
    assert "needs a directory for temporary files" in error["message"]
    assert project.mixpanel.journal() == []


@pytest.mark.parametrize("limit", [1, 3, 4, 5, 6, 7, 8, 9, 64])
def test_too_few_open_files_are_told_or_enough(project: Project, limit: int) -> None:
    project.mixpanel.add_events([event()])
    stream = project.discover()["export"]
    out = project.sync(stream, mode="full_refresh", limits={"RLIMIT_NOFILE": limit}, tries=2)
    if out.code == 0:
        assert (limit > 6, len(out.records())) == (True, 1)
    else:
        assert limit < 64
        refused(out, "system_error", "limit of open files", "ulimit -n")


# -- standard output -------------------------------------------------------------------------


def test_output_that_cannot_be_written_is_told_on_standard_error(
    project: Project, tmp_path: Path
) -> None:
    project.mixpanel.add_events(bulky(50))
    files = {"config": project.config, "catalog": configured([bare("export")])}
    with Path("/dev/full").open("wb") as full:
        code, _, stderr = alone(files, tmp_path, stdout=full)
    assert code == 1
    assert stderr == (
        "The connector's output cannot be written (No space left on device); the sync stops.\n"
    )


def test_no_output_at_all_is_told_on_standard_error(project: Project, tmp_path: Path) -> None:
    files = {"config": project.config, "catalog": configured([bare("export")])}
    code, _, stderr = alone(files, tmp_path, before=lambda: os.close(1), stdout=None)
    assert (code, stderr) == (1, "The connector has no standard output to write to.\n")
    assert project.mixpanel.journal() == []


def test_what_libraries_say_on_standard_error_stays_there(project: Project, tmp_path: Path) -> None:
    """Airbyte's print buffer takes it, and would print it among the messages."""
    project.mixpanel.add_events([event(insert_id="a")])
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, threading\n"
        "start = threading.Thread.start\n"
        "def loud(self):\n"
        "    print('a warning', file=sys.stderr)\n"
        "    start(self)\n"
        "threading.Thread.start = loud\n"
    )
    files = {"config": project.config, "catalog": configured([bare("export")])}
    path = os.pathsep.join([str(tmp_path), *sys.path])
    code, messages, stderr = alone(files, tmp_path, PYTHONPATH=path)
    assert code == 0
    assert [m["record"]["data"]["insert_id"] for m in messages if m["type"] == "RECORD"] == ["a"]
    assert set(stderr.splitlines()) == {"a warning"}


def test_the_output_is_utf_8_whatever_the_locale(project: Project, tmp_path: Path) -> None:
    name = "Grüße \u2028 日本 \U0001f600"
    odd: dict[str, Any] = {name: name}
    project.mixpanel.add_events([event(name, **odd)])
    files = {"config": project.config, "catalog": configured([bare("export")])}
    env: dict[str, Any] = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    code, messages, stderr = alone(files, tmp_path, **env)
    assert (code, stderr) == (0, "")
    [row] = [m["record"]["data"] for m in messages if m["type"] == "RECORD"]
    assert row["event"] == row[name] == name


# -- the network -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "env", "kind", "words"),
    [
        (
            {"api_url": "https://no-such-host.invalid"},
            {},
            "transient_error",
            ["no-such-host.invalid could not be found by name (DNS)"],
        ),
        (
            {"api_url": "https://127.0.0.1:1"},
            {},
            "transient_error",
            ["could not be reached", "127.0.0.1 did not accept the connection", "refused"],
        ),
        (
            {"api_url": "https://example.com"},
            {"https_proxy": "http://user:p4ss-w0rd@127.0.0.1:1"},
            "transient_error",
            ["could not be reached", "the proxy named in https_proxy did not connect"],
        ),
    ],
    ids=["no such host", "nobody listens", "no proxy"],
)
def test_what_keeps_mixpanel_out_of_reach_is_named(
    project: Project, settings: dict[str, Any], env: dict[str, str], kind: str, words: list[str]
) -> None:
    no_proxy = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), "")
    run = {"env": {**no_proxy, "NO_PROXY": "", "no_proxy": "", **env}, "tries": 2}
    away = project.using(**settings)
    out = away.sync(bare("export"), mode="full_refresh", **run)
    refused(out, kind, *words)
    assert "p4ss-w0rd" not in out.raw.decode()
    checked = away.run("check", **run)
    [status] = checked.of("CONNECTION_STATUS")
    assert status["status"] == "FAILED"
    assert words[-1] in status["message"]


def test_a_server_that_does_not_speak_tls_is_named(project: Project) -> None:
    with listening("127.0.0.1") as (url, _):
        away = project.using(api_url=url.replace("http:", "https:"))
        out = away.sync(bare("export"), tries=2)
    refused(out, "transient_error", "127.0.0.1 does not speak TLS as it should")


# -- the clock -------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [-50 * YEAR, -YEAR, -2 * HOUR, 2 * HOUR, YEAR, 1000 * YEAR])
def test_a_clock_that_is_set_during_a_sync_moves_nothing(project: Project, jump: float) -> None:
    project.config["date_window_size"] = 2
    project.mixpanel.add_events([event(insert_id=f"i-{n}", days_ago=n) for n in range(8)])
    project.discover()
    late = NOON_10_MARCH_MS + 60_000
    states: list[dict[str, Any]] = []
    for reading in (1, 2, 4, 7, 11):
        out = project.sync("export", jumps={reading: jump})
        assert out.code == 0, out.log
        assert len(out.records()) == 8
        state, states = out.stream_state("export"), out.state_file()
        assert state["covered"][-1][2] <= project.mixpanel.now_ms() - OVERLAP_MS + 2000
        assert state["covered"][-1][1] == "2026-03-10"
    lost = event(insert_id="late", days_ago=7, mp_processing_time_ms=late)
    assert lost["properties"]["time"] == NOON_10_MARCH_MS - 7 * DAY_MS
    project.mixpanel.add_events([lost])
    again = project.sync("export", state=states)
    assert "late" in [row["insert_id"] for row in again.records()]
