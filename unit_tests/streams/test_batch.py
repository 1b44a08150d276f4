"""A message that stands for many records."""

from __future__ import annotations

import json

from airbyte_cdk.models import AirbyteMessage, AirbyteMessageSerializer, Type

from source_mixpanel.streams.batch import batch, message


def test_a_batch_is_a_record_message_of_its_stream() -> None:
    made = batch("export", [{"a": 1}, {"a": 2}], 5)
    assert isinstance(made, AirbyteMessage)
    assert made.type == Type.RECORD
    assert made.record is not None
    assert made.record.stream == "export"
    assert made.count == len(made.lines.splitlines()) == 2


def test_a_plain_message_says_the_same_as_a_line_of_a_batch() -> None:
    row = {"event": "a", "n": 2**53 + 1, "list": [True, None]}
    plain = AirbyteMessageSerializer.dump(message("export", row, 5))
    line = json.loads(batch("export", [row], 5).lines)
    assert {k: v for k, v in plain["record"].items() if v is not None} == line["record"]
