"""Calls each method of the official SDK with made-up arguments: what they put on the wire is the measure of ours."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args, get_origin

import anthropic
from anthropic._types import FileTypes

from claude_magic.api.endpoints.catalog import Endpoint

FILE = ("a b.txt", b"hello\n", "text/plain")
_TEXT = "é x:y/z+&=~'()*"  # what encodings disagree about


def call(client: anthropic.Anthropic, endpoint: Endpoint) -> None:
    """Call the SDK's method of an endpoint; what it makes of the answer does not matter."""
    function = method_of(client, endpoint)
    given = arguments(function, endpoint)
    try:
        result = function(**given)
        getattr(result, "close", bool)()
    except Exception as error:  # the answer is made up, too
        if isinstance(error, TypeError | anthropic.APIConnectionError):
            raise


def method_of(client: anthropic.Anthropic, endpoint: Endpoint) -> Any:
    found: Any = client
    for name in endpoint.sdk.split("."):
        found = getattr(found, name)
    return found


def arguments(function: Any, endpoint: Endpoint) -> dict[str, Any]:
    """Arguments for the path, for what is required, and for each parameter of the query."""
    plain = inspect.unwrap(function)
    hints = _hints(plain)
    given: dict[str, Any] = {name: path_value(name) for name in endpoint.names}
    names = inspect.signature(plain).parameters
    for name, parameter in names.items():
        if name in given or name == "self" or name.startswith("extra_"):
            continue
        if parameter.default is inspect.Parameter.empty and parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            given[name] = made_up(hints.get(name, str))
    for name, value in query_of(endpoint).items():
        outer, _, inner = name.removesuffix("[]").partition("[")
        if outer in names and inner:
            given.setdefault(outer, {})[inner.removesuffix("]")] = value
        elif outer in names:
            given[outer] = value
    return {name: value for name, value in given.items() if name in names}


def path_value(name: str) -> str:
    return f"{name}_01"


def query_of(endpoint: Endpoint) -> dict[str, Any]:
    """A value for each parameter of the query."""
    return {name: [_TEXT, "b"] if name.endswith("[]") else 5 if name == "limit" else _TEXT for name in endpoint.query}


def _hints(function: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except Exception:
        return {}


def made_up(kind: Any) -> Any:
    """A value of a type of the SDK."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is typing.Annotated or str(origin).endswith("Required"):
        return made_up(inner[0])
    if origin is typing.Literal:
        return inner[0]
    if kind == FileTypes:
        return FILE
    if origin in (typing.Union, types.UnionType):
        return made_up(next(each for each in inner if each is not type(None) and "Omit" not in str(each)))
    if hasattr(kind, "__required_keys__"):
        hints = typing.get_type_hints(kind, include_extras=True)
        required = [
            name
            for name, hint in hints.items()
            if str(hint).startswith(("typing.Required", "typing_extensions.Required"))
        ]
        return {
            name: made_up(hints[name]) for name in {**dict.fromkeys(required), **dict.fromkeys(kind.__required_keys__)}
        }
    if origin in (list, Iterable, Sequence) or "SequenceNotStr" in str(origin):
        return [made_up(inner[0])]
    if origin in (dict, Mapping):
        return {"k": made_up(inner[1])}
    return {int: 7, float: 0.5, bool: True, object: "anything"}.get(kind, "text é")


__all__ = ["FILE", "arguments", "call", "path_value", "query_of"]
