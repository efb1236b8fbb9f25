"""A step of a reply: a call that the model requests, and its result as far as it is known.

The result of a local tool is in a `Call`; that of a server tool, in a result block later in the same message.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...wire import Block
from ...wire.short_text import span
from ...wire.tool import DONE, EDIT_NOTE, EDITED, FAILED, NOT_RUN, REFUSED, RUNNING, WAITING, Call
from ..text.excerpt import plain_line, short_line
from ..text.plain import plain
from .call_signature import call_line, value
from .server_tools import outcome_of
from .summary import estimate_tokens

ASKS = ("tool_use", "server_tool_use", "mcp_tool_use")
_OUTCOME = 80
_LARGE = 100  # tokens of a result from which on its size is told beside it
_TRACEBACK = "Traceback (most recent call last):"
_JSON_LOOKED_AT = 20_000
_TEXT_LINES, _TEXT_WIDTH = 4, 160
_PENDING = {WAITING: "waiting for you", RUNNING: "running…"}
_WRONG = {FAILED: "failed", REFUSED: "refused", NOT_RUN: "not run"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """A call and its result.

    Attributes:
        id: The id of the requesting block; `""` if it has none.
        name: The name of the tool, after that of its MCP server if it has one.
        arguments: The API's JSON, usually an object.
        state: The state of a `Call`; `""` while unknown.
        kind: The type of the result block; `""` while there is none.
        content: The content of the result block.
        seconds: The run time; `None` if unknown.
        note: A note shown with it; `""` for none.
    """

    id: str
    name: str
    arguments: Any
    state: str = ""
    kind: str = ""
    content: Any = None
    seconds: float | None = None
    note: str = ""

    @property
    def call_line(self) -> str:
        """The call on one line."""
        return call_line(self.name, self.arguments)

    @property
    def outcome(self) -> str:
        """The result on one line; `""` while there is none."""
        if self.state in _PENDING:
            return _PENDING[self.state]
        text = outcome_of(self.kind, self.content) or _result_line(self.content, quoted=self.state not in _WRONG)
        if self.state in _WRONG:
            return f"{_WRONG[self.state]}: {text}" if text else _WRONG[self.state]
        return f"→ {text or 'nothing'}" if self.kind else ""

    @property
    def facts(self) -> list[str]:
        """The run time, the size of a large result, and the note."""
        return self._facts(_LARGE)

    @property
    def all_facts(self) -> list[str]:
        """The run time, the size of the result, and the note."""
        return self._facts(1)

    def _facts(self, least: int) -> list[str]:
        tokens = estimate_tokens(_size(self.content)) if self.kind in ("tool_result", "mcp_tool_result") else 0
        size = f"about {tokens:,} token{'' if tokens == 1 else 's'}" if tokens >= least else ""
        parts = ("" if self.seconds is None else span(self.seconds), size, self.note)
        return [short_line(fact, 120) for fact in parts if fact]

    @property
    def lines(self) -> list[str]:
        """The step as text: the call and its result in one line, and a few lines of a longer text below."""
        if not self.outcome:
            return [f"  {self.call_line}"]
        lines = self._text_lines()
        outcome = f"→ {len(lines):,} lines" if lines else self.outcome
        below = [short_line(line, _TEXT_WIDTH) for line in lines[:_TEXT_LINES]]
        left = len(lines) - len(below)
        more = [f"… {left:,} more"] if left else []
        head = f"  {self.call_line} {' · '.join((outcome, *self.facts))}"
        return [head, *(f"      {line}" for line in [*below, *more])]

    @property
    def written_lines(self) -> list[str]:
        """The step in a terminal, where a line stays: what it waits for is not written."""
        return [f"  {self.call_line}"] if self.state in _PENDING else self.lines

    def _text_lines(self) -> list[str]:
        """The lines of a text result; empty if it has only one."""
        if self.state != DONE or self.kind not in ("tool_result", "mcp_tool_result"):
            return []
        lines = [line for line in plain(_first_text(self.content)).splitlines() if line.strip()]
        return lines if len(lines) > 1 else []


def call_step(block: Block) -> Step:
    """The step of a block that requests a call."""
    server = block.get("server_name")
    name = str(block.get("name") or "?")
    if block.get("type") == "mcp_tool_use" and isinstance(server, str) and server:
        name = f"{server} · {name}"
    return Step(id=_id(block.get("id")), name=name, arguments=block.get("input"))


def is_result(block: Block) -> bool:
    """Whether the block is the result of something that the API ran."""
    kind = block.get("type")
    return isinstance(kind, str) and kind.endswith("_tool_result")


def unpaired_result(block: Block) -> Step:
    """The step of a result whose call is in an earlier message."""
    name = str(block.get("type")).removesuffix("_tool_result")
    return with_result(Step(id=_id(block.get("tool_use_id")), name=name, arguments=None), block)


def with_result(step: Step, block: Block) -> Step:
    """The step with the result that a block holds."""
    content = block.get("content")
    wrong = block.get("is_error") is True or (isinstance(content, Mapping) and "error_code" in content)
    return replace(step, state=FAILED if wrong else DONE, kind=str(block.get("type")), content=content)


def with_call(step: Step, call: Call | None) -> Step:
    """The step with the state and result of its call."""
    if call is None:
        return step
    pending = call.state in _PENDING
    content, note = list(call.content), call.note
    if note == EDITED:
        note = _edit_note(step.arguments, call.arguments)
        content = content[1:] if content and str(content[0].get("text")).startswith(EDIT_NOTE) else content
    return replace(
        step,
        arguments=call.arguments,
        state=call.state,
        kind="" if pending else "tool_result",
        content=None if pending else content,
        seconds=call.seconds,
        note=note,
    )


def _edit_note(asked: object, run: Mapping[str, Any]) -> str:
    """That the user edited the arguments, and what the model had asked for in their place."""
    before = asked if isinstance(asked, Mapping) else {}
    changed = [f"{name}={value(item)}" for name, item in before.items() if name not in run or run[name] != item]
    return f"edited (asked: {', '.join(changed)})" if changed else "edited"


def calls_in(messages: Iterable[Mapping[str, Any]]) -> list[Call]:
    """The calls of a conversation that have a result in it."""
    requests: dict[str, Block] = {}
    result: list[Call] = []
    for block in (block for message in messages for block in blocks_of(message)):
        if block.get("type") == "tool_use":
            requests[_id(block.get("id"))] = block
        use = requests.get(_id(block.get("tool_use_id")))
        if block.get("type") == "tool_result" and use is not None:
            arguments = use.get("input")
            result.append(
                Call(
                    id=_id(use.get("id")),
                    name=str(use.get("name")),
                    arguments=arguments if isinstance(arguments, Mapping) else {},
                    state=FAILED if block.get("is_error") is True else DONE,
                    content=tuple(blocks_of(block)),
                )
            )
    return result


def blocks_of(holder: Mapping[str, Any]) -> list[Block]:
    """The content blocks of a message or of a result; a text alone is a block."""
    content = holder.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list | tuple) else []


def _id(value: object) -> str:
    return value if isinstance(value, str) else ""


def _result_line(content: Any, *, quoted: bool) -> str:
    """The blocks of a result on one line."""
    blocks = blocks_of({"content": content})
    lines = [_block_line(block, quoted) for block in blocks[:3]]
    return ", ".join([*lines, *([f"… {len(blocks) - 3:,} more"] if len(blocks) > 3 else [])])


def _block_line(block: Block, quoted: bool) -> str:
    text = block.get("text")
    if block.get("type") != "text" or not isinstance(text, str):
        kind = plain_line(str(block.get("type"))[:60], 40)
        return f"an {kind}" if kind == "image" else kind
    if not quoted:
        return short_line(_error_of(text), 2 * _OUTCOME)
    parsed = parse_json(text)
    return value(text, _OUTCOME) if parsed is NOT_JSON else value(parsed, _OUTCOME)


def _error_of(text: str) -> str:
    """The error at the end of a traceback, without its frames; any other text as it is."""
    if not text.startswith((_TRACEBACK, "… ")):  # one that was too long begins with its end
        return text
    lines = text.splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith("  File ")]
    after = lines[frames[-1] + 1 :] if frames else lines[1:]
    begin = next((number for number, line in enumerate(after) if line and not line.startswith(" ")), None)
    return text if begin is None else "\n".join(after[begin:])


NOT_JSON = object()


def parse_json(text: str) -> Any:
    """A text parsed as JSON; `NOT_JSON` if it is not JSON, or too long."""
    if not text or len(text) > _JSON_LOOKED_AT or text.lstrip()[:1] not in '{[-0123456789tfn"':
        return NOT_JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return NOT_JSON


def _first_text(content: Any) -> str:
    texts = (block.get("text") for block in blocks_of({"content": content}))
    first = next((text for text in texts if isinstance(text, str)), "")
    return first if parse_json(first) is NOT_JSON else ""


def _size(content: Any) -> int:
    return sum(len(text) for block in blocks_of({"content": content}) if isinstance(text := block.get("text"), str))
