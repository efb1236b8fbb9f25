"""The messages of a request as the API reads them: neighbours of one role combined, each block with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple

Block = Mapping[str, Any]
Message = Mapping[str, Any]

THINKING = ("thinking", "redacted_thinking")
SERVER_CALLS = ("server_tool_use", "mcp_tool_use")
ASSISTANT_ONLY = (*THINKING, "tool_use", *SERVER_CALLS)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A violation of a rule.

    Attributes:
        message: The index of the message; `None` if it concerns none in particular.
        block: The index of the block in its content; `None` for the whole message.
        text: In the words of the API, with the place.
    """

    text: str
    message: int | None = None
    block: int | None = None


class Place(NamedTuple):
    """A block, the index of its message, and its own index there."""

    message: int
    position: int
    block: Block

    @property
    def type(self) -> str:
        return str(self.block.get("type"))


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Neighbouring messages of one role, as the API combines them."""

    role: str
    places: tuple[Place, ...]
    first: int

    def blocks_of_type(self, *types: str) -> list[Place]:
        return [place for place in self.places if place.type in types]

    def server_results(self) -> list[Place]:
        return [place for place in self.places if is_server_result(place.block)]

    @property
    def leading_results(self) -> list[Place]:
        """The `tool_result` blocks at its beginning: the API ignores those after other blocks."""
        return list(takewhile(lambda place: place.type == "tool_result", self.places))

    @property
    def holds_results_only(self) -> bool:
        return self.role == "user" and bool(self.places) and len(self.leading_results) == len(self.places)


def is_server_result(block: Block) -> bool:
    """Whether it is the result of a server tool, which the API runs itself."""
    return str(block.get("type")).endswith("_tool_result")


def blocks(content: object) -> list[Block]:
    """The content of a message as blocks."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, Mapping)] if isinstance(content, Sequence) else []


def combine(messages: Iterable[Mapping[str, Any]]) -> list[Turn]:
    """The messages as the API reads them.

    Source: https://platform.claude.com/docs/en/api/messages/create
    """
    turns: list[Turn] = []
    for number, message in enumerate(messages):
        places = tuple(Place(number, index, block) for index, block in enumerate(blocks(message["content"])))
        role = str(message["role"])
        if turns and turns[-1].role == role != "system":
            turns[-1] = Turn(role=role, places=(*turns[-1].places, *places), first=turns[-1].first)
        else:
            turns.append(Turn(role=role, places=places, first=number))
    return turns


def problem_at(place: Place, text: str) -> Problem:
    """The problem of one block."""
    return Problem(
        message=place.message, block=place.position, text=f"messages.{place.message}.content.{place.position}: {text}"
    )
