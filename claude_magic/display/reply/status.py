"""The status of a reply that grows: what is awaited, or how much has arrived."""

from __future__ import annotations

import re

from ...wire import Exchange
from ..text.plain import plain
from .summary import estimate_tokens, requested_model

_COUNTS = re.compile(r" in \d+ s$")


def status_line(exchange: Exchange, characters: int, note: str = "") -> str:
    """One line of plain text.

    Args:
        characters: Of the reply, received so far.
        note: What the session waits for, such as a retry; `""` for the model.
    """
    if note:
        return plain(with_seconds(note, exchange.seconds))
    seconds = f"{int(exchange.seconds)} s" if exchange.seconds >= 1 else ""
    kind = exchange.message.content[-1].get("type") if exchange.message.content else "text"
    amount = f"about {estimate_tokens(characters):,} tokens" if characters else ""
    if kind == "thinking":
        status = "thinking… " + " · ".join(part for part in (amount, seconds) if part)
    elif kind == "text" and not amount:
        status = f"waiting for {requested_model(exchange) or 'an answer'}… {seconds}"
    else:
        status = " · ".join(part for part in (amount, seconds or "under 1 s") if part)
    return " ".join(plain(status).split())


def with_seconds(note: str, seconds: float) -> str:
    """What the session waits for, and how long so far, on one line; a note that counts seconds itself stays as it is.

    Args:
        seconds: Since the request was sent.
    """
    note = " ".join(note.split())
    return note if seconds < 1 or _COUNTS.search(note) else f"{note} · {int(seconds)} s"
