"""Defaults of a request to the local model, and notes on its replies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import CellError
from ..settings import Claude
from ..wire import Exchange, Request


def max_tokens(settings: Claude, *, local: bool) -> int:
    """The default of `max_tokens`; the local model has its own."""
    if not local or settings.is_assigned("max_tokens"):
        return settings.max_tokens
    from ..local.request import MAX_TOKENS

    return MAX_TOKENS


def adapt(
    fields: Mapping[str, Any], messages: Iterable[Mapping[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The fields of the body and the messages, converted to what the local model accepts.

    Raises:
        CellError: A message holds no text.
    """
    from ..local.request import convert_messages, default_sampling

    converted = convert_messages(messages)
    if any(message["content"] == [] for message in converted):
        raise CellError(
            "the local model reads text only, and a message holds none. Nothing was sent. Write a question."
        )
    return {**fields, **default_sampling(fields)}, converted


def with_notes(exchange: Exchange, settings: Claude, new: Iterable[Mapping[str, Any]]) -> Exchange:
    """The exchange, with notes on what the model ignored, and on repetitions.

    Args:
        new: The messages of the cell with their attachments; empty if the body was pasted.
    """
    from ..api.transports.repetition import STOP_REASON, is_repeating

    is_looping = exchange.message.stop_reason != STOP_REASON and is_repeating(exchange.text)
    notes = (ignored_note(exchange.request, settings, new), "the reply ends in repetitions" if is_looping else "")
    return exchange.with_notes(*notes)


def ignored_note(request: Request, settings: Claude, new: Iterable[Mapping[str, Any]]) -> str:
    """What the model ignores, in one line; `""` if nothing."""
    from ..local.request import ignored_options

    body = request.body or {}
    several = ignored_options(body, list(new) or body.get("messages", ()), calls_tools=bool(settings.local_model))
    return f"ignored by the local model: {', '.join(several)}" if several else ""
