"""What the user keeps back: properties that never come out, or as a hash alone. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from source_mixpanel.columns.names import first_fit
from source_mixpanel.texts.json_lines import as_text, dump

IDS = frozenset({"distinct_id", "$distinct_id", "$distinct_id_before_identity"})
"""Properties that hold the id of the person or group that an event or a profile is of."""
_NAMES_OF_THE_ID = frozenset({"distinct_id", "$distinct_id"})
_FURTHER_IDS = (
    "$user_id",
    "$device_id",
    "$identified_id",
    "$anon_id",
    "$distinct_ids",
    "alias",
    "$preshuffle_distinct_id",
    "mp_original_distinct_id",
)
"""Properties that hold such ids as well."""
_MANY = 20_000


class _Gone(dict[str, bool]):
    """Whether a name is one of those that patterns mean; what was asked for is remembered."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        super().__init__()
        self._patterns = patterns

    def __missing__(self, name: str) -> bool:
        if len(self) >= _MANY:
            self.clear()
        self[name] = gone = first_fit(name, self._patterns) is not None
        return gone


@dataclass(frozen=True)
class Privacy:
    """Which properties are kept back.

    Attributes:
        excluded: Names of those that are left out; `*` stands for any run of characters.
        hashed: Names of those that are hashed; `distinct_id` for all of `IDS`.
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
        """Whether a property never comes out."""
        return self._gone[name]

    def hashes(self, name: str) -> bool:
        """Whether a property comes out as a hash."""
        return name in self.hashed or (self.hashes_ids and name in IDS)

    def guard(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The properties as they may come out; null stays null.

        Integers beyond 64 bits have to be exact.

        Raises:
            DataError: A value to be hashed is nested too deep.
        """
        gone = self._gone
        kept = {name: value for name, value in properties.items() if not gone[name]}
        for name in self._hashed_names & kept.keys():
            value = kept[name]
            if value is not None:
                kept[name] = self._hash(as_text(value) if name in IDS else value)
        return kept

    def guard_schema(self, schema: Any) -> Any:
        """A JSON Schema of properties, without those that never come out."""
        if not self.excluded or not isinstance(schema, Mapping):
            return schema
        kept, told, needed = dict(schema), schema.get("properties"), schema.get("required")
        if isinstance(told, Mapping):
            kept["properties"] = {n: spec for n, spec in told.items() if not self.excludes(n)}
        if isinstance(needed, list):
            kept["required"] = [n for n in needed if not self.excludes(str(n))]
        return kept

    def id(self, text: str) -> str:
        """The id of a person or group, as it comes out in every stream."""
        return self._hash(text) if self.hashes_ids else text

    def readable_ids(self) -> list[str]:
        """Where ids are hashed: the properties that show them all the same."""
        if not self.hashes_ids:
            return []
        return [n for n in _FURTHER_IDS if not self.hashes(n) and not self.excludes(n)]

    @cached_property
    def _gone(self) -> _Gone:
        return _Gone(self.excluded)

    @cached_property
    def _hashed_names(self) -> frozenset[str]:
        return self.hashed | IDS if self.hashes_ids else self.hashed

    def _hash(self, value: Any) -> str:
        return hmac.digest(self.salt, dump(value), "sha256").hex()
