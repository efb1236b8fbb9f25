"""Where the input tokens of a request are: its system prompt, tools, messages and attachments.

The API counts whole requests only, so every portion is a difference between two counts. The request is
built up step by step (its first message alone, then the settings, the system prompt, the tools, the further
messages), and what a step adds is its portion; so the portions add up to the total exactly. Beside the text
they hold what the API writes around it: the first message that of every request, the first tool that of all
tools. A portion can be negative, where what comes after makes the API leave out what was before, such as
earlier thinking.

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

_MOST_CALLS = 20
_MOST_FOR_ATTACHMENTS = 6
_MOST_TOOLS = 8  # that are counted one by one
_WORDS = 40  # characters of a message in its name
_SETTINGS = ("thinking", "output_config")
_FIELDS = ("system", "tools", "tool_choice", *_SETTINGS)
_ORDER = ("settings", "system", "tools", "messages")

Body = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Portion:
    """A portion of a request, and what it adds to its input tokens.

    Attributes:
        kind: `settings`, `system`, `tools`, `messages` or `attachments`.
        name: As a reader would call it; it may hold text of the request.
        tokens: A difference between two counts.
        within: The name of the portion that it is counted in already; `""` if it stands by itself.
    """

    kind: str
    name: str
    tokens: int
    within: str = ""


@dataclass(frozen=True, kw_only=True)
class _Step:
    """The request, built up so far.

    Attributes:
        last: How many of the messages are in it.
        first: The first of the messages that this step adds; equal to `last` if it adds none.
    """

    kind: str
    name: str
    body: Body
    first: int
    last: int


def breakdown(request: Request, count: Callable[[Request], int]) -> list[Portion]:
    """The portions of `request`: settings, system prompt, tools, messages, and the attachments in them.

    Those with no `within` add up to what the whole request counts, exactly. It takes at most 20 counts: older
    messages are taken together where there are more, and so is what the API refuses to count apart.

    Args:
        count: The input tokens of a request, as `counting.counted` asks them.

    Raises:
        ExchangeError: The endpoint does not count, or does not answer.
        Interrupted: The reader stopped it.
    """

    calls = 1

    def counted(body: Body) -> int | None:
        """`None` if it is not a request that the API takes, or if there were enough."""
        nonlocal calls
        if calls >= _MOST_CALLS:
            return None
        calls += 1
        try:
            return count(replace(request, body=body))
        except APIError as error:
            if error.status != 400:
                raise
            return None

    whole = count(request)
    found: list[Portion] = []
    for step, tokens, after in _measure(_steps(request.body or {}), whole, counted):
        found.append(Portion(kind=step.kind, name=step.name, tokens=tokens))
        found.extend(_attachments(step, after, counted))
    return found


def total(found: Sequence[Portion]) -> int:
    """The input tokens of the whole request."""
    return sum(portion.tokens for portion in found if not portion.within)


def _measure(steps: Sequence[_Step], whole: int, counted: Callable[[Body], int | None]) -> list[tuple[_Step, int, int]]:
    """Each step with what it adds and the count after it; a step that is refused is one with the next.

    A model that refuses a reply to go on with refuses every request that ends with one: it is asked once.
    """
    found: list[tuple[_Step, int, int]] = []
    before, waiting, refused = 0, list[_Step](), set[str]()
    for step in steps:
        last = _messages(step.body)[-1:]
        role = _role(last[0]) if last else ""
        skipped = step.kind == "messages" and (role in refused or any(map(_asks_a_tool, last)))
        after = whole if step is steps[-1] else None if skipped else counted(step.body)
        waiting.append(step)
        if after is None:
            refused |= {role} if step.kind == "messages" and role == "assistant" else set()
            continue
        found.append((_merge(waiting), after - before, after))
        before, waiting = after, []
    return sorted(found, key=lambda each: _ORDER.index(each[0].kind))


def _merge(steps: Sequence[_Step]) -> _Step:
    """Steps that can only be counted together."""
    if len(steps) == 1:
        return steps[0]
    last = steps[-1]
    return replace(last, name=" + ".join(step.name for step in steps), first=min(step.first for step in steps))


def _steps(body: Body) -> list[_Step]:
    """The request, built up from its first message to the whole; the last step is the whole."""
    messages = _messages(body)
    base = {name: value for name, value in body.items() if name not in _FIELDS}
    base["messages"] = messages[:1]
    steps = [*_first_steps(base, body)]
    attached = sum(any(_kinds(message)) for message in messages)
    left = _MOST_CALLS - len(steps) - min(attached, _MOST_FOR_ATTACHMENTS)
    tools = len(_list(body.get("tools")))
    apart = tools if tools <= min(_MOST_TOOLS, left - len(messages) + 1) else min(tools, 1)
    steps += _tools(steps[-1].body, body, apart)
    steps += [_step_to(body, messages, first, last) for first, last in _stretches(len(messages), left - apart)]
    return steps


def _first_steps(base: dict[str, Any], body: Body) -> Iterator[_Step]:
    """The first message alone, then what is said once for all messages, but for the tools."""
    first = len(base["messages"])
    yield _Step(
        kind="messages", name=_name(base["messages"], 1) if first else "request", body=base, first=0, last=first
    )
    settings = {name: body[name] for name in _SETTINGS if name in body}
    if settings:
        base = {**base, **settings}
        name = " and ".join(name.replace("_config", " settings") for name in settings)
        yield _Step(kind="settings", name=name, body=base, first=first, last=first)
    if body.get("system"):
        base = {**base, "system": body["system"]}
        yield _Step(kind="system", name="system prompt", body=base, first=first, last=first)


def _tools(base: Body, body: Body, steps: int) -> Iterator[_Step]:
    """The tools, one by one or all at once; the last step has the choice among them too."""
    tools, at = _list(body.get("tools")), len(base["messages"])
    chosen = {"tool_choice": body["tool_choice"]} if "tool_choice" in body else {}
    for number in range(1, steps + 1):
        last = number == steps
        known = {**base, "tools": tools if last else tools[:number], **(chosen if last else {})}
        name = f"tool {_tool_name(tools[number - 1])}" if steps == len(tools) else f"{len(tools)} tools"
        yield _Step(kind="tools", name=name, body=known, first=at, last=at)


def _stretches(messages: int, most: int) -> list[tuple[int, int]]:
    """The messages after the first, from and to; the older ones in one stretch if there are more than `most`."""
    apart = min(messages - 1, max(most, 1))
    begin = messages - apart
    stretches = [(at, at + 1) for at in range(max(begin, 1), messages)]
    if begin > 1:
        stretches[0] = (1, stretches[0][1])
    return stretches


def _step_to(body: Body, messages: Sequence[Any], first: int, last: int) -> _Step:
    name = _name(messages[last - 1 : last], last) if last - first == 1 else f"messages {first + 1} to {last}"
    return _Step(kind="messages", name=name, body={**body, "messages": messages[:last]}, first=first, last=last)


def _attachments(step: _Step, after: int, counted: Callable[[Body], int | None]) -> Iterator[Portion]:
    """What is attached to the messages that a step adds."""
    messages = _messages(step.body)
    kinds = Counter(kind for message in messages[step.first : step.last] for kind in _kinds(message))
    if not kinds:
        return
    bare = [_without(m) if step.first <= at < step.last else m for at, m in enumerate(messages)]
    tokens = counted({**step.body, "messages": bare})
    if tokens is not None:
        names = (f"{number} {KINDS[kind].label}{'s' * (number > 1)}" for kind, number in kinds.items())
        yield Portion(kind="attachments", name=", ".join(names), tokens=after - tokens, within=step.name)


def _kinds(message: object) -> Iterator[str]:
    """The types of what is attached to a message, or to the result of a tool in it."""
    for block in _list(_content(message)):
        if isinstance(block, Mapping):
            if kind_of(block):
                yield str(block["type"])
            elif block.get("type") == "tool_result":
                yield from _kinds(block)


def _without(message: Any) -> Any:
    """A message without its attachments; one that had nothing else says a dot, for it may not be empty."""
    if not any(_kinds(message)):
        return message
    left = [_without(block) for block in message["content"] if not kind_of(block)]
    return {**message, "content": left or [{"type": "text", "text": "."}]}


def _asks_a_tool(message: object) -> bool:
    """Whether nothing but the result of a tool may follow it."""
    return any(isinstance(b, Mapping) and b.get("type") == "tool_use" for b in _list(_content(message)))


def _name(message: Sequence[object], number: int) -> str:
    """Such as `message 2, user: And tomorrow?`."""
    content = _content(message[0])
    blocks = [block.get("text") for block in _list(content) if isinstance(block, Mapping)]
    text = next((t for t in (content, *blocks) if isinstance(t, str) and t.strip()), "")
    words = " ".join(text[: 4 * _WORDS].split())
    begin = words if len(words) <= _WORDS else f"{words[:_WORDS].rstrip()}…"
    return f"message {number}, {_role(message[0]) or 'unknown'}{f': {begin}' if begin else ''}"


def _tool_name(tool: object) -> str:
    name = tool.get("name") or tool.get("type") if isinstance(tool, Mapping) else None
    return name[:_WORDS] if isinstance(name, str) else "without a name"


def _messages(body: Body) -> list[Any]:
    return _list(body.get("messages"))


def _content(message: object) -> object:
    return message.get("content") if isinstance(message, Mapping) else None


def _role(message: object) -> str:
    role = message.get("role") if isinstance(message, Mapping) else None
    return role[:_WORDS] if isinstance(role, str) else ""


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
