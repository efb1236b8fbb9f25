"""The reply: a message, and how a stream of events folds into one.

Content blocks stay the API's own JSON, so blocks that are not known yet survive untouched.
Source: https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import StreamError
from . import partial_json

Block = dict[str, Any]

_FIELD_OF = {  # delta type -> (block types it fits, field of the block, field of the delta)
    "text_delta": (("text",), "text", "text"),
    "thinking_delta": (("thinking",), "thinking", "thinking"),
    "input_json_delta": (("tool_use", "server_tool_use", "mcp_tool_use"), "input", "partial_json"),
}


@dataclass(frozen=True, kw_only=True)
class Message:
    """A reply, whole or so far.

    Attributes:
        body: The API's JSON; `{}` until the reply has begun.
    Source: https://docs.anthropic.com/en/api/messages
    """

    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str | None:
        return self.body.get("id")

    @property
    def model(self) -> str | None:
        return self.body.get("model")

    @property
    def role(self) -> str | None:
        return self.body.get("role")

    @property
    def content(self) -> list[Block]:
        """The content blocks, as the API's JSON."""
        return self.body.get("content") or []

    @property
    def stop_reason(self) -> str | None:
        """`None` if the reply did not come to its end."""
        return self.body.get("stop_reason")

    @property
    def stop_sequence(self) -> str | None:
        return self.body.get("stop_sequence")

    @property
    def usage(self) -> dict[str, Any]:
        """Tokens, as the API's JSON; `{}` if none were told."""
        return self.body.get("usage") or {}

    @property
    def text(self) -> str:
        """All text blocks, joined."""
        texts = (block.get("text") for block in self.content if block.get("type") == "text")
        return sound("".join(text for text in texts if isinstance(text, str)))


class Fold:
    """Events in, one growing message out; the cost of an event does not depend on what came before."""

    def __init__(self) -> None:
        self.ended = False
        self._body: dict[str, Any] = {}
        self._growing: dict[int, tuple[str, list[str]]] = {}

    def add(self, event: Mapping[str, Any]) -> bool:
        """Take the next event; whether it is one that can change the message.

        Raises:
            StreamError: A tool's arguments are not JSON.
        """
        kind = event.get("type")
        if kind == "message_start":
            self._start(event.get("message"))
        elif not self._body and kind != "content_block_start":
            return False
        elif kind == "content_block_delta":
            self._grow(event.get("index"), event.get("delta"))
        elif kind == "content_block_start":
            if not self._body:  # llama.cpp forgets the start of a message whose first token is half a character
                self._start({"type": "message", "role": "assistant"})
            block = event.get("content_block")
            self._body["content"].append(dict(block) if isinstance(block, dict) else {})
        elif kind == "content_block_stop":
            self._settle(event.get("index"))
        elif kind == "message_delta":
            self._conclude(event.get("delta"), event.get("usage"))
        elif kind == "message_stop":
            self.ended = True
        else:
            return False
        return True

    @property
    def message(self) -> Message:
        """The message so far; later events do not change what was handed out."""
        for index in list(self._growing):
            self._settle(index, unfinished=True)
        if not self._body:
            return Message()
        return Message(body={**self._body, "content": [dict(block) for block in self._body["content"]]})

    def _start(self, message: Any) -> None:
        if isinstance(message, dict) and not self._body:
            content = [dict(block) for block in message.get("content") or [] if isinstance(block, dict)]
            self._body = {**message, "content": content, "usage": dict(message.get("usage") or {})}

    def _block(self, index: Any) -> Block | None:
        content: list[Block] = self._body["content"]
        return content[index] if isinstance(index, int) and 0 <= index < len(content) else None

    def _grow(self, index: Any, delta: Any) -> None:
        known = self._growing.get(index)
        kind = delta.get("type") if isinstance(delta, dict) else None
        if known is not None and known[0] == kind:
            fragment = delta.get(_FIELD_OF[kind][2])
            if type(fragment) is str:
                known[1].append(fragment)
            return
        block = self._block(index)
        if block is None or kind is None:
            return
        if kind in _FIELD_OF:
            self._begin_growing(index, block, delta)
        elif kind == "signature_delta" and block.get("type") == "thinking":
            block["signature"] = delta.get("signature")
        elif kind == "citations_delta" and block.get("type") == "text":
            block["citations"] = [*(block.get("citations") or []), delta.get("citation")]

    def _begin_growing(self, index: int, block: Block, delta: Mapping[str, Any]) -> None:
        fits, name, source = _FIELD_OF[delta["type"]]
        if block.get("type") in fits:
            begun = "" if name == "input" else block.get(name)
            self._growing[index] = (delta["type"], [s for s in (begun, delta.get(source)) if isinstance(s, str)])

    def _settle(self, index: Any, *, unfinished: bool = False) -> None:
        """Write what has grown into its block."""
        if index not in self._growing:
            return
        kind, fragments = self._growing[index] if unfinished else self._growing.pop(index)
        text = "".join(fragments)
        fragments[:] = [text]
        name = _FIELD_OF[kind][1]
        self._body["content"][index][name] = _arguments(text, unfinished) if name == "input" else sound(text)

    def _conclude(self, delta: Any, usage: Any) -> None:
        delta, usage = (value if isinstance(value, dict) else {} for value in (delta, usage))
        for name in ("stop_reason", "stop_sequence", "stop_details"):
            self._body[name] = delta.get(name)
        if delta.get("container") is not None:
            self._body["container"] = delta["container"]
        self._body["usage"].update({name: value for name, value in usage.items() if value is not None})


def sound(text: str) -> str:
    """`text` with surrogate pairs joined and lone surrogates replaced, so that it can be encoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _arguments(text: str, unfinished: bool) -> object:
    if not text:
        return {}
    try:
        return partial_json.loads(text)
    except ValueError as error:
        if unfinished:
            return {}
        raise StreamError(f"the arguments of a tool are not JSON: {error}. Ask again.") from None
