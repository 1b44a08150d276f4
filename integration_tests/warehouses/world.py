"""A project that is hard on warehouses, and how it goes on from one sync to the next.

Everything in it is JSON that Mixpanel takes: names that destinations cannot tell apart, or keep
for themselves; values of mixed types, beyond 64 bits, or with half a character; events without
ids, and ids that are merged later.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import event

BUILDINGS = "-3312345678901234567"
HOUSES = 7001
HOUR_S = 3_600
_NO_LONGER = 1 << 53
_PANDAS_LONGEST = 63

Held = Mapping[str, Any]

RESERVED: tuple[Held, ...] = (
    {"_airbyte_raw_id": "r", "_airbyte_extracted_at": "x", "_airbyte_generation_id": 7},
    {"_airbyte_meta": {"a": 1}, "_Airbyte_Meta": [1], "$_airbyte_meta": "$"},
    {"_ab_cdc_deleted_at": "2026-01-01T00:00:00Z", "_ab_cdc_lsn": 5},
    {"event_key": "mine", "$event_key": "also", "Event Key": 1},
    {"rescued_properties": {"mine": 1}, "Rescued Properties": "text"},
    {"ctid": "(0,1)", "xmin": 1, "xmax": 2, "cmin": 3, "cmax": 4, "tableoid": 5, "oid": 6},
    {"rowid": 7, "XMIN": "upper", "_TABLE_SUFFIX": 8, "_PARTITIONTIME": 9, "_FILE_NAME": 10},
    {"select": 1, "order": "by", "table": [2], "null": 3, "user": 4, "row_number": 5},
)
"""Names that a destination, or PostgreSQL, DuckDB or BigQuery, keeps for itself."""

RIVALS: tuple[Held, ...] = (
    {"plan": "a", "Plan": "b", "$plan": "c", "tier": "gold"},
    {"Plan Type": 1, "plan-type": "two", "plan_type": True, "planType": [4], "plan.type": 5},
    {"Event": "E", "$event": "$", "EVENT": 1, "Time": "noon", "$time": 5, "TIME": True},
    {"Distinct_Id": "d", "$distinct_id": "$", "distinct id": 1, "insert_id": "plain"},
    {"$Insert_ID": "i", "Insert Id": "space", "INSERT-ID": 2},
    {"last_seen": "own", "Last Seen": 1, "data_group_id": "g", "Cohort_Id": "c"},
    {"1st": 1, "_1st": "own", "$1st": True},
    {"Größe": "XL", "Grösse": "composed not", "Groesse": 1, "Grosse": 2, "grOsse": 3},
    {"naïve": "one", "naive": "two", "nai\u0308ve": "combining"},
    {"\u017fs": 1, "ss": 2, "ß": 3, "SS": 4, "\u0131d": 5, "id": 6, "ID": 7, "İd": 8},
)
"""Names that differ in case, in what is no letter, or in a way that cleaning takes away."""

NAMES: tuple[Held, ...] = (
    {"": "empty", " ": "blank", "_": 1, "__": 2, "$": "dollar", "$$": 3, "\t": 4, "\u2028": 5},
    {"日本": "jp", "中国": "cn", "🛒": "cart", "?": 1, "!": 2, "ключ": "ru", "клЮч": "RU"},
    {'quo"ted': 1, "apo'strophe": 2, "dots.in.name": 3, "new\nline": 4, "back\\slash": 5},
    {"semi;colon": 6, "a/b": 7, "comma,": 8, ":bound": 9, "%s": 10, "${x}": 11, "nul\x00": 12},
    {"x" * 63 + "a" * 137: "first", "x" * 63 + "b" * 137: "second", "X" * 63: "third"},
    {"é" * 100: "two bytes each", "é" * 99 + "è": "nearly", "w" * 255: "longest"},
    {"na\ud800me": "lone", "na?me": "mark"},
    {"na\udfffme": "another"},
)
"""Names of which little is left, or which are too long."""

VALUES: tuple[Held, ...] = (
    {"big": 2**53 + 1, "max64": 2**63 - 1, "min64": -(2**63), "over64": 2**64 + 1},
    {"huge": 1e300, "ten40": 10**40 + 1, "most": 10**29 - 1, "more": 10**29, "deficit": -(10**35)},
    {"tiny": 5e-324, "minus zero": -0.0, "pi": 3.141592653589793, "price": 19.9, "whole": 3.0},
    {"nested": {"a": {"b": {"c": [1, "2", None, True, {"d": []}]}}}, "matrix": [[1], [], [[3]]]},
    {"nested": {"big": 2**53 + 1, "far": 1e300}, "matrix": [10**18 + 1, 0.5]},
    {"blank": "", "spaces": "  ", "no list": [], "no object": {}, "nothing": None},
    {"separators": "a\u2028b\u2029c\u0085d\x0be\x1cf", "newlines": "a\nb\r\nc\\.\n\\.\n"},
    {"lone": "half \ud83d of it", "other half": "\ude00", "paired": "\ud83d\ude00"},
    {"lone in list": ["\udc00", 1], "lone in object": {"k\ud800": "v"}},
    {"deep": [{"a": ["\udbff"]}], "del": "\x7f"},
    {"nul": "a\x00b", "nul in list": ["\x00"], "nul in object": {"a\x00": 1}},
    {"json text": '{"a": 1}', "null text": "null", "number text": "00123", "emoji": "👩\u200d👧"},
    {"day": "2026-02-30", "moment": "2026-01-02T03:04:05", "zoned": "2026-01-02T03:04:05+01:00"},
    {"long": "x" * 70_000, "wide": list(range(500))},
)  # fmt: skip
"""Values that some column cannot hold, or not as they are."""

MOSTLY: Mapping[str, tuple[Any, tuple[Any, ...]]] = {
    "score": (12.5, ("twelve", [12], True)),
    "zip_code": (10115, ("D-10115",)),
    "flag": (True, ("yes", 1)),
    "tags": (["a", "b"], ("a,b", {"a": 1})),
    "address": ({"city": "Ulm"}, ("Ulm", ["Ulm"])),
    "size": ("XL", (42, False, ["S"])),
}
"""By property: what most of its values are, and the rare others."""

ODD_IDS: tuple[Any, ...] = (
    12345,
    12345.5,
    True,
    ["a", 1],
    {"a": 1},
    None,
    "",
    "id\u2028",
    "\ud800",
)
"""What stands as `distinct_id` of events."""

LAST_SEEN: tuple[Any, ...] = (
    "2026-03-09T10:00:00",
    "2026-03-09T10:00:00Z",
    "2026-03-09T23:30:00+05:30",
    "2026-03-09 10:00:00",
    "2026-03-09T10:00:00.123456",
    "last week",
    "2026-02-30T10:00:00",
    1_773_000_000,
    None,
)
"""What stands as `$last_seen` of profiles."""


Takes = Callable[[str, Any], bool]


def _is_wide(value: Any) -> bool:
    if isinstance(value, int):
        return not -_NO_LONGER <= value < _NO_LONGER
    inner = value.values() if isinstance(value, Mapping) else value
    return isinstance(value, (Mapping, list)) and any(map(_is_wide, inner))


def everything(_name: str, _value: Any) -> bool:
    """Any property."""
    return True


def what_postgres_takes(name: str, value: Any) -> bool:
    """What PostgreSQL takes: NUL is taken out of texts on the way, but not out of names."""
    inner = value.items() if isinstance(value, Mapping) else ()
    return "\x00" not in name and all(what_postgres_takes(*pair) for pair in inner)


def what_pandas_keeps(name: str, value: Any) -> bool:
    """What gets into PostgreSQL through pandas, which guesses at types, as it is.

    It breaks on NUL and on whole numbers beyond 53 bits, makes numbers of texts of digits, and
    times of what is called like one; PyAirbyte's columns of longer names are lost on that way.
    """
    is_time = name.lower().endswith(("_at", "_time")) or name.lower() in ("date", "modified")
    is_number = isinstance(value, str) and value.strip().isdigit()
    is_nul = "\\u0000" in json.dumps({name: value})
    is_long = len(name) > _PANDAS_LONGEST
    return not (is_time or is_number or is_nul or is_long or _is_wide(value))


@dataclass(frozen=True)
class Project:
    """The local Mixpanel, as somebody fills it.

    Attributes:
        takes: Which properties it has.
    """

    mixpanel: ControlClient
    takes: Takes = everything

    def sent(self, sets: Iterable[Held]) -> list[dict[str, Any]]:
        """Sets of properties as this project gets them."""
        return [
            {name: value for name, value in held.items() if self.takes(name, value)}
            for held in sets
        ]

    def add_events(self, sets: Iterable[Held], name: str, *, days_ago: float) -> None:
        """An event for each set of properties, minutes apart."""
        for n, held in enumerate(self.sent(sets)):
            made = event(name, days_ago=days_ago + n / 1440)
            # Mixpanel processes it when it comes in.
            del made["properties"]["mp_processing_time_ms"]
            made["properties"].update({**held, "$insert_id": f"{name}-{n}"})
            self.mixpanel.add_events([made])

    def add_profiles(
        self, sets: Iterable[Held], prefix: str, seen: Sequence[Any], group: str | None = None
    ) -> None:
        """A profile for each set of properties, seen at one of these moments."""
        made = [
            {"$distinct_id": f"{prefix}-{n:03d}",
             "$properties": {**held, "$last_seen": seen[n % len(seen)]}}
            for n, held in enumerate(self.sent(sets))
        ]  # fmt: skip
        self.mixpanel.add_profiles(made, group)


class Step(NamedTuple):
    """What happens in the project before a sync.

    Attributes:
        discovers: Whether the schema is refreshed then.
        begins_anew: Whether the state is forgotten then: a refresh that keeps the rows.
    """

    name: str
    happens: Callable[[Project], None]
    discovers: bool = True
    begins_anew: bool = False

    @property
    def brings_news(self) -> bool:
        """Whether anything happens but time."""
        return self.happens is not _later


def _mixed() -> list[dict[str, Any]]:
    """Enough events that the type of what is mixed shows, and the rare others."""
    usual = {name: value for name, (value, _) in MOSTLY.items()}
    sent = [usual] * 36
    for name, (_, others) in MOSTLY.items():
        sent += [{name: other} for other in others]
    return [dict(held) for held in sent]


def _without_ids() -> list[dict[str, Any]]:
    """Events without `$insert_id`, with an odd one, with odd ids; and copies."""
    made = []
    for n, who in enumerate(ODD_IDS):
        made.append(event("Odd Id", days_ago=2 + n / 1440, insert_id=f"odd-{n}", distinct_id=who))
    nobody = event("Nobody", days_ago=2.5, insert_id="nobody")
    del nobody["properties"]["distinct_id"]
    bare = [event("Bare", days_ago=4 + n / 1440, insert_id="", n=n) for n in range(4)]
    for n, one in enumerate(bare):
        one["properties"].update({"$insert_id": None} if n % 2 else {})
        if n % 2 == 0:
            del one["properties"]["$insert_id"]
    bare[3]["properties"]["distinct_id"] = None
    odd = [
        event("Odd Insert", days_ago=4.5 + n / 1440, insert_id=value)  # type: ignore[arg-type]
        for n, value in enumerate([42, "", True, ["x"], "lone \ud800", "00 11"])
    ]
    twice = event("Twice", days_ago=5, insert_id="twice", copies=2)
    return [*made, nobody, *bare, bare[0], *odd, twice, twice]


def _named() -> list[dict[str, Any]]:
    """Events with odd names of their own."""
    names = ("line\u2028separated", " padded ", "", "Ev\ud83dent", "a/b?c", "日本")
    return [
        event(name, days_ago=6 + n / 1440, insert_id=f"name-{n}") for n, name in enumerate(names)
    ]


def _begin(project: Project) -> None:
    mixpanel = project.mixpanel
    mixpanel.configure(identity_merge="original", merge_touches_processing_time=True)
    hard = (*RESERVED, *RIVALS, *NAMES, *VALUES)
    project.add_events(hard, "Nasty", days_ago=3.0)
    project.add_events(_mixed(), "Mixed", days_ago=1.0)
    mixpanel.add_events([*_without_ids(), *_named()])
    waiting = [event(insert_id=f"anon-{n}", days_ago=n, distinct_id="anon") for n in (1, 3, 8)]
    mixpanel.add_events([*waiting, event(insert_id="bo", days_ago=8, distinct_id="bo")])
    project.add_profiles([*hard, *_mixed()], "user", LAST_SEEN)
    key = {"data_group_id": BUILDINGS, "property_name": "building", "display_name": "Building"}
    mixpanel.add_truth("data_groups", key)
    project.add_profiles([*hard, {"seats": 3}], "house", LAST_SEEN, BUILDINGS)
    mixpanel.add_cohort({"id": HOUSES, "data_group_id": BUILDINGS}, ["house-000", "house-040"])
    mixpanel.add_cohort({"id": HOUSES + 1}, ["user-000", "user-011", "user-030", "ghost", "\u2028"])
    odd = {"id": HOUSES + 2, "name": 42, "description": None, "undeclared": {"a": [1]}, "Name": "n"}
    mixpanel.add_cohort(odd, [])


def _younger(project: Project) -> None:
    """Two hours later: names that no schema knows yet, and more misfits."""
    project.mixpanel.advance(2 * HOUR_S)
    fresh: list[Held] = [
        {"colour": "red", "zip_code": "D-10115", "score": 1},
        {"colour": "blue", "new": {"a": [1, "b"]}, "": "empty", "$new": 1e300},
        {"Tier": "later", "Colour": 5, "lone": "\ud83d", "ten40": 10**40 + 1},
    ]
    project.add_events(fresh, "Younger", days_ago=0.0)
    project.add_events([{"late": True, "colour": "green"}], "Late", days_ago=7.0)
    project.add_profiles(fresh, "user", ["2026-03-10T13:30:00"])


def _rivals_later(project: Project) -> None:
    """Two hours later: rivals of names that are there, which keep their columns.

    A third rival may move the second one, whose column destinations then drop until a refresh.
    """
    project.mixpanel.advance(2 * HOUR_S)
    fresh: list[Held] = [
        {"Late": "too", "colour": "lime", "Score": "ten", "_score": 7},
        {"$zip_code": "D-1", "zip-code": 8, "Tags": "x"},
    ]
    project.add_events(fresh, "Rivals", days_ago=-0.05)


def _merge(project: Project) -> None:
    """Two hours later: `anon` turns out to be Ana, and her old events are given to her."""
    project.mixpanel.advance(2 * HOUR_S)
    made = event("$identify", days_ago=-0.1, insert_id="identify", distinct_id="ana")
    del made["properties"]["mp_processing_time_ms"]
    made["properties"].update({"$anon_id": "anon", "$identified_id": "ana"})
    project.mixpanel.add_events([made])


def _later(project: Project) -> None:
    project.mixpanel.advance(2 * HOUR_S)


STEPS = (
    Step("at first", _begin),
    Step("younger than the schema", _younger, discovers=False),
    Step("after a refresh of the schema", _later),
    Step("rivals of older names", _rivals_later),
    Step("merged identities", _merge),
    Step("nothing new", _later, discovers=False),
    Step("everything again", _later, begins_anew=True),
)
"""The project's life; each step ends with a sync."""
