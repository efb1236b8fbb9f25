"""Prompts that a model writes: what is asked for, and what its reply must hold.

The work of three endpoints that the API retired (generate, improve and templatize a prompt), through Messages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import CellError
from ..prompt.options.options import Options
from ..prompt.prompt_instructions import GENERATE, IMPROVE, TEMPLATIZE, reply_schema
from ..prompt.templates import names
from ..tools.schema.model import Unfit
from ..tools.schema.reply import Misfit, json_of
from ..wire import Exchange
from ..wire.message import fix_surrogates
from .prompt import Prompt

_PLACEHOLDER = re.compile(r"\{\{([^{}\n]{1,100})\}\}")
_WHOLE = ("end_turn", "stop_sequence")
_OURS = ("system", "stop", "conversation")

Text = tuple[str, str]  # role and text of a message


@dataclass(frozen=True, kw_only=True)
class PromptText:
    """A prompt as a request holds it: text only.

    Attributes:
        messages: Role and text of each; messages of the user, and perhaps one of the assistant at the end.
        system: `""` for none.
        values: The text that each placeholder replaced.
        notes: What is odd about it, a sentence each.
    """

    messages: tuple[Text, ...]
    system: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names in double braces, without repetition, in order."""
        texts = [self.system, *(text for _, text in self.messages)]
        found = (name.strip() for text in texts for name in _PLACEHOLDER.findall(text))
        return tuple(dict.fromkeys(filter(None, found)))


def prompt_text(messages: Any, system: str | None) -> PromptText:
    """The prompt that a user hands over: a text, or messages as the API's JSON.

    Raises:
        CellError: It holds more than text, or turns of a conversation.
    """
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    if system is not None and not isinstance(system, str):
        raise CellError(f"system is a text, not {type(system).__name__}.")
    if not isinstance(messages, Sequence) or not messages:
        raise CellError(f"a prompt is a text, or a list of messages, not {type(messages).__name__}: {messages!r:.60}.")
    try:
        pairs = tuple(map(_message, messages))
    except ValueError as error:
        raise CellError(f"the prompt cannot be used: {error}. Give text only.") from None
    _check_roles([role for role, _ in pairs])
    return PromptText(messages=pairs, system=system or "")


def _check_roles(roles: Sequence[str]) -> None:
    asks = roles[:-1] if roles[-1] == "assistant" else roles
    if not asks or set(asks) != {"user"}:
        raise CellError(
            f"a prompt has messages of the user, and at most one of the assistant at its end, not {', '.join(roles)}."
        )


def _message(message: Any) -> Text:
    """Role and text of a message.

    Raises:
        ValueError: It is none, or holds more than text; the text is the end of a sentence.
    """
    if not isinstance(message, Mapping) or message.get("role") not in ("user", "assistant"):
        raise ValueError(f"{message!r:.60} is no message of the user or the assistant")
    content = message.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(blocks, list) or not all(isinstance(block, Mapping) for block in blocks):
        raise ValueError(f"the content of a message is {content!r:.60}")
    for block in blocks:
        if block.get("type") != "text" or not isinstance(block.get("text"), str):
            raise ValueError(f"a message holds a block that is no text: {block.get('type')!s:.40}")
    text = fix_surrogates("\n\n".join(block["text"] for block in blocks))
    if not text.strip():
        raise ValueError("a message is empty")
    return str(message["role"]), text


def generate_request(task: str, options: Options) -> Prompt:
    """What asks for a prompt for a task."""
    return _request(GENERATE, f"<task>\n{task}\n</task>", options, with_values=False)


def improve_request(prompt: PromptText, feedback: str | None, options: Options) -> Prompt:
    """What asks for a better prompt.

    Args:
        feedback: What is wrong with the results of this one; `None` to mend it in general.
    """
    extra = {"feedback": feedback} if feedback else {}
    return _request(IMPROVE, _as_request(prompt, extra), options, with_values=False)


def templatize_request(prompt: PromptText, options: Options) -> Prompt:
    """What asks for a template."""
    return _request(TEMPLATIZE, _as_request(prompt, {}), options, with_values=True)


def _as_request(prompt: PromptText, extra: Mapping[str, str]) -> str:
    request: dict[str, Any] = {"messages": [{"role": role, "content": text} for role, text in prompt.messages]}
    if prompt.system:
        request["system"] = prompt.system
    return f"<request>\n{json.dumps({**request, **extra}, ensure_ascii=False, indent=1)}\n</request>"


def _request(instructions: str, text: str, options: Options, *, with_values: bool) -> Prompt:
    for name in _OURS:
        if getattr(options, name):
            raise CellError(f"{name} cannot be chosen here: the request has its own, outside of any conversation.")
    form = {"type": "json_schema", "schema": reply_schema(with_values=with_values)}
    output = {**options.param.get("output_config", {}), "format": form}
    options = replace(options, system=instructions, conversation="", param={**options.param, "output_config": output})
    return Prompt(options=options, text=text)


def read_generation(exchange: Exchange) -> PromptText:
    """The prompt that was generated.

    Raises:
        Misfit: The reply holds none; it is kept.
    """
    prompt, _ = _read(exchange)
    return prompt


def read_improvement(exchange: Exchange, before: PromptText) -> PromptText:
    """The prompt that was improved.

    Raises:
        Misfit: The reply holds none, or lost a placeholder; it is kept.
    """
    prompt, _ = _read(exchange)
    lost = [name for name in before.placeholders if name not in prompt.placeholders]
    if lost:
        raise _misfit(f"the improved prompt lost {', '.join(f'{{{{{name}}}}}' for name in lost[:5])}")
    new = [name for name in prompt.placeholders if name not in before.placeholders]
    told = [f"{{{{{name[:40]}}}}} is new: the prompt had no such placeholder" for name in new]
    return replace(prompt, notes=(*prompt.notes, *told))


def read_template(exchange: Exchange, before: PromptText) -> PromptText:
    """The template, with its values.

    Raises:
        Misfit: The reply holds none, other messages, or a placeholder without a value; it is kept.
    """
    prompt, reply = _read(exchange)
    values = _values(reply.get("variable_values"))
    if [role for role, _ in prompt.messages] != [role for role, _ in before.messages]:
        raise _misfit("the template has other messages than the prompt")
    missing = [name for name in prompt.placeholders if name not in values and name not in before.placeholders]
    if missing:
        raise _misfit(f"the template has {{{{{missing[0][:40]}}}}}, and no value of it came")
    unused = [name for name in values if name not in prompt.placeholders]
    notes = [*prompt.notes, *(f"a value of {name[:40]} came, which the template does not have" for name in unused)]
    values = {name: values[name] for name in prompt.placeholders if name in values}
    template = replace(prompt, values=values)
    if not values:
        notes.append("nothing in this prompt was found to change from one use to the next")
    if (difference := _difference(_filled(template), before)) is not None:
        notes.append(f"with its values filled in, it is not your prompt: {difference}")
    return replace(template, notes=tuple(notes))


def _read(exchange: Exchange) -> tuple[PromptText, Mapping[str, Any]]:
    """The prompt in a reply, and all of its JSON."""
    reason = exchange.message.stop_reason
    if reason == "max_tokens":
        limit = (exchange.request.body or {}).get("max_tokens")
        raise _misfit(f"the reply was cut off at max_tokens {limit}", way="Raise max_tokens=.")
    if reason not in _WHOLE:
        raise _misfit(f"the reply ended with {str(reason)[:40]}")
    try:
        reply = json_of(exchange.text)
        if not isinstance(reply, Mapping) or not isinstance(reply.get("messages"), list) or not reply["messages"]:
            raise ValueError("it holds no messages")
        pairs = tuple(map(_message, reply["messages"]))
        _check_roles([role for role, _ in pairs])
        system = reply.get("system") or ""
        if not isinstance(system, str):
            raise ValueError("its system prompt is no text")
    except (Unfit, ValueError, CellError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error).rstrip(".")
        raise _misfit(f"the reply is no prompt: {why}") from None
    prompt = PromptText(messages=pairs, system=fix_surrogates(system))
    odd = [name for name in prompt.placeholders if not names(f"{{{{{name}}}}}")]
    notes = tuple(f"{{{{{name[:40]}}}}} is no name of a variable: rename it" for name in odd)
    return replace(prompt, notes=notes), reply


def _values(found: Any) -> dict[str, str]:
    """The values of variables, as pairs of name and value, or as an object."""
    if isinstance(found, Mapping):
        found = [{"name": name, "value": value} for name, value in found.items()]
    values: dict[str, str] = {}
    for each in found if isinstance(found, list) else ():
        name, value = (each.get("name"), each.get("value")) if isinstance(each, Mapping) else (None, None)
        if not isinstance(name, str) or not isinstance(value, str):
            raise _misfit(f"a value of a variable is no text: {each!r:.60}")
        values[fix_surrogates(name).strip("{} ")] = fix_surrogates(value)
    return values


def _filled(template: PromptText) -> PromptText:
    def fill(text: str) -> str:
        return _PLACEHOLDER.sub(lambda match: template.values.get(match[1].strip(), match[0]), text)

    pairs = tuple((role, fill(text)) for role, text in template.messages)
    return PromptText(messages=pairs, system=fill(template.system))


def _difference(found: PromptText, wanted: PromptText) -> str | None:
    """Where two prompts begin to differ; `None` if they do not."""
    for number, ((_, one), (_, other)) in enumerate(zip(found.messages, wanted.messages, strict=True), 1):
        if one != other:
            return f"message {number} differs from character {_common(one, other) + 1} on"
    return None if found.system == wanted.system else "the system prompt differs"


def _common(one: str, other: str) -> int:
    """The length of the common beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _misfit(why: str, *, way: str = "Ask again.") -> Misfit:
    return Misfit(f"{why}. It is in claude.last.text. {way}")
