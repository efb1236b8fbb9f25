"""A text completion: the reply of `POST /v1/complete`, the API's form before messages.

Its body holds one text instead of content blocks. In a stream, each `completion` event holds only the new text, and
the one with a `stop_reason` is the end; no other event follows. Version 2023-01-01 sends unnamed events, each with the
whole text so far.
Source: https://docs.anthropic.com/en/api/complete
Source: https://docs.anthropic.com/en/api/versioning
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .message import fix_json_surrogates, fix_surrogates
from .short_text import short_repr

ENDPOINT = "/v1/complete"
HUMAN, ASSISTANT = "\n\nHuman:", "\n\nAssistant:"
END = "a completion event with a stop_reason"


def is_completion_event(kind: object, event: Mapping[str, Any]) -> bool:
    """Whether an event of this type is one of a completion's stream."""
    return kind == "completion" or (kind is None and "completion" in event)


def is_completion(message: object) -> bool:
    """Whether parsed JSON is a completion."""
    return isinstance(message, dict) and isinstance(message.get("completion"), str) and "content" not in message


def last_question(prompt: str) -> str:
    """What the last Human turn of a prompt says; the whole prompt if it has none."""
    _, marker, turn = prompt.rpartition(HUMAN)
    return turn.partition(ASSISTANT)[0].strip() if marker else prompt.strip()


class CompletionFold:
    """Events in, one growing completion out.

    Attributes:
        is_complete: Whether an event with a `stop_reason` was received.
        fault: The first thing that belongs nowhere; `""` if there is none.
    """

    def __init__(self) -> None:
        self.is_complete = False
        self.fault = ""
        self._fields: dict[str, Any] = {}
        self._texts: list[str] = []

    def add(self, event: Mapping[str, Any]) -> None:
        """Adds an event, or a completion that was not streamed.

        Raises:
            StreamError: It is nested too deeply.
        """
        text, exception = event.get("completion"), event.get("exception")
        if isinstance(text, str):
            if "type" not in event:  # version 2023-01-01: the text from its beginning
                self._texts.clear()
            self._texts.append(text)
        elif text is not None:
            self.fault = self.fault or f"a completion is not text: {short_repr(text)}"
        if exception:
            self.fault = self.fault or f"the server reports an exception: {short_repr(exception)}"
        others = fix_json_surrogates({**event, "completion": ""})
        self._fields = {**self._fields, **{n: v for n, v in others.items() if v is not None or n not in self._fields}}
        self.is_complete = self.is_complete or isinstance(event.get("stop_reason"), str)

    @property
    def body(self) -> dict[str, Any]:
        """The completion so far, as the API's JSON."""
        return {**self._fields, "completion": fix_surrogates("".join(self._texts))}
