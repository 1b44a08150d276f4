"""JSON text to Python, exactly, wherever speed is not what counts.

Nothing is rounded away: integers are exact, and what Python holds in no number comes out as its
own text. Bytes that are no UTF-8 come out as lone surrogates, so that nothing of them is lost.
"""

from __future__ import annotations

import json
import math
from typing import Any


class TooDeepError(ValueError):
    """The text is nested deeper than can be read, 900 levels or more."""


def finite_or_text(text: str) -> float | str:
    """A number that is no integer; where no double can hold it, its own text."""
    value = float(text)
    return value if math.isfinite(value) else text


def integer_or_text(text: str) -> int | str:
    """An integer; its own text where it is longer than Python reads (4,300 digits)."""
    try:
        return int(text)
    except ValueError:
        return text


def loads(text: str | bytes) -> Any:
    """The parsed text; NaN and the infinities come out as their names.

    Raises:
        TooDeepError: It is nested too deep.
        ValueError: It is no JSON.
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
