"""The guide to adding a stream shows what really has to be done."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from airbyte_cdk.models import (
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
    Type,
)

from source_mixpanel.api.request import Api
from source_mixpanel.assembly import catalogue
from source_mixpanel.lists.declarations import LISTS
from source_mixpanel.source import SourceMixpanel
from source_mixpanel.streams.base import MixpanelStream
from unit_tests.harness import multiset
from unit_tests.project import Project

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "adding-a-stream.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "source_mixpanel"
MODULE = (PACKAGE / "lists" / "declarations.py").read_text(encoding="utf-8")
MOST_LINES = 12
NOBODY = {"credentials": {"username": "u", "secret": "s", "project_id": 1}}


def shown() -> list[str]:
    """The lines of the guide's only diff."""
    [block] = re.findall(r"```diff\n(.*?)```", GUIDE, re.DOTALL)
    return str(block).splitlines(keepends=True)


def applied(text: str, diff: list[str]) -> str:
    """A text with a diff of one hunk in it; its lines have to be found at one place."""
    assert {line[0] for line in diff} == {" ", "+"}, "nothing that is there changes"
    before = "".join(line[1:] for line in diff if line[0] == " ")
    assert text.count(before) == 1, "the guide shows lines that are not in the module"
    return text.replace(before, "".join(line[1:] for line in diff))


def module_of(text: str) -> ModuleType:
    made = ModuleType("declarations")
    exec(compile(text, "declarations.py", "exec"), made.__dict__)  # noqa: S102 - our own module, and a guide's line
    return made


def streams() -> dict[str, MixpanelStream]:
    every = SourceMixpanel().streams(NOBODY)
    return {stream.name: stream for stream in every if isinstance(stream, MixpanelStream)}


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue as it is with the guide's diff in the module of lists."""
    monkeypatch.setattr(catalogue, "LISTS", module_of(applied(MODULE, shown())).LISTS)


def test_the_diff_shown_is_short_and_in_one_place() -> None:
    lines = [line for line in shown() if line.startswith("+")]
    assert 1 <= len(lines) <= MOST_LINES
    assert "warehouse_sources" not in streams()


@pytest.mark.usefixtures("added")
def test_with_the_diff_the_stream_is_there_and_the_others_are_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    after = streams()
    new = after.pop("warehouse_sources")
    assert (new.primary_key, new.lane, new.documented) == (["id"], Api.APP, False)
    assert not new.supports_incremental
    schema = new.get_json_schema()
    text = {"type": ["null", "string"]}
    assert schema["properties"] == {
        "id": {"type": ["null", "integer"]},
        "source_name": text,
        "warehouse_type": text,
        "created": {**text, "format": "date-time"},
        "creator_id": {"type": ["null", "integer"]},
        "creator_name": text,
        "creator_email": text,
        "rescued_properties": {"type": ["null", "object"], "additionalProperties": True},
    }
    assert "does not document" in schema["description"]
    monkeypatch.undo()
    assert list(after) == list(streams())


@pytest.mark.usefixtures("added")
def test_with_the_diff_the_stream_is_read(project: Project) -> None:
    project.mixpanel.seed(7, events=20, days=2, profiles=5)
    source, log = SourceMixpanel(), logging.getLogger("airbyte")
    [found] = [
        stream
        for stream in source.discover(log, project.config).streams
        if stream.name == "warehouse_sources"
    ]
    entry = ConfiguredAirbyteStream(
        stream=found,
        sync_mode=SyncMode.full_refresh,
        destination_sync_mode=DestinationSyncMode.append,
    )
    catalog = ConfiguredAirbyteCatalog(streams=[entry])
    messages = list(source.read(log, project.config, catalog, []))
    rows = [m.record.data for m in messages if m.type == Type.RECORD and m.record is not None]
    truth = project.mixpanel.truth("warehouse_sources")
    assert rows
    assert multiset(rows) == multiset(truth)
    columns = found.json_schema["properties"].keys()
    assert {key for row in rows for key in row} == columns - {"rescued_properties"}


def test_a_diff_that_the_module_has_outgrown_is_noticed() -> None:
    with pytest.raises(AssertionError, match="not in the module"):
        applied(MODULE, [" there is no such line\n", "+new\n"])
    with pytest.raises(AssertionError, match="nothing that is there changes"):
        applied(MODULE, ["-old\n", "+new\n"])


def _values() -> Iterator[tuple[str, int]]:
    """The name of each list stream, and how many lines its value takes."""
    for node in ast.walk(ast.parse(MODULE)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            first = node.args[0] if node.args else None
            if node.func.id == "ListDeclaration" and isinstance(first, ast.Constant):
                yield str(first.value), (node.end_lineno or 0) - node.lineno + 1


def test_every_list_stream_is_a_value_of_at_most_twelve_lines() -> None:
    found = dict(_values())
    assert found.keys() == {declared.name for declared in LISTS} | {"annotations", "cohorts"}
    assert {name: lines for name, lines in found.items() if lines > MOST_LINES} == {}


@pytest.mark.parametrize("shown", re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL))
def test_the_values_shown_are_the_real_ones(shown: str) -> None:
    modules = [path.read_text(encoding="utf-8") for path in PACKAGE.glob("*/*.py")]
    assert any(f"\n{shown}" in module for module in modules)


def test_the_place_in_the_catalogue_that_is_shown_is_real() -> None:
    [place] = re.findall(r"`(DatedStream\(.*?\))`", GUIDE)
    assert f"        {place},\n" in Path(catalogue.__file__).read_text(encoding="utf-8")


def test_every_value_and_engine_named_is_where_the_guide_says() -> None:
    rows = re.findall(r"\| `(\w+)` \(\[[\w/]+\.py\]\((.*?)\)\) \| .*? \| `(\w+)` \|", GUIDE)
    assert len(rows) == 3
    for value, link, engine in rows:
        text = (ROOT / "docs" / link).read_text(encoding="utf-8")
        assert f"\nclass {value}:" in text
        assert f"\nclass {engine}(" in text
