"""What the three Python programs share: imports, calls, values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .call import Call
from .formatting import Variable, literal
from .literals import PYTHON, python_text


def imports(call: Call, *, standard: Iterable[str] = (), own: str) -> str:
    """The import statements, with the blank lines that belong around them."""
    reading = ("import base64", "from pathlib import Path") if call.reads_files else ()
    environment = ("import os",) if call.reads_variables else ()
    lines = sorted({*standard, *reading, *environment}, key=lambda line: (line.startswith("from"), line))
    return "\n".join([*lines, "", own] if lines else [own]) + "\n\n"


def expression(function: str, arguments: Iterable[tuple[str, str]], *, depth: int = 0) -> str:
    """A call of `function`, an argument a line.

    Args:
        arguments: Names, `""` for one by position, and source text.
    """
    indent = PYTHON.indent * depth
    lines = [f"{indent}    {name}{'=' if name else ''}{text},\n" for name, text in arguments]
    return f"{function}(\n{''.join(lines)}{indent})" if lines else f"{function}()"


def argument(name: str, value: Any, *, depth: int = 1, broken: bool = False) -> tuple[str, str]:
    """A value under a name."""
    return name, literal(value, PYTHON, depth=depth, used=len(name) + 2, broken=broken)


def headers(name: str, values: Mapping[str, str | Variable], *, depth: int = 1) -> Iterable[tuple[str, str]]:
    """Headers under a name; none if there are none."""
    if values:
        indent = PYTHON.indent * depth
        lines = [f"{indent}    {python_text(header)}: {value_of(value)},\n" for header, value in values.items()]
        yield name, f"{{\n{''.join(lines)}{indent}}}"


def value_of(value: str | Variable) -> str:
    """A header's value, or where it comes from."""
    return python_text(value) if isinstance(value, str) else PYTHON.variable(value)


def reads_environment(values: Iterable[str | Variable]) -> list[str]:
    """The import that values from the environment need."""
    return ["import os"] if any(isinstance(value, Variable) for value in values) else []
