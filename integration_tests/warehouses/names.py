"""How destinations clean a column's name: three ways, each loses something."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

LONGEST = 63
"""What PostgreSQL takes."""


def plain(name: str) -> str:
    """Letters without their marks, blanks as one underscore, any other sign as one: Airbyte's."""
    apart = unicodedata.normalize("NFKD", name)
    unmarked = "".join(char for char in apart if not unicodedata.category(char).startswith("M"))
    return re.sub(r"[^A-Za-z0-9_]", "_", re.sub(r"\s+", "_", unmarked, flags=re.ASCII))


def in_postgres(name: str) -> str:
    """A column of Airbyte's PostgreSQL destination, which quotes it: letter case is kept.

    Raises:
        ValueError: Nothing is left, so that the destination makes up a name at each sync.
    """
    cleaned = plain(name)
    if not cleaned:
        raise ValueError(f"nothing is left of the column {name!r}")
    if cleaned[0].isdigit():
        cleaned = f"_{cleaned}"
    # Longer ones get a hash at the end, which is stable; what counts is that they stay distinct.
    return cleaned if len(cleaned) <= LONGEST else f"{cleaned[:54]}_{hash_of(cleaned)}"


def hash_of(text: str) -> str:
    """The last eight characters of Java's hash of a text, as the destination adds them."""
    value = 0
    for char in text:
        value = (31 * value + ord(char)) & 0xFFFFFFFF
    return str(value - (1 << 32) if value >> 31 else value)[-8:]


def in_avro(name: str) -> str:
    """A field of Avro, and so of Parquet, as Airbyte's destinations of files write it."""
    cleaned = plain(name)
    return f"_{cleaned}" if cleaned[:1].isdigit() else cleaned


def by_pyairbyte(name: str) -> str:
    """A column of PyAirbyte's, in any of its caches.

    Raises:
        ValueError: Nothing is left of it, which PyAirbyte refuses.
    """
    cleaned = re.sub(r"[^A-Za-z0-9]", "_", name.lower())
    if not cleaned.strip("_"):
        raise ValueError(f"PyAirbyte takes no column {name!r}")
    return f"_{cleaned}" if cleaned[0].isdigit() else cleaned


def by_pyairbyte_in_postgres(name: str) -> str:
    """The same in PostgreSQL, where names are cut."""
    return by_pyairbyte(name)[:LONGEST]


def cleaned(columns: Iterable[str], clean: Callable[[str], str]) -> Mapping[str, str]:
    """The destination's name of each column.

    Raises:
        ValueError: Two become the same, in whatever letter case: values would be mixed up.
    """
    found: dict[str, str] = {}
    owners: dict[str, str] = {}
    for column in columns:
        found[column] = clean(column)
        owner = owners.setdefault(found[column].lower(), column)
        if owner != column:
            raise ValueError(f"{owner!r} and {column!r} are both {found[column]!r} there")
    return found
