"""What was probably meant by a word that is not known. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MOST = 3
_ALIKE = 0.6
"""How much two words have to have in common; 1 is all."""


def did_you_mean(given: str, known: Iterable[str], alike: float = _ALIKE) -> str:
    """A question that names the words spelt most like it, with a space before; empty without one.

    Letter case counts nothing.
    """
    folded = {name.casefold(): name for name in known}
    near = get_close_matches(given.casefold(), folded, n=_MOST, cutoff=alike)
    return f" Did you mean {' or '.join(repr(folded[word]) for word in near)}?" if near else ""
