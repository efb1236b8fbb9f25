r"""Prompts of text completions: `\n\nHuman: ... \n\nAssistant:`, as lessons and papers of 2023 have them.

`--complete` translates one into turns for the Messages API; with `--legacy` it is sent as it is. What is repaired,
assumed or left out is a note for the user. A cell may also hold the whole JSON body of such a request.
Source: https://docs.anthropic.com/en/api/prompt-validation
Source: https://docs.anthropic.com/en/api/migrating-from-text-completions-to-messages
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..errors import CellError
from ..wire.completion import ASSISTANT, HUMAN
from .options.option import Scope
from .options.options import Options
from .options.table import all_options
from .turns import format_turns

_MARKER = re.compile(r"\n\n(Human|Assistant):")
_LINE = re.compile(r"^[ \t]*(Human|Assistant):", re.MULTILINE)
_ROLES = {"Human": "user", "Assistant": "assistant"}
_SAMPLING = ("temperature", "top_p", "top_k")
_RETIRED = re.compile(r"claude-(?:v?[12]\b|instant)")
_CONFLICTS = {
    "turns": "--turns",
    "finish": "--finish",
    "curl": "--curl",
    "explain": "--explain",
    "fix": "--fix",
}
# What `/v1/complete` takes, besides what only says how a reply is shown; by the field of `Options`.
_LEGACY = {"complete", "legacy", "model", "max_tokens", "temperature", "top_p", "top_k", "stop", "param", "header"}
_LEGACY |= {"api_version", "stream", "allow_secret", "compare"}
_MOST_NOTES = 3
_MOST_ROLES = 9  # that a note lists


@dataclass(frozen=True, kw_only=True)
class CompletionPrompt:
    """The prompt of a text completion.

    Attributes:
        text: As the API takes it.
        system: What stands before the first Human turn.
        turns: Role and text of each turn; the last is the assistant's, and its text begins the reply.
        notes: What was assumed, a sentence each.
        repairs: What was repaired in the text, which only the endpoint of completions minds.
    """

    text: str
    system: str
    turns: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()


def read_completion(options: Options, text: str, *, system: str = "") -> tuple[Options, str, tuple[str, ...]]:
    """The options and the text of a cell with `--complete`, and notes for the user.

    Args:
        system: The system prompt of the settings, which a legacy prompt does not get.

    Returns:
        The text as turns, with `turns` set; with `legacy`, the prompt itself.

    Raises:
        CellError: The prompt is not one of a text completion; nothing was sent.
    """
    for field, name in _CONFLICTS.items():
        if getattr(options, field):
            raise CellError(f"--complete reads the text as the prompt of a completion: leave {name} out.")
    if options.legacy:
        _refuse_options(options)
    body = _json_body(text)
    prompt = read_prompt(text if body is None else body.pop("prompt"))
    options, notes = _with_fields(options, {**(body or {}), **_completion_fields(options)})
    if options.legacy:
        unsent = ["Claude.system was not sent: a completion's system text stands before its first Human:"] * bool(
            system
        )
        return options, prompt.text, (*prompt.notes, *prompt.repairs, *notes, *unsent)
    if prompt.system and (options.system is not None or "system" in options.compare):
        raise CellError("--complete: the prompt has a system text before its first Human turn, and so has -s. Use one.")
    turns = _turns(prompt)
    roles = [role for role, _ in turns] if len(turns) <= _MOST_ROLES else [f"{len(turns):,} turns"]
    said = ", ".join([*(["system prompt"] if prompt.system else []), *roles])
    first = [("system", prompt.system)] if prompt.system else []
    told = f"text completion, sent as messages: {said}"
    return replace(options, turns=True), format_turns([*first, *turns]), (told, *prompt.notes, *notes)


def inserted_turns(typed: str, filled: str) -> list[str]:
    """A note if variables added turns to a prompt that has turns of its own; one that is all in a variable is meant.

    Args:
        typed: The prompt as it was typed.
        filled: The same with its variables.
    """
    own, all_turns = (len(_MARKER.findall(text.replace("\r\n", "\n"))) for text in (typed, filled))
    more = all_turns - own
    if not own or more <= 0:
        return []
    return [f"{more:,} turn{'s' * (more != 1)} came with a variable: it holds Human: or Assistant: after an empty line"]


def as_messages(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request for a completion, as one for a message.

    Raises:
        CellError: Its prompt is not one of a completion.
    """
    prompt = read_prompt(str(body["prompt"]))
    found = {name: value for name, value in body.items() if name not in ("prompt", "max_tokens_to_sample")}
    found["max_tokens"] = body.get("max_tokens_to_sample")
    found["system"] = prompt.system
    found["messages"] = [{"role": role, "content": text} for role, text in _turns(prompt)]
    return found


def _refuse_options(options: Options) -> None:
    """Refuses what a completion has no field for.

    Raises:
        CellError: There is such an option.
    """
    for option in all_options():
        is_set = option.is_set(options) or option.target in options.compare
        if is_set and Scope.CURL not in option.scope and option.target not in _LEGACY:
            raise CellError(f"--legacy: a completion has nothing like {option.names[-1]}. Leave it or --legacy out.")


def read_prompt(text: str) -> CompletionPrompt:
    """The prompt that `text` is, repaired where its meaning is clear.

    Raises:
        CellError: It is empty, or its turns are not in order.
    """
    notes: list[str] = []
    repairs: list[str] = []
    if "\r\n" in text:
        text = text.replace("\r\n", "\n")
        repairs.append("each CR LF became one newline")
    if not text.strip():
        raise CellError("--complete: the prompt is empty. Write it in the lines below %%claude.")
    if not _LINE.search(text):
        notes.append("the prompt has no Human: turn: all of it was made one, and Assistant: put after it")
        text = f"{HUMAN} {text.strip()}{ASSISTANT}"
    text = _with_ends(text, repairs)
    marks = list(_MARKER.finditer(text))
    _check_order(text, marks)
    notes += [
        f"line {number} begins with {name}: but follows no empty line: it is text, not a turn"
        for number, name in itertools.islice(_lines_without_gap(text), _MOST_NOTES)
    ]
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    turns = tuple((_ROLES[mark[1]], text[mark.end() : end].strip()) for mark, end in zip(marks, ends, strict=True))
    return CompletionPrompt(
        text=text, system=text[: marks[0].start()].strip(), turns=turns, notes=tuple(notes), repairs=tuple(repairs)
    )


def _with_ends(text: str, repairs: list[str]) -> str:
    """The prompt with two newlines before a Human: at its beginning, and no spaces after an Assistant: at its end."""
    bare = text.lstrip()
    if bare.startswith("Human:") and not text.startswith(HUMAN):
        repairs.append("two newlines were put before the first Human:")
        text = f"\n\n{bare}"
    trimmed = text.rstrip()
    if trimmed.endswith(ASSISTANT) and trimmed != text:
        if text[len(trimmed) :].strip("\n"):
            repairs.append("the spaces after the last Assistant: were left out")
        text = trimmed
    return text


def _check_order(text: str, marks: list[re.Match[str]]) -> None:
    way = "Write \\n\\nHuman: ... \\n\\nAssistant:, each after an empty line."
    loose = next(_lines_without_gap(text), None)
    seen = f"; line {loose[0]} begins with {loose[1]}: but follows no empty line" if loose else ""
    if not marks:
        raise CellError(f"--complete: the prompt has no turns{seen}. {way}")
    if marks[0][1] != "Human":
        raise CellError(f"--complete: the first turn is Assistant:, not Human:{seen}. {way}")
    if marks[-1][1] != "Assistant":
        raise CellError(f"--complete: the prompt ends with a Human: turn, not with Assistant:{seen}. {way}")


def _lines_without_gap(text: str) -> Iterator[tuple[int, str]]:
    """Number and word of the lines that look like the beginning of a turn, and are none."""
    for line in _LINE.finditer(text):
        if line[0][0] in " \t" or not text.endswith("\n\n", 0, line.start()):
            yield text.count("\n", 0, line.start()) + 1, line[1]


def _turns(prompt: CompletionPrompt) -> list[tuple[str, str]]:
    """The turns as messages: without an Assistant: that only asks for the reply.

    Raises:
        CellError: A turn is empty.
    """
    turns = list(prompt.turns)
    if not turns[-1][1]:
        turns.pop()
    for number, (role, said) in enumerate(turns, 1):
        if not said:
            raise CellError(f"--complete: turn {number} ({role}) is empty, and a message is not. Write its text.")
    return turns


def _json_body(text: str) -> dict[str, Any] | None:
    """The body of a request for a completion, if the text is one."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and isinstance(body.get("prompt"), str) else None


def _completion_fields(options: Options) -> dict[str, Any]:
    """The fields of a completion that the first line sets."""
    if "prompt" in options.param:
        raise CellError("--param prompt is refused: the prompt is the cell's text.")
    found = {name: options.param[name] for name in ("max_tokens_to_sample",) if name in options.param}
    return {**found, "stop_sequences": list(options.stop)} if options.stop else found


def _with_fields(options: Options, fields: Mapping[str, Any]) -> tuple[Options, list[str]]:
    """The options with the fields of a completion, where they do not set the same; and notes on what became of them."""
    notes: list[str] = []
    changes: dict[str, Any] = {}
    param = {name: value for name, value in options.param.items() if name not in fields}
    for name, value in fields.items():
        if name == "max_tokens_to_sample":
            changes["max_tokens"] = _tokens(value) if options.max_tokens is None else options.max_tokens
            if not options.legacy:
                notes.append(f"max_tokens_to_sample {value} became max_tokens {changes['max_tokens']}")
        elif name == "model":
            if options.model is None and (options.legacy or not _RETIRED.match(str(value))):
                changes["model"] = str(value)
            elif options.model is None:
                notes.append(f"model {str(value)[:60]}: retired, so the model of this notebook answers")
        elif name == "stop_sequences":
            changes["stop"] = _stops(value, notes, legacy=options.legacy)
        elif name == "stream":
            changes["stream"] = bool(value) if options.stream is None else options.stream
        elif name in _SAMPLING and options.legacy:
            changes[name] = value if getattr(options, name) is None else getattr(options, name)
        elif name in _SAMPLING:
            if getattr(options, name) is None:
                notes.append(f"{name} {value!r:.20} was left out: today's models refuse it; {_option(name)} sends it")
        elif options.legacy or name == "metadata":
            param.setdefault(name, value)
        else:
            notes.append(f"{name[:60]} was left out: no field of messages is known for it")
    return replace(options, **changes, param=param), notes


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _tokens(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise CellError(f"--complete: max_tokens_to_sample is a whole number: {value!r:.60}.")
    return value


def _stops(value: Any, notes: list[str], *, legacy: bool) -> tuple[str, ...]:
    """The stop sequences: for messages without the end of a turn, which every reply ends at by itself."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise CellError(f"--complete: stop_sequences is a list of texts: {value!r:.60}.")
    if legacy:
        return tuple(value)
    kept = tuple(each for each in value if each.strip() not in ("Human:", "Assistant:"))
    if len(kept) < len(value):
        notes.append("the stop sequences Human: and Assistant: were left out: a message ends where its turn does")
    return kept
