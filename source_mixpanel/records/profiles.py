"""Profiles to records. Parsed profiles in, rows out. Pure."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from source_mixpanel.errors import DataError
from source_mixpanel.records.columns import PropertyColumns, Shape
from source_mixpanel.records.naming import ColumnNames

KEY_COLUMN = "distinct_id"
LAST_SEEN = "$last_seen"
CORE_PROPERTIES: Mapping[str, str] = {LAST_SEEN: "last_seen"}
"""The properties that are columns of every profile; its id is no property."""

_KEY = "$distinct_id"
_PROPERTIES = "$properties"
_PLAIN = 2
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?)?", re.ASCII)


class Emitted:
    """Which profiles have been emitted, in eight bytes each.

    Two profiles are taken for one if a 64-bit hash of id and `$last_seen` is the same: for ten
    million profiles the chance is one in 400,000, and it matters only where a session expired.
    """

    def __init__(self) -> None:
        self._new = array("q")
        self._sorted = array("q")

    def add(self, who: str, seen: Any) -> None:
        """Remember a profile."""
        self._new.append(hash((who, str(seen))))

    def settle(self) -> None:
        """Make what was added so far known to `holds`."""
        if self._new:
            self._sorted = array("q", sorted(self._sorted + self._new))
            self._new = array("q")

    def holds(self, who: str, seen: Any) -> bool:
        """Whether this version of a profile was emitted before the last `settle`."""
        key = hash((who, str(seen)))
        place = bisect_left(self._sorted, key)
        return place < len(self._sorted) and self._sorted[place] == key


class ProfileRows:
    """Makes rows of profiles, and keeps count of what a log should tell.

    Args:
        names: The columns of properties; grows as new ones come by.
        shape: How rows are to look.
        fixed: Columns beside the profile's own that every row has.

    Attributes:
        latest: The latest `$last_seen` that is a time, as Mixpanel wrote it; None without one.
        seen: Profiles read, emitted or not.
    """

    def __init__(self, names: ColumnNames, shape: Shape, fixed: Iterable[str] = ()) -> None:
        core = (KEY_COLUMN, *fixed, *CORE_PROPERTIES.values())
        self.columns = PropertyColumns(names, shape, core)
        self._defaults = dict.fromkeys(core)
        self._as_object = shape.as_object
        self.latest: str | None = None
        self.seen = 0

    def rows(
        self,
        profiles: Iterable[Any],
        fixed: Mapping[str, Any],
        emitted: Emitted,
        *,
        again: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """The rows of profiles, in order.

        Args:
            profiles: As Mixpanel sends them.
            fixed: The values of the columns that are no properties.
            emitted: Which ones have been emitted; grows.
            again: Whether those are to be left out.

        Raises:
            DataError: An element is no profile.
        """
        for profile in profiles:
            who, properties = _parts(profile)
            self.seen += 1
            seen = properties.get(LAST_SEEN)
            if again and emitted.holds(who, seen):
                continue
            emitted.add(who, seen)
            if self.latest is None or (type(seen) is str and seen > self.latest):
                self._learn(seen)
            yield self._row(who, properties, fixed)

    def _row(
        self, who: str, properties: Mapping[str, Any], fixed: Mapping[str, Any]
    ) -> dict[str, Any]:
        if self._as_object:
            row = {**self._defaults, "last_seen": properties.get(LAST_SEEN)}
            row["properties"] = properties
        else:
            row = self.columns.row(properties)
        row[KEY_COLUMN] = who
        row.update(fixed)
        return row

    def _learn(self, seen: Any) -> None:
        if type(seen) is str and _MOMENT.fullmatch(seen):
            self.latest = seen


def _parts(profile: Any) -> tuple[str, Mapping[str, Any]]:
    """Id and properties; further keys beside them become properties too."""
    try:
        who, properties = profile[_KEY], profile.get(_PROPERTIES) or {}
    except (KeyError, TypeError, AttributeError) as error:
        raise _no_profile(profile) from error
    if type(who) is int:
        who = str(who)
    if type(who) is not str or type(properties) is not dict:
        raise _no_profile(profile)
    if len(profile) <= _PLAIN:
        return who, properties
    extras = {k: v for k, v in profile.items() if k not in (_KEY, _PROPERTIES)}
    return who, {**extras, **properties}


def _no_profile(value: Any) -> DataError:
    keys = sorted(value) if isinstance(value, dict) else type(value).__name__
    return DataError(
        "Mixpanel sent a profile without an id, so the sync stops rather than drop it.",
        detail=f"an element with {keys} instead of '$distinct_id' and '$properties'",
    )
