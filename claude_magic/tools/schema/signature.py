"""The parameters of a callable with evaluated annotations, and calls with values by name.

Bound parameters are left out: `self`, and the arguments of a partial.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import CellError
from ...wire.short_text import one_line, short_repr

_SEVERAL = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of a function.

    Attributes:
        annotation: The evaluated annotation.
        default: `inspect.Parameter.empty` if there is none.
        positional: Whether it cannot be passed by name.
    """

    name: str
    annotation: Any = Any
    default: Any = inspect.Parameter.empty
    positional: bool = False

    @property
    def own_default(self) -> bool:
        """Whether it has a Python default; a pydantic `Field` is not one."""
        return self.default is not inspect.Parameter.empty and type(self.default).__name__ != "FieldInfo"


def parameters(
    function: Any, where: str, *, scope: Mapping[str, Any] | None = None, hints: Mapping[str, Any] | None = None
) -> list[Parameter]:
    """The parameters of a function.

    Args:
        where: The name of the function, for errors.
        scope: Additional names for its annotations.
        hints: Annotations that were evaluated before.

    Raises:
        CellError: It has no signature, or a parameter has no name or no valid annotation; the error names it. Its cause
            is a `NameError` if a name is undefined.
    """
    inner = innermost(function)
    bound = function.keywords if isinstance(function, functools.partial) else {}
    result = []
    for parameter in _raw_parameters(function, where):
        if parameter.name in bound:
            continue
        if parameter.kind in _SEVERAL:
            raise CellError(
                f"no schema for {where}: {_SEVERAL[parameter.kind]}{parameter.name} takes any number of arguments. "
                "Name each parameter, or take a list or a dict."
            )
        if hints is not None and parameter.name in hints:
            hint = hints[parameter.name]
        else:
            hint = _hint(parameter, inner, f"{where}.{parameter.name}", scope or {})
        result.append(
            Parameter(
                name=parameter.name,
                annotation=hint,
                default=parameter.default,
                positional=parameter.kind is parameter.POSITIONAL_ONLY,
            )
        )
    return result


def innermost(function: Any) -> Any:
    """The underlying function of a partial, a method, a decorated function or a callable instance."""
    for _ in range(100):
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, types.MethodType | staticmethod | classmethod):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif inspect.isroutine(function) or isinstance(function, type) or not callable(function):
            break
        else:
            function = type(function).__call__
    return function


def call(function: Callable[..., Any], known: Sequence[Parameter], values: Mapping[str, Any]) -> Any:
    """Calls a function with values by parameter name; missing ones get their defaults."""
    last = max((at for at, each in enumerate(known) if each.positional and each.name in values), default=-1)
    positional, keywords = [], {}
    for at, each in enumerate(known):
        if each.name in values:
            value = values[each.name]
        elif each.positional and at < last:
            value = each.default
        else:
            continue
        if each.positional:
            positional.append(value)
        else:
            keywords[each.name] = value
    return function(*positional, **keywords)


def _raw_parameters(function: Any, where: str) -> list[inspect.Parameter]:
    try:
        if sys.version_info >= (3, 14):
            import annotationlib

            signature = inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)
        else:
            signature = inspect.signature(function)
    except (ValueError, TypeError, AttributeError):
        raise CellError(
            f"no schema for {where}: Python does not tell its parameters. Write a function that calls it."
        ) from None
    return list(signature.parameters.values())


def _hint(parameter: inspect.Parameter, function: Any, where: str, scope: Mapping[str, Any]) -> Any:
    """The evaluated annotation of one parameter, so that an invalid one of another does not matter."""
    if parameter.annotation is parameter.empty:
        return Any
    holder = types.SimpleNamespace(__annotations__={"it": parameter.annotation})
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    globals_ = getattr(function, "__globals__", None) or vars(module or types.SimpleNamespace())
    names = dict(globals_), {**scope, **_closure(function)}
    try:
        return _evaluate(typing.get_type_hints(holder, *names, include_extras=True)["it"], *names)
    except Exception as error:  # evaluating an annotation may raise anything
        raise CellError(
            f"no schema for {where}: its annotation {short_repr(parameter.annotation)} cannot be read: "
            f"{one_line(str(error), 150)}. It must name what a cell above defines."
        ) from (error if isinstance(error, NameError) else None)


def _evaluate(hint: Any, globals_: dict[str, Any], locals_: dict[str, Any]) -> Any:
    """`list["City"]` as `list[City]`, which Python 3.10 leaves as it is."""
    if not isinstance(hint, types.GenericAlias) or sys.version_info >= (3, 11):
        return hint
    inner = []
    for each in typing.get_args(hint):
        if isinstance(each, str):
            holder = types.SimpleNamespace(__annotations__={"it": each})
            each = typing.get_type_hints(holder, globals_, locals_, include_extras=True)["it"]
        inner.append(_evaluate(each, globals_, locals_))
    return types.GenericAlias(typing.get_origin(hint), tuple(inner))


def _closure(function: Any) -> dict[str, Any]:
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    variables = {}
    for name, cell in zip(names, getattr(function, "__closure__", None) or (), strict=False):
        try:
            variables[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return variables
