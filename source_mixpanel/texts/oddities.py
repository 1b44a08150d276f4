"""Unusual elements of the data: their count and some examples. Pure."""

from __future__ import annotations

from typing import Any

from source_mixpanel.texts.masking import EXCERPT, NOT_SHOWN, is_data_shown, shown

_MAX_EXAMPLES = 3


class Oddities:
    """Counts unusual elements, and keeps the first few as examples."""

    def __init__(self) -> None:
        self.count = 0
        self._examples: list[str] = []

    def add(self, value: Any) -> None:
        """Count an element."""
        self.count += 1
        if len(self._examples) < _MAX_EXAMPLES:
            self._examples.append(shown(repr(value)[:EXCERPT]))

    def shown(self) -> str:
        """The examples, without secrets; a remark instead if data is not to be shown."""
        if not is_data_shown():
            return NOT_SHOWN
        more = self.count - len(self._examples)
        return ", ".join(self._examples) + (f" and {more} more" if more else "")
