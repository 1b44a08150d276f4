"""A body on its way, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from source_mixpanel.api.arrival import Arrival
from source_mixpanel.api.patience import Timeouts
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.errors import StrainError
from unit_tests.api.ledgers import HastyClock

REQUEST = ApiRequest(Api.EXPORT, "/api/2.0/export", "export")


def coming(chunks: list[bytes], every_s: float) -> tuple[Iterator[bytes], list[str]]:
    """A body of which a piece comes every so often, as it is watched, and what is told."""
    clock = HastyClock()
    left = iter([*chunks, b""])

    def read1(_most: int, *, decode_content: bool) -> bytes:
        assert not decode_content
        clock.time += every_s
        return next(left)

    response = cast("Any", SimpleNamespace(raw=SimpleNamespace(read1=read1)))
    told: list[str] = []
    return Arrival(clock, told.append, Timeouts()).chunks(response, REQUEST), told


def test_a_long_download_is_told_of_every_five_minutes() -> None:
    body, told = coming([b"x" * 100_000] * 31, every_s=60)
    assert sum(map(len, body)) == 3_100_000
    assert len(told) == 6
    assert told[0] == (
        "For stream 'export', 0.5 MB of the answer to GET /api/2.0/export have come in 5 min, "
        "and more is on its way."
    )
    assert "3.0 MB" in told[-1]


def test_a_short_download_is_not_worth_a_word() -> None:
    body, told = coming([b"x" * 100_000] * 4, every_s=60)
    assert len(list(body)) == 4
    assert told == []


def test_a_body_that_hardly_moves_counts_as_silence() -> None:
    body, _ = coming([b"x"] * 1_000, every_s=50)
    with pytest.raises(StrainError, match="too slowly: 12 bytes in 600 s"):
        list(body)


def test_a_slow_body_that_moves_is_waited_for() -> None:
    body, _ = coming([b"x" * 100] * 100, every_s=50)
    assert len(list(body)) == 100
