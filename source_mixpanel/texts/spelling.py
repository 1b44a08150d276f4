"""Suggestions for misspelled words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MAX_SUGGESTIONS = 3
_CUTOFF = 0.6
"""The least similarity of two words, from 0 to 1 (equal)."""


def did_you_mean(given: str, known: Iterable[str], alike: float = _CUTOFF) -> str:
    """` Did you mean ...?` with the most similar known words; empty if none is similar.

    Letter case is ignored.
    """
    folded = {name.casefold(): name for name in known}
    near = get_close_matches(given.casefold(), folded, n=_MAX_SUGGESTIONS, cutoff=alike)
    return f" Did you mean {' or '.join(repr(folded[word]) for word in near)}?" if near else ""
