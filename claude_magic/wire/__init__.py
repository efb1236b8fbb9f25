"""What crosses the wire, as values; no input or output happens here.

The names are imported when they are first used: `%load_ext` needs none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .exchange import Events, Exchange, Record, Response, TimedEvent, Timing
    from .fold import Fold
    from .headers import Headers
    from .message import Block, Message, fix_surrogates
    from .request import Request
    from .sse import Decoder, ServerSentEvent

__all__ = [
    "Block",
    "Decoder",
    "Events",
    "Exchange",
    "Fold",
    "Headers",
    "Message",
    "Record",
    "Request",
    "Response",
    "ServerSentEvent",
    "TimedEvent",
    "Timing",
    "fix_surrogates",
]

_MODULES = {
    **dict.fromkeys(("Events", "Exchange", "Record", "Response", "TimedEvent", "Timing"), "exchange"),
    **dict.fromkeys(("Block", "Message", "fix_surrogates"), "message"),
    **dict.fromkeys(("Decoder", "ServerSentEvent"), "sse"),
    "Fold": "fold",
    "Headers": "headers",
    "Request": "request",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
