r"""JSON as text, exactly: integers of any size, floats by shortest repr, no NaN.

Mixpanel's export writes characters such as U+2028 raw (observed), so exported text is not
ASCII-escaped; lone surrogates, which UTF-8 cannot carry, stay escapes such as `\ud800`.
"""

from __future__ import annotations

import json
from typing import Any


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_EXPORT = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_ASCII = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def loads(text: str | bytes) -> Any:
    """Parse JSON text.

    Raises:
        ValueError: If it is not JSON, or not UTF-8.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    return _DECODER.decode(text)


def export_bytes(value: Any) -> bytes:
    """The compact UTF-8 text the export would print for a value."""
    return _EXPORT.encode(value).encode("utf-8", "backslashreplace")


def ascii_text(value: Any) -> str:
    """Compact pure-ASCII JSON: safe as a database key and for any transport."""
    return _ASCII.encode(value)


def ascii_bytes(value: Any) -> bytes:
    """`ascii_text` as bytes."""
    return _ASCII.encode(value).encode("ascii")
