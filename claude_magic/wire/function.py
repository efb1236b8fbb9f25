"""A tool from a Python function: its definition from the signature and the docstring, and calls that are checked.

Source: https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/implement-tool-use
"""

from __future__ import annotations

import copy
import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import ArgumentsError, CellError
from . import schema
from .accepted import accepted
from .docstrings import Documentation, documentation
from .marks import MARK, Mark, callers_names, is_unbound, mark_of, tool_name
from .signature import Parameter, innermost, invoked, parameters
from .tool import Tool
from .typed import made_fields
from .unfit import Unfit, one_line, seen

_ARGUMENT = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


def mark(
    function: Any = None,
    *,
    approve: bool = True,
    name: str | None = None,
    strict: bool = False,
    parallel: bool = False,
) -> Any:
    """The same function, on which is remembered how Claude may call it.

    Returns:
        A decorator, if no function is given.

    Raises:
        CellError: A parameter cannot be described; it is named. What a later cell may define is looked for again
            when the function is offered.
    """
    options = Mark(name=name, approve=approve, parallel=parallel, strict=strict)
    if function is None:
        return functools.partial(_marked, options)
    return _marked(options, function)


def tool_of(
    function: Any,
    *,
    name: str | None = None,
    approve: bool | None = None,
    parallel: bool | None = None,
    strict: bool | None = None,
    called: str = "",
) -> Tool:
    """The tool that a function is; a definition as a dict is taken as it is.

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
        return Tool(definition=function)
    if not callable(function):
        raise CellError(f"no tool: {one_line(seen(function))} cannot be called. Give a function, or a definition.")
    given: dict[str, Any] = {"name": name, "approve": approve, "parallel": parallel, "strict": strict}
    options = replace(mark_of(function), **{key: value for key, value in given.items() if value is not None})
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


def _marked(options: Mark, function: Any) -> Any:
    target = function.__func__ if isinstance(function, classmethod | staticmethod) else function
    if not callable(target):
        raise CellError(f"no tool: {one_line(seen(function))} cannot be called. Put @claude.tool above a function.")
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
    told = documentation(_docstring(function))
    known = [_told(each, told) for each in known]
    whole = schema.of_fields([each.field for each in known], name)
    for argument in whole["properties"]:
        if not _ARGUMENT.fullmatch(argument):
            raise CellError(
                f"no schema for {name}.{one_line(argument)}: the API takes arguments of 1 to 64 letters a-z, digits, "
                "'_', '-' and '.'. Rename it."
            )
    definition = {
        "name": name,
        **({"description": told.text} if told.text else {}),
        "input_schema": accepted(whole) if options.strict else whole,
        **({"strict": True} if options.strict else {}),
    }
    return Tool(
        definition=definition,
        run=functools.partial(_run, function, name, known),
        approve=options.approve,
        parallel=options.parallel,
    )


def _run(function: Callable[..., Any], name: str, known: Sequence[Parameter], arguments: Mapping[str, Any]) -> Any:
    return invoked(function, known, _values(name, known, arguments))


def _values(name: str, known: Sequence[Parameter], arguments: Any) -> dict[str, Any]:
    """The values of the arguments, which share nothing with the JSON that the conversation keeps."""
    try:
        own = copy.deepcopy(dict(arguments) if isinstance(arguments, Mapping) else arguments)
        return made_fields(own, [each.field for each in known])
    except Unfit as error:
        path, rule, cause = error.path.lstrip("/"), error.rule, error.__cause__
    except RecursionError:
        path, rule, cause = "", "the arguments are nested too deeply", None
    line = one_line(f"{path}: {rule}" if path else rule)
    raise ArgumentsError(f"{name} was not called: {line}. Its input_schema says what it takes.") from cause


def _told(parameter: Parameter, told: Documentation) -> Parameter:
    description = parameter.field.description or told.arguments.get(parameter.name, "")
    return replace(parameter, field=replace(parameter.field, description=description))


def _docstring(function: Any) -> str | None:
    """What is written about a function; of an instance, about its call or its class."""
    if isinstance(function, functools.partial):
        return vars(function).get("__doc__") or _docstring(function.func)
    if inspect.isroutine(function) or isinstance(function, type):
        return inspect.getdoc(function)
    return innermost(function).__doc__ or type(function).__doc__
