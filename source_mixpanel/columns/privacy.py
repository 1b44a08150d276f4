"""Properties that the user excludes or hashes. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from source_mixpanel.columns.names import first_fit
from source_mixpanel.texts.json_lines import as_text, dump

IDS = frozenset({"distinct_id", "$distinct_id", "$distinct_id_before_identity"})
"""Properties with the id of the person or group of an event or a profile."""
_NAMES_OF_THE_ID = frozenset({"distinct_id", "$distinct_id"})
_OTHER_IDS = (
    "$user_id",
    "$device_id",
    "$identified_id",
    "$anon_id",
    "$distinct_ids",
    "alias",
    "$preshuffle_distinct_id",
    "mp_original_distinct_id",
)
"""Other properties with such ids."""
_MAX_CACHED = 20_000


class _ExcludedNames(dict[str, bool]):
    """Whether a name matches a pattern, with a cache."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        super().__init__()
        self._patterns = patterns

    def __missing__(self, name: str) -> bool:
        if len(self) >= _MAX_CACHED:
            self.clear()
        self[name] = is_excluded = first_fit(name, self._patterns) is not None
        return is_excluded


@dataclass(frozen=True)
class Privacy:
    """The properties that are left out or hashed.

    Attributes:
        excluded: Names to leave out; `*` stands for any characters.
        hashed: Names to hash; `distinct_id` stands for all of `IDS`.
        salt: The key of the hashes.
    """

    excluded: tuple[str, ...] = ()
    hashed: frozenset[str] = frozenset()
    salt: bytes = field(default=b"", repr=False)

    def __bool__(self) -> bool:
        return bool(self.excluded or self.hashed)

    @cached_property
    def hashes_ids(self) -> bool:
        """Whether ids are hashed, in every stream."""
        return not self.hashed.isdisjoint(_NAMES_OF_THE_ID)

    def excludes(self, name: str) -> bool:
        """Whether a property is left out."""
        return self._excluded_names[name]

    def hashes(self, name: str) -> bool:
        """Whether a property is hashed."""
        return name in self.hashed or (self.hashes_ids and name in IDS)

    def guard(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The properties without excluded ones, and with hashes; null stays null.

        Integers beyond 64 bits have to be exact in the input.

        Raises:
            DataError: A value to hash is nested too deep.
        """
        excluded = self._excluded_names
        guarded = {name: value for name, value in properties.items() if not excluded[name]}
        for name in self._hashed_names & guarded.keys():
            value = guarded[name]
            if value is not None:
                guarded[name] = self._hash(as_text(value) if name in IDS else value)
        return guarded

    def guard_schema(self, schema: Any) -> Any:
        """A JSON Schema of properties, without excluded ones."""
        if not self.excluded or not isinstance(schema, Mapping):
            return schema
        guarded, properties, required = (
            dict(schema),
            schema.get("properties"),
            schema.get("required"),
        )
        if isinstance(properties, Mapping):
            guarded["properties"] = {
                n: spec for n, spec in properties.items() if not self.excludes(n)
            }
        if isinstance(required, list):
            guarded["required"] = [n for n in required if not self.excludes(str(n))]
        return guarded

    def id(self, text: str) -> str:
        """The id of a person or group as every stream emits it: hashed, if ids are."""
        return self._hash(text) if self.hashes_ids else text

    def readable_ids(self) -> list[str]:
        """If ids are hashed: other properties that still contain them."""
        if not self.hashes_ids:
            return []
        return [n for n in _OTHER_IDS if not self.hashes(n) and not self.excludes(n)]

    @cached_property
    def _excluded_names(self) -> _ExcludedNames:
        return _ExcludedNames(self.excluded)

    @cached_property
    def _hashed_names(self) -> frozenset[str]:
        return self.hashed | IDS if self.hashes_ids else self.hashed

    def _hash(self, value: Any) -> str:
        return hmac.digest(self.salt, dump(value), "sha256").hex()
