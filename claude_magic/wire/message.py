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
from .bounded import Array, Bounded, Object

Block = dict[str, Any]


@dataclass(frozen=True, kw_only=True, repr=False)
class Message(Bounded):
    """A reply, whole or so far.

    Attributes:
        body: The API's JSON; `{}` until the reply has begun.
        cut: Positions in `content` of the calls whose arguments did not arrive whole; none of these may be run.
    """

    body: Mapping[str, Any] = field(default_factory=dict)
    cut: frozenset[int] = frozenset()
    _whole: ClassVar[str] = "its .body and .text"

    def __post_init__(self) -> None:
        if type(self.body) is dict and self.body:
            body = Object(self.body)
            if type(body.get("content")) is list:
                body["content"] = Array(body["content"])
            object.__setattr__(self, "body", body)

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
