"""A stream of events folds into one message.

Blocks are addressed by their index, in whatever order they are received. Content is kept: text without a block of
its own gets one. What belongs nowhere is a `fault`, which makes the reply an error although reading goes on; what is
left out or guessed is a note for the user.
Source: https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import chat_completion
from .block_fold import FRAGMENT_DELTAS, VALUE_DELTAS, BlockFold, copy_block
from .chat_fold import ChatFold
from .completion import END, CompletionFold, is_completion, is_completion_event
from .message import Block, Message, fix_json_surrogates
from .short_text import short_repr, shorten

# llama.cpp leaves out `message_start` if the first token of a reply is half a character.
_DEFAULTS: dict[str, Any] = {"type": "message", "role": "assistant", "content": []}
_FINAL_FIELDS = ("stop_reason", "stop_sequence", "stop_details", "container")


class Fold:
    """Events in, one growing message out; an event costs the same whatever was received before it.

    Attributes:
        is_complete: Whether the end of the message was received.
        fault: The first thing that belongs nowhere; `""` if there is none.
        notes: What was left out or guessed, a sentence each.
    """

    def __init__(self) -> None:
        self.is_complete = False
        self.fault = ""
        self.notes: list[str] = []
        self._body: dict[str, Any] = {}
        self._blocks: list[BlockFold] = []  # in the order of the message
        self._by_index: dict[Any, BlockFold] = {}  # or by index and type, for a block that `_own_block` added
        self._growing: dict[int, BlockFold] = {}  # by `id`: those to update before they are read
        self._call_ids: set[str] = set()
        self._latest: BlockFold | None = None
        self._round = 0  # how often the indices began again
        self._completion: CompletionFold | None = None
        self._chat: ChatFold | None = None

    def add(self, event: Mapping[str, Any], name: str | None = None) -> None:
        """Adds the next event.

        Args:
            name: The event's name, which is its type if its data have none.

        Raises:
            StreamError: It is nested too deeply.
        """
        kind = event.get("type") or name
        if kind == "content_block_delta":
            index, delta = event.get("index"), event.get("delta")
            block = self._by_index.get(index) if type(index) is int else self._latest
            if block is not None and block.kind and type(delta) is dict and block.kind == delta.get("type"):
                fragment = delta.get(block.source)
                if type(fragment) is str:  # nearly all events
                    block.fragments.append(fragment)
                    return
            self._add_delta(index, block, _delta(event))
        elif kind == "message_start":
            self._start(event.get("message"))
        elif kind == "content_block_start":
            self._start_block(event.get("index"), event.get("content_block"))
        elif kind == "content_block_stop":
            self._stop_block(event.get("index"))
        elif kind == "message_delta":
            self._add_message_delta(event.get("delta"), event.get("usage"))
        elif kind == "message_stop" and self._body:
            self._add_message_delta(None, event.get("usage"))
            self._complete()
        elif is_completion_event(kind, event) and not self._body:
            self._add_completion(event)
        elif kind is None and chat_completion.is_chat_completion(event) and not self._body:
            self._add_chat(event)
        elif kind not in ("message_stop", "ping"):
            self._leave_out(kind, event)

    def add_done(self) -> None:
        """Adds `[DONE]`, with which other APIs, and gateways to them, end a stream."""
        if self._chat is not None:
            self._chat.add_done()
            self.is_complete = self._chat.is_complete
        elif isinstance(self._body.get("stop_reason"), str):
            self._complete()

    def add_message(self, message: Mapping[str, Any]) -> None:
        """Adds a complete message, which was not streamed."""
        if is_completion(message):
            self._add_completion(message)
            self.is_complete = True
            return
        if chat_completion.is_chat_completion(message):
            self._add_chat(message)
            return
        content = message.get("content")
        if isinstance(content, str):
            message = {**message, "content": [{"type": "text", "text": content}]}
        self._start(message)
        self._complete()

    def fail(self, reason: str) -> None:
        """Records something that belongs nowhere; the first counts."""
        self.fault = self.fault or reason

    @property
    def message(self) -> Message:
        """The message so far; later events do not change a message that was returned."""
        for block in self._growing.values():
            self.fail(block.update())
        if self._completion is not None:
            return Message(body=self._completion.body)
        if self._chat is not None:
            return Message(body=self._chat.body)
        if not self._body:
            return Message()
        cut = frozenset(index for index, block in enumerate(self._blocks) if block.is_cut)
        return Message(body={**self._body, "content": [copy_block(each.block) for each in self._blocks]}, cut=cut)

    @property
    def end(self) -> str:
        """The event that ends what is received."""
        if self._chat is not None:
            return chat_completion.END
        return "message_stop" if self._completion is None else END

    def _add_completion(self, event: Mapping[str, Any]) -> None:
        """Adds an event of a text completion."""
        self._completion = self._completion or CompletionFold()
        self._completion.add(event)
        self.is_complete = self._completion.is_complete
        if self._completion.fault:
            self.fail(self._completion.fault)

    def _add_chat(self, event: Mapping[str, Any]) -> None:
        """Adds an event of a chat completion, or a whole one."""
        self._chat = self._chat or ChatFold()
        self._chat.add(event)
        self.is_complete = self._chat.is_complete
        if self._chat.fault:
            self.fail(self._chat.fault)

    def _complete(self) -> None:
        self.is_complete = True
        if self.notes and all(block.is_empty for block in self._blocks):
            self.fail(f"the reply is empty, although something was received: {self.notes[0].rstrip('.')}")

    def _start(self, message: Any) -> None:
        """Adds the start of a message."""
        message_id = self._body.get("id")
        if not isinstance(message, Mapping):
            message = {}
        elif message_id is not None and message.get("id") == message_id:
            return  # the same start again
        elif message_id is not None:
            self._note("the answer holds a second message: its text follows that of the first.")
            self._by_index.clear()
            self._round += 1
        message = fix_json_surrogates(message)
        content, usage = message.get("content"), message.get("usage")
        known = {name: value for name, value in self._body.items() if value is not None}
        usage = {**(usage if isinstance(usage, dict) else {}), **known.get("usage", {})}
        body = {**message, **known, "content": [], "usage": usage}  # the fields in the order received
        self._body = {**body, **{name: value for name, value in _DEFAULTS.items() if name not in body}}
        for index, block in enumerate(content if isinstance(content, list) else []):
            if isinstance(block, dict):
                self._add_block(index, _with_type(copy_block(block)), stopped=True)
            else:
                self.fail(f"a block is not a JSON object: {short_repr(block)}")

    def _start_block(self, index: Any, block: Any) -> None:
        """Adds the start of a block."""
        if not isinstance(block, dict):
            self._note("a block began without its content.")
            return
        block = _with_type(copy_block(fix_json_surrogates(block)))
        before = self._by_index.get(index) if type(index) is int else None
        if before is not None and not before.stopped and not before.fragments and before.block == block:
            return  # the same start again
        if before is not None:  # some gateways give each block the same index
            self._stop_block(index)
            self._round += 1
            for kind in ("text", "thinking"):
                self._by_index.pop((index, kind), None)
        self._add_block(index, block)

    def _add_block(self, index: Any, block: Block, *, beside: int = 0, stopped: bool = False) -> BlockFold:
        """Adds a block at the position of its index.

        Args:
            beside: Its position after the block of the same index; 0 if it is that block.
        """
        if not self._body:
            self._start(_DEFAULTS)
        if block.get("type") == "tool_use":
            self._check_call(block)
        last = self._blocks[-1].order if self._blocks else (0, -1, 0)
        order = (self._round, index, beside) if type(index) is int else (*last[:2], last[2] + 1)
        new = BlockFold(block, order, stopped=stopped)
        self._blocks.append(new)
        if order < last:
            self._blocks.sort(key=lambda each: each.order)
        if not beside:
            if type(index) is int:
                self._by_index[index] = new
            self._latest = new
        return new

    def _check_call(self, block: Block) -> None:
        """Checks that the call has an id of its own, else its result could go to another call."""
        name, call_id = block.get("name"), block.get("id")
        if not isinstance(name, str) or not isinstance(call_id, str):
            self.fail(f"a call without a name or an id: {short_repr(block)}")
        elif call_id in self._call_ids:
            self.fail(f"two calls have the id {shorten(call_id)!r}")
        else:
            self._call_ids.add(call_id)

    def _add_delta(self, index: Any, block: BlockFold | None, delta: Any) -> None:
        """Adds a delta that is the first of its kind for its block, or unusual."""
        if not isinstance(delta, dict):
            self.fail(f"a delta is not a JSON object: {short_repr(delta)}")
            return
        if all(value is None for name, value in delta.items() if name != "type"):
            return
        kind = delta.get("type")
        if kind in VALUE_DELTAS:
            if block is None or not block.set_value(str(kind), delta):
                self._leave_out(kind, delta)
            return
        if not isinstance(kind, str) or kind not in FRAGMENT_DELTAS:
            kind = next((k for k, each in FRAGMENT_DELTAS.items() if isinstance(delta.get(each.source), str)), None)
        if kind is None:
            self._leave_out(delta.get("type"), delta)
            return
        fragment = delta.get(FRAGMENT_DELTAS[kind].source)
        if isinstance(fragment, str):
            self._add_fragment(index, block, kind, fragment)
        elif fragment is not None:
            self.fail(f"a {kind} holds no text: {short_repr(fragment)}")

    def _add_fragment(self, index: Any, block: BlockFold | None, kind: str, fragment: str) -> None:
        if block is None or block.block.get("type") not in FRAGMENT_DELTAS[kind].block_types:
            block = self._own_block(index, kind, fragment)
        if block is not None:
            block.extend(kind, fragment)
            self._growing[id(block)] = block

    def _own_block(self, index: Any, kind: str, fragment: str) -> BlockFold | None:
        """A new block for text that belongs to none; `None` for arguments without a call, which are a fault."""
        if not fragment:
            return None
        if kind == "input_json_delta":
            self.fail(f"arguments belong to no call: {shorten(fragment)!r}")
            return None
        (block_type, *_), field, _ = FRAGMENT_DELTAS[kind]
        key = (index if type(index) is int else None, block_type)
        if key not in self._by_index:
            self._note(f"{block_type} belongs to no block: it was put into one of its own.")
            is_free = key[0] is not None and key[0] not in self._by_index
            beside = 0 if is_free else 1 + len(self._by_index)
            self._by_index[key] = self._add_block(index, {"type": block_type, field: ""}, beside=beside)
        return self._by_index[key]

    def _stop_block(self, index: Any) -> None:
        """Adds the end of a block."""
        block = self._by_index.get(index) if type(index) is int else self._latest
        if block is None:
            return
        block.stopped, block.kind = True, ""
        self._growing.pop(id(block), None)
        self.fail(block.update())

    def _add_message_delta(self, delta: Any, usage: Any) -> None:
        """Adds fields of the whole message; absent or null fields leave earlier values unchanged."""
        delta, usage = (fix_json_surrogates(value) if isinstance(value, dict) else {} for value in (delta, usage))
        if not self._body:
            self._start(_DEFAULTS)
        for name in _FINAL_FIELDS:
            if delta.get(name) is not None:
                self._body[name] = delta[name]
            elif name != "container":
                self._body.setdefault(name, None)
        counts = {name: value for name, value in usage.items() if value is not None}
        self._body["usage"] = {**self._body["usage"], **counts}

    def _leave_out(self, kind: Any, data: Mapping[str, Any]) -> None:
        """Leaves out something of an unknown kind: new kinds may come at any time, and must break nothing."""
        if kind is None:
            self.fail(f"an event without a type: {short_repr(dict(data))}")
        else:
            self._note(f"left out: {shorten(str(kind))!r}, of an unknown kind. It is in claude.last.events.")

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _with_type(block: Block) -> Block:
    """A block that a gateway has sent without its type, as text if it holds text."""
    if block.get("type") is None and isinstance(block.get("text"), str):
        block["type"] = "text"
    return block


def _delta(event: Mapping[str, Any]) -> Any:
    """The delta of an event: some servers put its fields into the event, or send the text alone."""
    delta = event.get("delta")
    if delta is None:
        return {name: value for name, value in event.items() if name not in ("type", "index")}
    return {"type": "text_delta", "text": delta} if isinstance(delta, str) else delta
