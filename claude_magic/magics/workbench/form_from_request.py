"""A request from the journal as the form of a workbench."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...api.credentials import redact_secrets
from ...display.workbench.form import Form
from ...prompt import templates
from ...prompt.completions import as_messages
from ...wire import Request


def exchange_line(row: Mapping[str, Any]) -> str:
    """One line about an exchange of the journal."""
    prompt = " ".join(str(row["prompt"] or "").split())
    return f"{row['id']} · {str(row['began'])[:10]} · {prompt[:80] or '(no text)'}{'…' if len(prompt) > 80 else ''}"


def form_of(request: Request) -> tuple[Form, str]:
    """The form of a request, as far as a workbench can show it, and a note on what it cannot."""
    body = request.body or {}
    was_completion = isinstance(body.get("prompt"), str)
    if was_completion:
        body = as_messages(body)
    turns = [(str(message.get("role")), *_message_text(message.get("content"))) for message in body.get("messages", ())]
    system, is_complete = _message_text(body.get("system", ""))
    effort = body.get("output_config")
    plain: dict[str, Any] = {n: _number(body.get(n)) for n in ("model", "max_tokens", "temperature", "top_p", "top_k")}
    form = Form(
        **plain,
        system=templates.escape(redact_secrets(system)),
        stop=tuple(redact_secrets(text) for text in body.get("stop_sequences", ()) if isinstance(text, str)),
        thinking=isinstance(body.get("thinking"), Mapping) and body["thinking"].get("type") == "adaptive",
        effort=_number(effort.get("effort")) if isinstance(effort, Mapping) else "",
        turns=tuple((role, templates.escape(redact_secrets(text))) for role, text, _ in turns),
    )
    incomplete = not is_complete or not all(is_text for _, _, is_text in turns) or "tools" in body
    if was_completion:
        return form, "It was a text completion: its turns are messages here."
    return form, "What is not text was left out: attachments, thinking, tools." if incomplete else ""


def _message_text(content: object) -> tuple[str, bool]:
    """The text of a message, and whether that is all of it."""
    if isinstance(content, str):
        return content, True
    blocks = [block for block in content if isinstance(block, Mapping)] if isinstance(content, list) else []
    texts = [block["text"] for block in blocks if block.get("type") == "text" and isinstance(block.get("text"), str)]
    return "\n\n".join(texts), len(texts) == len(blocks)


def _number(value: object) -> str:
    return "" if value is None else str(value)
