"""What a cell asks the local model for by itself, and what its reader must know of the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import CellError
from ..settings import Claude
from ..wire import Exchange, Request


def max_tokens(settings: Claude, *, local: bool) -> int:
    """The longest reply that a cell asks for by itself; the local model has a default of its own."""
    if not local or settings.is_assigned("max_tokens"):
        return settings.max_tokens
    from ..local.request import MAX_TOKENS

    return MAX_TOKENS


def adapted(
    fields: Mapping[str, Any], messages: Iterable[Mapping[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Fields of the body and messages as the local model can take them.

    Raises:
        CellError: A message holds nothing that it could read.
    """
    from ..local.request import convert_messages, default_sampling

    found = convert_messages(messages)
    if any(message["content"] == [] for message in found):
        raise CellError(
            "the local model reads text only, and a message holds none. Nothing was sent. Write a question."
        )
    return {**fields, **default_sampling(fields)}, found


def with_notes(exchange: Exchange, settings: Claude, new: Iterable[Mapping[str, Any]]) -> Exchange:
    """The exchange, with what the model took no notice of, and whether it repeated itself.

    Args:
        new: The messages of the cell, with all that was attached; empty if the body was sent as it was pasted.
    """
    from ..api.transports.repetition import STOP_REASON, is_repeating

    looped = exchange.message.stop_reason != STOP_REASON and is_repeating(exchange.text)
    notes = (ignored_note(exchange.request, settings, new), "the reply ends in repetitions" if looped else "")
    return exchange.with_notes(*notes)


def ignored_note(request: Request, settings: Claude, new: Iterable[Mapping[str, Any]]) -> str:
    """What the model takes no notice of, a line; `""` if it takes all."""
    from ..local.request import ignored_options

    body = request.body or {}
    found = ignored_options(body, list(new) or body.get("messages", ()), calls_tools=bool(settings.local_model))
    return f"ignored by the local model: {', '.join(found)}" if found else ""
