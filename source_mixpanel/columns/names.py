"""Names of properties and columns: which a pattern means, which destinations take for one. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

_NO_WILDCARD = re.compile(r"[\[?]")
"""What `fnmatch` reads as more than itself, besides `*`."""
_RESERVED = re.compile(r"_(airbyte_|ab_|table_|file_|partition|row_timestamp|colidentifier).*")
"""Airbyte's own columns and markers, and the prefixes that BigQuery refuses."""
_SYSTEM = frozenset(
    ["ctid", "xmin", "xmax", "cmin", "cmax", "oid", "tableoid", "__root__", "row_number"]
)
"""What PostgreSQL, Redshift or BigQuery have in every table, and Airbyte's upserts in theirs."""
LONGEST = 63
"""Characters that PostgreSQL keeps of a name."""
_NO_WORD = re.compile(r"[^a-z0-9]")


def fits(name: str, pattern: str) -> bool:
    """Whether a pattern means a name; letter case counts."""
    return fnmatchcase(name, _NO_WILDCARD.sub(r"[\g<0>]", pattern))


def first_fit(name: str, patterns: Iterable[str]) -> str | None:
    """The first pattern that means a name, None if none does."""
    return next((pattern for pattern in patterns if fits(name, pattern)), None)


def fold(name: str) -> str:
    """What is left of a name where letter case and all that is no letter or digit count nothing."""
    return "".join(filter(str.isalnum, name.upper().casefold()))


def cleaned(name: str) -> str:
    """As destinations have it that keep Latin letters, digits and underscores alone."""
    return _NO_WORD.sub("_", name.lower())


def _without_accents(name: str) -> str:
    """As some do before they clean it."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(c for c in plain if not unicodedata.combining(c))


def claims(column: str) -> Iterator[tuple[int, str]]:
    """What no other column may claim: two are rivals if they have one of these in common."""
    folded = column.upper().casefold()
    word = fold(column)
    start = next((at for at, c in enumerate(folded) if c.isalnum()), len(folded))
    for text in {cleaned(column), cleaned(_without_accents(column))}:
        # Some put an underscore before a digit at the beginning.
        for more in (0, 1) if text[:1].isdigit() else (0,):
            yield start + more, word
            yield -1, f"{'_' * more}{text}"[:LONGEST]


def is_reserved(column: str) -> bool:
    """Whether a destination keeps the name for itself."""
    text = cleaned(_without_accents(column))
    return text in _SYSTEM or _RESERVED.fullmatch(text) is not None
