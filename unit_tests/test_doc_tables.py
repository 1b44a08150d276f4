"""The tables and the figure of the documentation are what the code says."""

from __future__ import annotations

import importlib.util
import re
from itertools import chain
from pathlib import Path
from types import ModuleType

import pytest

from source_mixpanel.columns.types import COLUMN_SCHEMAS
from source_mixpanel.source import SourceMixpanel
from source_mixpanel.streams.base import MixpanelStream
from unit_tests.builders import REPORTS
from unit_tests.documents import blocks

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("doc_tables", ROOT / "scripts" / "doc_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["README.md", "BEHAVIOR.md", "docs/integration.md"])
def test_tables_are_as_the_code_says(script: ModuleType, page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text == script.filled(ROOT / page, text), "run scripts/doc_tables.py"


def test_every_stream_has_a_line_and_every_line_an_endpoint(script: ModuleType) -> None:
    nobody = {"credentials": {"username": "u", "secret": "s", "project_id": 1}}
    streams = SourceMixpanel().streams({**nobody, "reports": REPORTS})
    names = [f"`{stream.name}`" for stream in streams[: -len(REPORTS)]]
    names += [f"`report_<name>` ({report['kind']})" for report in REPORTS]
    lines = script.streams_table().splitlines()[2:]
    for name, line in zip(names, lines, strict=True):
        assert line.startswith(f"| {name} |")
    assert not any(": ``" in line for line in lines)


def test_every_stream_has_its_place_among_those_that_sync_alike(script: ModuleType) -> None:
    rows = [line.split(" | ") for line in script.syncs_table().splitlines()[2:]]
    told = {name: row[1:] for row in rows for name in row[0].removeprefix("| ").split(", ")}
    for stream in script.every_stream():
        brings, _, goes_on, _ = told.pop(script.title(stream))
        assert (brings == "no such mode: always in full") is not stream.supports_incremental
        assert goes_on == "from the start" or stream.is_resumable
    assert not told


def test_the_page_names_the_streams_of_undocumented_endpoints() -> None:
    nobody = {"credentials": {"username": "u", "secret": "s", "project_id": 1}}
    page = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")
    [told] = re.findall(r"Mixpanel does not document where these.*?:(.*?)\.", page, re.DOTALL)
    undocumented = {
        stream.name
        for stream in SourceMixpanel().streams(nobody)
        if isinstance(stream, MixpanelStream) and not stream.documented
    }
    assert set(re.findall(r"`(\w+)`", told)) == undocumented


def test_a_page_without_marks_is_refused(script: ModuleType) -> None:
    with pytest.raises(ValueError, match="README"):
        script.filled(ROOT / "README.md", "nothing here")


def test_the_figure_has_every_module_once_and_each_below_those_that_import_it() -> None:
    [figure] = blocks("README.md", "How it is built", "mermaid")
    boxes = re.findall(r'^  (layer\d+)\["(.*)"\]$', figure, re.MULTILINE)
    [drawn] = re.findall(r"^  (layer0 --> .*)$", figure, re.MULTILINE)
    assert drawn.split(" --> ") == [name for name, _ in boxes]
    place: dict[str, int] = {}
    for number, (_, told) in enumerate(boxes):
        lines = [
            re.findall(r"<b>(\w+)</b>", x) or re.findall(r"\w+", x) for x in told.split("<br>")
        ]
        for name in chain.from_iterable(lines):
            assert name not in place
            place[name] = number
    package = ROOT / "source_mixpanel"
    found = {path.stem for path in package.glob("*.py")} - {"__init__"}
    found |= {path.parent.name for path in package.glob("*/__init__.py")}
    assert place.keys() == found
    for path in package.rglob("*.py"):
        importer = path.relative_to(package).with_suffix("").parts[0]
        if importer == "__init__":
            continue
        for imported in re.findall(r"^from source_mixpanel\.(\w+)", path.read_text(), re.MULTILINE):
            assert importer == imported or place[importer] < place[imported], path


def test_every_type_that_a_column_can_have_is_told(script: ModuleType) -> None:
    told = script.types_table()
    for schema in COLUMN_SCHEMAS.values():
        assert f"| {script.airbyte_type(schema)} |" in told


def test_the_documentation_tells_the_same_keys_and_cursors() -> None:
    text = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")
    section = text.split("## Supported Streams")[1].split("\n## ")[0]
    told = {
        cells[1].strip("` "): (cells[2].strip(), cells[3].strip())
        for cells in (line.split("|") for line in section.splitlines())
        if cells[1:] and cells[1].startswith(" `")
    }
    nobody = {"credentials": {"username": "u", "secret": "s", "project_id": 1}}
    streams = [s for s in SourceMixpanel().streams(nobody) if isinstance(s, MixpanelStream)]
    for stream in streams:
        modes = "full refresh"
        if stream.supports_incremental:
            modes += f", incremental by `{stream.cursor_field}`"
        assert told[stream.name] == (", ".join(stream.primary_key), modes)
