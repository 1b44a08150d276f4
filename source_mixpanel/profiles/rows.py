"""Profiles to records. Parsed profiles in, rows out. Pure."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from source_mixpanel.columns.catalog import CatalogColumns, is_time
from source_mixpanel.columns.naming import Core
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.columns.properties import PropertyColumns, Shape
from source_mixpanel.columns.reserved import PROFILE_PROPERTIES
from source_mixpanel.columns.types import OBJECT
from source_mixpanel.errors import DataError
from source_mixpanel.texts.json_lines import as_text
from source_mixpanel.texts.oddities import Oddities

KEY_COLUMN = "distinct_id"
LAST_SEEN = "$last_seen"
_KEY = "$distinct_id"
_PROPERTIES = "$properties"
_USUAL_KEYS = 2
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?)?", re.ASCII)


def profile_core(fixed: Iterable[str]) -> Core:
    """The core columns of profiles; `fixed` are further ones, such as `cohort_id`."""
    reserved = frozenset(PROFILE_PROPERTIES)
    return Core({LAST_SEEN: "last_seen"}, (KEY_COLUMN, *fixed), reserved)


class Emitted:
    """The profiles that have been emitted, in eight bytes each.

    Two profiles count as one if the 64-bit hashes of id and `$last_seen` are the same: for ten
    million profiles the chance is one in 400,000, and it matters only after a session expired.
    """

    def __init__(self) -> None:
        self._new = array("q")
        self._sorted = array("q")
        self._first_keys: set[int] = set()

    def began_before(self, who: Any, seen: Any) -> bool:
        """Whether an earlier page began with this profile: the server ignores the page number."""
        key = hash((str(who), str(seen)))
        has_come = key in self._first_keys
        self._first_keys.add(key)
        return has_come

    def add(self, who: Any, seen: Any) -> None:
        """Add a profile; `holds` knows it after the next `settle`."""
        self._new.append(hash((str(who), str(seen))))

    def settle(self) -> None:
        """Make the profiles added so far known to `holds`."""
        if self._new:
            self._sorted = array("q", sorted(self._sorted + self._new))
            self._new = array("q")

    def holds(self, who: Any, seen: Any) -> bool:
        """Whether this version of a profile was emitted before the last `settle`."""
        key = hash((str(who), str(seen)))
        index = bisect_left(self._sorted, key)
        return index < len(self._sorted) and self._sorted[index] == key


class ProfileRows:
    """Makes rows of profiles, and counts unusual ones for the log.

    Attributes:
        latest: The latest valid `$last_seen`, as Mixpanel wrote it; None without one.
        seen: Profiles read, emitted or not.
        made: Rows made.
    """

    def __init__(self, catalog: CatalogColumns, shape: Shape, core: Core, privacy: Privacy) -> None:
        self.columns = PropertyColumns(catalog, shape, core)
        self._privacy = privacy
        self._as_object = shape.as_object
        self._last_seen = catalog.columns.get("last_seen")
        self._without_id = Oddities()
        self._non_text_ids = Oddities()
        self.latest: str | None = None
        self.seen = 0
        self.made = 0

    def rows(
        self,
        profiles: Iterable[Any],
        fixed: Mapping[str, Any],
        emitted: Emitted,
        *,
        again: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """The rows of a page of profiles, in order; profiles without an id are only counted.

        Every profile is added to `emitted`; with `again`, those emitted before are left out.
        `fixed` are the values of the further core columns.

        Raises:
            DataError: No profile of the page has an id.
        """
        without_id_before, seen_before, first = self._without_id.count, self.seen, True
        is_guarded = bool(self._privacy)
        for profile in profiles:
            self.seen += 1
            if (parts := _parts(profile)) is None:
                self._without_id.add(profile)
                continue
            who, properties = parts
            seen = properties.get(LAST_SEEN)
            if first and emitted.began_before(who, seen) and not again:
                emitted.settle()
                again = True
            first = False
            if again and emitted.holds(who, seen):
                continue
            emitted.add(who, seen)
            self._learn(seen)
            self.made += 1
            if is_guarded:
                who, properties = self._guarded(who, properties)
            yield self._row(who, properties, fixed)
        count = self.seen - seen_before
        if count and self._without_id.count - without_id_before == count:
            raise DataError(f"Mixpanel sent profiles without an id: {self._without_id.shown()}.")

    def _guarded(self, who: Any, properties: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        """Id and properties, hashed or left out as the settings say."""
        if self._privacy.hashes_ids:
            who = self._privacy.id(as_text(who) or "")
        return who, self._privacy.guard(properties)

    def _row(
        self, who: Any, properties: Mapping[str, Any], fixed: Mapping[str, Any]
    ) -> dict[str, Any]:
        seen, last_seen = properties.get(LAST_SEEN), self._last_seen
        if self._as_object:
            row = {**self.columns.blank, "last_seen": seen, OBJECT: properties}
        else:
            row = self.columns.row(properties)
        if last_seen is not None and seen is not None and not last_seen.fits(seen):
            self._rescue_last_seen(row, seen)
        row[KEY_COLUMN] = who if type(who) is str else self._text_of(row, who)
        row.update(fixed)
        return row

    def _rescue_last_seen(self, row: dict[str, Any], seen: Any) -> None:
        """Move a `$last_seen` that is not a time to `rescued_properties`."""
        if not self.columns.is_older:
            row["last_seen"] = None
        if not self._as_object:
            self.columns.rescue(row, LAST_SEEN, seen)

    def _text_of(self, row: dict[str, Any], who: Any) -> str:
        """The JSON text of an id that is not a text; any other than an integer is rescued."""
        if type(who) is not int:
            self._non_text_ids.add(who)
            if not self._as_object and not self.columns.is_older:
                self.columns.rescue(row, _KEY, who)
        return as_text(who) or ""

    def _learn(self, seen: Any) -> None:
        if type(seen) is not str or (self.latest is not None and seen <= self.latest):
            return
        if is_time(seen, _MOMENT):
            self.latest = seen

    def sentences(self, stream: str) -> list[str]:
        """A sentence for each kind of unusual profile, and those of `PropertyColumns`."""
        found = []
        if self._without_id.count:
            found.append(
                f"Stream {stream!r}: {self._without_id.count} profiles have no id, so they are "
                f"left out: {self._without_id.shown()}."
            )
        if self._non_text_ids.count:
            found.append(
                f"Stream {stream!r}: {self._non_text_ids.count} profiles have an id that is no "
                f"text; it is emitted as its JSON text: {self._non_text_ids.shown()}."
            )
        return [*found, *self.columns.sentences(stream)]


def _parts(profile: Any) -> tuple[Any, Mapping[str, Any]] | None:
    """Id and properties; None without an id. Other keys of the profile become properties."""
    if type(profile) is not dict:
        return None
    who, properties = profile.get(_KEY), profile.get(_PROPERTIES) or {}
    if who in (None, "") or type(properties) is not dict:
        return None
    if len(profile) <= _USUAL_KEYS:
        return who, properties
    extras = {k: v for k, v in profile.items() if k not in (_KEY, _PROPERTIES)}
    return who, {**extras, **properties}
