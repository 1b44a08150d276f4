"""From a body of whole lines to the bytes on the wire: damage, compression, ending."""

from __future__ import annotations

import zlib
from collections import deque
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from mixpanel_emulator.faults import TEXT, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GZIP_THRESHOLD = 1400
_GZIP_LEVEL = 1
_GZIP_WBITS = 31
_TRAILER_BYTES = 8
_MARKERS = {
    "terminated_early": "terminated early\n",
    "export_terminated_early": "export terminated early\n",
    "error_line": '{"error": "internal error while reading ev',
    "bad_line_middle": "<!-- not a line of JSON -->\n",
}


class Ending(Enum):
    """How the connection ends after the last byte of the body."""

    CLEAN = "clean"
    CUT = "cut"
    RESET = "reset"
    HANG = "hang"


_ENDINGS = {
    "chunk_cut": Ending.CUT,
    "length_cut": Ending.CUT,
    "reset": Ending.RESET,
    "hang": Ending.HANG,
}


@dataclass(frozen=True)
class Packing:
    """How the compressor ends.

    Attributes:
        finish: Whether the last deflate block is closed.
        trailer: Whether the gzip trailer (CRC and length) is sent.
    """

    finish: bool = True
    trailer: bool = True


@dataclass(frozen=True)
class Damage:
    """A fault, as far as the body is concerned.

    Attributes:
        fault: What was scripted, or None for a sound body.
    """

    fault: Fault | None = None

    @property
    def packing(self) -> Packing:
        """How compression ends: `gzip_cut` and endings by line leave the stream open.

        A position counted from the end needs a stream that ends.
        """
        fault = self.fault
        if fault is None:
            return Packing()
        whole = fault.after_lines is None and (fault.kind != "gzip_cut" or fault.is_relative)
        open_end = not whole and fault.kind in ("gzip_cut", *_ENDINGS)
        return Packing(finish=not open_end, trailer=fault.kind != "gzip_no_trailer")

    @property
    def ending(self) -> Ending:
        """How the connection ends."""
        return _ENDINGS.get(self.fault.kind, Ending.CLEAN) if self.fault else Ending.CLEAN

    def text(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Apply the fault to the text of a body."""
        fault = self.fault
        if fault is not None and fault.kind in TEXT:
            return damage_text(blocks, fault)
        if fault is not None and fault.after_lines is not None:
            return _Cut(blocks, fault).head()
        return iter(blocks)

    def wire(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Apply the fault to the bytes on the wire."""
        fault = self.fault
        if fault is None or fault.kind in TEXT or fault.after_lines is not None:
            return iter(blocks)
        if fault.is_relative:
            body = b"".join(blocks)
            return iter([body[: fault.place(len(body))]])
        return iter(blocks) if fault.after_bytes is None else first_bytes(blocks, fault.after_bytes)


def lines_of(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their newline; the last may lack it. Blocks may break anywhere."""
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield line + b"\n"
    if rest:
        yield rest


def first_bytes(blocks: Iterable[bytes], count: int) -> Iterator[bytes]:
    """The first `count` bytes of a body."""
    left = count
    for block in blocks:
        if left <= 0:
            return
        yield block[:left]
        left -= len(block)


class _Cut:
    """A body cut in two at a fault's position: first `head`, then `rest`."""

    def __init__(self, blocks: Iterable[bytes], fault: Fault) -> None:
        self._lines = lines_of(blocks)
        self._count = fault.after_lines or 0
        self._bytes = fault.after_bytes
        self._pending_lines: deque[bytes] = deque()

    def head(self) -> Iterator[bytes]:
        if self._bytes is not None:
            return self._head_by_bytes(self._bytes)
        return self._head_by_lines() if self._count >= 0 else self._all_but_last()

    def rest(self) -> Iterator[bytes]:
        yield from self._pending_lines
        yield from self._lines

    def _head_by_lines(self) -> Iterator[bytes]:
        for _ in range(self._count):
            line = next(self._lines, None)
            if line is None:
                return
            yield line

    def _all_but_last(self) -> Iterator[bytes]:
        for line in self._lines:
            self._pending_lines.append(line)
            if len(self._pending_lines) > -self._count:
                yield self._pending_lines.popleft()

    def _head_by_bytes(self, left: int) -> Iterator[bytes]:
        while left > 0:
            line = next(self._lines, None)
            if line is None:
                return
            yield line[:left]
            if len(line) > left:
                self._pending_lines.append(line[left:])
            left -= len(line)


def damage_text(blocks: Iterable[bytes], fault: Fault) -> Iterator[bytes]:
    """A body with one of the faults of the text in it.

    A marker replaces everything after the fault's position; only `bad_line_middle` is put in
    between. Without a position it stands at the start. `cut_mid_line` ends the body at a position
    in bytes, or halfway through the line that follows a position in lines.
    """
    if fault.kind == "missing_last_newline":
        yield from _without_last_newline(blocks)
        return
    if fault.is_relative:
        body = b"".join(blocks)
        blocks, fault = [body], replace(fault, after_share=None, after_bytes=fault.place(len(body)))
    cut = _Cut(blocks, fault)
    yield from cut.head()
    if fault.kind == "cut_mid_line":
        if fault.after_bytes is None:
            line = next(cut.rest(), b"")
            yield line[: len(line) // 2]
        return
    marker = _MARKERS[fault.kind] if fault.text is None else fault.text
    yield marker.encode("utf-8", "backslashreplace")
    if fault.kind == "bad_line_middle":
        yield from cut.rest()


def _without_last_newline(blocks: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for block in blocks:
        if held:
            yield held
        held = block
    yield held.removesuffix(b"\n")


def peek(blocks: Iterator[bytes], size: int) -> tuple[bytes, bool]:
    """Take blocks until more than `size` bytes are there; say whether they are."""
    taken = b""
    for block in blocks:
        taken += block
        if len(taken) > size:
            return taken, True
    return taken, False


def compress(blocks: Iterable[bytes], packing: Packing) -> Iterator[bytes]:
    """The gzip form of a body, as far as the packing lets it end."""
    packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WBITS)
    for block in blocks:
        packed = packer.compress(block)
        if packed:
            yield packed
    if not packing.finish:
        yield packer.flush(zlib.Z_SYNC_FLUSH)
        return
    last = packer.flush(zlib.Z_FINISH)
    yield last if packing.trailer else last[:-_TRAILER_BYTES]
