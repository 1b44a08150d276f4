"""A response body on disk, compressed as it came, handed on only when it is proven whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import IO, Protocol, cast

from isal import igzip_lib, isal_zlib

from source_mixpanel.api.disk import Share
from source_mixpanel.api.host_errors import disk_is_full, is_full, no_directory
from source_mixpanel.api.integrity import LineCensus, find_damage
from source_mixpanel.errors import CutError

_READ = 1 << 16
_TEXT = 1 << 18
_GZIP = 31
_ON_DISK = "An answer that was kept on disk"
_InflateError = cast("type[Exception]", igzip_lib.IsalError)


class _Inflater(Protocol):
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...

    @property
    def unconsumed_tail(self) -> bytes: ...

    @property
    def unused_data(self) -> bytes: ...

    @property
    def eof(self) -> bool: ...


class Body:
    """A body on disk, of `size` bytes of text, and `stored` bytes as it came.

    The file has no name on disk, so nothing is left behind however the process ends.
    """

    def __init__(self, file: IO[bytes], *, gzipped: bool, size: int, share: Share) -> None:
        self._file = file
        self.gzipped = gzipped
        self._share = share
        self.size = size
        self.stored = file.tell()

    def chunks(self) -> Iterator[bytes]:
        """The text from its beginning, in pieces cut anywhere."""
        return read_file(self._file.fileno(), gzipped=self.gzipped)

    def blocks(self) -> Iterator[bytes]:
        """The text in blocks of whole lines (each some 256 KiB, or one longer line)."""
        return blocks_of(self.chunks())

    def fileno(self) -> int:
        """The file, for another process to read."""
        return self._file.fileno()

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()
        self._share.give_back()

    def give_way(self) -> None:
        """Give the file back; what was made of it has its share of the disk."""
        self._file.close()


class Spool(Body):
    """A verified body of whole lines."""

    def __init__(self, file: IO[bytes], *, gzipped: bool, census: LineCensus, share: Share) -> None:
        super().__init__(file, gzipped=gzipped, size=census.size, share=share)
        self.lines = census.lines

    def __repr__(self) -> str:
        return f"Spool(lines={self.lines}, size={self.size})"


def read_file(descriptor: int, *, gzipped: bool) -> Iterator[bytes]:
    """The text of an open file, in pieces cut anywhere; others may read it at the same time.

    Raises:
        CutError: It is damaged.
    """
    return inflate(_pieces(descriptor), gzipped=gzipped)


def _pieces(descriptor: int) -> Iterator[bytes]:
    at = 0
    while piece := os.pread(descriptor, _READ, at):
        yield piece
        at += len(piece)


def lines_between(blocks: Iterable[bytes], first: int, last: int) -> Iterator[bytes]:
    """Of blocks of whole lines those from one number up to before another, counted from 0."""
    at = 0
    for block in blocks:
        begin, at = at, at + block.count(b"\n")
        if first <= begin and at <= last:
            yield block
        elif at > first and begin < last:
            kept = block.split(b"\n")[max(0, first - begin) : min(last, at) - begin]
            yield b"\n".join(kept) + b"\n"
        if at >= last:
            return


def blocks_of(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A text in pieces of whole lines; the last one may have no end."""
    rest = b""
    for text in chunks:
        cut = text.rfind(b"\n") + 1
        if not cut:
            rest += text
            continue
        yield rest + text[:cut]
        rest = text[cut:]
    if rest:
        yield rest


def inflate(chunks: Iterable[bytes], *, gzipped: bool, what: str = _ON_DISK) -> Iterator[bytes]:
    """The text of a body in pieces of bounded size; messages call the body `what`.

    Raises:
        CutError: A gzip member has no trailer, or is damaged.
    """
    if not gzipped:
        yield from chunks
        return
    member: _Inflater | None = None
    try:
        for chunk in chunks:
            data = chunk
            while data:
                if member is None or member.eof:
                    member = isal_zlib.decompressobj(_GZIP)
                text = member.decompress(data, _TEXT)
                data = member.unused_data if member.eof else member.unconsumed_tail
                if text:
                    yield text
    except _InflateError as error:
        raise CutError(f"{what} is damaged: its gzip stream cannot be read.") from error
    if member is None or not member.eof:
        raise CutError(f"{what} was cut: its gzip stream ends without a trailer.")


def spool_body(chunks: Iterable[bytes], *, gzipped: bool, what: str, share: Share) -> Spool:
    """Write a body to disk and prove it whole on the way; messages call it `what`.

    Its chunks come off the wire, and raise if the transport was cut.

    Its share of the disk is given back if there is no body in the end.

    Raises:
        TooLargeError: It takes more than its share may be.
        CutError: The body is provably not whole; another try may be.
        SourceError: There is no room on disk.
    """
    census = LineCensus()
    with new_file(share) as file:
        for text in inflate(written(chunks, file, share, what), gzipped=gzipped, what=what):
            census.feed(text)
        spool = Spool(file, gzipped=gzipped, census=census, share=share)
        if census.is_suspect:
            _name_damage(spool, what)
    return spool


@contextmanager
def new_file(share: Share) -> Iterator[IO[bytes]]:
    """A file without a name, for one response; it stays open unless an error ends the context.

    Raises:
        SourceError: There is no directory to write to.
    """
    file = _open_file()
    try:
        yield file
    except BaseException:
        # A full disk makes closing fail, too; what went wrong first is what counts.
        with suppress(OSError):
            file.close()
        share.give_back()
        raise


def _open_file() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile(prefix="mixpanel-")
    except OSError as error:
        raise no_directory(error) from error


def written(chunks: Iterable[bytes], file: IO[bytes], share: Share, what: str) -> Iterator[bytes]:
    """The same pieces, each of them written to the file first, when its share has room.

    Raises:
        TooLargeError: There are more of them than the share may be.
        SourceError: There is no room on disk.
    """
    for chunk in chunks:
        share.take(len(chunk), what)
        with _room_on_disk():
            file.write(chunk)
        yield chunk
    with _room_on_disk():
        file.flush()


@contextmanager
def _room_on_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise disk_is_full(error) from error


def _name_damage(spool: Spool, what: str) -> None:
    """Look at each line, and raise what is wrong with the first bad one."""
    damage = find_damage(line for block in spool.blocks() for line in BytesIO(block))
    if damage is None:
        return
    where = ", with whole ones after it" if damage.in_the_middle else ""
    raise CutError(f"{what} is not whole: {damage.reason} (line {damage.line}{where}).")
