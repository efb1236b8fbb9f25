"""A stream of OpenAI's form folds into one chat completion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .message import fix_json_surrogates, fix_surrogates
from .short_text import short_repr

_OF_DELTA = ("choices", "usage")


class ChatFold:
    """Events in, one growing chat completion out.

    Attributes:
        is_complete: Whether it is whole, or `[DONE]` came after a `finish_reason`.
        fault: The first thing that belongs nowhere; `""` if there is none.
    """

    def __init__(self) -> None:
        self.is_complete = False
        self.fault = ""
        self._fields: dict[str, Any] = {}
        self._message: dict[str, Any] = {"role": "assistant"}
        self._texts: dict[str, list[str]] = {"content": [], "refusal": []}
        self._calls: dict[int, dict[str, Any]] = {}
        self._arguments: dict[int, list[str]] = {}
        self._reason: Any = None
        self._usage: Any = None

    def add(self, event: Mapping[str, Any]) -> None:
        """Adds a part of a stream, or a completion that was not streamed.

        Raises:
            StreamError: It is nested too deeply.
        """
        event = fix_json_surrogates(dict(event))
        self._fields |= {name: value for name, value in event.items() if name not in _OF_DELTA}
        self._usage = event.get("usage") or self._usage
        for choice in event.get("choices") or []:
            if not isinstance(choice, dict):
                self.fault = self.fault or f"a choice is not a JSON object: {short_repr(choice)}"
                continue
            self._reason = choice.get("finish_reason") or self._reason
            if isinstance(choice.get("message"), dict):
                self._add_whole(choice["message"])
            elif isinstance(choice.get("delta"), dict):
                self._add_delta(choice["delta"])

    def add_done(self) -> None:
        """Adds `[DONE]`, which ends a stream."""
        self.is_complete = self._reason is not None

    @property
    def body(self) -> dict[str, Any]:
        """The completion so far, as JSON of the form that is not streamed."""
        message = {**self._message}
        for name, texts in self._texts.items():
            if texts:
                message[name] = fix_surrogates("".join(texts))
        if self._calls:
            message["tool_calls"] = [self._call(index) for index in sorted(self._calls)]
        object_name = str(self._fields.get("object") or "chat.completion").removesuffix(".chunk")
        choice = {"index": 0, "message": message, "finish_reason": self._reason}
        body = {**self._fields, "object": object_name, "choices": [choice]}
        return body if self._usage is None else {**body, "usage": self._usage}

    def _add_whole(self, message: dict[str, Any]) -> None:
        self._message = message
        self.is_complete = True

    def _add_delta(self, delta: dict[str, Any]) -> None:
        for name, value in delta.items():
            if name in self._texts and isinstance(value, str):
                self._texts[name].append(value)
            elif name == "tool_calls":
                for call in value if isinstance(value, list) else []:
                    self._add_call(call)
            elif value is not None and name not in self._texts:
                self._message[name] = value

    def _add_call(self, call: Any) -> None:
        index = call.get("index") if isinstance(call, dict) else None
        if type(index) is not int:
            self.fault = self.fault or f"a call without an index: {short_repr(call)}"
            return
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        known = self._calls.setdefault(index, {"type": "function"})
        known |= {name: value for name, value in call.items() if name not in ("index", "function") and value}
        if function.get("name"):
            known["name"] = function["name"]
        if isinstance(function.get("arguments"), str):
            self._arguments.setdefault(index, []).append(function["arguments"])

    def _call(self, index: int) -> dict[str, Any]:
        call = {**self._calls[index]}
        function = {"name": call.pop("name", ""), "arguments": "".join(self._arguments.get(index, []))}
        return {**call, "function": function}
