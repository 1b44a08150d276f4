"""Names of properties and columns: patterns, and collisions in destinations. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

_NO_WILDCARD = re.compile(r"[\[?]")
"""The special characters of `fnmatch` besides `*`."""
_RESERVED = re.compile(r"_(airbyte_|ab_|table_|file_|partition|row_timestamp|colidentifier).*")
"""Airbyte's own columns and markers, and the prefixes that BigQuery refuses."""
_SYSTEM = frozenset(
    ["ctid", "xmin", "xmax", "cmin", "cmax", "oid", "tableoid", "__root__", "row_number"]
)
"""System columns of PostgreSQL, Redshift and BigQuery, and a column of Airbyte's upserts."""
MAX_NAME_LENGTH = 63
"""The most characters of a name in PostgreSQL."""
_NO_WORD = re.compile(r"[^a-z0-9]")


def fits(name: str, pattern: str) -> bool:
    """Whether a name matches a pattern; letter case counts."""
    return fnmatchcase(name, _NO_WILDCARD.sub(r"[\g<0>]", pattern))


def first_fit(name: str, patterns: Iterable[str]) -> str | None:
    """The first pattern that matches a name; None if none does."""
    return next((pattern for pattern in patterns if fits(name, pattern)), None)


def fold(name: str) -> str:
    """The letters and digits of a name, without letter case."""
    return "".join(filter(str.isalnum, name.upper().casefold()))


def cleaned(name: str) -> str:
    """A name as destinations write it that allow only Latin letters, digits and underscores."""
    return _NO_WORD.sub("_", name.lower())


def _without_accents(name: str) -> str:
    """A name without accents, as some destinations make it before they clean it."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(c for c in plain if not unicodedata.combining(c))


def claims(column: str) -> Iterator[tuple[int, str]]:
    """The claims of a column: two columns collide in a destination if they share one."""
    folded = column.upper().casefold()
    word = fold(column)
    start = next((at for at, c in enumerate(folded) if c.isalnum()), len(folded))
    for text in {cleaned(column), cleaned(_without_accents(column))}:
        # Some destinations put an underscore before a leading digit.
        for underscores in (0, 1) if text[:1].isdigit() else (0,):
            yield start + underscores, word
            yield -1, f"{'_' * underscores}{text}"[:MAX_NAME_LENGTH]


def is_reserved(column: str) -> bool:
    """Whether a destination reserves the name."""
    text = cleaned(_without_accents(column))
    return text in _SYSTEM or _RESERVED.fullmatch(text) is not None
