"""A small terminal for tests: what a person would see after these bytes, and a command that runs in one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

_SEQUENCE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|\x1b[=>78]|\x1b\][^\x07]*\x07|([\r\n\b])|(.)", re.S)


def screen(text: str, columns: int = 80) -> list[str]:
    """The lines of a terminal, with those that have scrolled away, after `text`.

    It knows what `rich` and this package use: line ends, backspaces, moves of the cursor and erasure.
    """
    lines: list[list[str]] = [[]]
    row = column = 0
    for numbers, command, control, letter in _SEQUENCE.findall(text):
        count = int(numbers) if numbers.isdigit() else 1
        if letter:
            if column == columns:  # at the right margin the terminal breaks the line
                row, column = row + 1, 0
            lines += [[] for _ in range(row + 1 - len(lines))]
            lines[row] += [" "] * (column + 1 - len(lines[row]))
            lines[row][column] = letter
            column += 1
        elif control == "\n":
            row, column = row + 1, 0
            lines += [[] for _ in range(row + 1 - len(lines))]
        elif control:
            column = max(0, column - 1) if control == "\b" else 0
        elif command in ("A", "B", "C", "D"):
            row = max(0, row - count) if command == "A" else row + count if command == "B" else row
            column = max(0, column - count) if command == "D" else column + count if command == "C" else column
        elif command == "K":
            lines[row] = [] if numbers == "2" else lines[row][:column]
        elif command == "J":
            lines[row] = lines[row][:column]
            del lines[row + 1 :]
    return ["".join(line).rstrip() for line in lines]


class Running:
    """A command in a terminal.

    Attributes:
        output: What it has written so far.
    """

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes], columns: int) -> None:
        self._descriptor, self._process, self._columns = descriptor, process, columns
        self._bytes = b""

    @property
    def output(self) -> str:
        return self._bytes.decode(errors="replace")

    @property
    def lines(self) -> list[str]:
        return screen(self.output, self._columns)

    def read_until(self, condition: Callable[[list[str]], bool]) -> list[str]:
        """The lines of the screen once the condition holds."""
        while not condition(self.lines):
            piece = self._read()
            assert piece, f"it ended before: {self.lines}"
        return self.lines

    def read_to_end(self) -> list[str]:
        while self._read():
            pass
        self._process.wait()
        return self.lines

    def _read(self) -> bytes:
        piece = b""
        with contextlib.suppress(OSError):  # the terminal is closed: its command has ended
            piece = os.read(self._descriptor, 65_536)
        self._bytes += piece
        return piece


@contextmanager
def in_terminal(
    command: Sequence[str], environment: Mapping[str, str], *, columns: int = 80, rows: int = 24
) -> Iterator[Running]:
    """`command` in a terminal of this size."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    size = {"COLUMNS": str(columns), "LINES": str(rows), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env={**environment, **size}, start_new_session=True
    )
    os.close(theirs)
    try:
        yield Running(ours, process, columns)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
