"""`make demo`: what it leaves is where its last lines say, and its queries run as printed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.clients

ROOT = Path(__file__).parent.parent


def run(*command: str) -> str:
    """What a command prints."""
    done = subprocess.run(  # noqa: S603 - our own demo, and what it prints
        command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=500
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def test_the_demo_leaves_a_file_a_page_and_three_queries(tmp_path: Path) -> None:
    said = run(".venv/bin/python", "examples/demo.py", "--keep", str(tmp_path))
    assert re.search(r"^EQUAL$", said, re.MULTILINE)
    last = said.strip().splitlines()[-9:]
    [database] = [Path(line.split()[-1]) for line in last if line.startswith("What landed: ")]
    [page] = [Path(line.split()[-1]) for line in last if line.startswith("A page of it: ")]
    assert database.is_file()
    assert "Retention" in page.read_text("utf-8")
    queries = [line.strip() for line in last if line.startswith("  ")]
    answers = [run("sh", "-c", query) for query in queries]
    weeks, cities, verdicts = answers
    assert re.search(r"\d{4}-\d\d-\d\d .* [1-9]\d* ", weeks)
    assert "München" in cities
    assert "The two agree." in verdicts
