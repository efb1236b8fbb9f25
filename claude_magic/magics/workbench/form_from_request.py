"""A request that was sent as the form of a workbench."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ...api.credentials import redact_secrets
from ...display.workbench.form import Form
from ...errors import CellError
from ...prompt import templates
from ...prompt.completions import as_messages
from ...prompt.options.options import Options
from ...wire import Request

_FIELDS = ("model", "max_tokens", "temperature", "top_p", "top_k")
_OTHER_FIELDS = {*_FIELDS, "messages", "system", "stop_sequences", "stream"}  # that the form has, or that is its own
_PLURALS = {"image": "images", "document": "documents"}


def exchange_line(row: Mapping[str, Any]) -> str:
    """One line about an exchange of the journal."""
    prompt = " ".join(str(row["prompt"] or "").split())
    return f"{row['id']} · {str(row['began'])[:10]} · {prompt[:80] or '(no text)'}{'…' if len(prompt) > 80 else ''}"


def form_of(request: Request) -> tuple[Form, str]:
    """The form of a request, as far as a workbench can show it, and a note on what it cannot.

    Raises:
        CellError: It asks for no message.
    """
    body = request.body or {}
    was_completion = isinstance(body.get("prompt"), str)
    if was_completion:
        body = as_messages(body)
    if not isinstance(body.get("messages"), list):
        raise CellError(f"{request.summary} asks for no message: a workbench holds requests of /v1/messages.")
    lost: Counter[str] = Counter()
    turns = [(str(each.get("role")), _text(each.get("content"), lost)) for each in body["messages"]]
    plain: dict[str, Any] = {name: _number(body.get(name)) for name in _FIELDS}
    others = {name: value for name, value in body.items() if name not in _OTHER_FIELDS}
    thinking = _take(others, "thinking", Options(thinking=True).body()["thinking"])
    form = Form(
        **plain,
        system=_text(body.get("system", ""), lost),
        stop=tuple(redact_secrets(text) for text in body.get("stop_sequences", ()) if isinstance(text, str)),
        thinking=thinking,
        effort=_effort(others),
        turns=_joined(turns),
        params=redact_secrets(json.dumps(others, ensure_ascii=False, indent=2)) if others else "",
    )
    if "anthropic-beta" in request.headers:
        lost["header anthropic-beta"] += 1
    notes = ["It was a text completion: its turns are messages here."] if was_completion else []
    notes += [f"Left out, as a workbench holds text only: {_list(lost)}."] if lost else []
    return form, " ".join(notes)


def _effort(others: dict[str, Any]) -> str:
    """The effort, taken out of the other fields, if it is all that its field holds."""
    config = others.get("output_config")
    if isinstance(config, Mapping) and [*config] == ["effort"]:
        return _number(others.pop("output_config")["effort"])
    return ""


def _take(others: dict[str, Any], name: str, value: object) -> bool:
    """Whether a field has this value; then it is taken out."""
    if others.get(name) != value:
        return False
    del others[name]
    return True


def _text(content: object, lost: Counter[str]) -> str:
    """The text of a message, as the text of a cell; what else it holds is counted in `lost`."""
    if isinstance(content, list):
        blocks = [block for block in content if isinstance(block, Mapping)]
        texts = [str(block["text"]) for block in blocks if _is_text(block)]
        lost.update(str(block.get("type") or "unknown block") for block in blocks if not _is_text(block))
        lost["cache_control"] += sum("cache_control" in block for block in blocks if _is_text(block))
        if not lost["cache_control"]:
            del lost["cache_control"]
        content = "\n\n".join(texts)
    return templates.escape(redact_secrets(content)) if isinstance(content, str) else ""


def _is_text(block: Mapping[str, Any]) -> bool:
    return block.get("type") == "text" and isinstance(block.get("text"), str)


def _joined(turns: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The turns that hold text, those of one role that then stand together as one; an empty turn if none does."""
    joined: list[tuple[str, str]] = []
    for role, text in turns:
        if joined and joined[-1][0] == role and text.strip():
            joined[-1] = (role, f"{joined[-1][1]}\n\n{text}")
        elif text.strip():
            joined.append((role, text))
    return tuple(joined) or (("user", ""),)


def _list(lost: Counter[str]) -> str:
    return ", ".join(f"{count} {_PLURALS.get(kind, kind) if count > 1 else kind}" for kind, count in lost.items())


def _number(value: object) -> str:
    return "" if value is None else str(value)
