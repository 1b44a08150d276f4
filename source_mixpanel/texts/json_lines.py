"""One line of JSON to Python and back, exactly.

orjson does nearly all lines. It refuses lone surrogates and NaN, and reads integers beyond
64 bits as floats; such lines take the standard library's way, where integers are exact.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from source_mixpanel.errors import DataError
from source_mixpanel.texts import json_text
from source_mixpanel.texts.masking import excerpt

_NUL = rb"\u0000"

_LONG_NUMBER = b"0" * 19
"""As many digits as an integer beyond 64 bits has at least."""

_DIGITS_TO_ZERO = bytes(
    ord("0") if chr(code).isascii() and chr(code).isdigit() else code for code in range(256)
)


def parse_lines(block: bytes) -> Iterator[Any]:
    """Each line of a block of whole lines, parsed exactly; blank lines are skipped.

    Raises:
        DataError: A line is not JSON.
    """
    for line in filter(bytes.strip, block.split(b"\n")):
        try:
            yield parse_exactly(line) if holds_long_number(line) else orjson.loads(line)
        except orjson.JSONDecodeError:  # noqa: PERF203 - rare lines
            yield parse_exactly(line)


def holds_long_number(text: bytes) -> bool:
    """Whether a text has as many digits in a row as an integer beyond 64 bits."""
    return _LONG_NUMBER in text.translate(_DIGITS_TO_ZERO)


def parse_exactly(line: bytes) -> Any:
    """A line parsed in the slow and exact way of `json_text`.

    Raises:
        DataError: The line is not JSON, or nested too deep.
    """
    try:
        return json_text.loads(line)
    except json_text.TooDeepError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise DataError(
            "Mixpanel sent a line that is no JSON, so the sync stops rather than drop it. The "
            "state is that of the last whole slice; the next sync asks again.",
            detail=f"{error}: {excerpt(line)}",
        ) from error


def dump(value: Any, mend: Callable[[Any], Any] | None = None) -> bytes:
    """The JSON bytes of a value.

    Args:
        value: A value of the types that a JSON parser makes.
        mend: Replaces a value that has NUL in a text or that orjson refuses: lone surrogates,
            integers beyond 64 bits, deep nesting. Without it, these are escaped.

    Raises:
        DataError: It is nested too deep.
    """
    try:
        text = orjson.dumps(value)
        if mend is None or _NUL not in text:
            return text
    except TypeError:
        pass
    try:
        value = mend(value) if mend else value
    except RecursionError as error:
        raise _too_deep() from error
    try:
        return json.dumps(value, separators=(",", ":")).encode("ascii")
    except RecursionError as error:
        raise _too_deep() from error


def as_text(value: Any) -> str | None:
    """A value as text: itself if it is one, else its JSON text; None for null.

    Raises:
        DataError: It is nested too deep.
    """
    return value if value is None or type(value) is str else dump(value).decode()


def _too_deep() -> DataError:
    return DataError(
        "Mixpanel sent a value that is nested too deep to be read (900 levels or more), so the "
        "sync stops rather than drop it. The state is that of the last whole slice."
    )
