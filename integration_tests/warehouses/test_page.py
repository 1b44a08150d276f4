"""The demo's page, as a browser without a network shows it."""

from __future__ import annotations

import html
import re
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from examples.page import write_page
from integration_tests.warehouses import modelled
from integration_tests.warehouses.appends import Appends
from integration_tests.warehouses.merging import SYSTEMS, ZONE, Life
from integration_tests.warehouses.test_models import STEPS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def chromium() -> str:
    """Where Chromium is; it is installed where that can be done."""
    script = ROOT / "scripts" / "have_chromium.sh"
    found = subprocess.run([script], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if found.returncode:
        pytest.skip(f"no Chromium to open the page with: {found.stderr.strip()[-200:]}")
    return found.stdout.strip()


def seen(chromium: str, page: Path) -> tuple[str, str]:
    """The words that a page shows once its scripts have run, and what its console says."""
    done = subprocess.run(  # noqa: S603 - a browser
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000",
         "--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND",
         f"--user-data-dir={page.parent / 'profile'}", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    shown = re.sub(r"<(script|style)\b.*?</\1>", " ", done.stdout, flags=re.DOTALL)
    console = "\n".join(re.findall(r".*CONSOLE.*", done.stderr))
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split()), console


def test_the_page_shows_the_figures(
    life_of: Callable[[str], Life], chromium: str, tmp_path: Path
) -> None:
    life = life_of(SYSTEMS[0])
    done = life.done
    with closing(Appends(tmp_path / "warehouse.duckdb")) as warehouse:
        for sync in life.syncs:
            warehouse.land(sync)
    page = tmp_path / "report.html"
    write_page(warehouse.path, page, ZONE)
    words, console = seen(chromium, page)
    assert console == ""
    people, sessions = len(modelled.by_person(done)), len(modelled.sessions(done))
    for told in (
        f"{len(done):,} events in the warehouse",
        f"{people} people",
        f"{sessions:,} sessions",
        "Events a day",
        "Active users",
        "Reconciliation",
        "late 1 1 3 The rest came in after",
    ):
        assert told in words, told
    for step, users in zip(STEPS, modelled.funnel(done, STEPS, 7), strict=True):
        assert step in words
        assert re.search(rf"\b{users} \d+%", words), step
    grid = words[words.index("Retention") : words.index("Reconciliation")]
    for (entered, week), users in modelled.retention(done).items():
        assert f"from {entered}" in grid
        assert re.search(rf"\bweek {week}\b", grid)
        assert re.search(rf"\b{users:,}\b", grid), (entered, week)
