"""A tool that Claude may call; and a call, with its state and result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .short_text import ShortRepr

if TYPE_CHECKING:
    from .message import Block

WAITING, RUNNING, DONE, FAILED, REFUSED, NOT_RUN = "waiting", "running", "done", "failed", "refused", "not run"
EDITED = "the arguments were edited"
EDIT_NOTE = "(The user changed the arguments to "  # how Claude is told so, in the first block of the result
_ERRORS = (FAILED, REFUSED, NOT_RUN)


@dataclass(frozen=True, kw_only=True, repr=False)
class Tool(ShortRepr):
    """A tool that Claude may call.

    Attributes:
        definition: Its entry in the request's `tools`.
        run: Takes the arguments, as the API's JSON, and returns a value or an awaitable of one; raises a
            `ClaudeError` if the arguments are wrong. `None` where this kernel does not run it: the API does, or nobody.
        approve: Whether the user is asked before each call.
        parallel: Whether several of its calls may run at the same time.
    """

    definition: Mapping[str, Any]
    run: Callable[[Mapping[str, Any]], Any] | None = None
    approve: bool = True
    parallel: bool = False

    @property
    def name(self) -> str:
        return str(self.definition.get("name", ""))


@dataclass(frozen=True, kw_only=True, repr=False)
class Call(ShortRepr):
    """A tool call of a message, in its present state.

    Attributes:
        id: The API's id of the `tool_use` block.
        arguments: The API's JSON, as edited by the user.
        state: `waiting` for the user, `running`, `done`, `failed`, `refused` by the user, or `not run`.
        content: Blocks of the result, as the API's JSON; empty until there is one.
        seconds: How long it ran; `None` if it did not.
        note: A note for the user, such as that the arguments were edited; `""` if there is none.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]
    state: str = WAITING
    content: tuple[Block, ...] = ()
    seconds: float | None = None
    note: str = ""

    @property
    def result(self) -> Block:
        """The `tool_result` block of the call.

        The API takes `is_error` only with text, and not without any: beside an image, a text says it instead.
        """
        content: list[Block] = list(self.content)
        flag = {"is_error": True} if self.state in _ERRORS else {}
        if flag and any(block.get("type") != "text" for block in content):
            content, flag = [{"type": "text", "text": "(The tool says that it failed.)"}, *content], {}
        if flag and not content:
            content = [{"type": "text", "text": "It failed and did not say why."}]
        return {"type": "tool_result", "tool_use_id": self.id, "content": content, **flag}


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that a tool returned.

    Attributes:
        media_type: As reported by the tool; `""` if it reports none.
    """

    data: bytes
    media_type: str = ""


@dataclass(frozen=True, kw_only=True, repr=False)
class Content(ShortRepr):
    """The result of a tool that returns content blocks itself.

    Attributes:
        blocks: The API's JSON, and files, which are turned into blocks if the API takes their type.
        failed: Whether the tool reports a failure.
    """

    blocks: tuple[Block | File, ...]
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Items:
    """The values of a tool that returns an iterator.

    Attributes:
        values: Those that were read.
        cut: Whether there may be more.
        error: The exception that the iterator raised after them; `None` if none.
    """

    values: tuple[Any, ...]
    cut: bool = False
    error: BaseException | None = None
