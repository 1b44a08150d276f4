"""What is fuzzed passes its own seeds, and the fuzzed checks see what is wrong."""

from __future__ import annotations

import pytest

from fuzz import targets
from fuzz.targets import TARGETS, MismatchError
from source_mixpanel.api.integrity import LineCensus

SEEDS = [(name, seed) for name, target in TARGETS.items() for seed in target.seeds]


@pytest.mark.parametrize(("name", "seed"), SEEDS)
def test_every_seed_passes(name: str, seed: bytes) -> None:
    TARGETS[name].check(seed)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("where", b"tfloor(1e999)"),
        ("where", b"tround(-1e999 + 1e999)"),
        ("where", b"tstring(1e999)"),
        ("where", b"t" + b"7" * 5000),
        ("where", b"t" + b" or ".join([b"1"] * 1000)),
        ("where", b"t" + b"(" * 2000 + b"1" + b")" * 2000),
        ("where", b"tnumber('" + b"[" * 1500 + b"')"),
        ("decode", b"t" + b"7" * 4301),
        ("decode", b"tnull"),
    ],
)
def test_what_was_found_stays_mended(name: str, data: bytes) -> None:
    TARGETS[name].check(data)


def test_a_decoder_that_rounds_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "parse_lines", lambda line: [float(line)])
    with pytest.raises(MismatchError, match="is not"):
        targets.check_decode(b"t9007199254740993")


def test_a_decoder_that_takes_anything_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "parse_lines", lambda _line: [{}])
    with pytest.raises(MismatchError, match="no JSON"):
        targets.check_decode(b"t{")


def test_a_census_without_doubts_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LineCensus, "is_suspect", False)
    with pytest.raises(MismatchError):
        targets.check_wholeness(b"\x00\x00\x05abc")
