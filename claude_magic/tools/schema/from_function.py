"""Creates a tool from a Python function: the definition from signature and docstring, calls with validated arguments.

Source: https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/implement-tool-use
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...errors import ArgumentsError, CellError
from ...wire.short_text import one_line, short_repr
from ...wire.tool import Tool
from .. import input_schema
from ..definition import from_dict
from . import classes
from .decorator import MARK, Mark, callers_names, is_unbound, mark_of, tool_name
from .docstrings import Documentation, documentation
from .model import MISSING, Field, Model, Unfit
from .signature import Parameter, call, innermost, parameters
from .strict_mode import strict_schema


def mark(function: Any = None, **how: Any) -> Any:
    """Stores on a function how Claude may call it, and returns the function.

    Returns:
        The function; a decorator if no function is given.

    Raises:
        CellError: A parameter has no schema; the error names it. Undefined names are looked up again when the function
            is used as a tool.
    """
    options = Mark(**how)
    if function is None:
        return functools.partial(_with_mark, options)
    return _with_mark(options, function)


def tool_of(
    function: Any,
    *,
    name: str | None = None,
    approve: bool | None = None,
    parallel: bool | None = None,
    strict: bool | None = None,
    called: str = "",
) -> Tool:
    """The tool for a function, or for a definition in the API's form.

    Args:
        name: The name of the tool.
        approve: Whether the user approves each call.
        parallel: Whether several calls may run at the same time.
        strict: Whether the API enforces the schema.
        called: The name of a function that has none.

    `None` stands for the value stored by the decorator, or its default.

    Raises:
        CellError: It cannot be called by name, or a parameter has no schema; the error names it.
    """
    if isinstance(function, Tool):
        return function
    if isinstance(function, Mapping):
        return Tool(definition=from_dict(function).value)
    if not callable(function):
        raise CellError(
            f"no tool: {one_line(short_repr(function))} cannot be called. Give a function, or a definition."
        )
    overrides: dict[str, Any] = {"name": name, "approve": approve, "parallel": parallel, "strict": strict}
    options = replace(mark_of(function), **{key: value for key, value in overrides.items() if value is not None})
    own = tool_name(function, options.name, called)
    known = parameters(function, own, hints=options.hints)
    if is_unbound(function, known):
        raise CellError(f"no tool: {own} needs {known[0].name!r}. Give the method of an object: it.{own}.")
    return _create_tool(function, own, known, options)


def schema_of(function: Any) -> dict[str, Any]:
    """The tool definition of a function.

    Raises:
        CellError: A parameter has no schema; the error names it.
    """
    return dict(tool_of(function).definition)


def _with_mark(options: Mark, function: Any) -> Any:
    target = function.__func__ if isinstance(function, classmethod | staticmethod) else function
    if not callable(target):
        raise CellError(
            f"no tool: {one_line(short_repr(function))} cannot be called. Put @claude.tool above a function."
        )
    own = tool_name(target, options.name)
    try:
        known = parameters(target, own, scope=callers_names())
        if isinstance(function, classmethod) or is_unbound(target, known):
            known = known[1:]
        _create_tool(target, own, known, options)
        options = replace(options, hints={each.name: each.annotation for each in known})
    except CellError as error:
        if not isinstance(error.__cause__, NameError):
            raise
    try:
        setattr(target, MARK, options)
    except (AttributeError, TypeError):
        raise CellError(f"{own} cannot be marked: it takes no attributes. Write a function that calls it.") from None
    return function


def _create_tool(function: Any, name: str, known: Sequence[Parameter], options: Mark) -> Tool:
    """The tool; an error names the parameter that has no schema."""
    docs = documentation(_docstring(function))
    model = Model([_field(each, docs, name) for each in known], name)
    whole, own_names = input_schema.with_legal_names(model.schema())
    definition = {
        "name": name,
        **({"description": docs.text} if docs.text else {}),
        "input_schema": strict_schema(whole) if options.strict else whole,
        **({"strict": True} if options.strict else {}),
    }

    def run(arguments: Mapping[str, Any]) -> Any:
        return call(function, known, _values(name, known, model, own_names, arguments))

    return Tool(definition=definition, run=run, approve=options.approve, parallel=options.parallel)


def _values(
    name: str, known: Sequence[Parameter], model: Model, own_names: Mapping[str, str], arguments: Any
) -> dict[str, Any]:
    """The argument values by parameter name; they share no objects with the conversation."""
    if isinstance(arguments, Mapping):
        arguments = {own_names.get(each, each): value for each, value in arguments.items()}
    try:
        values = model.values(arguments)
    except Unfit as error:
        line = one_line(str(error))
        raise ArgumentsError(
            f"{name} was not called: {line}. Its input_schema says what it takes."
        ) from error.__cause__
    result = {}
    for each, wire in zip(known, model.names, strict=True):
        value = values.get(wire, MISSING if each.own_default else model.default(wire))
        if value is not MISSING:
            result[each.name] = value
    return result


def _field(parameter: Parameter, docs: Documentation, where: str) -> Field:
    annotation, default = parameter.annotation, parameter.default
    infos = [] if parameter.own_default else [default]
    described = classes.description([*classes.notes(annotation), *infos]) or docs.arguments.get(parameter.name, "")
    if default is inspect.Parameter.empty:
        default = MISSING
    elif default is None and not _takes_none(annotation, where):
        annotation = typing.Optional[annotation]  # `city: str = None` is common and always means Optional  # noqa: UP045
    return Field(name=parameter.name, annotation=annotation, default=default, description=described)


def _takes_none(annotation: Any, where: str) -> bool:
    try:
        Model([Field(name="it", annotation=annotation)], where).values({"it": None})
    except (Unfit, CellError):
        return False
    return True


def _docstring(function: Any) -> str | None:
    """The docstring of a function; of an instance, that of its `__call__` or its class."""
    if isinstance(function, functools.partial):
        return vars(function).get("__doc__") or _docstring(function.func)
    if inspect.isroutine(function) or isinstance(function, type):
        return inspect.getdoc(function)
    return innermost(function).__doc__ or type(function).__doc__
