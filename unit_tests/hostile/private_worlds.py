"""Worlds with properties that are to be kept back, whatever they are called and whatever they hold.

Names and values have marks in them that nothing else has, so that a mark in the output is a leak.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import event
from unit_tests.hostile.values import texts
from unit_tests.profiles.test_engage import profile

COMPANIES = "-7712345678901234567"
PEOPLE = ["qzid1z", "qzid2z", "qzid3z"]
NUMBER = 735100184620
"""An id that came in as a number."""
COMPANY = "qzid9z"
SALT = "p3pp3r-0f-th3-t3st"
PUBLIC = "told"
STREAMS = ["export", "engage", "cohort_members", "groups", "event_definitions"]
EXCLUDED, HASHED = "excluded", "hashed"


class Private(NamedTuple):
    """A property to be kept back.

    Attributes:
        name: With the mark `qzname<number>z`, where it is never to be seen.
        mark: In each of its values.
    """

    name: str
    mark: str
    values: list[Any]
    fate: str
    by_pattern: bool

    @property
    def marks(self) -> list[str]:
        """What must not be seen."""
        told = [self.mark]
        if self.fate == EXCLUDED:
            told.append(_name_mark(self.mark))
        return told


def _name_mark(mark: str) -> str:
    return mark.replace("73519", "qzname")


def _values(mark: str) -> st.SearchStrategy[Any]:
    """Values of each type of JSON with a mark of digits in them."""
    number = int(mark)
    return st.one_of(
        st.builds(lambda before, after: f"{before}{mark}{after}", texts, texts),
        st.sampled_from([number, -number, number * 10**25 + 7, number + 0.5, number * 10.0**40]),
        st.sampled_from(
            [[number], [[mark], 1], {"a": mark}, {mark: None}, {"a": [number * 10**20]}]
        ),
    )


@st.composite
def privates(draw: st.DrawFn) -> list[Private]:
    """Some properties, at least one of each fate."""
    made = []
    for number, fate in enumerate([EXCLUDED, HASHED, *draw(_fates)]):
        mark = f"73519{number}84620"
        before, after = draw(texts), draw(texts)
        name = f"{before}{_name_mark(mark)}{after}"
        if any("\ud800" <= c <= "\udfff" for c in name) or (fate == HASHED and "*" in name):
            # Settings are Unicode, and only patterns have a star.
            name = _name_mark(mark)
        values = draw(st.lists(_values(mark), min_size=1, max_size=3))
        made.append(Private(name, mark, values, fate, draw(st.booleans())))
    return made


_fates = st.lists(st.sampled_from([EXCLUDED, HASHED]), max_size=2)


def kept_back(properties: list[Private]) -> dict[str, Any]:
    """Settings that keep these back, and ids."""
    excluded = [p for p in properties if p.fate == EXCLUDED]
    return {
        "event_timestamps": "utc",
        "exclude_properties": [
            f"*{_name_mark(p.mark)}*" if p.by_pattern else p.name for p in excluded
        ],
        "hash_properties": ["distinct_id", *(p.name for p in properties if p.fate == HASHED)],
        "hash_salt": SALT,
    }


def marks_of(properties: list[Private]) -> list[str]:
    """All that must not be seen."""
    return [*PEOPLE, str(NUMBER), COMPANY, *(mark for p in properties for mark in p.marks)]


def held(properties: list[Private]) -> Iterator[dict[str, Any]]:
    """Properties of a row, over and over, each time with others of their values."""
    number = 0
    while True:
        told = {p.name: p.values[number % len(p.values)] for p in properties}
        yield {**told, PUBLIC: f"of row {number}"}
        number += 1


def plant(mixpanel: ControlClient, properties: list[Private]) -> None:
    """Events, users, a cohort, a group key and Lexicon, all with these properties."""
    rows = held(properties)
    mixpanel.reset()
    mixpanel.add_events(
        [
            event(insert_id=f"i-{n}", days_ago=1 + n % 3, **{**next(rows), "distinct_id": who})
            for n, who in enumerate([*PEOPLE, NUMBER, *PEOPLE])
        ]
    )
    mixpanel.add_profiles([profile(who, **next(rows)) for who in PEOPLE])
    mixpanel.set_truth("data_groups", [{"data_group_id": COMPANIES, "property_name": "company"}])
    mixpanel.add_profiles([profile(COMPANY, **next(rows))], COMPANIES)
    mixpanel.add_cohort({"id": 1, "name": "some"}, PEOPLE[:2])
    mixpanel.add_cohort({"id": 2, "name": "firms", "data_group_id": COMPANIES}, [COMPANY])
    names = [p.name for p in properties]
    schema = {"properties": {name: {"type": "number"} for name in names}, "required": names}
    mixpanel.set_truth(
        "schemas", [{"entityType": "event", "name": "Sign Up", "schemaJson": schema}]
    )


def damaged(properties: list[Private]) -> st.SearchStrategy[tuple[str, str]]:
    """A path and an answer there that is not what it should be, with these properties in it."""
    rows = [row for row, _ in zip(held(properties), range(3), strict=False)]
    lines = [json.dumps(event(**row), ensure_ascii=True) + "\n" for row in rows]
    profiles = [json.dumps(profile(who, **row)) for who, row in zip(PEOPLE, rows, strict=True)]
    odd = [json.dumps(row) for row in rows] + [json.dumps([row]) for row in rows]
    page = '{"page": 0, "session_id": "1-a", "status": "ok", "total": 3, "results": ['
    elements = st.lists(st.sampled_from([*profiles, *odd]), min_size=1, max_size=5)
    pages = elements.map(lambda chosen: page + ", ".join(chosen) + "]}")
    bodies = st.lists(st.sampled_from([*lines, *(f"{text}\n" for text in odd)]), min_size=1)
    exports = bodies.map("".join)
    lists = st.sampled_from(["/api/query/cohorts/list", "/api/query/engage/properties"])
    return st.one_of(
        st.tuples(st.just("/api/2.0/export"), _hurt(exports)),
        st.tuples(st.just("/api/query/engage"), pages | _hurt(pages)),
        st.tuples(lists, _hurt(st.sampled_from(odd))),
    )


def _hurt(bodies: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Bodies with a piece of them cut out, or in two places."""

    def hurt(body: str, start: float, length: float, *, again: bool) -> str:
        begin = int(len(body) * start)
        end = begin + int(len(body) * length) + 1
        return body[:begin] + (body[begin:end] * 2 if again else "") + body[end:]

    shares = st.floats(0, 1, exclude_max=True)
    return st.builds(
        lambda body, start, length, again: hurt(body, start, length, again=again),
        bodies, shares, shares, st.booleans(),
    )  # fmt: skip
