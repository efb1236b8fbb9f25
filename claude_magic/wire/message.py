"""The reply: a message, and how a stream of events folds into one.

Content blocks stay the API's own JSON, so blocks that are not known yet survive untouched.
Source: https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
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

# llama.cpp leaves out `message_start` where the first token of a reply is half a character.
_FORGOTTEN: dict[str, Any] = {"type": "message", "role": "assistant", "content": []}


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
        return self._word("id")

    @property
    def model(self) -> str | None:
        return self._word("model")

    @property
    def role(self) -> str | None:
        return self._word("role")

    @property
    def content(self) -> list[Block]:
        """The content blocks, as the API's JSON."""
        return self.body.get("content") or []

    @property
    def stop_reason(self) -> str | None:
        """`None` if the reply did not come to its end."""
        return self._word("stop_reason")

    @property
    def stop_sequence(self) -> str | None:
        return self._word("stop_sequence")

    @property
    def usage(self) -> dict[str, Any]:
        """Tokens, as the API's JSON; `{}` if none were told."""
        return self.body.get("usage") or {}

    @property
    def text(self) -> str:
        """All text blocks, joined."""
        texts = (block.get("text") for block in self.content if block.get("type") == "text")
        return sound("".join(text for text in texts if isinstance(text, str)))

    def _word(self, name: str) -> str | None:
        value = self.body.get(name)
        return value if isinstance(value, str) else None


class Fold:
    """Events in, one growing message out; the cost of an event does not depend on what came before."""

    def __init__(self) -> None:
        self.ended = False
        self._body: dict[str, Any] = {}
        self._growing: dict[int, tuple[str, str, list[str]]] = {}  # delta type, its field, what it brought

    def add(self, event: Mapping[str, Any]) -> bool:
        """Take the next event; whether it is one that can change the message.

        Raises:
            StreamError: A tool's arguments are not JSON, or something is nested too deeply.
        """
        kind = event.get("type")
        if kind == "content_block_delta" and self._body:
            index, delta = event.get("index"), event.get("delta")
            if type(index) is int and type(delta) is dict:
                grows = self._growing.get(index)
                if grows is None or grows[0] != delta.get("type"):
                    self._begin(index, delta)
                elif type(fragment := delta.get(grows[1])) is str:
                    grows[2].append(fragment)
        elif kind == "message_start":
            self._start(event.get("message"))
        elif not self._body:
            if kind not in ("content_block_start", "message_delta"):
                return False
            self._start(_FORGOTTEN)
            return self.add(event)
        elif kind == "content_block_start":
            block = event.get("content_block")
            self._body["content"].append(_copy(sound_json(block)) if isinstance(block, dict) else {})
        elif kind == "content_block_stop":
            self._settle(event.get("index"))
        elif kind == "message_delta":
            self._conclude(event.get("delta"), event.get("usage"))
        elif kind == "message_stop":
            self.ended = True
        else:
            return False
        return True

    def grows_text(self, index: int) -> Callable[[str], None] | None:
        """What adds to the text block that is growing there; `None` if none is."""
        grows = self._growing.get(index)
        return grows[2].append if grows is not None and grows[0] == "text_delta" else None

    @property
    def message(self) -> Message:
        """The message so far; later events do not change what was handed out."""
        for index in list(self._growing):
            self._settle(index, unfinished=True)
        if not self._body:
            return Message()
        return Message(body={**self._body, "content": [_copy(block) for block in self._body["content"]]})

    def _start(self, message: Any) -> None:
        if not isinstance(message, dict) or self._body:
            return
        message = sound_json(message)
        content, usage = message.get("content"), message.get("usage")
        blocks = [_copy(block) for block in content if isinstance(block, dict)] if isinstance(content, list) else []
        self._body = {**message, "content": blocks, "usage": usage if isinstance(usage, dict) else {}}

    def _begin(self, index: int, delta: dict[str, Any]) -> None:
        """Take a delta that is the first of its kind for its block."""
        content: list[Block] = self._body["content"]
        if not 0 <= index < len(content):
            return
        block, kind = content[index], delta.get("type")
        if isinstance(kind, str) and kind in _FIELD_OF:
            fits, name, source = _FIELD_OF[kind]
            if block.get("type") in fits:
                begun = "" if name == "input" else block.get(name)
                fragments = [text for text in (begun, delta.get(source)) if isinstance(text, str)]
                self._growing[index] = (kind, source, fragments)
        elif kind == "signature_delta" and block.get("type") == "thinking":
            block["signature"] = sound_json(delta.get("signature"))
        elif kind == "citations_delta" and block.get("type") == "text":
            if not isinstance(block.get("citations"), list):
                block["citations"] = []
            block["citations"].append(sound_json(delta.get("citation")))

    def _settle(self, index: Any, *, unfinished: bool = False) -> None:
        """Write what has grown into its block."""
        if type(index) is not int or index not in self._growing:
            return
        kind, _, fragments = self._growing[index] if unfinished else self._growing.pop(index)
        text = "".join(fragments)
        fragments[:] = [text]
        name = _FIELD_OF[kind][1]
        self._body["content"][index][name] = _arguments(text, unfinished) if name == "input" else sound(text)

    def _conclude(self, delta: Any, usage: Any) -> None:
        delta, usage = (sound_json(value) if isinstance(value, dict) else {} for value in (delta, usage))
        for name in ("stop_reason", "stop_sequence", "stop_details"):
            self._body[name] = delta.get(name)
        if delta.get("container") is not None:
            self._body["container"] = delta["container"]
        told = {name: value for name, value in usage.items() if value is not None}
        self._body["usage"] = {**self._body["usage"], **told}


def _copy(block: Block) -> Block:
    """`block`, apart from later citations; its other fields are replaced, not changed."""
    citations = block.get("citations")
    return {**block, "citations": [*citations]} if isinstance(citations, list) else dict(block)


def sound(text: str) -> str:
    """`text` with surrogate pairs joined and lone surrogates replaced, so that it can be encoded."""
    if text.isascii():  # known without looking
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def sound_json(value: Any) -> Any:
    """`value`, from JSON, with all its text made sound.

    Raises:
        StreamError: It is nested too deeply.
    """
    try:
        text = json.dumps(value, ensure_ascii=False)
        sounded = sound(text)
        return value if sounded is text else json.loads(sounded)
    except RecursionError:
        raise StreamError("an event is nested too deeply. Ask again.") from None


def _arguments(text: str, unfinished: bool) -> object:
    if not text:
        return {}
    try:
        return sound_json(partial_json.loads(text))
    except (ValueError, StreamError) as error:
        if unfinished:
            return {}
        raise StreamError(f"the arguments of a tool are not JSON: {error}. Ask again.") from None
