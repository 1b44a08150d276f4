"""A message that stands for many records."""

from __future__ import annotations

import json
from typing import Any

from airbyte_cdk.models import AirbyteMessage, AirbyteMessageSerializer, Type
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.records.batch import batch, message

_quick = settings(max_examples=30)

texts = st.text(st.characters(blacklist_categories=[]), max_size=6)
rows = st.lists(
    st.dictionaries(texts, texts | st.none() | st.booleans() | st.integers(-(2**70), 2**70)),
    max_size=5,
)


@given(rows, st.integers(0, 2**50))
@_quick
def test_a_batch_holds_one_protocol_line_for_each_row_in_order(
    many: list[dict[str, Any]], emitted_at: int
) -> None:
    made = batch("export", many, emitted_at)
    assert made.count == len(many)
    lines = made.lines.split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line) for line in lines] == [
        {"type": "RECORD", "record": {"stream": "export", "data": row, "emitted_at": emitted_at}}
        for row in many
    ]


def test_a_batch_is_a_record_message_of_its_stream() -> None:
    made = batch("export", [{"a": 1}], 5)
    assert isinstance(made, AirbyteMessage)
    assert made.type == Type.RECORD
    assert made.record is not None
    assert made.record.stream == "export"


def test_rows_may_come_from_an_iterator_that_has_none() -> None:
    made = batch("export", iter([]), 5)
    assert (made.count, made.lines) == (0, b"")


def test_a_stream_name_is_escaped() -> None:
    made = batch('a"b\n', [{"a": 1}], 5)
    assert json.loads(made.lines)["record"]["stream"] == 'a"b\n'


def test_a_plain_message_says_the_same_as_a_line_of_a_batch() -> None:
    row = {"event": "a", "n": 2**53 + 1, "list": [True, None]}
    plain = AirbyteMessageSerializer.dump(message("export", row, 5))
    line = json.loads(batch("export", [row], 5).lines)
    assert {k: v for k, v in plain["record"].items() if v is not None} == line["record"]
