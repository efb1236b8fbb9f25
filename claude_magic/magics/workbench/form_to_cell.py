"""The form of a workbench as a `%%claude` cell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ...display.workbench.form import Form
from ...errors import CellError
from ...prompt.options.formatter import format_line
from ...prompt.options.options import Options
from ...prompt.turns import format_turns, parse_turns
from ...settings import Claude

_EMPTY = "the prompt is empty: there is nothing to send. Write it in a turn."


def cell_meaning(options: Options, text: str) -> object:
    """What a cell sends, to compare it with another."""
    return options, parse_turns(text) if options.turns else text


def map_texts(form: Form, write: Callable[[str], str]) -> Form:
    """`form` with each turn replaced by `write` of it, and its system prompt if that holds a template."""
    system = write(form.system) if "{{" in form.system else form.system
    return replace(form, system=system, turns=tuple((role, write(text)) for role, text in form.turns))


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a form is written as a cell.

    Attributes:
        spells: Whether the text spells out its turns: there are several, or a system prompt that does not fit into
            the first line, which has no line ends and fills no template.
        settings: The defaults of a cell; options override its system prompt and conversation.
    """

    spells: bool
    settings: Claude

    @classmethod
    def of(cls, form: Form, settings: Claude) -> Layout:
        one = len(form.turns) == 1 and form.turns[0][0] == "user"
        return cls(spells=not one or not _fits(form.system) or "{{" in form.system, settings=settings)

    def line(self, form: Form) -> str:
        """The first line, after the magic."""
        return format_line(self._options(form))

    def text(self, form: Form) -> str:
        """The lines below it.

        Raises:
            CellError: There is nothing to send.
        """
        if not any(text.strip() for _, text in form.turns):
            raise CellError(_EMPTY)
        if not self.spells:
            return form.turns[0][1]
        _check(form.turns)
        system = [("system", form.system)] if form.system.strip() else []
        return format_turns([*system, *form.turns])

    def _options(self, form: Form) -> Iterator[tuple[str, ...]]:
        if form.model:
            yield "-m", form.model
        if form.max_tokens:
            yield "-t", form.max_tokens
        if form.system.strip() and not self.spells:
            yield "-s", form.system
        elif self.settings.system and not form.system.strip():
            yield "-s", ""
        for name in ("temperature", "top_p", "top_k", "effort"):
            if value := getattr(form, name):
                yield f"--{name.replace('_', '-')}", value
        if form.thinking:
            yield ("--thinking",)
        if all(map(_fits, form.stop)):
            yield from (("--stop", text) for text in form.stop)
        else:
            yield "--param", "stop_sequences", json.dumps(list(form.stop))
        for name, value in _params(form.params).items():
            yield "--param", name, json.dumps(value)
        if self.settings.conversation:
            yield "-c", ""
        if self.spells:
            yield ("--turns",)


def _params(text: str) -> dict[str, object]:
    """The other fields of the body.

    Raises:
        CellError: They are no JSON object, or name what is no field.
    """
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CellError(f'Other fields: not JSON: {error}. Write an object, such as {{"top_k": 5}}.') from None
    if not isinstance(found, dict) or not all(re.fullmatch(r"\w[\w-]*", name) for name in found):
        raise CellError(f'Other fields: not an object of fields: {text[:60]!r}. Write one, such as {{"top_k": 5}}.')
    return found


def _check(turns: Sequence[tuple[str, str]]) -> None:
    """Refuses turns that are no conversation; an empty last one of the assistant is left out."""
    for number, (role, text) in enumerate(turns, 1):
        if not text.strip() and (number < len(turns) or role == "user"):
            raise CellError(f"turn {number} is empty. Write its text, or delete it.")
    if all(role != "user" for role, _ in turns):
        raise CellError("there is no user turn: all turns are the assistant's. Give one to the user.")


def _fits(text: str) -> bool:
    """Whether it fits on one line."""
    return len(f"{text}.".splitlines()) == 1
