"""Values that pass between packages hold data only: no function hides in them."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from claude_magic.wire import Exchange

PACKAGE = Path(__file__).parents[1] / "claude_magic"
RUNS = {"wire/tool.py: Tool.run"}  # a tool is a function


def frozen_fields(package: str) -> Iterator[tuple[str, str]]:
    """Each field of the frozen dataclasses of a package, and its annotation."""
    for path in sorted((PACKAGE / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and any("frozen=True" in ast.unparse(d) for d in node.decorator_list):
                for each in node.body:
                    if isinstance(each, ast.AnnAssign):
                        name = f"{path.relative_to(PACKAGE)}: {node.name}.{ast.unparse(each.target)}"
                        yield name, ast.unparse(each.annotation)


def test_no_value_of_wire_and_session_holds_a_callable() -> None:
    fields = [*frozen_fields("wire"), *frozen_fields("session")]
    assert {name for name, annotation in fields if "Callable" in annotation} == RUNS


def test_an_exchange_has_few_parts() -> None:
    assert len(dataclasses.fields(Exchange)) <= 13
