"""The last failed cell as a message: its source and its traceback, without the values of variables."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType
from typing import Any

from ..errors import CellError, ClaudeError

EXPLAIN = "Explain why it fails."
FIX = (
    "Correct it. Answer with the whole corrected cell in one Python code block, then say in a sentence what was wrong."
)


class LastError:
    """The last cell that raised an exception, and that exception."""

    def __init__(self) -> None:
        self._source = ""
        self._error: BaseException | None = None

    def remember(self, result: Any) -> None:
        """Records how a cell ended; our own errors do not count as failures of the user's code."""
        error = result.error_in_exec or result.error_before_exec
        if error is not None and not isinstance(error, ClaudeError | KeyboardInterrupt):
            self._source, self._error = result.info.raw_cell or "", error

    def message(self, request: str) -> str:
        """The message to send: the cell, its traceback, and `request`.

        Raises:
            CellError: No cell has failed.
        """
        error = self._error or getattr(sys, "last_value", None)
        if error is None or isinstance(error, ClaudeError):
            raise CellError("no cell has failed yet: there is no exception to send. Write the message in the cell.")
        cell = f"This cell:\n\n```python\n{self._source.strip()}\n```\n\nfails" if self._source else "A cell fails"
        return f"{cell} with:\n\n```\n{_traceback(error).strip()}\n```\n\n{request}"


def _traceback(error: BaseException) -> str:
    """The traceback as Python prints it, from the user's own code on."""
    begin: TracebackType | None = error.__traceback__
    while begin is not None and begin.tb_frame.f_globals.get("__name__") != "__main__":
        begin = begin.tb_next
    return "".join(traceback.format_exception(type(error), error, begin or error.__traceback__))
