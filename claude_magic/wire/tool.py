"""A tool that Claude may call; and a call, with what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .bounded import Bounded
from .message import Block

WAITING, RUNNING, DONE, FAILED, REFUSED, NOT_RUN = "waiting", "running", "done", "failed", "refused", "not run"
EDITED = "the arguments were edited"
_WRONG = (FAILED, REFUSED, NOT_RUN)


@dataclass(frozen=True, kw_only=True, repr=False)
class Tool(Bounded):
    """Something that Claude may call.

    Attributes:
        definition: As it stands in the request's `tools`.
        run: From the arguments, as the API's JSON, to a value, or to an awaitable of one; a `ClaudeError` says
            what is wrong with the arguments. `None` where this kernel does not run it: the API does, or nobody.
        approve: Whether the reader is asked before each call.
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
class Call(Bounded):
    """A call that a message asked for, so far.

    Attributes:
        id: The API's id of the `tool_use` block.
        arguments: The API's JSON; what the reader made of it, if it was edited.
        state: `waiting` for the reader, `running`, `done`, `failed`, `refused` by the reader, or `not run`.
        content: Blocks of the result, as the API's JSON; empty until there is one.
        seconds: How long it ran; `None` if it did not.
        note: What a reader must know besides, such as that the arguments were edited; `""` if nothing.
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
        """The `tool_result` block that answers it.

        The API takes an error with text only, and with some: beside an image, the error is told in words.
        """
        content: list[Block] = list(self.content)
        wrong = {"is_error": True} if self.state in _WRONG else {}
        if wrong and any(block.get("type") != "text" for block in content):
            content, wrong = [{"type": "text", "text": "(The tool says that it failed.)"}, *content], {}
        if wrong and not content:
            content = [{"type": "text", "text": "It failed and did not say why."}]
        return {"type": "tool_result", "tool_use_id": self.id, "content": content, **wrong}


@dataclass(frozen=True, kw_only=True)
class File:
    """Bytes that a tool returned.

    Attributes:
        media_type: What the tool says that they are; `""` if it says nothing.
    """

    data: bytes
    media_type: str = ""


@dataclass(frozen=True, kw_only=True, repr=False)
class Content(Bounded):
    """What a tool returned, if it is blocks already.

    Attributes:
        blocks: The API's JSON, and files, of which blocks are made where their bytes can be sent.
        failed: Whether the tool says that it failed.
    """

    blocks: tuple[Block | File, ...]
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Items:
    """What a tool gave one after another.

    Attributes:
        values: As far as they were read.
        cut: Whether there may be more.
        error: What it raised after them; `None` if nothing.
    """

    values: tuple[Any, ...]
    cut: bool = False
    error: BaseException | None = None
