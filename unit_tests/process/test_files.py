"""The files that a caller hands over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from source_mixpanel.errors import ConfigError
from source_mixpanel.process.files import read_json, read_json_object

SECRET = "s3cr3t-0f-th3-t3st"


def _file(folder: Path, content: Any) -> str:
    path = folder / "file.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(path)


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
