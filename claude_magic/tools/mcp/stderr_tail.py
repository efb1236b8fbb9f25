"""Reads a server's standard error, so that it never blocks, and keeps the end of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TextIO

from ...concurrency import start_thread

_KEPT = 8_192  # bytes
_LINES = 3
_SHOWN = 400  # characters


class StderrTail:
    """A pipe that is read until all writers have closed it.

    Attributes:
        writer: The end for the server; closed here once the server has inherited it.
    """

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        self._secrets = [each for each in secrets if len(each) >= 8]
        self._end = b""
        reading, writing = os.pipe()
        self.writer: TextIO = os.fdopen(writing, "w")
        self._thread = start_thread(self._drain, reading, name="MCP stderr")

    def text(self) -> str:
        """The last lines, joined; `""` if nothing was written.

        The values of the server's own variables are redacted, since a server may print its settings.
        """
        self._thread.join(0.2)  # a moment to read what is still in the pipe
        text = self._end.decode("utf-8", "replace")
        for secret in self._secrets:
            text = text.replace(secret, "***")
        lines = [line for line in map(one_line, text.splitlines()) if line]
        return " / ".join(lines[-_LINES:])[-_SHOWN:]

    def _drain(self, reading: int) -> None:
        try:
            while chunk := os.read(reading, 65_536):
                self._end = (self._end + chunk)[-_KEPT:]
        except OSError:
            return
        finally:
            os.close(reading)


def one_line(text: str) -> str:
    """`text` on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
