from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from unit_tests import descriptions

if not descriptions.FOLDER.is_dir():
    pytest.skip("Mixpanel's descriptions are not there", allow_module_level=True)

SUITE = """
import urllib.request

from mixpanel_emulator.options import EmulatorOptions
from mixpanel_emulator.server import EmulatorServer


def ask(path):
    with EmulatorServer(EmulatorOptions(empty=True)) as server:
        made = urllib.request.Request(server.base_url + path)
        made.add_header("Authorization", "Basic demo.sa.mp-service-account:" + SECRET)
        urllib.request.urlopen(made).read()


SECRET = "local-service-account-secret-7"


def test_known():
    ask("/api/app/me")


def test_new():
    ask("/api/query/cohorts/list?project_id=12345678&workspace_id=1")


def test_odd():
    ask("/api/app/projects/12345678/annotations?page_size=5")
"""


def run(folder: Path, *more: str) -> str:
    """What a run of a small suite says."""
    suite = folder / "test_small.py"
    suite.write_text(SUITE)
    plugins = ["-p", "unit_tests.judging", "-p", "xdist", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, "--rootdir", str(folder), *more]
    empty = folder / "pytest.ini"
    empty.write_text("[pytest]\n")
    done = subprocess.run(  # noqa: S603 - our own suite
        [*command, "-c", str(empty), str(suite)],
        capture_output=True,
        check=False,
        cwd=descriptions.ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        text=True,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_only_the_test_that_saw_something_new_fails_and_counts_are_joined(tmp_path: Path) -> None:
    said = run(tmp_path, "-n", "2")
    assert "3 requests and 3 answers judged by Mixpanel's descriptions" in said
    assert "1         1  GET /api/app/me" in said
    assert "annotations` | request | `page_size: not described` |" in said
    assert "3 passed, 1 error" in said
