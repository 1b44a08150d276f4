"""House rules that a machine can hold."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("source_mixpanel", "mixpanel_emulator")
FOLDERS = (
    *PACKAGES,
    "benchmarks",
    "examples",
    "fuzz",
    "integration_tests",
    "peers",
    "scripts",
    "unit_tests",
    "warehouse",
)


def _python_in(folders: Iterable[str]) -> list[Path]:
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path.relative_to(ROOT) for path in found)


FILES = _python_in(FOLDERS)
MODULES = _python_in(PACKAGES)
OURS = [path for path in MODULES if path.parts[0] == "source_mixpanel"]
MOST_LINES_OF_A_FUNCTION = 40
TIME_CALLS = {
    "time.sleep",
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.perf_counter",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "datetime.datetime.now",
    "datetime.date.today",
}
TIME_NAMES = {"sleep", "time", "monotonic", "perf_counter", "time_ns"}


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _time_calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _dotted(node.func) in TIME_CALLS:
            yield _dotted(node.func)
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (alias.name for alias in node.names if alias.name in TIME_NAMES)


def _long_functions(tree: ast.Module) -> list[tuple[str, int, int]]:
    """Name, line and length of each."""
    lengths = (
        (node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )
    return [found for found in lengths if found[2] > MOST_LINES_OF_A_FUNCTION]


def _prints(tree: ast.Module) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _dotted(node.func) in ("print", "pprint")
    ]


def test_there_are_modules_to_look_at() -> None:
    assert Path("source_mixpanel/times/clock.py") in OURS
    assert len(FILES) > len(MODULES) > len(OURS) > 20
    # Hidden ones are environments and caches.
    folders = {path.parent.name for path in ROOT.glob("[!.]*/*.py")}
    assert folders == set(FOLDERS)


def test_a_long_function_is_seen_beside_a_short_one_of_the_same_name() -> None:
    long = "def state():\n" + "    x = 1\n" * MOST_LINES_OF_A_FUNCTION
    code = f"{long}def state():\n    pass\n"
    assert _long_functions(ast.parse(code)) == [("state", 1, MOST_LINES_OF_A_FUNCTION + 1)]


@pytest.mark.parametrize(
    "code",
    [
        "import time\ntime.sleep(1)",
        "from time import sleep",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\nx = [datetime.datetime.now(datetime.timezone.utc)]",
    ],
)
def test_the_watch_sees_every_way_to_the_machines_clock(code: str) -> None:
    assert list(_time_calls(ast.parse(code)))


@pytest.mark.parametrize("path", OURS, ids=str)
def test_only_the_clock_knows_the_time_and_how_to_wait(path: Path) -> None:
    found = list(_time_calls(_tree(path)))
    assert bool(found) == (path == Path("source_mixpanel/times/clock.py"))


@pytest.mark.parametrize("path", OURS, ids=str)
def test_nothing_is_printed_past_the_protocol(path: Path) -> None:
    # The entry point writes the protocol itself, in one place.
    allowed = 1 if path == Path("source_mixpanel/entrypoint.py") else 0
    assert len(_prints(_tree(path))) == allowed


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_function_fits_on_one_screen(path: Path) -> None:
    assert _long_functions(_tree(path)) == []


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(_tree(path))
