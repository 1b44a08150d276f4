"""One gzip stream out of parts that were compressed one by one (RFC 1952)."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from isal import isal_zlib

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK = b"\x03\x00"
_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31
_RAW = -15


@dataclass(frozen=True)
class Part:
    """What has to be known of a compressed part to put it in a stream.

    Attributes:
        crc: CRC-32 of its text.
        size: Bytes of its text.
        lines: Lines of its text.
    """

    crc: int
    size: int
    lines: int


def write_part(path: Path, blocks: Iterable[list[bytes]]) -> None:
    """Compress blocks of lines into a file, and what has to be known of it into another."""
    packer = isal_zlib.compressobj(3, isal_zlib.DEFLATED, _RAW)
    crc = size = lines = 0
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as out:
        for block in blocks:
            text = b"".join(block)
            crc, size, lines = zlib.crc32(text, crc), size + len(text), lines + len(block)
            out.write(packer.compress(text))
        out.write(packer.flush(isal_zlib.Z_FULL_FLUSH))
    path.with_suffix(".json").write_text(json.dumps(asdict(Part(crc, size, lines))))
    unfinished.rename(path)


def read_part(path: Path) -> Part:
    """What `write_part` noted."""
    return Part(**json.loads(path.with_suffix(".json").read_text()))


def stream(paths: Iterable[Path], piece: int) -> Iterator[bytes]:
    """One sound gzip stream of all parts, in pieces."""
    crc = size = 0
    yield HEADER
    for path in paths:
        part = read_part(path)
        crc, size = combine(crc, part.crc, part.size), size + part.size
        with path.open("rb") as file:
            while data := file.read(piece):
                yield data
    trailer = crc.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
    yield _LAST_BLOCK + trailer


def combine(first: int, second: int, size: int) -> int:
    """The CRC-32 of two texts in a row, the second of which has `size` bytes."""
    power, base, bits = _ONE, _ONE >> 1, size * 8
    while bits:
        if bits & 1:
            power = _times(power, base)
        base = _times(base, base)
        bits >>= 1
    return _times(first, power) ^ second


def _times(left: int, right: int) -> int:
    """Multiply two polynomials over GF(2), bits reflected, modulo the CRC's."""
    product, bit = 0, _ONE
    while bit:
        if left & bit:
            product ^= right
        right = (right >> 1) ^ _POLYNOMIAL if right & 1 else right >> 1
        bit >>= 1
    return product
