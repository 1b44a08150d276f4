"""Names, and patterns of them in which `*` stands for any run of characters. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

_NO_WILDCARD = re.compile(r"[\[?]")
"""What `fnmatch` reads as more than itself, besides `*`."""


def fits(name: str, pattern: str) -> bool:
    """Whether a pattern means a name; letter case counts."""
    return fnmatchcase(name, _NO_WILDCARD.sub(r"[\g<0>]", pattern))


def first_fit(name: str, patterns: Iterable[str]) -> str | None:
    """The first pattern that means a name, None if none does."""
    return next((pattern for pattern in patterns if fits(name, pattern)), None)


def fold(name: str) -> str:
    """What is left of a name where letter case and all that is no letter or digit count nothing."""
    return "".join(filter(str.isalnum, name.upper().casefold()))
