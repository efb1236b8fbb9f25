"""All errors of the package, as one tree; a notebook shows each as one line::

    ClaudeError
    ├── CellError          the cell or its options cannot be sent
    │   ├── OverBudget     it could cost more than is left of the budget
    │   ├── NotRecorded    only recorded answers are allowed, and there is none
    │   └── Unsupported    the platform lacks what is asked for (also an ExchangeError, for those who look things up)
    ├── ArgumentsError     the arguments of a tool call do not fit the tool
    ├── SettingsError      a setting or a credential is missing or wrong
    ├── ServerFailed       a local MCP server did not start, ended, or did not answer
    ├── Interrupted        the user stopped the reply
    └── ExchangeError      the exchange began and failed
        ├── APIError       the API answered with an error
        ├── ConnectionFailed   no answer: DNS, TLS, refused, dropped
        ├── TimedOut       nothing was received within the timeout
        ├── StreamError    the answer is incomplete, or not what the API sends
        ├── BatchCanceled  a row of a message batch: canceled before its turn came
        └── BatchExpired   a row of a message batch: its turn did not come within 24 hours

Wording: *what happened: the details. What to do.*
"""

from __future__ import annotations

import shutil
import sys
import traceback
from collections.abc import Iterable
from functools import partial
from textwrap import TextWrapper
from typing import Any

_MAX_LENGTH = 4_000  # characters of an error message that a notebook shows


def did_you_mean(names: Iterable[str]) -> str:
    """A question that suggests these names, with a space before it; `""` if there are none."""
    suggestions = " or ".join(names)
    return f" Did you mean {suggestions}?" if suggestions else ""


class ClaudeError(Exception):
    """An error that a notebook shows as one line; `%tb` shows the full traceback."""

    def __str__(self) -> str:
        text = super().__str__()
        if len(text) <= _MAX_LENGTH:
            return text
        return f"{text[:_MAX_LENGTH]}… (shortened: {len(text):,} characters; all of it: the error's .args)"

    def _render_traceback_(self) -> list[str]:
        if _is_tb_magic():
            return _full_traceback(self)
        return _lines(f"{type(self).__name__}: {self}")


class CellError(ClaudeError):
    """The cell or its options cannot be sent; nothing was sent."""


class OverBudget(CellError):
    """The request could exceed a spending limit; nothing was sent."""

    @classmethod
    def from_figures(cls, max_cost: float, *, spent: float, limit: float, setting: str, since: str) -> OverBudget:
        """The error with these amounts, in US dollars, and how to raise the limit."""
        return cls(
            f"over the budget: this request may cost up to ${max_cost:.4f}, and ${spent:.4f} of ${limit:.4f} "
            f"are already spent or reserved {since}. Nothing was sent. Lower -t, or raise Claude.{setting}."
        )


class NotRecorded(CellError):
    """Only recorded answers are allowed, and there is none for this request; nothing was sent."""


class ArgumentsError(ClaudeError):
    """The arguments of a tool call do not fit the parameters; the function was not called."""


class SettingsError(ClaudeError):
    """A setting or a credential is missing or wrong; nothing was sent."""


class ServerFailed(ClaudeError):
    """A local MCP server did not start, ended, or did not answer."""


class Interrupted(ClaudeError):
    """The user stopped the reply; `claude.last` keeps the part received."""


class ExchangeError(ClaudeError):
    """The exchange began and failed; `claude.last` keeps the part received."""


class APIError(ExchangeError):
    """The API answered with an error.

    Attributes:
        status: HTTP status; 200 for an error inside a stream.
        type: The API's name of the error, such as `overloaded_error`; `""` if it sent none.
        request_id: `None` if the answer had none.
        body: The parsed JSON body, or its text, of which at most 64 kB are read.
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
        """Keeps all attributes when the error is pickled."""
        fields: dict[str, Any] = {
            "status": self.status,
            "type": self.type,
            "request_id": self.request_id,
            "body": self.body,
        }
        return partial(APIError, **fields), self.args


class ConnectionFailed(ExchangeError):
    """No answer: the host name was not found, the connection refused, insecure or dropped.

    Attributes:
        retryable: Whether another try can help.
        unsent: Whether nothing of the request can have arrived.
    """

    def __init__(self, message: str, *, retryable: bool = True, unsent: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.unsent = unsent


class TimedOut(ExchangeError):
    """Nothing was received within `Claude.connect_timeout` or `Claude.timeout`.

    Attributes:
        retryable: Whether another try can help, and cannot cause a second charge.
        unsent: Whether nothing of the request can have arrived.
    """

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = self.unsent = retryable


class StreamError(ExchangeError):
    """The answer is incomplete, or not what the Messages API sends."""


class Unsupported(CellError, ExchangeError):
    """The platform that hosts Claude lacks what is asked for; nothing was sent."""


class BatchCanceled(ExchangeError):
    """A row of a message batch that was canceled before its turn came; it costs nothing."""


class BatchExpired(ExchangeError):
    """A row of a message batch whose turn did not come in time, or whose result is no longer kept."""


def _is_tb_magic() -> bool:
    """Whether `%tb` is running: IPython calls the same hook for it."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "tb" and frame.f_globals.get("__name__") == "IPython.core.magics.execution":
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _full_traceback(error: ClaudeError) -> list[str]:
    """The full traceback, without the values of variables: one of them may be a key."""
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


def _lines(text: str) -> list[str]:
    """The lines of a message; in a terminal none breaks a word, such as a request-id."""
    lines = text.split("\n")
    try:
        if not sys.stdout.isatty():
            return lines
    except (AttributeError, ValueError):  # it is closed, or no file
        return lines
    width = max(20, shutil.get_terminal_size().columns) - 1
    wrap = TextWrapper(width, break_long_words=False, break_on_hyphens=False, drop_whitespace=True)
    return [short for line in lines for short in wrap.wrap(line) or [""]]
