"""Counts of values that fit no column, for one log line per stream. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from source_mixpanel.columns.catalog import CatalogColumns
from source_mixpanel.columns.types import JSON_TYPES, RESCUED
from source_mixpanel.texts.masking import EXCERPT, shown

_MAX_NAMED = 5
_MAX_COUNTED = 1000


@dataclass(frozen=True)
class Counts:
    """The counts of a tally.

    Attributes:
        total: Values in all.
        more: Whether there were more properties than `of` has.
        of: Values by property and JSON type.
    """

    total: int
    more: bool
    of: Mapping[str, Mapping[str, int]]


class Tally:
    """Counts values by property and type."""

    def __init__(self, catalog: CatalogColumns) -> None:
        self._catalog = catalog
        self._counts: dict[str, Counter[str]] = {}
        self._total = 0
        self._more = False

    def add(self, raw: str, kind: type, count: int = 1) -> None:
        """Count `count` values of a property."""
        self._total += count
        if raw not in self._counts and len(self._counts) >= _MAX_COUNTED:
            self._more = True
            return
        self._counts.setdefault(raw, Counter())[JSON_TYPES.get(kind, kind.__name__)] += count

    def taken(self) -> Counts:
        """The counts, in plain types; the tally is reset."""
        taken = Counts(self._total, self._more, {k: dict(v) for k, v in self._counts.items()})
        self._counts, self._total, self._more = {}, 0, False
        return taken

    def absorb(self, counts: Counts) -> None:
        """Add the counts of another tally."""
        self._total += counts.total
        self._more = self._more or counts.more
        for raw, kinds in counts.of.items():
            if raw in self._counts or len(self._counts) < _MAX_COUNTED:
                self._counts.setdefault(raw, Counter()).update(kinds)
            else:
                self._more = True

    def sentences(self, stream: str) -> Iterable[str]:
        """One sentence about what was counted; none if nothing was."""
        if not self._total:
            return
        named = list(self._counts)[:_MAX_NAMED]
        unnamed = len(self._counts) - len(named)
        more = f" and {'more than ' if self._more else ''}{unnamed} more" if unnamed else ""
        properties = f"{', '.join(map(self._describe, named))}{more}"
        subject = f"Stream {stream!r}: {self._total} values of {len(self._counts)} properties"
        if self._catalog.is_older:
            yield (
                f"{subject} do not fit the types of their columns, and are emitted as they are: "
                f"{properties}. Refresh the connection's schema to have them in the column "
                f"{RESCUED} instead, which no destination drops or nulls."
            )
            return
        outcome = (
            f"are in the column {RESCUED}"
            if self._catalog.rescues
            else f"are left out, since the column {RESCUED} is not selected"
        )
        yield (
            f"{subject} {outcome}, because they have no column or do not fit its type: "
            f"{properties}. Refresh the connection's schema to give new properties a column; where "
            f"types vary set property_types to string, or property_layout to object where there "
            f"are very many."
        )

    def _describe(self, raw: str) -> str:
        kinds = ", ".join(f"{count} x {kind}" for kind, count in sorted(self._counts[raw].items()))
        column = self._catalog.columns.get(self._catalog.properties.get(raw, raw))
        name = shown(repr(raw)[:EXCERPT])
        if column is None:
            return f"{name} ({kinds})"
        return f"{name} ({kinds} in a column of {' or '.join(column.named)})"
