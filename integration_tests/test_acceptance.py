"""What only Airbyte's older acceptance suite checks, checked here (docs/acceptance.md)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from integration_tests.conftest import FOLDER, load, load_lines
from scripts.acceptance_files import main
from source_mixpanel.config.spec import connection_specification
from unit_tests.harness import Command, Output, configured, multiset, without_marks

Streams = dict[str, dict[str, Any]]
FULL = "configured_catalog.json"
INCREMENTAL = "configured_catalog_incremental.json"


def _catalog(name: str, streams: Streams) -> dict[str, Any]:
    """A catalog of the folder with the discovered columns, as the older suite fills it."""
    catalog = load(name)
    for entry in catalog["streams"]:
        entry["stream"] = streams[entry["stream"]["name"]]
    return dict(catalog)


@pytest.fixture(scope="module")
def full(command: Command, config: dict[str, Any], streams: Streams) -> Output:
    return command.run("read", config=config, catalog=configured(streams))


@pytest.fixture(scope="module")
def incremental(command: Command, config: dict[str, Any], streams: Streams) -> Output:
    return command.run("read", config=config, catalog=_catalog(INCREMENTAL, streams))


# -- the files of this folder ----------------------------------------------------------------


def test_catalogs_name_streams_as_discover_does(streams: Streams) -> None:
    for name in (FULL, INCREMENTAL):
        for entry in load(name)["streams"]:
            told = {k: v for k, v in entry["stream"].items() if k != "json_schema"}
            found = streams[told["name"]]
            assert told == {k: v for k, v in found.items() if k != "json_schema"}, (
                "make acceptance-files"
            )
            assert entry["sync_mode"] in found["supported_sync_modes"]


@pytest.mark.usefixtures("world")
def test_the_files_are_as_they_are_written_anew_whoever_has_the_port(tmp_path: Path) -> None:
    main(tmp_path)
    written = sorted(tmp_path.iterdir())
    assert [path.name for path in written] == [FULL, INCREMENTAL, "expected_records.jsonl"]
    for path in written:
        assert path.read_text() == (FOLDER / path.name).read_text(), "run make acceptance-files"


def test_every_stream_has_expected_records_and_every_cursor_a_far_future(streams: Streams) -> None:
    assert {line["stream"] for line in _expected()} == set(streams), "make acceptance-files"
    moving = {entry["stream"]["name"] for entry in load(INCREMENTAL)["streams"]}
    for name in ("abnormal_state.json", "sample_state.json"):
        told = {state["stream"]["stream_descriptor"]["name"] for state in load(name)}
        assert moving <= told


# -- spec ------------------------------------------------------------------------------------

_NOT_IN_A_FORM = {
    "not", "anyOf", "allOf", "if", "then", "else", "dependencies", "dependentRequired",
    "dependentSchemas", "patternProperties", "prefixItems", "contains", "propertyNames", "$ref",
}  # fmt: skip


def _nodes(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of the spec with its path."""
    if "type" in node or "properties" in node or "oneOf" in node:
        yield path, node
    for name, child in node.get("properties", {}).items():
        yield from _nodes(child, f"{path}/{name}")
    if "items" in node:
        yield from _nodes(node["items"], f"{path}/*")
    for number, branch in enumerate(node.get("oneOf", [])):
        yield from _nodes(branch, f"{path}/{number}")


def test_the_spec_is_a_form_that_the_older_suite_accepts() -> None:
    for path, node in _nodes(connection_specification()):
        assert not _NOT_IN_A_FORM & node.keys(), path
        assert isinstance(node["type"], str), path
        assert node["type"] != "object" or node.get("properties") or "oneOf" in node, path
        assert node.get("additionalProperties", True) is True, path
        orders = [child.get("order") for child in node.get("properties", {}).values()]
        assert len(orders) == len(set(orders)), path
        values = node.get("enum", [])
        assert len(values) == len(set(values)), path
        if node["type"] == "array":
            assert node["items"]["type"] in {"string", "number", "integer", "object"}, path
        if node.get("format") in {"date", "date-time"}:
            assert re.match(node["pattern"], "2026-01-31T00:00:00Z"), path
            assert "pattern_descriptor" in node, path


def test_a_choice_has_one_constant_that_tells_it() -> None:
    for path, node in _nodes(connection_specification()):
        if "oneOf" not in node:
            continue
        constants = [
            {key: child["const"] for key, child in branch["properties"].items() if "const" in child}
            for branch in node["oneOf"]
        ]
        assert node["type"] == "object", path
        assert [len(told) for told in constants] == [1] * len(constants), path
        assert len({key for told in constants for key in told}) == 1, path
        assert len({value for told in constants for value in told.values()}) == len(constants), path


# -- discover --------------------------------------------------------------------------------


def test_every_stream_has_a_key_and_a_schema_that_a_destination_takes(streams: Streams) -> None:
    for name, stream in streams.items():
        schema = stream["json_schema"]
        jsonschema.Draft7Validator.check_schema(schema)
        assert schema.get("additionalProperties", True) is True, name
        assert stream["source_defined_primary_key"], name
        for [column] in stream["source_defined_primary_key"]:
            kinds = set(schema["properties"][column]["type"]) - {"null"}
            assert not kinds & {"object", "array"}, name
        for column in stream.get("default_cursor_field", []):
            assert column in schema["properties"], name


# -- read ------------------------------------------------------------------------------------


def test_expected_records_come(full: Output) -> None:
    for name in {line["stream"] for line in _expected()}:
        wanted = multiset(line["data"] for line in _expected() if line["stream"] == name)
        missing = wanted - multiset(full.records(name))
        assert not missing, f"{name}: if it was meant, make acceptance-files"


def _expected() -> list[dict[str, Any]]:
    return load_lines("expected_records.jsonl")


def test_no_record_lacks_its_key(full: Output, streams: Streams) -> None:
    for name, stream in streams.items():
        for record in full.records(name):
            key = [record.get(column) for [column] in stream["source_defined_primary_key"]]
            assert any(part is not None for part in key), name
            assert not any(isinstance(part, (list, dict)) for part in key), name


def test_statuses_begin_run_and_complete(full: Output, streams: Streams) -> None:
    for name in streams:
        begin, *running, end = full.statuses(name)
        assert (begin, end) == ("STARTED", "COMPLETE"), name
        assert set(running) == {"RUNNING"}, name


def test_states_are_of_their_stream_and_count_its_records(full: Output, streams: Streams) -> None:
    counted: Counter[str] = Counter()
    for state in full.states:
        assert state["type"] == "STREAM"
        counted[state["stream"]["stream_descriptor"]["name"]] += state["sourceStats"]["recordCount"]
    assert counted == Counter({name: len(full.records(name)) for name in streams})


def test_a_second_full_refresh_is_the_first_later(
    full: Output, command: Command, config: dict[str, Any], streams: Streams
) -> None:
    again = command.run("read", config=config, catalog=configured(streams))
    first, second = (
        multiset([record["stream"], record["data"]] for record in out.of("RECORD"))
        for out in (full, again)
    )
    assert first == second
    # The local Mixpanel lives in another month, and its clock is known to the second only.
    latest = max(record["emitted_at"] for record in full.of("RECORD")) - 1000
    assert all(record["emitted_at"] > latest for record in again.of("RECORD"))


# -- incremental -----------------------------------------------------------------------------


def test_a_second_sync_reads_less_of_the_same_streams(
    incremental: Output, command: Command, config: dict[str, Any], streams: Streams
) -> None:
    catalog = _catalog(INCREMENTAL, streams)
    state = incremental.state_file()
    again = command.run("read", config=config, catalog=catalog, state=state)
    for entry in catalog["streams"]:
        name, [cursor] = entry["stream"]["name"], entry["cursor_field"]
        first, second = incremental.records(name), again.records(name)
        assert 0 < len(second) < len(first), name
        assert min(r[cursor] for r in second) <= max(r[cursor] for r in first), name


def test_the_state_is_never_behind_its_records(incremental: Output) -> None:
    for name, cursor in (("export", "time"), ("revenue", "date")):
        watermark = incremental.stream_state(name)[cursor]
        assert all(record[cursor] <= watermark for record in incremental.records(name))


def test_every_checkpoint_leads_to_the_rest(
    incremental: Output, command: Command, config: dict[str, Any], streams: Streams
) -> None:
    whole = _catalog(INCREMENTAL, streams)
    for entry in whole["streams"]:
        name = entry["stream"]["name"]
        everything = multiset(incremental.records(name))
        checkpoints = incremental.prefixes(name)
        assert checkpoints, name
        for before, state in checkpoints:
            out = command.run("read", config=config, catalog={"streams": [entry]}, state=[state])
            rest = multiset(out.records(name))
            assert not everything - multiset(before) - rest, name
            assert set(rest) <= set(everything), name


def _form(state: Any) -> str:
    return re.sub("[0-9]", "0", json.dumps(state, sort_keys=True))


def test_a_state_from_the_far_future_reads_nothing_and_keeps_its_form(
    command: Command, config: dict[str, Any], streams: Streams
) -> None:
    state = load("abnormal_state.json")
    out = command.run("read", config=config, catalog=_catalog(INCREMENTAL, streams), state=state)
    assert (out.code, out.records()) == (0, [])
    for given in state:
        name = given["stream"]["stream_descriptor"]["name"]
        if name in {entry["stream"]["name"] for entry in load(INCREMENTAL)["streams"]}:
            wanted, kept = given["stream"]["stream_state"], out.stream_state(name)
            # `engage` sets its cursor back to now, or it would read nothing until 2121.
            kept = without_marks(kept, covered=False)
            assert _form({key: kept[key] for key in wanted}) == _form(wanted)


def test_a_sample_state_goes_on_from_its_day(
    command: Command, config: dict[str, Any], streams: Streams
) -> None:
    state = load("sample_state.json")
    out = command.run("read", config=config, catalog=_catalog(INCREMENTAL, streams), state=state)
    assert out.code == 0, out.log
    assert {record["date"] for record in out.records("revenue")} >= {"2026-03-09", "2026-03-10"}
    assert min(record["time"] for record in out.records("export")) >= "2026-03-07"
