"""The tools that a cell offers: functions of the notebook, definitions, servers, and tools of the API."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from ..errors import CellError
from ..prompt.options.options import Options, nearest
from ..tools.definition import from_dict
from ..tools.server_tools import definitions
from ..wire.tool import Tool
from .mcp_servers import connect_servers

_MODES = ("auto", "any", "none")
_SCHEMAS = {"input_schema", "inputSchema", "parameters", "function"}
_MOST_NOTES = 8


def select(
    options: Options, namespace: Mapping[str, Any], values: Iterable[Any] = ()
) -> tuple[Options, Mapping[str, Tool]]:
    """The options with the fields that offer the tools, and the tools that this kernel knows, by name.

    Args:
        values: Further tools, as values instead of names.

    Raises:
        CellError: A name stands for nothing that can be called, or for two tools.
    """
    options, server_tools = connect_servers(options, namespace)
    names = dict.fromkeys(name for several in options.tools for name in _names(several))
    offers = [(name, _value(name, namespace)) for name in names]
    notes: list[str] = []
    functions = [
        (name, tool)
        for name, value in (*offers, *((_name(each), each) for each in (*server_tools, *values)))
        for tool in _tools(value, name, notes)
    ]
    api_tools, param = definitions(options.server_tools, options.param)
    others = [*api_tools, *(_from_param(each, notes) for each in _definitions(param.pop("tools", [])))]
    tools = _distinct(functions, {str(tool.get("name")) for tool in others}, notes)
    listed = [*(dict(tool.definition) for tool in tools), *others]
    _check_names(listed)
    options = replace(options, notes=tuple(_few([*options.notes, *notes])))
    choice = _choice(options.tool_choice, listed)
    fields = {**({"tools": listed} if listed else {}), **({"tool_choice": choice} if choice else {})}
    if tools and (options.times > 1 or options.compare):
        raise CellError("functions are called for one reply at a time. Leave --times and --compare out, or --tools.")
    return replace(options, param={**param, **fields}), {tool.name: tool for tool in tools}


def as_list(tools: Any) -> list[Any]:
    """Functions, definitions, servers, or names of them, as a list; a single one becomes a list of one."""
    alone = isinstance(tools, str | dict | Tool) or callable(tools) or _is_server(tools)
    return [tools] if alone else list(tools or ())


def refuse_unapproved(tools: Mapping[str, Tool]) -> None:
    """Refuses functions that need approval: a call from Python cannot ask for it.

    Raises:
        CellError: One of them needs it.
    """
    names = [tool.name for tool in tools.values() if tool.approve and tool.run is not None]
    if names:
        raise CellError(
            f"{names[0]} needs your approval before each call, and from Python nobody is asked. "
            "Mark it with @claude.tool(approve=False), or ask with yes=True."
        )


def without_forced_choice(options: Options) -> Options:
    """`options` for the requests after the first: a choice that forces a call would force calls for ever."""
    return replace(options, param=unforced(options.param))


def unforced(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of a request, with the choice of tools left to the model if a call was forced."""
    choice = fields.get("tool_choice")
    if not isinstance(choice, Mapping) or choice.get("type") not in ("any", "tool"):
        return fields
    rest = {name: value for name, value in choice.items() if name not in ("type", "name")}
    others = {name: value for name, value in fields.items() if name != "tool_choice"}
    return {**others, **({"tool_choice": {"type": "auto", **rest}} if rest else {})}


def functions_named(names: Iterable[str], offers: Options, namespace: Mapping[str, Any]) -> dict[str, Tool]:
    """The functions that `offers` named before a restart of the kernel, as far as the notebook has them again.

    Args:
        names: Of the tools; one that Python gave as a value is looked up under its own name.
    """
    try:
        _, known = select(offers, namespace)
    except CellError:  # one of several is missing
        known = {}
    tools = dict(known)
    for name in names:
        for offer in dict.fromkeys((name, *offers.tools)):
            with contextlib.suppress(CellError):
                others = {} if name in tools else select(replace(Options(), tools=(offer,)), namespace)[1]
                tools.update({name: others[name]} if name in others else {})
    return {name: tools[name] for name in names if name in tools and tools[name].run is not None}


def _names(several: str) -> Iterator[str]:
    yield from filter(None, (name.strip() for name in several.split(",")))


def _value(name: str, namespace: Mapping[str, Any]) -> Any:
    """The value of a name, or of a name with attributes."""
    first, *attributes = name.split(".")
    if first not in namespace:
        public = [known for known, value in namespace.items() if callable(value) and not known.startswith("_")]
        raise CellError(f"--tools {name}: there is no {first!r} in the notebook.{nearest(first, public)}")
    value = namespace[first]
    for attribute in attributes:
        try:
            value = getattr(value, attribute)
        except Exception:
            raise CellError(f"--tools {name}: there is no {attribute!r} in it. Look at its name.") from None
    return value


def _name(value: Any) -> str:
    return str(getattr(value, "__name__", type(value).__name__))


def _tools(value: Any, name: str, notes: list[str]) -> Iterator[Tool]:
    if isinstance(value, Tool):
        yield value
    elif isinstance(value, dict):
        yield Tool(definition=_definition(value, notes))
    elif _is_server(value):
        yield from value.tools
        notes += getattr(value, "notes", ())
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tools(each, _name(each), notes)
    elif callable(value):
        from ..tools.schema.from_function import tool_of

        yield tool_of(value, called=name)
    else:
        raise CellError(f"--tools {name}: a {type(value).__name__} cannot be called. Name a function, or a definition.")


def _definition(value: Mapping[str, Any], notes: list[str]) -> Mapping[str, Any]:
    definition = from_dict(value)
    notes += definition.notes
    return definition.value


def _from_param(value: dict[str, Any], notes: list[str]) -> Mapping[str, Any]:
    """A tool of `--param tools`: a definition of ours or OpenAI's is converted, anything else is sent as it is."""
    return _definition(value, notes) if value.keys() & _SCHEMAS else value


def _distinct(offers: Iterable[tuple[str, Tool]], names: set[str], notes: list[str]) -> list[Tool]:
    """The tools; a function with the name of another tool gets another name."""
    distinct: list[Tool] = []
    for offer, tool in offers:
        if tool.name in names and tool.run is not None:
            base = re.sub(r"[^a-zA-Z0-9_-]+", "_", offer)[:120]
            name = base if base not in names else next(n for n in (f"{base}_{i}" for i in count(2)) if n not in names)
            notes.append(f"a second tool {tool.name} is offered as {name}")
            tool = replace(tool, definition={**tool.definition, "name": name})
        names.add(tool.name)
        distinct.append(tool)
    return distinct


def _few(notes: Sequence[str]) -> list[str]:
    """The notes, or the first of very many."""
    several = list(dict.fromkeys(notes))
    more = len(several) - _MOST_NOTES
    return several if more <= 0 else [*several[:_MOST_NOTES], f"and {more:,} more notes of this kind"]


def _is_server(value: Any) -> bool:
    """Whether it has a list of tools, as an MCP server does."""
    several = None if inspect.isfunction(value) else getattr(value, "tools", None)
    return isinstance(several, list | tuple) and all(isinstance(tool, Tool) for tool in several)


def _definitions(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(tool, dict) for tool in value):
        raise CellError("--param tools is a list of definitions, as JSON.")
    return value


def _check_names(listed: Iterable[Mapping[str, Any]]) -> None:
    names = [tool["name"] for tool in listed if "name" in tool]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CellError(f"two tools are called {twice!r}. Give one another name: @claude.tool(name=...).")


def _choice(choice: str | None, listed: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    if choice is None:
        return None
    names = [str(tool.get("name", "")) for tool in listed]
    if not names:
        raise CellError(f"--tool-choice {choice}: there is no tool to choose. Offer some with --tools.")
    if choice in _MODES:
        return {"type": choice}
    if choice not in names:
        raise CellError(
            f"--tool-choice {choice}: that is none of {', '.join((*_MODES, *names))}.{nearest(choice, names)}"
        )
    return {"type": "tool", "name": choice}
