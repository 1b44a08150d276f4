"""Exact JSON parsing, where speed does not matter.

Nothing is rounded: integers are exact, and numbers that Python cannot hold become texts. Bytes that
are not UTF-8 become lone surrogates, so that nothing is lost.
"""

from __future__ import annotations

import json
import math
from typing import Any


class TooDeepError(ValueError):
    """The text is nested deeper than can be read, 900 levels or more."""


def finite_or_text(text: str) -> float | str:
    """A number that is not an integer; its text if no double can hold it."""
    value = float(text)
    return value if math.isfinite(value) else text


def integer_or_text(text: str) -> int | str:
    """An integer; its text if it is longer than Python parses (4,300 digits)."""
    try:
        return int(text)
    except ValueError:
        return text


def loads(text: str | bytes) -> Any:
    """The parsed text; NaN and the infinities become their names.

    Raises:
        TooDeepError: It is nested too deep.
        ValueError: It is not JSON.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    try:
        return json.loads(
            text,
            parse_int=integer_or_text,
            parse_float=finite_or_text,
            parse_constant=str,
        )
    except RecursionError:
        raise TooDeepError("it is nested too deep to be read") from None
