"""The parameters of whatever can be called, with their annotations read, and a call with named values.

What has been bound is left out: `self`, and the arguments of a partial.
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

from ..errors import CellError
from . import kinds
from .kinds import UNTOLD, Field
from .typed import made
from .unfit import Unfit, one_line, seen

_SEVERAL = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of a function.

    Attributes:
        field: As Claude sees it; its name may be the alias of a pydantic `Field`.
        name: As the function has it.
        annotation: Its type as it was written, with what it names.
        positional: Whether it cannot be passed by name.
        default: Makes what is passed where Claude passes nothing; `None` if the function itself does.
    """

    field: Field
    name: str
    annotation: Any = Any
    positional: bool = False
    default: Callable[[], Any] | None = None


def parameters(
    function: Any, where: str, *, scope: Mapping[str, Any] | None = None, hints: Mapping[str, Any] | None = None
) -> list[Parameter]:
    """What a function may be called with.

    Args:
        where: What it is called, for errors.
        scope: Names that its annotations may use beside those that it sees itself.
        hints: Annotations that were read before.

    Raises:
        CellError: It has no signature, or a parameter has no name or no type; it is named. Its cause is a
            `NameError` if a later cell may define what is missing.
    """
    inner = innermost(function)
    bound = function.keywords if isinstance(function, functools.partial) else {}
    found = []
    for parameter in _listed(function, where):
        if parameter.name in bound:
            continue
        if parameter.kind in _SEVERAL:
            raise CellError(
                f"no schema for {where}: {_SEVERAL[parameter.kind]}{parameter.name} takes any number of arguments. "
                "Name each parameter, or take a list or a dict."
            )
        hint = (hints or {}).get(parameter.name, UNTOLD)
        if hint is UNTOLD:
            hint = _hint(parameter, inner, f"{where}.{parameter.name}", scope or {})
        found.append(_parameter(parameter, hint))
    return found


def innermost(function: Any) -> Any:
    """The function that a partial, a method, a decorator or an instance calls in the end."""
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


def invoked(function: Callable[..., Any], known: Sequence[Parameter], values: Mapping[str, Any]) -> Any:
    """What a function returns for values by the names that Claude uses; what is missing is left to its defaults."""
    listed = [(each, each.field.name in values) for each in known]
    last = max((at for at, (each, is_given) in enumerate(listed) if each.positional and is_given), default=-1)
    positional, named = [], {}
    for at, (each, is_given) in enumerate(listed):
        if is_given:
            value = values[each.field.name]
        elif each.default is not None:
            value = each.default()
        elif each.positional and at < last:
            value = each.field.default
        else:
            continue
        if each.positional:
            positional.append(value)
        else:
            named[each.name] = value
    return function(*positional, **named)


def _listed(function: Any, where: str) -> list[inspect.Parameter]:
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
    """The annotation of a parameter, of this one only: no other's fault stands in the way."""
    if parameter.annotation is parameter.empty:
        return Any
    holder = types.SimpleNamespace(__annotations__={"it": parameter.annotation})
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    globals_ = getattr(function, "__globals__", None) or vars(module or types.SimpleNamespace())
    try:
        return typing.get_type_hints(holder, dict(globals_), {**scope, **_closure(function)}, include_extras=True)["it"]
    except Exception as error:  # evaluating what was written may raise anything
        raise CellError(
            f"no schema for {where}: its annotation {seen(parameter.annotation)} cannot be read: "
            f"{one_line(str(error), 150)}. It must name what a cell above defines."
        ) from (error if isinstance(error, NameError) else None)


def _closure(function: Any) -> dict[str, Any]:
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    found = {}
    for name, cell in zip(names, getattr(function, "__closure__", None) or (), strict=False):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # it is not there yet
            continue
    return found


def _parameter(parameter: inspect.Parameter, hint: Any) -> Parameter:
    given = [] if parameter.default is parameter.empty else [parameter.default]
    own = next((each for each in (*given, *kinds.notes(hint)) if type(each).__name__ == "FieldInfo"), None)
    written = hint
    if own is not None and given and own is parameter.default:
        given = []
        hint = typing.Annotated[hint, own]
    make = None
    if own is not None and not given and not own.is_required():
        make = functools.partial(own.get_default, call_default_factory=True)
        given = [own.default] if own.default_factory is None else [UNTOLD]
    description = kinds.bare(hint)[1]
    if given == [None] and not _takes_none(hint):
        hint = typing.Optional[hint]  # `city: str = None` is often written and always meant so  # noqa: UP045
    return Parameter(
        field=Field(
            name=str(getattr(own, "alias", None) or parameter.name),
            kind=hint,
            required=not given,
            description=description,
            default=given[0] if given else UNTOLD,
        ),
        name=parameter.name,
        annotation=written,
        positional=parameter.kind is parameter.POSITIONAL_ONLY,
        default=make,
    )


def _takes_none(hint: Any) -> bool:
    try:
        made(None, hint)
    except Unfit:
        return False
    except Exception:  # no type that JSON has: the schema says so
        return True
    return True
