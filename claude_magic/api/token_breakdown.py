"""The input tokens of a request by portion: its system prompt, tools, messages and attachments.

The API counts complete requests only, so every portion is the difference of two counts. The request is built up step
by step (its first message alone, then the settings, the system prompt, the tools, the further messages), and what a
step adds is its portion; so the portions add up to the total exactly. A portion includes what the API adds to its
text: the first message includes the overhead of every request, the first tool that of all tools. A portion can be
negative, if a step makes the API leave out earlier content, such as thinking.

Source: https://docs.anthropic.com/en/api/messages-count-tokens
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import APIError
from ..wire import Request
from ..wire.attachment_kinds import KINDS, kind_of

_MAX_COUNTS = 20
_MAX_ATTACHMENT_COUNTS = 6
_MAX_SINGLE_TOOLS = 8  # more tools are counted together
_MAX_NAME = 40  # characters
_SETTINGS = ("thinking", "output_config")
_FIELDS = ("system", "tools", "tool_choice", *_SETTINGS)
_ORDER = ("settings", "system", "tools", "messages")

Body = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Portion:
    """A portion of a request, and its input tokens.

    Attributes:
        kind: `settings`, `system`, `tools`, `messages` or `attachments`.
        name: For the user; it may hold text of the request.
        tokens: The difference of two counts.
        within: The name of the portion that already includes it; `""` if there is none.
    """

    kind: str
    name: str
    tokens: int
    within: str = ""


@dataclass(frozen=True, kw_only=True)
class _Step:
    """The request up to a portion.

    Attributes:
        first: The index of the first message that this step adds; equal to `last` if it adds none.
        last: How many messages the request has now.
    """

    kind: str
    name: str
    body: Body
    first: int
    last: int


def breakdown(request: Request, count: Callable[[Request], int]) -> list[Portion]:
    """The portions of `request`: settings, system prompt, tools, messages, and the attachments in them.

    Those without `within` add up to the count of the whole request, exactly. It takes at most 20 counts: if there are
    more messages, the oldest are counted together, and so is what the API refuses to count separately.

    Args:
        count: Returns the input tokens of a request, such as `count_tokens.count` with a client.

    Raises:
        ExchangeError: The endpoint does not count, or does not answer.
        Interrupted: The user stopped it.
    """
    counter = _Counter(request, count)
    portions: list[Portion] = []
    for step, tokens, after in _measure(_steps(request.body or {}), counter):
        portions.append(Portion(kind=step.kind, name=step.name, tokens=tokens))
        portions.extend(_attachments(step, after, counter))
    return portions


def total(portions: Sequence[Portion]) -> int:
    """The input tokens of the whole request."""
    return sum(portion.tokens for portion in portions if not portion.within)


class _Counter:
    """Counts a request and parts of it, as long as there are counts left.

    Attributes:
        total: The input tokens of the whole request.
    """

    def __init__(self, request: Request, count: Callable[[Request], int]) -> None:
        self._request = request
        self._count = count
        self._left = _MAX_COUNTS - 1
        self.total = count(request)

    def count(self, body: Body) -> int | None:
        """The input tokens of a part; `None` if the API refuses it, or no counts are left."""
        if not self._left:
            return None
        self._left -= 1
        try:
            return self._count(replace(self._request, body=body))
        except APIError as error:
            if error.status != 400:
                raise
            return None


def _measure(steps: Sequence[_Step], counter: _Counter) -> list[tuple[_Step, int, int]]:
    """Each step with the tokens that it adds and the count after it; a refused step is merged with the next.

    A model that does not continue a reply refuses every request that ends with one: only one of these is counted.
    """
    measured: list[tuple[_Step, int, int]] = []
    before, uncounted, refused_roles = 0, list[_Step](), set[str]()
    for step in steps:
        last = _messages(step.body)[-1:]
        role = _role(last[0]) if last else ""
        is_refused = step.kind == "messages" and (role in refused_roles or any(map(_has_tool_call, last)))
        after = counter.total if step is steps[-1] else None if is_refused else counter.count(step.body)
        uncounted.append(step)
        if after is None:
            refused_roles |= {role} if step.kind == "messages" and role == "assistant" else set()
            continue
        measured.append((_merge(uncounted), after - before, after))
        before, uncounted = after, []
    return sorted(measured, key=lambda each: _ORDER.index(each[0].kind))


def _merge(steps: Sequence[_Step]) -> _Step:
    """One step for several that cannot be counted separately."""
    if len(steps) == 1:
        return steps[0]
    last = steps[-1]
    return replace(last, name=" + ".join(step.name for step in steps), first=min(step.first for step in steps))


def _steps(body: Body) -> list[_Step]:
    """The request, built up from its first message; the last step is the whole request."""
    messages = _messages(body)
    base = {name: value for name, value in body.items() if name not in _FIELDS}
    base["messages"] = messages[:1]
    steps = [*_first_steps(base, body)]
    with_attachments = sum(any(_attachment_types(message)) for message in messages)
    left = _MAX_COUNTS - len(steps) - min(with_attachments, _MAX_ATTACHMENT_COUNTS)
    tools = len(_list(body.get("tools")))
    tool_steps = tools if tools <= min(_MAX_SINGLE_TOOLS, left - len(messages) + 1) else min(tools, 1)
    steps += _tool_steps(steps[-1].body, body, tool_steps)
    ranges = _message_ranges(len(messages), left - tool_steps)
    steps += [_message_step(body, messages, first, last) for first, last in ranges]
    return steps


def _first_steps(base: dict[str, Any], body: Body) -> Iterator[_Step]:
    """The first message alone, then the settings and the system prompt."""
    first = len(base["messages"])
    yield _Step(
        kind="messages", name=_message_name(base["messages"], 1) if first else "request", body=base, first=0, last=first
    )
    settings = {name: body[name] for name in _SETTINGS if name in body}
    if settings:
        base = {**base, **settings}
        name = " and ".join(name.replace("_config", " settings") for name in settings)
        yield _Step(kind="settings", name=name, body=base, first=first, last=first)
    if body.get("system"):
        base = {**base, "system": body["system"]}
        yield _Step(kind="system", name="system prompt", body=base, first=first, last=first)


def _tool_steps(base: Body, body: Body, steps: int) -> Iterator[_Step]:
    """The tools, one by one or all at once; the last step includes `tool_choice`."""
    tools, messages = _list(body.get("tools")), len(base["messages"])
    choice = {"tool_choice": body["tool_choice"]} if "tool_choice" in body else {}
    for number in range(1, steps + 1):
        last = number == steps
        step_body = {**base, "tools": tools if last else tools[:number], **(choice if last else {})}
        name = f"tool {_tool_name(tools[number - 1])}" if steps == len(tools) else f"{len(tools)} tools"
        yield _Step(kind="tools", name=name, body=step_body, first=messages, last=messages)


def _message_ranges(messages: int, limit: int) -> list[tuple[int, int]]:
    """The messages after the first as at most `limit` ranges: all of one message, but for the first if needed."""
    begin = messages - min(messages - 1, max(limit, 1))
    ranges = [(index, index + 1) for index in range(max(begin, 1), messages)]
    if begin > 1:
        ranges[0] = (1, ranges[0][1])
    return ranges


def _message_step(body: Body, messages: Sequence[Any], first: int, last: int) -> _Step:
    name = _message_name(messages[last - 1 : last], last) if last - first == 1 else f"messages {first + 1} to {last}"
    return _Step(kind="messages", name=name, body={**body, "messages": messages[:last]}, first=first, last=last)


def _attachments(step: _Step, after: int, counter: _Counter) -> Iterator[Portion]:
    """The attachments of the messages that a step adds."""
    messages = _messages(step.body)
    kinds = Counter(kind for message in messages[step.first : step.last] for kind in _attachment_types(message))
    if not kinds:
        return
    bare = [_without_attachments(m) if step.first <= at < step.last else m for at, m in enumerate(messages)]
    tokens = counter.count({**step.body, "messages": bare})
    if tokens is not None:
        names = (f"{number} {KINDS[kind].label}{'s' * (number > 1)}" for kind, number in kinds.items())
        yield Portion(kind="attachments", name=", ".join(names), tokens=after - tokens, within=step.name)


def _attachment_types(message: object) -> Iterator[str]:
    """The types of the attachments in a message, also in tool results."""
    for block in _list(_content(message)):
        if isinstance(block, Mapping):
            if kind_of(block):
                yield str(block["type"])
            elif block.get("type") == "tool_result":
                yield from _attachment_types(block)


def _without_attachments(message: Any) -> Any:
    """A message without its attachments; with the text "." if nothing is left, as a message must not be empty."""
    if not any(_attachment_types(message)):
        return message
    content = [_without_attachments(block) for block in message["content"] if not kind_of(block)]
    return {**message, "content": content or [{"type": "text", "text": "."}]}


def _has_tool_call(message: object) -> bool:
    """Whether it has a tool call, so that only a tool result may follow it."""
    return any(isinstance(b, Mapping) and b.get("type") == "tool_use" for b in _list(_content(message)))


def _message_name(message: Sequence[object], number: int) -> str:
    """Such as `message 2, user: And tomorrow?`."""
    content = _content(message[0])
    blocks = [block.get("text") for block in _list(content) if isinstance(block, Mapping)]
    text = next((t for t in (content, *blocks) if isinstance(t, str) and t.strip()), "")
    words = " ".join(text[: 4 * _MAX_NAME].split())
    begin = words if len(words) <= _MAX_NAME else f"{words[:_MAX_NAME].rstrip()}…"
    return f"message {number}, {_role(message[0]) or 'unknown'}{f': {begin}' if begin else ''}"


def _tool_name(tool: object) -> str:
    name = tool.get("name") or tool.get("type") if isinstance(tool, Mapping) else None
    return name[:_MAX_NAME] if isinstance(name, str) else "without a name"


def _messages(body: Body) -> list[Any]:
    return _list(body.get("messages"))


def _content(message: object) -> object:
    return message.get("content") if isinstance(message, Mapping) else None


def _role(message: object) -> str:
    role = message.get("role") if isinstance(message, Mapping) else None
    return role[:_MAX_NAME] if isinstance(role, str) else ""


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
