"""The source of a function or a class of the notebook."""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Iterator
from types import FunctionType, MethodType
from typing import Any


def source_of(value: Any) -> str | None:
    """The source of a function or a class; `None` if it is neither, or has none."""
    if not isinstance(value, type | FunctionType | MethodType) and "__wrapped__" not in getattr(value, "__dict__", ()):
        return None
    try:
        text: str | None = inspect.getsource(value)
    except (OSError, TypeError, SyntaxError):
        text = _source_in_a_cell(value) if isinstance(value, type) else None
    return textwrap.dedent(text).rstrip("\n") if text else None


def _source_in_a_cell(cls: type) -> str | None:
    """The source of a class that a cell defined, which `inspect` does not look for."""
    methods = (method for method in vars(cls).values() if isinstance(method, FunctionType))
    files = [method.__code__.co_filename for method in methods]
    cells = [file for file, entry in reversed(list(linecache.cache.items())) if len(entry) > 1 and entry[1] is None]
    for file in (*files, *cells):
        lines = linecache.getlines(file)
        for node in _classes("".join(lines), cls.__name__):
            first = min((node.lineno, *(decorator.lineno for decorator in node.decorator_list)))
            return "".join(lines[first - 1 : node.end_lineno])
    return None


def _classes(source: str, name: str) -> Iterator[ast.ClassDef]:
    """The classes called `name` in `source`, the last one first."""
    if name not in source:
        return
    try:
        nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ClassDef) and n.name == name]
    except SyntaxError:
        return
    yield from reversed(nodes)
