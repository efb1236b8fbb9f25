"""What crosses the wire, as values; no input or output happens here."""

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
