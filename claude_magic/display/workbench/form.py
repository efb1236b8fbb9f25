"""What stands in a workbench, and what it asks of the other rooms, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ...wire import Exchange
from .answer import Answer


@dataclass(frozen=True, kw_only=True)
class Form:
    """The fields of a workbench, each as the reader typed it; `""` where nothing stands.

    Attributes:
        turns: Role and text of each, in order.
        fields: By the name of a variable of the prompt, the text that was typed instead of its value.
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
    turns: tuple[tuple[str, str], ...] = (("user", ""),)
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A variable that the prompt asks for.

    Attributes:
        text: How the notebook's variable is written; `None` if there is none, or it may not be shown.
        note: Why there is nothing to fill in; `""` if there is.
    """

    name: str
    text: str | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class WorkbenchActions:
    """What the workbench asks of the rooms it does not know.

    All may raise `ClaudeError`, which becomes one line, and all but `variables` and `hidden` may take their time.

    Attributes:
        ask: Asks, while the answer is shown; look at the `error` of the exchange.
        preview: What would be sent, its tokens and its price.
        cell: The source of a `%%claude` cell that sends the same.
        code: The request as a program in a language.
        models: The models that the endpoint has.
        history: Of the journal's exchanges with these words, or the last ones: a line and the number of each.
        recall: What the exchange of this number asked, and what of it cannot be shown here.
        variables: Those of the prompt.
        hidden: A text without any key in it.
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
