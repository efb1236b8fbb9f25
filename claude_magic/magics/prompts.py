"""`claude.prompts`: prompts that a model writes, improves, or turns into templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import CellError, SettingsError
from ..prompt.completions import as_messages
from ..prompt.options.keywords import options_of_many
from ..prompt.snippets import Snippets
from ..prompt.turns import format_turns
from ..wire import Exchange
from ..wire.exchange import Code

if TYPE_CHECKING:
    from ..session.prompt import Prompt
    from ..session.prompt_tools import PromptText
    from .claude import ClaudeHandle


@dataclass(frozen=True, kw_only=True, repr=False)
class Draft:
    """A prompt that a model wrote; at the end of a cell it shows itself.

    Attributes:
        messages: As the API's JSON; one of the user, as a rule.
        system: `""` for none.
        usage: The tokens that it took, as the API's JSON.
        variable_values: Of a template, the text that each variable replaced.
        exchange: What was sent, and what came back.
        notes: What is odd about it, a sentence each.
    """

    messages: list[dict[str, Any]]
    system: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    variable_values: Mapping[str, str] = field(default_factory=dict)
    exchange: Exchange
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text of its messages."""
        return "\n\n".join(text for _, text in self.turns)

    @property
    def turns(self) -> tuple[tuple[str, str], ...]:
        """Role and text of each message."""
        return tuple((each["role"], each["content"][0]["text"]) for each in self.messages)

    @property
    def variables(self) -> tuple[str, ...]:
        """The names that a cell fills in, in order."""
        from ..prompt.templates import names

        return tuple(dict.fromkeys(name for text in (self.system, self.text) for name in names(text)))

    @property
    def body(self) -> dict[str, Any]:
        """The JSON that the API's retired endpoint of this work answered."""
        body = {"messages": self.messages, "system": self.system, "usage": dict(self.usage)}
        return {**body, "variable_values": dict(self.variable_values)} if self.variable_values else body

    @property
    def cell(self) -> Code:
        """The source of a cell that sends it."""
        line, text = self._cell
        return Code(f"%%claude {line}".rstrip() + f"\n{text}")

    @property
    def assignments(self) -> Code:
        """The source of a cell that sets the variables whose values are known."""
        known = {name: self.variable_values[name] for name in self.variables if name in self.variable_values}
        return Code("".join(f"{name} = {value!r}\n" for name, value in known.items()))

    def save(self, name: str) -> None:
        """Keeps it as a snippet.

        Raises:
            CellError: The name is not valid, or the file cannot be written.
        """
        Snippets().keep(name, *self._cell)

    def insert(self) -> None:
        """Puts its cell under this one, without running it.

        Raises:
            SettingsError: There is no notebook.
        """
        from .claude import claude
        from .python_call import magics_of

        magics = magics_of(claude)
        if magics is None:
            raise SettingsError("there is no notebook to insert a cell into: .cell is its source.")
        magics.turns.set_next_input(str(self.cell))

    @property
    def _cell(self) -> tuple[str, str]:
        """The first line, after the magic, and the lines below it."""
        if not self.system and len(self.messages) == 1 and self.messages[0]["role"] == "user":
            return "", self.text
        system = [("system", self.system)] if self.system else []
        return "--turns", format_turns([*system, *self.turns])

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from ..display.reply.draft import draft_bundle

        system = [("system", self.system)] if self.system else []
        values = {name: self.variable_values.get(name, "") for name in (*self.variables, *self.variable_values)}
        return draft_bundle(self.exchange, [*system, *self.turns], values, self.notes)


class Prompts:
    """Has a model write, improve or templatize a prompt; each call is one request, with the notebook's model."""

    def __init__(self, handle: ClaudeHandle) -> None:
        self._handle = handle

    def generate(self, task: str, **options: Any) -> Draft:
        """A prompt for a task.

        Args:
            task: What the prompt is for.
            options: The options of `claude.map`, such as `model` and `max_tokens`.

        Raises:
            ClaudeError: The request failed, or its reply holds no prompt; it is kept in `claude.last`.
        """
        from ..session.prompt_tools import generate_request, read_generation

        if not isinstance(task, str) or not task.strip():
            raise CellError("prompts.generate takes a text that says what the prompt is for.")
        exchange = self._ask(generate_request(task, options_of_many(options)))
        return _draft(exchange, read_generation(exchange))

    def improve(self, prompt: Any, feedback: str | None = None, *, system: str | None = None, **options: Any) -> Draft:
        """A better prompt for the same work.

        Args:
            prompt: A text, messages as the API's JSON, a draft, or an exchange whose request it was.
            feedback: What is wrong with the replies to it; `None` to improve it in general.
            system: The system prompt that goes with it; it becomes part of the message.
            options: The options of `claude.map`, such as `model` and `max_tokens`.

        Raises:
            ClaudeError: The request failed, or its reply holds no prompt; it is kept in `claude.last`.
        """
        from ..session.prompt_tools import improve_request, read_improvement

        before = _prompt_text(prompt, system)
        if feedback is not None and not isinstance(feedback, str):
            raise CellError(f"feedback is a text, not {type(feedback).__name__}.")
        exchange = self._ask(improve_request(before, feedback, options_of_many(options)))
        return _draft(exchange, read_improvement(exchange, before))

    def templatize(self, prompt: Any, *, system: str | None = None, **options: Any) -> Draft:
        """The prompt with `{{NAME}}` for what changes from one use to the next, and these texts as values.

        Args:
            prompt: A text, messages as the API's JSON, a draft, or an exchange whose request it was.
            system: The system prompt that goes with it.
            options: The options of `claude.map`, such as `model` and `max_tokens`.

        Raises:
            ClaudeError: The request failed, or its reply holds no template; it is kept in `claude.last`.
        """
        from ..session.prompt_tools import read_template, templatize_request

        before = _prompt_text(prompt, system)
        exchange = self._ask(templatize_request(before, options_of_many(options)))
        return _draft(exchange, read_template(exchange, before))

    def _ask(self, prompt: Prompt) -> Exchange:
        exchange = self._handle.session.ask(prompt)
        if exchange.error is not None:
            raise exchange.error
        return exchange

    def __repr__(self) -> str:
        return "claude.prompts: .generate(task), .improve(prompt, feedback=...), .templatize(prompt)"


def _prompt_text(prompt: Any, system: str | None) -> PromptText:
    from ..session.prompt_tools import prompt_text

    if isinstance(prompt, Exchange):
        body = prompt.request.body or {}
        body = as_messages(body) if isinstance(body.get("prompt"), str) else body
        return prompt_text(list(body.get("messages") or ()), body.get("system") if system is None else system)
    if isinstance(prompt, Draft):
        return prompt_text(prompt.messages, prompt.system if system is None else system)
    return prompt_text(prompt, system)


def _draft(exchange: Exchange, prompt: PromptText) -> Draft:
    return Draft(
        messages=_as_messages(prompt.messages),
        system=prompt.system,
        usage=exchange.message.usage,
        variable_values=prompt.values,
        exchange=exchange,
        notes=prompt.notes,
    )


def _as_messages(pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in pairs]
