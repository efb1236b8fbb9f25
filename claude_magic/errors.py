"""Everything that can go wrong, as one tree; each error is one line in a notebook.

    ClaudeError
    ├── CellError          the cell or its options cannot be sent
    │   ├── OverBudget     it could cost more than is left
    │   └── NotRecorded    only recorded answers are given, and there is none
    ├── ArgumentsError     what Claude passes to a tool does not fit it
    ├── SettingsError      a setting or a credential is missing or wrong
    ├── ServerFailed       a local MCP server did not start, ended, or did not answer
    ├── Interrupted        the reader stopped the reply
    └── ExchangeError      the exchange began and did not end well
        ├── APIError       the API answered with an error
        ├── ConnectionFailed   no answer: DNS, TLS, refused, dropped
        ├── TimedOut       no byte for too long
        └── StreamError    the answer broke off, or is not what the API sends

Wording: *what happened: what was seen. What to do.*
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from functools import partial
from typing import Any

_LONGEST = 4_000  # characters of an error that a notebook shows


def did_you_mean(names: Iterable[str]) -> str:
    """A sentence that offers these names, after a blank; `""` if there are none."""
    listed = " or ".join(names)
    return f" Did you mean {listed}?" if listed else ""


class ClaudeError(Exception):
    """An error that a notebook shows as one line; `%tb` shows the whole."""

    def __str__(self) -> str:
        text = super().__str__()
        if len(text) <= _LONGEST:
            return text
        return f"{text[:_LONGEST]}… (shortened: {len(text):,} characters; all of it: the error's .args)"

    def _render_traceback_(self) -> list[str]:
        if _reader_asked_for_everything():
            return _everything(self)
        return [f"{type(self).__name__}: {self}"]


class CellError(ClaudeError):
    """The cell or its options cannot be sent; nothing was."""


class OverBudget(CellError):
    """What could be spent would pass a limit; nothing was sent."""

    @classmethod
    def of(cls, most: float, *, spent: float, limit: float, setting: str, since: str) -> OverBudget:
        """The error with the figures, in US dollars, and how to raise the limit."""
        return cls(
            f"over the budget: this request may cost up to ${most:.4f}, and ${spent:.4f} of ${limit:.4f} "
            f"are spent or promised {since}. Nothing was sent. Lower -t, or raise Claude.{setting}."
        )


class NotRecorded(CellError):
    """Only recorded answers are given, and there is none for this request; nothing was sent."""


class ArgumentsError(ClaudeError):
    """What Claude passes to a tool does not fit its parameters; the function was not called."""


class SettingsError(ClaudeError):
    """A setting or a credential is missing or wrong; nothing was sent."""


class ServerFailed(ClaudeError):
    """A local MCP server did not start, ended, or did not answer."""


class Interrupted(ClaudeError):
    """The reader stopped the reply; what had arrived is kept in `claude.last`."""


class ExchangeError(ClaudeError):
    """The exchange began and did not end well; what had arrived is kept in `claude.last`."""


class APIError(ExchangeError):
    """The API answered with an error.

    Attributes:
        status: HTTP status; 200 for an error inside a stream.
        type: The API's own name of the error, such as `overloaded_error`; `""` if it sent none.
        request_id: `None` if the answer had none.
        body: The decoded JSON body, or its text, of which at most 64 kB were read.
    Source: https://docs.anthropic.com/en/api/errors
    """

    def __init__(
        self, message: str, *, status: int, type: str = "", request_id: str | None = None, body: object = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.type = type
        self.request_id = request_id
        self.body = body

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it comes back from another process as it was."""
        fields: dict[str, Any] = {
            "status": self.status,
            "type": self.type,
            "request_id": self.request_id,
            "body": self.body,
        }
        return partial(APIError, **fields), self.args


class ConnectionFailed(ExchangeError):
    """No answer came: the name was not found, the connection refused, insecure or dropped.

    Attributes:
        may_pass: Whether another try can help.
    """

    def __init__(self, message: str, *, may_pass: bool = True) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class TimedOut(ExchangeError):
    """Nothing arrived for longer than `Claude.connect_timeout` or `Claude.timeout` allows.

    Attributes:
        may_pass: Whether another try can help, and cannot be paid for twice.
    """

    def __init__(self, message: str, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class StreamError(ExchangeError):
    """The answer broke off, or is not what the Messages API sends."""


def _reader_asked_for_everything() -> bool:
    """Whether `%tb` is asking: IPython renders through the same hook for it."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "tb" and frame.f_globals.get("__name__") == "IPython.core.magics.execution":
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _everything(error: ClaudeError) -> list[str]:
    """The whole traceback, without the values of variables: one of them may be a key."""
    shell = sys.modules["IPython"].get_ipython()
    if shell is None:
        return traceback.format_exception(error)
    mode = shell.InteractiveTB.mode
    try:
        shell.InteractiveTB.set_mode("Context" if mode == "Verbose" else mode)
        lines: list[str] = shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
    finally:
        shell.InteractiveTB.set_mode(mode)
    return lines
