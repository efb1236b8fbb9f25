"""`--compare`: one prompt with each combination of some settings, and a table of the replies."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from ..errors import CellError
from ..prompt.options.options import Options
from ..prompt.options.table import with_value
from ..prompt.snippets import Snippets
from ..wire import Exchange


@dataclass(frozen=True, kw_only=True)
class Combination:
    """One combination of the settings to compare.

    Attributes:
        values: The value as written, by the name of its option.
    """

    values: Mapping[str, str]
    options: Options

    @property
    def label(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in self.values.items())


def combinations(options: Options, namespace: Mapping[str, Any], snippets: Snippets) -> list[Combination]:
    """All combinations of the values to compare, the last setting changing first.

    Raises:
        CellError: A value is wrong, or there is no variable or snippet of a name.
    """
    names = list(options.compare)
    plain = replace(options, compare={})
    return [
        _combination(plain, dict(zip(names, values, strict=True)), namespace, snippets)
        for values in product(*options.compare.values())
    ]


def results(several: Sequence[Combination], exchanges: Sequence[Exchange]) -> Any:
    """The value for `-o`: a DataFrame if pandas is installed, else the list of exchanges."""
    if importlib.util.find_spec("pandas") is None:
        return list(exchanges)
    import pandas

    return pandas.DataFrame([dict(_row(*pair)) for pair in zip(several, exchanges, strict=True)])


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


def _row(combination: Combination, exchange: Exchange) -> Iterator[tuple[str, Any]]:
    usage = exchange.message.usage
    for name, value in combination.values.items():
        read = getattr(combination.options, name)
        yield name, read if isinstance(read, int | float) else value
    yield "reply", exchange.text if exchange.error is None else exchange.error
    yield "input_tokens", usage.get("input_tokens")
    yield "output_tokens", usage.get("output_tokens")
    yield "usd", exchange.usd
    yield "seconds", exchange.seconds
    yield "first_token_seconds", exchange.first_token_seconds
    yield "stop_reason", exchange.message.stop_reason
    yield "exchange", exchange
