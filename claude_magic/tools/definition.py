"""Converts tool definitions from any source to the form that the API accepts.

One invalid tool makes the API refuse the whole request. What it would refuse is therefore rewritten if the meaning
stays the same; otherwise it is an error that names the tool.
Source: https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/implement-tool-use
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import CellError
from . import input_schema
from .input_schema import InputSchema

_SCHEMA_NAMES = {"inputSchema", "parameters"}  # what MCP and OpenAI call an `input_schema`


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A definition as the API accepts it.

    Attributes:
        value: The API's JSON.
        own_names: The tool's own names of renamed arguments, by the names that the API has.
        notes: What was left out, a sentence each.
    """

    value: Mapping[str, Any]
    own_names: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def own(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Claude's `arguments`, under the tool's own names."""
        return {self.own_names.get(name, name): value for name, value in arguments.items()}


def definition(name: str, description: Any, schema: Any) -> Definition:
    """The definition of a tool whose calls go through `Definition.own`.

    Args:
        schema: JSON Schema, of any draft, of the tool's arguments.

    Raises:
        CellError: It cannot be expressed for the API.
    """
    converted = _input_schema(schema)
    text = "\n\n".join(filter(None, [description if isinstance(description, str) else "", converted.description]))
    value = {"name": name, **({"description": text} if text else {}), "input_schema": converted.value}
    return Definition(value=value, own_names=converted.own_names, notes=converted.notes)


def from_dict(source: Mapping[str, Any]) -> Definition:
    """Converts a definition in the API's form, OpenAI's or MCP's; a tool that the API runs is left unchanged.

    The user answers its calls, so its arguments keep their names.

    Raises:
        CellError: It is not a definition, or cannot be expressed for the API; the tool is named.
    """
    fields = _api_fields(source)
    if fields.get("type", "custom") != "custom":
        return Definition(value=dict(source))
    name = fields.get("name")
    if not isinstance(name, str) or not input_schema.TOOL_NAME.fullmatch(name):
        raise CellError(
            f"a tool cannot be called {_short(name)}: the API takes 1 to 128 letters a-z, digits, '_' and '-'. "
            'A definition has a "name", a "description" and an "input_schema".'
        )
    try:
        converted = definition(name, fields.get("description"), fields.get("input_schema"))
    except CellError as error:
        raise CellError(f"the tool {name} cannot be sent: {error}") from None
    if converted.own_names:
        odd = ", ".join(converted.own_names.values())
        raise CellError(
            f"the tool {name} cannot be sent: the API takes arguments of 1 to 64 letters a-z, digits, '_', '-' "
            f"and '.', seen {odd}. Rename them."
        )
    notes = tuple(f"the tool {name}: {note}" for note in converted.notes)
    return Definition(value={**fields, **converted.value}, notes=notes)


def _api_fields(source: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a definition under the API's names.

    Source: https://platform.openai.com/docs/guides/function-calling (nested in Chat Completions, else flat)
    """
    fields = dict(source)
    if fields.get("type") == "function":
        inner = fields.get("function", fields)
        if not isinstance(inner, Mapping):
            raise CellError(f"no tool: its function is {_short(inner)}. Give its name, description and parameters.")
        fields = {key: inner[key] for key in ("name", "description", "strict") if inner.get(key) is not None}
        fields["input_schema"] = inner.get("parameters")
        if not fields.get("strict"):
            fields.pop("strict", None)
    elif "input_schema" not in fields and (other := _SCHEMA_NAMES & fields.keys()):
        schema = source[min(other)]
        fields = {key: fields[key] for key in ("name", "description") if key in fields}
        fields["input_schema"] = schema
    return fields


def _input_schema(schema: Any) -> InputSchema:
    try:
        text = json.dumps(schema, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise CellError(f"its input schema is not JSON: {error}. Write it as JSON.") from None
    return _from_text(text)


@functools.lru_cache(maxsize=2_000)
def _from_text(text: str) -> InputSchema:
    """Cached, since servers list their tools again for each cell."""
    return input_schema.from_json(json.loads(text))


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:80] + "…"
