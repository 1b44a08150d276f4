"""The files that Airbyte hands over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.models import AirbyteStateMessageSerializer

from source_mixpanel.errors import ConfigError
from source_mixpanel.files import read_catalog, read_json, read_json_object, read_state

BLOB = {"time": "2026-01-31T00:00:00.000Z"}
STREAM = {
    "type": "STREAM",
    "stream": {"stream_descriptor": {"name": "export"}, "stream_state": BLOB},
}
SECRET = "s3cr3t-0f-th3-t3st"


def _file(folder: Path, content: Any) -> str:
    path = folder / "file.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(path)


def _streams(folder: Path, content: Any) -> dict[str, Any]:
    found = {}
    for entry in read_state(_file(folder, content)):
        stream = AirbyteStateMessageSerializer.dump(entry)["stream"]
        found[stream["stream_descriptor"]["name"]] = stream["stream_state"]
    return found


@pytest.mark.parametrize(
    "content",
    [
        [STREAM],
        STREAM,
        {"export": BLOB},
        {"bookmarks": {"export": BLOB}, "currently_syncing": None},
        {"type": "STATE", "state": STREAM},
        [{"type": "STATE", "state": STREAM}],
        [{**STREAM, "destinationStats": {"recordCount": 5.0}}],
        [{"type": "GLOBAL", "global": {"stream_states": [STREAM["stream"]]}}],
        {"type": "GLOBAL", "global": {"shared_state": {}, "stream_states": [STREAM["stream"]]}},
        [{"type": "LEGACY", "data": {"export": BLOB}}],
    ],
)
def test_a_state_is_read_in_each_of_its_forms(tmp_path: Path, content: Any) -> None:
    assert _streams(tmp_path, content) == {"export": BLOB}


def test_a_legacy_state_is_taken_apart_by_stream(tmp_path: Path) -> None:
    content = {"export": BLOB, "funnels": {"date": "2026-01-31"}}
    assert _streams(tmp_path, content) == content


@pytest.mark.parametrize("content", [[], {}, None])
def test_an_empty_state_is_none(tmp_path: Path, content: Any) -> None:
    assert read_state(_file(tmp_path, content)) == []


def test_no_state_file_is_no_state() -> None:
    assert read_state(None) == []


@pytest.mark.parametrize(
    "content",
    [
        5,
        0,
        False,
        "",
        "text",
        [{"type": "STREAM", "stream": None}],
        [{"type": "GLOBAL", "global": {"stream_states": None}}],
        [{"type": "LEGACY", "data": {"export": 5}}],
        [5],
        [[STREAM]],
        [{"export": BLOB}],
        {"export": "2026-01-31"},
        {"export": None},
        {"bookmarks": {"export": "2026-01-31"}},
        {"bookmarks": 5},
        {"type": "STREAM", "stream": {"stream_state": BLOB}},
        {"type": "STATE", "state": 5},
        [{"type": "NONSENSE", "stream": 5}],
    ],
)
def test_what_is_no_state_is_a_config_error_that_says_what_to_do(
    tmp_path: Path, content: Any
) -> None:
    with pytest.raises(ConfigError, match=r"no Airbyte state .* or none to begin anew"):
        read_state(_file(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"secret": "' + SECRET.encode() + b'",}', "line 1"),
        (b'{\n"secret": ' + SECRET.encode() + b"}", "line 2"),
        (b'{"secret": "' + SECRET.encode() + b'\xff"}', "UTF-8"),
        (b"", "line 1"),
    ],
)
def test_a_file_that_is_no_json_is_named_with_the_place_and_none_of_its_text(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = _file(tmp_path, content)
    with pytest.raises(ConfigError) as caught:
        read_json(path, "configuration")
    said = f"{caught.value.message} {caught.value.internal_message}"
    assert words in said
    assert path in said
    assert SECRET not in said


@pytest.mark.parametrize("name", ["", "missing.json"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="The catalog file cannot be read"):
        read_json(str(tmp_path / name), "catalog")


@pytest.mark.parametrize("content", [[], "text", 5, None])
def test_a_configuration_has_to_be_an_object(tmp_path: Path, content: Any) -> None:
    with pytest.raises(ConfigError, match="has to hold a JSON object"):
        read_json_object(_file(tmp_path, content), "configuration")


def test_a_configured_catalog_is_read(tmp_path: Path) -> None:
    stream = {"name": "export", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    entry = {
        "stream": stream,
        "sync_mode": "full_refresh",
        "destination_sync_mode": "append",
    }
    catalog = read_catalog(_file(tmp_path, {"streams": [entry]}))
    assert [configured.stream.name for configured in catalog.streams] == ["export"]


@pytest.mark.parametrize("content", [{}, {"streams": 5}, {"streams": [{"stream": {}}]}])
def test_what_is_no_catalog_is_a_config_error(tmp_path: Path, content: Any) -> None:
    with pytest.raises(ConfigError, match="no configured Airbyte catalog"):
        read_catalog(_file(tmp_path, content))


def _entry(**stream: Any) -> dict[str, Any]:
    told = {"name": "export", "json_schema": {}, "supported_sync_modes": ["full_refresh"], **stream}
    return {"stream": told, "sync_mode": "full_refresh", "destination_sync_mode": "append"}


def test_a_stream_that_is_asked_for_twice_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"more than once .*: export\."):
        read_catalog(_file(tmp_path, {"streams": [_entry(), _entry(namespace="x")]}))


def test_a_schema_whose_columns_are_no_object_is_named(tmp_path: Path) -> None:
    broken = _entry(json_schema={"properties": ["n"]})
    with pytest.raises(ConfigError, match="'properties' has to be an object"):
        read_catalog(_file(tmp_path, {"streams": [broken]}))
