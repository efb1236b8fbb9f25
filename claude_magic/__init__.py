"""`%%claude`: talk to the Claude API from a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import (
        APIError,
        ArgumentsError,
        BatchCanceled,
        BatchExpired,
        CellError,
        ClaudeError,
        ConnectionFailed,
        ExchangeError,
        Interrupted,
        NotRecorded,
        OverBudget,
        ServerFailed,
        SettingsError,
        StreamError,
        TimedOut,
        Unsupported,
    )
    from .magics.claude import claude
    from .wire import Exchange, Message

__version__ = "0.2.0"

__all__ = [
    "APIError",
    "ArgumentsError",
    "BatchCanceled",
    "BatchExpired",
    "CellError",
    "ClaudeError",
    "ConnectionFailed",
    "Exchange",
    "ExchangeError",
    "Interrupted",
    "Message",
    "NotRecorded",
    "OverBudget",
    "ServerFailed",
    "SettingsError",
    "StreamError",
    "TimedOut",
    "Unsupported",
    "claude",
    "load_ipython_extension",
    "unload_ipython_extension",
]


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext claude_magic` runs."""
    from .magics.extension import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext claude_magic` runs: everything is taken back."""
    from .magics.extension import unload

    unload(shell)


def __getattr__(name: str) -> Any:
    """The names of `__all__`, imported when they are first used."""
    if name == "claude":
        from .magics.claude import claude

        return claude
    if name in ("Exchange", "Message"):
        from . import wire

        return getattr(wire, name)
    if name in __all__:
        from . import errors

        return getattr(errors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
