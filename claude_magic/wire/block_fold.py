"""Deltas fold into one content block.

Text is joined only when it is read, so that a delta costs the same whatever was received before it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import StreamError
from . import partial_json
from .message import Block, fix_json_surrogates, fix_surrogates
from .short_text import short_repr


class DeltaKind(NamedTuple):
    """A kind of delta that carries a fragment of text.

    Attributes:
        block_types: The types of block it belongs to.
        field: The field of the block that it extends.
        source: The field of the delta that holds the fragment.
    """

    block_types: tuple[str, ...]
    field: str
    source: str


FRAGMENT_DELTAS = {
    "text_delta": DeltaKind(("text",), "text", "text"),
    "thinking_delta": DeltaKind(("thinking",), "thinking", "thinking"),
    "input_json_delta": DeltaKind(("tool_use", "server_tool_use", "mcp_tool_use"), "input", "partial_json"),
}
VALUE_DELTAS = ("signature_delta", "citations_delta", "compaction_delta")


class BlockFold:
    """A content block while its deltas are received.

    Attributes:
        block: The block; its growing field is up to date after `update`.
        order: Blocks of a message are sorted by it.
        kind: The type of the deltas that extend the block now; `""` before the first, and after its end.
        source: The field of those deltas that holds the fragment.
        fragments: Received, and not yet joined.
        stopped: Whether the end of the block was received.
    """

    __slots__ = ("_field", "_is_whole_json", "block", "fragments", "kind", "order", "source", "stopped")

    def __init__(self, block: Block, order: tuple[int, int, int], *, stopped: bool) -> None:
        self.block = block
        self.order = order
        self.kind = self.source = self._field = ""
        self.fragments: list[str] = []
        self.stopped = stopped
        self._is_whole_json = False

    @property
    def is_cut(self) -> bool:
        """Whether it is a call with incomplete arguments: not complete JSON; without any, the block did not end."""
        is_whole = self._is_whole_json if any(self.fragments) else self.stopped
        return self.block.get("type") == "tool_use" and not is_whole

    @property
    def is_empty(self) -> bool:
        """Whether it is a text block without text."""
        return self.block.get("type") == "text" and not any(self.fragments) and not self.block.get("text")

    def extend(self, kind: str, fragment: str) -> None:
        """Adds a fragment; `kind` is a key of `FRAGMENT_DELTAS`."""
        if not self._field:
            _, self._field, self.source = FRAGMENT_DELTAS[kind]
            initial = "" if self._field == "input" else self.block.get(self._field)
            self.fragments = [initial] if isinstance(initial, str) else []
        self.kind = kind
        self.fragments.append(fragment)

    def set_value(self, kind: str, delta: dict[str, Any]) -> bool:
        """Adds a delta that carries a complete value; returns whether it belongs to a block of this type."""
        block, accepts = self.block, (kind, self.block.get("type"))
        if accepts == ("signature_delta", "thinking"):
            block["signature"] = fix_json_surrogates(delta.get("signature"))
        elif accepts == ("compaction_delta", "compaction"):
            block.update(fix_json_surrogates({name: value for name, value in delta.items() if name != "type"}))
        elif accepts == ("citations_delta", "text"):
            if not isinstance(block.get("citations"), list):
                block["citations"] = []
            block["citations"].append(fix_json_surrogates(delta.get("citation")))
        else:
            return False
        return True

    def update(self) -> str:
        """Writes what was received into the block; returns what is wrong with it, or `""`."""
        if not self.fragments:
            return ""
        text = "".join(self.fragments)
        self.fragments[:] = [text]
        if self._field != "input":
            self.block[self._field] = fix_surrogates(text)
            return ""
        return self._update_input(text) if text else ""

    def _update_input(self, text: str) -> str:
        """Parses arguments, complete or not."""
        block = self.block
        try:
            block["input"] = fix_json_surrogates(partial_json.loads_strict(text, strict=False))
            self._is_whole_json = True
            return ""
        except (ValueError, RecursionError, StreamError):
            self._is_whole_json = False
        try:
            block["input"] = fix_json_surrogates(partial_json.loads(text))
        except (ValueError, StreamError) as error:
            block["input"] = {}
            return f"the arguments of {short_repr(block.get('name'))} are not JSON: {error}" if self.stopped else ""
        return ""


def copy_block(block: Block) -> Block:
    """A copy that later deltas do not change: lists of citations grow, other fields are replaced."""
    citations = block.get("citations")
    return {**block, "citations": [*citations]} if isinstance(citations, list) else dict(block)
