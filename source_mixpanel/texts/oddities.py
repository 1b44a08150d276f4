"""Elements that are not what they should be: how many, and the first few. Pure."""

from __future__ import annotations

from typing import Any

from source_mixpanel.texts.masking import EXCERPT, NOT_SHOWN, is_data_shown, shown

_MOST_SHOWN = 3


class Oddities:
    """Counts odd elements, and keeps the first few to show."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[str] = []

    def add(self, value: Any) -> None:
        """One more."""
        self.count += 1
        if len(self._first) < _MOST_SHOWN:
            self._first.append(shown(repr(value)[:EXCERPT]))

    def shown(self) -> str:
        """The first few, without secrets; a remark if data is kept back."""
        if not is_data_shown():
            return NOT_SHOWN
        more = self.count - len(self._first)
        return ", ".join(self._first) + (f" and {more} more" if more else "")
