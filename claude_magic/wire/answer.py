"""Answers of endpoints that send no message: JSON, JSON lines, events, text, or bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .message import fix_surrogates
from .short_text import ShortRepr

JSON, JSON_LINES, EVENTS, TEXT, BINARY, EMPTY = "json", "jsonl", "events", "text", "binary", "empty"
_MAX_STORED = 1_000_000  # characters in the journal and in recordings
_MAX_EXCERPT = 2_000  # bytes


@dataclass(frozen=True, kw_only=True, repr=False)
class Answer(ShortRepr):
    """The body of an answer.

    Attributes:
        kind: `json`, `jsonl` (JSON lines), `events` (server-sent), `text`, `binary` or `empty`.
        value: The parsed JSON; a list for JSON lines and events; the text; `None` for bytes and for a file.
        size: The number of bytes received.
        count: The number of lines or events received.
        left_out: How many of them are not in `value`.
        data: The bytes, if they are not in a file.
        path: The file that it was written to; `""` for none.
        media_type: The content type, without its parameters.
        filename: The name that the server suggests; never a path.
        dropped: Whether the journal or recording has no body, because it was too large or written to a file.
    """

    kind: str
    value: Any = None
    size: int = 0
    count: int = 0
    left_out: int = 0
    data: bytes = b""
    path: str = ""
    media_type: str = ""
    filename: str = ""
    dropped: bool = False
    _full_value: ClassVar[str] = "its .value and .data"

    @property
    def items(self) -> list[Any] | None:
        """The rows of a list, of JSON lines or of events; `None` if it is none."""
        if self.kind in (JSON_LINES, EVENTS):
            return self.value if isinstance(self.value, list) else None
        data = self.value.get("data") if isinstance(self.value, Mapping) else self.value
        return data if isinstance(data, list) else None

    @property
    def content(self) -> bytes:
        """The body as bytes, as far as it is available."""
        if self.kind in (JSON_LINES, EVENTS):
            form = "data: {}\n\n" if self.kind == EVENTS else "{}\n"
            return "".join(form.format(_compact(each)) for each in self.value or ()).encode()
        if self.kind == JSON:
            return _compact(self.value).encode()
        return self.value.encode() if self.kind == TEXT and isinstance(self.value, str) else self.data

    @property
    def excerpt(self) -> str:
        """The beginning of the body as text, for the search in the journal."""
        if self.kind in (BINARY, EMPTY) or self.size > _MAX_STORED:
            return ""
        return self.content[:_MAX_EXCERPT].decode("utf-8", "ignore")

    def to_json(self) -> str:
        """The JSON that the journal and recordings store, without a body that is too large."""
        facts = {name: getattr(self, name) for name in _FACTS if getattr(self, name)}
        body = {"data": base64.b64encode(self.data).decode()} if self.data else {"value": self.value}
        is_incomplete = self.left_out or (self.size and self.value is None and not self.data)
        is_incomplete = is_incomplete or self.size > 2 * _MAX_STORED  # too large, whatever its form
        text = "" if is_incomplete else _compact({**facts, **body})
        return text if text and len(text) <= _MAX_STORED else _compact({**facts, "dropped": True})

    @classmethod
    def from_json(cls, text: str) -> Answer:
        """The answer from the JSON of `to_json`.

        Raises:
            ValueError: It is not an answer.
        """
        facts = json.loads(text)
        if not isinstance(facts, dict) or not isinstance(facts.get("kind"), str):
            raise ValueError("no answer")
        data = base64.b64decode(facts.pop("data", ""))
        known = {name: facts[name] for name in (*_FACTS, "value", "dropped") if name in facts}
        return cls(**known, data=data)


_FACTS = ("kind", "size", "count", "left_out", "path", "media_type", "filename")


def _compact(value: Any) -> str:
    return fix_surrogates(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
