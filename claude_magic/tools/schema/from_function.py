"""A tool from a Python function: its definition from the signature and the docstring, and calls that are checked.

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
    """The same function, on which is remembered how Claude may call it.

    Returns:
        A decorator, if no function is given.

    Raises:
        CellError: A parameter cannot be described; it is named. What a later cell may define is looked for again
            when the function is offered.
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
    """The tool that a function is; a definition as a dict is taken in the API's form.

    Args:
        name: What Claude calls it.
        approve: Whether the reader is asked before each call.
        parallel: Whether several of its calls may run at the same time.
        strict: Whether the API holds the arguments to the schema.
        called: Its name if it has none of its own.

    What is `None` is as the function is marked, or as `mark` has it.

    Raises:
        CellError: It cannot be called by name, or a parameter cannot be described; it is named.
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
    return _built(function, own, known, options)


def schema_of(function: Any) -> dict[str, Any]:
    """How a function is described to Claude.

    Raises:
        CellError: A parameter cannot be described; it is named.
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
        _built(target, own, known, options)
        options = replace(options, hints={each.name: each.annotation for each in known})
    except CellError as error:
        if not isinstance(error.__cause__, NameError):
            raise
    try:
        setattr(target, MARK, options)
    except (AttributeError, TypeError):
        raise CellError(f"{own} cannot be marked: it takes no attributes. Write a function that calls it.") from None
    return function


def _built(function: Any, name: str, known: Sequence[Parameter], options: Mark) -> Tool:
    """The tool, whose errors name what cannot be described."""
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
    """The values of the arguments by the names of the parameters; nothing in them is shared with the conversation."""
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
        annotation = typing.Optional[annotation]  # `city: str = None` is often written and always meant so  # noqa: UP045
    return Field(name=parameter.name, annotation=annotation, default=default, description=described)


def _takes_none(annotation: Any, where: str) -> bool:
    try:
        Model([Field(name="it", annotation=annotation)], where).values({"it": None})
    except (Unfit, CellError):
        return False
    return True


def _docstring(function: Any) -> str | None:
    """What is written about a function; of an instance, about its call or its class."""
    if isinstance(function, functools.partial):
        return vars(function).get("__doc__") or _docstring(function.func)
    if inspect.isroutine(function) or isinstance(function, type):
        return inspect.getdoc(function)
    return innermost(function).__doc__ or type(function).__doc__
