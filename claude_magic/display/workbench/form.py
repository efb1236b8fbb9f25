"""The fields of a workbench, and the actions behind it, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ...wire import Exchange
from .answer import Answer


@dataclass(frozen=True, kw_only=True)
class Form:
    """The fields of a workbench, each as the user typed it; `""` for an empty one.

    Attributes:
        params: Other fields of the request's body, as a JSON object.
        turns: Role and text of each turn, in order.
        fields: The text typed for a variable of the prompt, instead of its value, by name.
    """

    model: str = ""
    max_tokens: str = ""
    system: str = ""
    temperature: str = ""
    top_p: str = ""
    top_k: str = ""
    stop: tuple[str, ...] = ()
    thinking: bool = False
    effort: str = ""
    params: str = ""
    turns: tuple[tuple[str, str], ...] = (("user", ""),)
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A variable that the prompt refers to.

    Attributes:
        text: The notebook's variable as text; `None` if there is none, or it may not be shown.
        note: Why there is no field for it; `""` if there is one.
    """

    name: str
    text: str | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class WorkbenchActions:
    """The actions behind the panel, which need the session.

    Each may raise `ClaudeError`, which is shown as one line; all but `variables` and `hidden` may block.

    Attributes:
        ask: Sends the request and shows the reply; returns the exchange, which may hold an `error`.
        preview: The request as text, with its tokens and its price.
        cell: The source of a `%%claude` cell that sends the same request.
        code: The request as a program in a language.
        models: The models of the endpoint.
        history: The journal's exchanges with these words, or the last ones: a line and the id of each.
        recall: The form of an exchange by its id, and a note on what a form cannot hold.
        variables: The variables of the prompt.
        hidden: Redacts API keys.
    """

    ask: Callable[[Form, Answer], Exchange]
    preview: Callable[[Form], str]
    cell: Callable[[Form], str]
    code: Callable[[Form, str], str]
    models: Callable[[], Sequence[str]]
    history: Callable[[str], Sequence[tuple[str, int]]]
    recall: Callable[[int], tuple[Form, str]]
    variables: Callable[[Form], Sequence[Variable]]
    hidden: Callable[[str], str]
