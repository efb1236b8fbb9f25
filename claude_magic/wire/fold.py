"""A stream of events folds into one message.

Blocks are addressed by their index, in whatever order they come. What came is kept: text without a block of its
own gets one. What cannot be placed is a `fault`, which makes the reply an error although the rest is read on;
what is left out or guessed is a note for the reader.
Source: https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import StreamError
from . import partial_json
from .message import Block, Message, sound, sound_json
from .unfit import seen, shortened

_FIELD_OF = {  # delta type -> (block types it fits, field of the block, field of the delta)
    "text_delta": (("text",), "text", "text"),
    "thinking_delta": (("thinking",), "thinking", "thinking"),
    "input_json_delta": (("tool_use", "server_tool_use", "mcp_tool_use"), "input", "partial_json"),
}
_OTHER_DELTAS = ("signature_delta", "citations_delta", "compaction_delta")

# llama.cpp leaves out `message_start` where the first token of a reply is half a character.
_FORGOTTEN: dict[str, Any] = {"type": "message", "role": "assistant", "content": []}


class _Place:
    """A block of the message, and what its deltas have brought.

    Attributes:
        order: Blocks stand in the order of these: how often the indices began anew, then the index.
        kind: The type of the deltas that grow it now; `""` before the first, and after its end.
        source: The field of those deltas.
        field: The field of the block that they grow; `""` before the first.
        stopped: Whether its end came.
        whole: Whether what grew is JSON to its end.
    """

    __slots__ = ("block", "field", "fragments", "kind", "order", "source", "stopped", "whole")

    def __init__(self, block: Block, order: tuple[int, int, int], *, stopped: bool) -> None:
        self.block = block
        self.order = order
        self.kind = self.source = self.field = ""
        self.fragments: list[str] = []
        self.stopped = stopped
        self.whole = False

    @property
    def is_cut(self) -> bool:
        """Whether it is a call whose arguments did not arrive whole: neither as JSON, nor before its end."""
        return self.block.get("type") == "tool_use" and not (self.whole if any(self.fragments) else self.stopped)


class Fold:
    """Events in, one growing message out; the cost of an event does not depend on what came before.

    Attributes:
        ended: Whether the message came to its end.
        fault: What could not be placed, first of all; `""` if everything could.
        notes: What was left out or guessed, a sentence each.
    """

    def __init__(self) -> None:
        self.ended = False
        self.fault = ""
        self.notes: list[str] = []
        self._body: dict[str, Any] = {}
        self._places: list[_Place] = []  # in the order of the message
        self._at: dict[Any, _Place] = {}  # by index, or by index and type where the block is one of ours
        self._unsettled: dict[int, _Place] = {}
        self._ids: set[str] = set()  # of calls
        self._latest: _Place | None = None
        self._round = 0  # how often the indices began anew

    def add(self, event: Mapping[str, Any], name: str | None = None) -> None:
        """Take the next event.

        Args:
            name: The event's name, which says its type if its data do not.

        Raises:
            StreamError: It is nested too deeply.
        """
        kind = event.get("type") or name
        if kind == "content_block_delta":
            index, delta = event.get("index"), event.get("delta")
            place = self._at.get(index) if type(index) is int else self._latest
            if place is not None and place.kind and type(delta) is dict and place.kind == delta.get("type"):
                fragment = delta.get(place.source)
                if type(fragment) is str:
                    place.fragments.append(fragment)
                    return
            if delta is None:
                delta = {name: value for name, value in event.items() if name not in ("type", "index")}
            self._delta(index, place, {"type": "text_delta", "text": delta} if isinstance(delta, str) else delta)
        elif kind == "message_start":
            self._start(event.get("message"))
        elif kind == "content_block_start":
            self._begin(event.get("index"), event.get("content_block"))
        elif kind == "content_block_stop":
            self._stop(event.get("index"))
        elif kind == "message_delta":
            self._conclude(event.get("delta"), event.get("usage"))
        elif kind == "message_stop" and self._body:
            self._conclude(None, event.get("usage"))
            self._end()
        elif kind not in ("message_stop", "ping"):
            self._leave_out(kind, event)

    def done(self) -> None:
        """Take `[DONE]`, by which other APIs, and gateways to them, end a stream."""
        if isinstance(self._body.get("stop_reason"), str):
            self._end()

    def whole(self, message: Mapping[str, Any]) -> None:
        """Take an answer that was not streamed."""
        content = message.get("content")
        if isinstance(content, str):
            message = {**message, "content": [{"type": "text", "text": content}]}
        self._start(message)
        self._end()

    def fail(self, why: str) -> None:
        """Something came that cannot be placed."""
        self.fault = self.fault or why

    @property
    def message(self) -> Message:
        """The message so far; later events do not change what was handed out."""
        for place in self._unsettled.values():
            self._settle(place)
        if not self._body:
            return Message()
        cut = frozenset(number for number, place in enumerate(self._places) if place.is_cut)
        return Message(body={**self._body, "content": [_copy(place.block) for place in self._places]}, cut=cut)

    def _end(self) -> None:
        self.ended = True
        if self.notes and not any(map(_holds_something, self._places)):
            self.fail(f"the reply is empty, although something came: {self.notes[0].rstrip('.')}")

    def _start(self, message: Any) -> None:
        ident = self._body.get("id")
        if not isinstance(message, Mapping):
            message = {}
        elif ident is not None and message.get("id") == ident:
            return  # the same one again
        elif ident is not None:
            self._note("the answer holds a second message: its text follows that of the first.")
            self._at.clear()
            self._round += 1
        message = sound_json(message)
        content, usage = message.get("content"), message.get("usage")
        known = {name: value for name, value in self._body.items() if value is not None}
        usage = {**(usage if isinstance(usage, dict) else {}), **known.get("usage", {})}
        body = {**message, **known, "content": [], "usage": usage}  # the fields in the order in which they came
        self._body = {**body, **{name: value for name, value in _FORGOTTEN.items() if name not in body}}
        for index, block in enumerate(content if isinstance(content, list) else []):
            if isinstance(block, dict):
                self._put(index, _copy(block), stopped=True)
            else:
                self.fail(f"a block is no JSON object: {seen(block)}")

    def _begin(self, index: Any, block: Any) -> None:
        """Take the start of a block."""
        if not isinstance(block, dict):
            self._note("a block began without saying what it is.")
            return
        block = _copy(sound_json(block))
        if "type" not in block and isinstance(block.get("text"), str):
            block["type"] = "text"
        before = self._at.get(index) if type(index) is int else None
        if before is not None and not before.stopped and not before.fragments and before.block == block:
            return  # the same start again
        if before is not None:  # some gateways give each block the same index
            self._stop(index)
            self._round += 1
            for kind in ("text", "thinking"):
                self._at.pop((index, kind), None)
        self._put(index, block)

    def _put(self, index: Any, block: Block, *, beside: int = 0, stopped: bool = False) -> _Place:
        """A place for a block.

        Args:
            beside: Where it stands after the block of the same index; 0 if it is that block.
        """
        if not self._body:
            self._start(_FORGOTTEN)
        if block.get("type") == "tool_use":
            self._check_call(block)
        last = self._places[-1].order if self._places else (0, -1, 0)
        order = (self._round, index, beside) if type(index) is int else (*last[:2], last[2] + 1)
        place = _Place(block, order, stopped=stopped)
        self._places.append(place)
        if order < last:
            self._places.sort(key=lambda each: each.order)
        if not beside:
            if type(index) is int:
                self._at[index] = place
            self._latest = place
        return place

    def _check_call(self, block: Block) -> None:
        """A call must be told from the others, or its result goes to another."""
        name, ident = block.get("name"), block.get("id")
        if not isinstance(name, str) or not isinstance(ident, str):
            self.fail(f"a call without a name or an id: {seen(block)}")
        elif ident in self._ids:
            self.fail(f"two calls have the id {shortened(ident)!r}")
        else:
            self._ids.add(ident)

    def _delta(self, index: Any, place: _Place | None, delta: Any) -> None:
        """Take a delta that is the first of its kind for its block, or an odd one."""
        if not isinstance(delta, dict):
            self.fail(f"a delta is no JSON object: {seen(delta)}")
            return
        if all(value is None for name, value in delta.items() if name != "type"):
            return  # nothing came
        kind = delta.get("type")
        if kind in _OTHER_DELTAS:
            self._set(place, str(kind), delta)
            return
        if not isinstance(kind, str) or kind not in _FIELD_OF:
            kind = next((k for k, (_, _, source) in _FIELD_OF.items() if isinstance(delta.get(source), str)), None)
        if kind is None:
            self._leave_out(delta.get("type"), delta)
            return
        fits, _, source = _FIELD_OF[kind]
        fragment = delta.get(source)
        if isinstance(fragment, str):
            if place is None or place.block.get("type") not in fits:
                place = self._place_of_its_own(index, kind, fragment)
            if place is not None:
                self._grow(place, kind, fragment)
        elif fragment is not None:
            self.fail(f"a {kind} holds no text: {seen(fragment)}")

    def _grow(self, place: _Place, kind: str, fragment: str) -> None:
        if not place.field:
            _, place.field, place.source = _FIELD_OF[kind]
            begun = "" if place.field == "input" else place.block.get(place.field)
            place.fragments = [begun] if isinstance(begun, str) else []
        place.kind = kind
        place.fragments.append(fragment)
        self._unsettled[id(place)] = place

    def _place_of_its_own(self, index: Any, kind: str, fragment: str) -> _Place | None:
        """A block for text that came for none; arguments without a call cannot be placed."""
        if not fragment:
            return None
        if kind == "input_json_delta":
            self.fail(f"arguments came for no call: {shortened(fragment)!r}")
            return None
        fits, name, _ = _FIELD_OF[kind]
        key = (index if type(index) is int else None, fits[0])
        if key not in self._at:
            self._note(f"{fits[0]} came for no block: it stands in one of its own.")
            free = key[0] is not None and key[0] not in self._at
            made = self._put(index, {"type": fits[0], name: ""}, beside=0 if free else 1 + len(self._at))
            self._at[key] = made
        return self._at[key]

    def _set(self, place: _Place | None, kind: str, delta: dict[str, Any]) -> None:
        """Take a delta that brings a whole value."""
        block = place.block if place is not None else {}
        if kind == "signature_delta" and block.get("type") == "thinking":
            block["signature"] = sound_json(delta.get("signature"))
        elif kind == "compaction_delta" and block.get("type") == "compaction":
            block.update(sound_json({name: value for name, value in delta.items() if name != "type"}))
        elif kind == "citations_delta" and block.get("type") == "text":
            if not isinstance(block.get("citations"), list):
                block["citations"] = []
            block["citations"].append(sound_json(delta.get("citation")))
        else:
            self._leave_out(kind, delta)

    def _stop(self, index: Any) -> None:
        """Take the end of a block."""
        place = self._at.get(index) if type(index) is int else self._latest
        if place is None:
            return
        place.stopped, place.kind = True, ""
        self._unsettled.pop(id(place), None)
        self._settle(place)

    def _settle(self, place: _Place) -> None:
        """Write what has grown into its block."""
        if not place.fragments:
            return
        text = "".join(place.fragments)
        place.fragments[:] = [text]
        if place.field != "input":
            place.block[place.field] = sound(text)
        elif text:
            place.block["input"], place.whole = self._arguments(place, text)

    def _arguments(self, place: _Place, text: str) -> tuple[object, bool]:
        """Arguments as far as they came, and whether they are whole."""
        try:
            return sound_json(json.loads(text, strict=False, parse_constant=partial_json.refuse)), True
        except (ValueError, RecursionError, StreamError):
            pass
        try:
            return sound_json(partial_json.loads(text)), False
        except (ValueError, StreamError) as error:
            if place.stopped:
                self.fail(f"the arguments of {seen(place.block.get('name'))} are not JSON: {error}")
            return {}, False

    def _conclude(self, delta: Any, usage: Any) -> None:
        """Take what is said of the whole message; what is absent or null leaves what was said before."""
        delta, usage = (sound_json(value) if isinstance(value, dict) else {} for value in (delta, usage))
        if not self._body:
            self._start(_FORGOTTEN)
        for name in ("stop_reason", "stop_sequence", "stop_details", "container"):
            if delta.get(name) is not None:
                self._body[name] = delta[name]
            elif name != "container":
                self._body.setdefault(name, None)
        told = {name: value for name, value in usage.items() if value is not None}
        self._body["usage"] = {**self._body["usage"], **told}

    def _leave_out(self, kind: Any, what: Mapping[str, Any]) -> None:
        """Something of an unknown kind: new kinds may come at any time, and must break nothing that is known."""
        if kind is None:
            self.fail(f"an event does not say what it is: {seen(dict(what))}")
        else:
            self._note(f"left out: {shortened(str(kind))!r}, of an unknown kind. It is in claude.last.events.")

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _copy(block: Block) -> Block:
    """`block`, apart from later citations; its other fields are replaced, not changed."""
    citations = block.get("citations")
    return {**block, "citations": [*citations]} if isinstance(citations, list) else dict(block)


def _holds_something(place: _Place) -> bool:
    return any(place.fragments) or place.block.get("type") != "text" or bool(place.block.get("text"))
