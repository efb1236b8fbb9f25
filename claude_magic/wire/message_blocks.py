"""One content block, as a message may send it back."""

from __future__ import annotations

from collections.abc import Mapping

from .message_places import OF_ASSISTANT, SERVER_CALLS, Block, blocks, is_server_result


def replayable(role: str, block: Block, notes: list[str]) -> Block | None:
    """The block as a message of `role` may hold it; the same value if it may as it is, `None` if it may not.

    What is left out is added to `notes`, but for text without words, which says nothing.

    Source: the rules in `message_rules`.
    """
    kind = str(block.get("type"))
    if not _fits(role, block):
        notes.append(f"a {kind} block that a message of {role} cannot hold")
        return None
    if kind == "text":
        return _text(role, block)
    if kind in ("thinking", "redacted_thinking"):
        return _thinking(block, notes)
    if block.get("caller", "") is None:  # a field that is absent must stay absent
        block = {name: value for name, value in block.items() if name != "caller"}
    if kind in ("tool_use", *SERVER_CALLS) and not isinstance(block.get("input"), Mapping):
        notes.append(f"the arguments of {block.get('name')}, which were no JSON object")
        block = {**block, "input": {}}
    if kind == "tool_result" and isinstance(block.get("content"), list):
        block = _result(block, notes)
    return block


def _fits(role: str, block: Block) -> bool:
    kind = str(block.get("type"))
    if role == "assistant":
        return kind not in ("tool_result", "document")
    if role == "system":
        return kind == "text"
    return kind not in OF_ASSISTANT and not is_server_result(block)


def _text(role: str, block: Block) -> Block | None:
    text = block.get("text")
    if not isinstance(text, str) or not text.strip():
        return None
    if role == "user" and block.get("citations"):
        return {name: value for name, value in block.items() if name != "citations"}
    return block


def _thinking(block: Block, notes: list[str]) -> Block | None:
    if block.get("type") == "redacted_thinking":
        signed = block.get("data")
    else:
        signed = block.get("signature")
        if not isinstance(block.get("thinking"), str):
            block = {**block, "thinking": ""}
    if not isinstance(signed, str) or not signed:
        notes.append("thinking without a signature")
        return None
    return block


def _result(block: Block, notes: list[str]) -> Block:
    found = [_text("user", inner) if inner.get("type") == "text" else inner for inner in blocks(block["content"])]
    content = [inner for inner in found if inner is not None]
    return block if content == block["content"] else {**block, "content": content}
