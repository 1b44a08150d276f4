"""Reading the files of the command line, with errors that say what is wrong with them."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from source_mixpanel.errors import ConfigError
from source_mixpanel.texts import json_text

_RECORD = '{"type":"RECORD"'


def read_json(path: str, what: str) -> Any:
    """The content of a JSON file; `what` names it in errors.

    Raises:
        ConfigError: It cannot be read, or is not JSON.
    """
    try:
        return json_text.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise unreadable(error, path, what) from None
    except ValueError as error:
        # The text itself stays out: a configuration holds secrets.
        raise ConfigError(
            f"The {what} file is no valid JSON ({path}, {_position(error)})."
        ) from None


def read_messages(path: str, what: str) -> list[Any] | None:
    """The messages in a file of lines, as saved from standard output; None for other files.

    Records are skipped, and so is a last line that was cut.

    Raises:
        ConfigError: It cannot be read, or a line is not JSON.
    """
    try:
        with Path(path).open(encoding="utf-8") as lines:
            first = next(lines, "")
            if not _is_message(first):
                return None
            return list(_messages(chain([first], lines), path, what))
    except OSError as error:
        raise unreadable(error, path, what) from None
    except UnicodeDecodeError:
        return None


def _is_message(line: str) -> bool:
    try:
        message = json_text.loads(line)
    except ValueError:
        return False
    return isinstance(message, dict) and isinstance(message.get("type"), str)


def _messages(lines: Iterable[str], path: str, what: str) -> Iterator[Any]:
    for number, line in enumerate(lines, 1):
        if line.startswith(_RECORD) or not line.strip():
            continue
        try:
            yield json_text.loads(line)
        except ValueError as error:
            if line.endswith("\n"):
                position = _position(error).replace("line 1", f"line {number}")
                raise ConfigError(
                    f"The {what} file has a line that is no valid JSON ({path}, {position})."
                ) from None


def unreadable(error: OSError, path: str, what: str) -> ConfigError:
    """The error for a file that cannot be read, with hints."""
    return ConfigError(
        f"The {what} file cannot be read: {error.strerror} ({path}).{''.join(_hints(error, path))}"
    )


def _hints(error: OSError, path: str) -> Iterator[str]:
    if error.errno == errno.EACCES:
        yield f" The connector runs as user {os.getuid()}, which has to be allowed to read it."
        if _in_container():
            yield ' In a container, run it as yourself: docker run --user "$(id -u):$(id -g)".'
    elif error.errno == errno.ENOENT and _in_container():
        yield (
            f" In a container only mounted files are seen: docker run --volume "
            f'"$PWD:{Path(path).absolute().parent}".'
        )


def _in_container() -> bool:
    return any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv"))


def _position(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}"
    return str(error) if isinstance(error, json_text.TooDeepError) else "UTF-8"


def read_json_object(path: str, what: str) -> dict[str, Any]:
    """The content of a JSON file that has to be an object.

    Raises:
        ConfigError: It cannot be read, or is not a JSON object.
    """
    content = read_json(path, what)
    if not isinstance(content, dict):
        raise ConfigError(f"The {what} file has to hold a JSON object ({path}).")
    return content
