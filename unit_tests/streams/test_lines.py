"""Rows as lines of the protocol."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.streams.lines import record_lines

_quick = settings(max_examples=30)

texts = st.text(st.characters(blacklist_categories=[]), max_size=6)
rows = st.lists(
    st.dictionaries(texts, texts | st.none() | st.booleans() | st.integers(-(2**70), 2**70)),
    max_size=5,
)


@given(rows, st.integers(0, 2**50))
@_quick
def test_there_is_one_protocol_line_for_each_row_in_order(
    many: list[dict[str, Any]], emitted_at: int
) -> None:
    made, count = record_lines("export", many, emitted_at)
    assert count == len(many)
    lines = made.split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line) for line in lines] == [
        {"type": "RECORD", "record": {"stream": "export", "data": row, "emitted_at": emitted_at}}
        for row in many
    ]


def test_rows_may_come_from_an_iterator_that_has_none() -> None:
    assert record_lines("export", iter([]), 5) == (b"", 0)


def test_a_stream_name_is_escaped() -> None:
    lines, _ = record_lines('a"b\n', [{"a": 1}], 5)
    assert json.loads(lines)["record"]["stream"] == 'a"b\n'
