"""`--times` and `--compare`: one prompt several times, with each combination of some settings, and their table."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from ..errors import CellError
from ..prompt.options.option import MAX_REPLIES
from ..prompt.options.options import Options
from ..prompt.options.table import with_value
from ..prompt.snippets import Snippets
from ..wire import Exchange
from ..wire.chat_completion import ENDPOINT as CHAT

MESSAGES = "/v1/messages"
_FOR_ONE = {
    "events": "lists the events of one reply: of several, each panel has them",
    "step": "stops after the messages of one reply",
    "show": "prints one request",
    "count": "counts the tokens of one request",
    "preview": "shows one request",
}


@dataclass(frozen=True, kw_only=True)
class Combination:
    """One combination of the settings to compare.

    Attributes:
        values: The value as written, by the name of its option; empty for `--times` alone.
        run: Which of several times it is, counted from 1.
        times: How many times it is sent.
    """

    values: Mapping[str, str]
    options: Options
    run: int = 1
    times: int = 1

    @property
    def label(self) -> str:
        values = ", ".join(f"{name}={value}" for name, value in self.values.items())
        run = f"{self.run} of {self.times}" if self.times > 1 or not values else ""
        return " · ".join(filter(None, (values, run)))


def combinations(options: Options, namespace: Mapping[str, Any], snippets: Snippets) -> list[Combination]:
    """All combinations of the values to compare, the last setting changing first, each so many times.

    Raises:
        CellError: A value is wrong, there is no variable or snippet of a name, or there are too many.
    """
    if options.openai:
        return _both_forms(options)
    names, times = list(options.compare), options.times
    plain = replace(options, compare={}, times=1)
    several = [
        _combination(plain, dict(zip(names, values, strict=True)), namespace, snippets)
        for values in product(*options.compare.values())
    ]
    if (count := len(several) * times) > MAX_REPLIES:
        raise CellError(f"--compare with --times {times} asks for {count} replies; {MAX_REPLIES} is the most.")
    return [replace(each, run=run, times=times) for each in several for run in range(1, times + 1)]


def _both_forms(options: Options) -> list[Combination]:
    """The request as a message, and in OpenAI's form."""
    for name in ("compare", "batch", "legacy"):
        if getattr(options, name):
            raise CellError(f"--openai sends one request in two forms. Leave --{name} out, or --openai.")
    if options.times > 1:
        raise CellError("--openai sends one request in two forms. Leave --times out, or --openai.")
    forms = {MESSAGES: False, CHAT: True}
    return [
        Combination(values={"endpoint": path}, options=replace(options, openai=form)) for path, form in forms.items()
    ]


def check_several(options: Options) -> None:
    """Holds that all that the options say has a meaning for several replies.

    Raises:
        CellError: One of them has none.
    """
    for name, why in _FOR_ONE.items():
        if getattr(options, name):
            several = "--openai" if options.openai else "--compare" if options.compare else "--times"
            raise CellError(f"--{name} {why}. Leave it out, or {several}.")


def results(several: Sequence[Combination], exchanges: Sequence[Exchange], values: Sequence[Any] = ()) -> Any:
    """The value for `-o` of a comparison: a DataFrame if pandas is installed, else the list of exchanges.

    Args:
        values: What the options make of each reply, such as its JSON; empty for the texts.
    """
    if importlib.util.find_spec("pandas") is None:
        return list(exchanges)
    import pandas

    values = values or [exchange.text for exchange in exchanges]
    return pandas.DataFrame([dict(_row(*each)) for each in zip(several, exchanges, values, strict=True)])


def _combination(
    options: Options, values: Mapping[str, str], namespace: Mapping[str, Any], snippets: Snippets
) -> Combination:
    for name, value in values.items():
        options = with_value(options, name, _resolve(value, namespace, snippets))
    return Combination(values=values, options=options)


def _resolve(value: str, namespace: Mapping[str, Any], snippets: Snippets) -> str:
    """A value as written; for `@name`, the text of that variable or snippet."""
    if not value.startswith("@"):
        return value
    name = value[1:]
    if isinstance(namespace.get(name), str):
        return str(namespace[name])
    if name in snippets:
        return snippets[name].text
    raise CellError(f"--compare {value}: there is no variable with a text, and no snippet, of this name.")


def _row(combination: Combination, exchange: Exchange, value: Any) -> Iterator[tuple[str, Any]]:
    usage = exchange.message.usage
    for name, word in combination.values.items():
        read = getattr(combination.options, name)
        yield name, read if isinstance(read, int | float) else word
    if combination.times > 1:
        yield "run", combination.run
    yield "reply", value if exchange.error is None else exchange.error
    yield "input_tokens", usage.get("input_tokens")
    yield "output_tokens", usage.get("output_tokens")
    yield "usd", exchange.usd
    yield "seconds", exchange.seconds
    yield "first_token_seconds", exchange.first_token_seconds
    yield "stop_reason", exchange.message.stop_reason
    yield "exchange", exchange
