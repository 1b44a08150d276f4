"""`make demo`: what it leaves is where its last lines say, and its queries run as printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unit_tests.documents import blocks, shell

pytestmark = pytest.mark.clients

ROOT = Path(__file__).parent.parent


def run(script: str, **env: str) -> str:
    """What a command of ours prints."""
    done = shell(script, ROOT, ROOT / ".venv" / "bin", **env)
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def test_the_demo_leaves_a_file_a_page_and_three_queries(tmp_path: Path) -> None:
    [command] = blocks("README.md", "One command", "sh")
    said = run(command, KEEP=str(tmp_path))
    assert re.search(r"^EQUAL$", said, re.MULTILINE)
    last = said.strip().splitlines()[-9:]
    [database] = [Path(line.split()[-1]) for line in last if line.startswith("What landed: ")]
    [page] = [Path(line.split()[-1]) for line in last if line.startswith("A page of it: ")]
    assert database.is_file()
    assert "Retention" in page.read_text("utf-8")
    queries = [line.strip() for line in last if line.startswith("  ")]
    answers = [run(query) for query in queries]
    weeks, cities, verdicts = answers
    assert re.search(r"\d{4}-\d\d-\d\d .* [1-9]\d* ", weeks)
    assert "München" in cities
    assert "The two agree." in verdicts
