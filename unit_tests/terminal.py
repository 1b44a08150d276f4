"""A terminal for tests, and what a person would see on it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
import threading

from typing_extensions import Self

_ROWS, _COLUMNS = 40, 160
_PIECE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")
_COLOUR = "m"


def plain(text: str) -> str:
    """Text without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def screen(text: str) -> list[str]:
    """The lines that are left when a terminal has done all that the text asks of it.

    Raises:
        ValueError: It asks for something that this terminal does not know.
    """
    lines, row, column = [""], 0, 0
    for piece in _PIECE.finditer(text):
        told, what = piece[0], piece[2]
        if told == "\r":
            column = 0
        elif told == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif what == "F":
            row, column = row - int(piece[1]), 0
        elif what == "J":
            lines[row:] = [lines[row][:column]]
        elif what is None:
            before = lines[row]
            lines[row] = before[:column].ljust(column) + told + before[column + len(told) :]
            column += len(told)
        elif what != _COLOUR:
            raise ValueError(f"what is {told!r}?")
    return [line for line in lines if line]


class Terminal:
    """A terminal; what is written to it is kept until it is closed."""

    def __init__(self) -> None:
        self._ours, self._theirs = pty.openpty()
        size = struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0)
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, size)
        self.path = os.ttyname(self._theirs)
        self._shown = bytearray()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._ours, 1 << 16)
            except OSError:  # the other end is closed
                return
            self._shown += data

    @property
    def shown(self) -> str:
        """All that was written to the terminal until now."""
        return self._shown.decode(errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._theirs)
        self._reader.join()
        os.close(self._ours)
