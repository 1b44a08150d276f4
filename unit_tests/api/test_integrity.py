"""Is a body of JSON Lines whole?"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.api.integrity import Damage, LineCensus, find_damage

_quick = settings(max_examples=60)

texts = st.text(st.sampled_from('{}"\\\n\r\u2028\u0085\x0baé,: '), max_size=6)
lines = st.builds(
    lambda event, properties, ascii_only: (
        json.dumps({"event": event, "properties": properties}, ensure_ascii=ascii_only).encode()
        + b"\n"
    ),
    texts,
    st.dictionaries(texts, texts | st.integers() | st.lists(texts, max_size=2), max_size=3),
    st.booleans(),
)
bodies = st.lists(lines, max_size=6)

LINE = b'{"event":"a","properties":{"time":1}}\n'
MARKERS = [
    b"terminated early\n",
    b"terminated early",
    b"export terminated early\n",
    b'{"error":"too much data"}\n',
    b'{"error": "too much data"',
    b'{"request": "/api/2.0/export", "error": "too much data"}\n',
]


def _census(pieces: list[bytes]) -> LineCensus:
    census = LineCensus()
    for piece in pieces:
        census.feed(piece)
    return census


def _verdict(pieces: list[bytes]) -> Damage | None:
    """As a reader of bodies decides: look at each line only if the sums call for it."""
    if not _census(pieces).is_suspect:
        return None
    return find_damage(_split(pieces))


def _split(pieces: list[bytes]) -> list[bytes]:
    parts = b"".join(pieces).split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _cut_up(body: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(body) + 1) for place in places} | {0, len(body)})
    return [body[a:b] for a, b in pairwise(ends)] + [b""]


@given(bodies, st.lists(st.integers(0, 2000), max_size=12))
@_quick
def test_a_whole_body_is_found_whole_and_counted_however_it_is_cut_up(
    body: list[bytes], places: list[int]
) -> None:
    census = _census(_cut_up(b"".join(body), places))
    assert not census.is_suspect
    assert census.lines == len(body)
    assert census.size == len(b"".join(body))
    assert find_damage(body) is None


@given(bodies, st.integers(0, 2000), st.lists(st.integers(0, 2000), max_size=6))
@_quick
def test_a_cut_at_any_byte_is_found_or_leaves_whole_lines(
    body: list[bytes], place: int, places: list[int]
) -> None:
    text = b"".join(body)
    text = text[: place % (len(text) + 1)]
    damage = _verdict(_cut_up(text, places))
    assert (damage is None) == (not text or text.endswith(b"\n"))
    assert damage is None or not damage.in_the_middle


@given(bodies, st.integers(0, 2000), st.sampled_from(MARKERS), st.lists(st.integers(0, 2000)))
@_quick
def test_a_marker_after_a_cut_at_any_byte_is_found(
    body: list[bytes], place: int, marker: bytes, places: list[int]
) -> None:
    text = b"".join(body)
    text = text[: place % (len(text) + 1)] + marker
    damage = _verdict(_cut_up(text, places))
    assert damage is not None
    assert not damage.in_the_middle


@given(
    bodies,
    st.integers(0, 2000),
    st.sampled_from([b"terminated early\n", b"oops\n", b"[1]\n"]),
    st.lists(st.integers(0, 2000), max_size=6),
)
@_quick
def test_the_verdict_does_not_depend_on_where_pieces_end(
    body: list[bytes], place: int, rubbish: bytes, places: list[int]
) -> None:
    text = b"".join(body)
    place %= len(text) + 1
    text = text[:place] + rubbish + text[place:]
    whole, pieces = _census([text]), _census(_cut_up(text, places))
    single = _census([text[n : n + 1] for n in range(len(text))])
    for other in (pieces, single):
        assert (whole.lines, whole.size) == (other.lines, other.size)
        assert whole.is_suspect == other.is_suspect


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", None),
        (LINE, None),
        (b"\n" + LINE + b"\n\n" + LINE + b"\n", None),
        (LINE.replace(b"\n", b"\r\n") * 2, None),
        (b"terminated early\n", (1, False)),
        (b"terminated early", (1, False)),
        (LINE + b"export terminated early\n", (2, False)),
        (LINE + b'{"error":"x"}\n', (2, False)),
        (LINE + LINE[:-1], (2, False)),
        (LINE + LINE[:9], (2, False)),
        (LINE + LINE[:20] + b'{"error":"x"}\n', (2, False)),
        (LINE + b'{"status":"error"}\n', (2, False)),
        (LINE + b'{"event":"a","properties":{"b":}}\n', (2, False)),
        (b"oops\n" + LINE, (1, True)),
        (LINE + b"terminated early\n" + LINE, (2, True)),
        (LINE + b'{"error":"x"}\n' + LINE + LINE[:5], (2, True)),
        (LINE + b"oops\n\n", (2, False)),
    ],
)
def test_the_first_damage_is_named_with_its_line(
    body: bytes, expected: tuple[int, bool] | None
) -> None:
    damage = _verdict([body])
    assert (damage and (damage.line, damage.in_the_middle)) == expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (LINE + b"terminated early\n", "terminated early"),
        (LINE + b'{"error":"too much"}\n', "too much"),
        (LINE + LINE[:-1], "no newline"),
        (LINE + b"<html>\n", "no event"),
        (LINE + LINE[:20] + b'{"error":"x"}\n', "no event"),
    ],
)
def test_the_reason_says_what_was_seen(body: bytes, words: str) -> None:
    damage = _verdict([body])
    assert damage is not None
    assert words in damage.reason


@pytest.mark.parametrize(
    "line",
    [
        {"event": "error", "properties": {}},
        {"event": '{"error"', "properties": {"a": '\n{"error":'}},
        {"properties": {"error": 1}, "event": "a"},
        {"event": "terminated early", "properties": {}},
        {"event": "a", "properties": {"n": 2**80, "x": "\ud800"}},
    ],
)
def test_an_event_that_speaks_of_errors_is_still_an_event(line: dict[str, Any]) -> None:
    assert _verdict([LINE, json.dumps(line).encode() + b"\n"]) is None


def test_an_event_whose_bytes_are_no_text_is_still_an_event() -> None:
    assert _verdict([b'{"event":"a\xff","properties":{}}\n']) is None
