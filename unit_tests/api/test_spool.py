"""A body on disk, handed on only when it is proven whole."""

from __future__ import annotations

import gzip
import random
import resource
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.api.disk import DiskBudget
from source_mixpanel.api.spool import Spool, inflate, spool_body
from source_mixpanel.errors import CutError, SourceError

_quick = settings(max_examples=30)

LINE = b'{"event":"a","properties":{"time":1}}\n'
SHARE = DiskBudget().share()
WHAT = "The answer to GET /export for stream 'export'"
STEP = 1 << 18


def _pieces(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(ends)]


def _spool(body: bytes, *, gzipped: bool) -> Spool:
    data = gzip.compress(body, 1) if gzipped else body
    return spool_body(
        _pieces(data, [len(data) // 2]), gzipped=gzipped, what=WHAT, share=DiskBudget().share()
    )


cuts = st.lists(st.integers(0, 1 << 20), max_size=8)


@given(
    st.lists(st.sampled_from([LINE, LINE * 400, b"\n"]), max_size=9),
    cuts,
    st.sampled_from(["gzip", ""]),
)
@_quick
def test_a_whole_body_comes_back_in_blocks_of_whole_lines(
    body: list[bytes], places: list[int], encoding: str
) -> None:
    text = b"".join(body)
    data = gzip.compress(text) if encoding else text
    spool = spool_body(
        _pieces(data, places), gzipped=bool(encoding), what=WHAT, share=DiskBudget().share()
    )
    blocks = list(spool.blocks())
    assert b"".join(blocks) == text
    assert all(block.endswith(b"\n") for block in blocks)
    assert (spool.lines, spool.size, spool.stored) == (text.count(b'{"e'), len(text), len(data))
    assert list(spool.blocks()) == blocks
    spool.close()


@given(
    st.integers(1, 3),
    st.integers(-300, 300),
    st.sampled_from(["same", "lines", "noise"]),
    st.sampled_from([7, 1000, 1 << 16, 1 << 30]),
)
@_quick
def test_every_byte_of_a_gzip_stream_comes_out_whatever_the_sizes(
    steps: int, more: int, kind: str, chunk: int
) -> None:
    size = STEP * steps + more
    text = {
        "same": lambda: b"x" * size,
        "lines": lambda: (LINE * (size // len(LINE) + 1))[:size],
        "noise": lambda: random.Random(size).randbytes(size),  # noqa: S311 - made-up data
    }[kind]()
    data = gzip.compress(text, 1)
    pieces = _pieces(data, list(range(0, len(data), max(chunk, len(data) // 500))))
    out = list(inflate(pieces, gzipped=True))
    assert b"".join(out) == text
    assert max(map(len, out)) <= STEP


def test_several_gzip_members_are_one_body() -> None:
    data = gzip.compress(LINE) + gzip.compress(b"") + gzip.compress(LINE * 2)
    with closing(spool_body([data[:30], data[30:]], gzipped=True, what=WHAT, share=SHARE)) as spool:
        assert b"".join(spool.blocks()) == LINE * 3


@given(st.integers(0, 10_000), cuts)
@_quick
def test_a_gzip_stream_cut_at_any_byte_is_a_cut(place: int, places: list[int]) -> None:
    data = gzip.compress(b"".join(LINE.replace(b"1", b"%d" % n) for n in range(300)))
    part = data[: place % len(data)]
    with pytest.raises(CutError, match=f"^{WHAT} "):
        spool_body(_pieces(part, places), gzipped=True, what=WHAT, share=SHARE)


@given(st.integers(0, 10_000), st.integers(1, 255))
@_quick
def test_a_damaged_byte_in_the_text_of_a_gzip_stream_is_a_cut(place: int, flip: int) -> None:
    data = bytearray(gzip.compress(b"".join(LINE.replace(b"1", b"%d" % n) for n in range(300))))
    header = 10
    data[header + place % (len(data) - header)] ^= flip
    with pytest.raises(CutError, match=f"^{WHAT} "):
        spool_body([bytes(data)], gzipped=True, what=WHAT, share=SHARE)


@pytest.mark.parametrize("gzipped", [True, False])
@pytest.mark.parametrize(
    "end",
    [
        b"terminated early\n",
        b"export terminated early\n",
        b'{"error":"too much"}\n',
        LINE[:20] + b'{"error":"too much"}\n',
        LINE[:-1],
        LINE[:9],
        b"oops\n",
    ],
)
def test_a_body_that_ends_in_damage_is_a_cut(end: bytes, *, gzipped: bool) -> None:
    with pytest.raises(CutError, match="is not whole") as caught:
        _spool(LINE * 3 + end, gzipped=gzipped)
    assert "line 4" in str(caught.value.message)
    assert WHAT in str(caught.value.message)


@pytest.mark.parametrize(
    "line",
    [b"oops", LINE[:30] + LINE[:-1], b'{"event":"a"}', b'{"event":1,"properties":{}}', b"{}"],
)
def test_damage_amid_whole_lines_is_named(line: bytes) -> None:
    with pytest.raises(CutError, match=r"line 2, with whole ones after it"):
        _spool(LINE + line + b"\n" + LINE, gzipped=True)


@pytest.mark.parametrize("gzipped", [True, False])
def test_an_empty_body_is_whole(*, gzipped: bool) -> None:
    with closing(_spool(b"", gzipped=gzipped)) as spool:
        assert (spool.lines, list(spool.blocks())) == (0, [])


def test_an_empty_body_that_should_be_gzip_is_a_cut() -> None:
    with pytest.raises(CutError):
        spool_body([], gzipped=True, what=WHAT, share=SHARE)


@pytest.mark.parametrize("gzipped", [True, False])
def test_a_line_longer_than_a_block_stays_in_one_piece(*, gzipped: bool) -> None:
    long = b'{"event":"a","properties":{"x":"' + b"y" * (3 * STEP) + b'"}}\n'
    with closing(_spool(LINE + long + LINE, gzipped=gzipped)) as spool:
        assert b"".join(spool.blocks()) == LINE + long + LINE
        assert all(block.endswith(b"\n") for block in spool.blocks())


def test_an_error_of_the_transport_passes_through() -> None:
    def broken() -> Iterator[bytes]:
        yield LINE
        raise ConnectionResetError("reset")

    with pytest.raises(ConnectionResetError):
        spool_body(broken(), gzipped=False, what=WHAT, share=SHARE)


def test_nothing_is_left_in_the_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spool = _spool(LINE * 1000, gzipped=True)
    assert list(tmp_path.iterdir()) == []
    spool.close()


def test_without_a_directory_for_temporary_files_it_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(SourceError, match="Set TMPDIR"):
        _spool(LINE, gzipped=True)


@contextmanager
def _files_no_larger_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("piece", [1 << 16, 4000])
def test_a_full_disk_is_named_whichever_write_meets_it(piece: int) -> None:
    room = 4 << 20
    body = (LINE * (room // len(LINE) + 100))[: room + 3000]
    pieces = [body[n : n + piece] for n in range(0, len(body), piece)]
    with _files_no_larger_than(room), pytest.raises(SourceError, match=r"disk .* is full"):
        spool_body(pieces, gzipped=False, what=WHAT, share=SHARE)
