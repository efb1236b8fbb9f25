"""The options that `@claude.tool` stores on a function, and the name of its tool."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import CellError
from ...wire.short_text import one_line, short_repr
from .signature import Parameter

MARK = "__claude_tool__"
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]+")


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The options stored on a function.

    Attributes:
        hints: The parameters' annotations, evaluated at the decorator; `None` if one could not be evaluated there.
    """

    name: str | None = None
    approve: bool = True
    parallel: bool = False
    strict: bool = False
    hints: Mapping[str, Any] | None = None


def mark_of(function: Any) -> Mark:
    """The mark of a function, of the function in a partial, or of the `__call__` of an instance."""
    while isinstance(function, functools.partial) and MARK not in vars(function):
        function = function.func
    for holder in (function, inspect.getattr_static(function, "__call__", None)):
        mark = getattr(holder, MARK, None)
        if isinstance(mark, Mark):
            return mark
    return Mark()


def tool_name(function: Any, name_given: str | None = None, called: str = "") -> str:
    """The tool name of a function; characters of its own name that the API does not accept become `_`.

    Args:
        name_given: The name given to the decorator.
        called: The variable that holds the function, if the function has no name.

    Raises:
        CellError: The API does not accept the name.
    """
    own = getattr(function, "__name__", "")
    inner = function.func if isinstance(function, functools.partial) else type(function)
    names = [called] if own == "<lambda>" else [own, called, getattr(inner, "__name__", "")]
    name = name_given if name_given is not None else next(filter(None, names), own)
    if name_given is None and str(name).isidentifier():
        name = _ILLEGAL.sub("_", name)[:128]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise CellError(
            f"a tool cannot be called {one_line(short_repr(name))}: the API takes 1 to 128 letters a-z, digits, '_' "
            "and '-'. Give it a name: @claude.tool(name=...)."
        )
    return name


def is_unbound(function: Any, known: Sequence[Parameter]) -> bool:
    """Whether it is a method that is not bound to an object."""
    name = getattr(function, "__qualname__", "").rpartition("<locals>.")[2]
    is_plain = inspect.isfunction(function) and "." in name
    return is_plain and bool(known) and known[0].name in ("self", "cls") and known[0].annotation is Any


def callers_names() -> Mapping[str, Any]:
    """The local variables at the decorator: those of the first frame outside this package.

    In a class body, also those of the enclosing frames.
    """
    frame = sys._getframe(1)
    package = __name__.partition(".")[0]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame = frame.f_back
    variables = dict(frame.f_locals)
    while "__qualname__" in frame.f_locals and frame.f_back is not None:
        frame = frame.f_back
        variables = {**frame.f_locals, **variables}
    return variables
