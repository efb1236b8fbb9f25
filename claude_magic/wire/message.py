"""The reply: a message.

Content blocks stay the API's own JSON, so blocks that are not known yet survive untouched.
Source: https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..errors import StreamError
from . import chat_completion
from .short_text import Array, Object, ShortRepr

Block = dict[str, Any]


@dataclass(frozen=True, kw_only=True, repr=False)
class Message(ShortRepr):
    """A reply, complete or as far as it was received.

    Attributes:
        body: The API's JSON; `{}` until the reply has begun.
        cut: Indices in `content` of the calls whose arguments are incomplete; none of these may be run.
    """

    body: Mapping[str, Any] = field(default_factory=dict)
    cut: frozenset[int] = frozenset()
    _full_value: ClassVar[str] = "its .body and .text"

    def __post_init__(self) -> None:
        if type(self.body) is dict and self.body:
            body = Object(self.body)
            if type(body.get("content")) is list:
                body["content"] = Array(body["content"])
            object.__setattr__(self, "body", body)

    @property
    def id(self) -> str | None:
        return self._text_field("id")

    @property
    def model(self) -> str | None:
        return self._text_field("model")

    @property
    def role(self) -> str | None:
        return self._text_field("role")

    @property
    def content(self) -> list[Block]:
        """The content blocks, as the API's JSON; the text of a completion is one."""
        if "choices" in self.body:
            return chat_completion.content(self.body)
        text = self.body.get("completion")
        if isinstance(text, str) and text and "content" not in self.body:
            return [{"type": "text", "text": text}]
        return self.body.get("content") or []

    @property
    def stop_reason(self) -> str | None:
        """`None` if the reply is incomplete."""
        return chat_completion.stop_reason(self.body) if "choices" in self.body else self._text_field("stop_reason")

    @property
    def stop_sequence(self) -> str | None:
        return self._text_field("stop_sequence") or self._text_field("stop")

    @property
    def usage(self) -> dict[str, Any]:
        """Token counts, as the API's JSON; `{}` if none were received."""
        return chat_completion.usage(self.body) if "choices" in self.body else self.body.get("usage") or {}

    @property
    def text(self) -> str:
        """All text blocks, joined."""
        texts = (block.get("text") for block in self.content if block.get("type") == "text")
        return fix_surrogates("".join(text for text in texts if isinstance(text, str)))

    def _text_field(self, name: str) -> str | None:
        value = self.body.get(name)
        return value if isinstance(value, str) else None


def fix_surrogates(text: str) -> str:
    """`text` with surrogate pairs joined and lone surrogates replaced, so that it can be encoded."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def fix_json_surrogates(value: Any) -> Any:
    """`value`, from JSON, with the surrogates in all its texts fixed.

    Raises:
        StreamError: It is nested too deeply.
    """
    try:
        text = json.dumps(value, ensure_ascii=False)
        encodable = fix_surrogates(text)
        return value if encodable is text else json.loads(encodable)
    except RecursionError:
        raise StreamError("an event is nested too deeply. Try again.") from None
