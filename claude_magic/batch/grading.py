"""Grades replies: by comparison with the expected one, by a function, or by a model with a rubric."""

from __future__ import annotations

import numbers
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..errors import CellError
from ..session.prompt import write_value
from ..settings import Claude
from .rows import Row, is_missing

Grader = Callable[[str, Row], Any]

_VERDICT = re.compile(r"\b(pass|fail)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Rubric:
    """The criteria by which a model grades a reply.

    Attributes:
        model: The model that grades; `None` for the one that answers.
    """

    text: str
    model: str | None = None

    def text_for(self, prompt: str, reply: str) -> str:
        """The prompt of the grading model."""
        return (
            "Grade an answer by a rubric. Say `pass` or `fail` in the first line, and why in a sentence below.\n\n"
            f"<rubric>\n{self.text}\n</rubric>\n\n<question>\n{prompt}\n</question>\n\n<answer>\n{reply}\n</answer>"
        )

    @staticmethod
    def verdict(text: str) -> bool | None:
        """Whether it passed; `None` if the model's reply does not say."""
        match = _VERDICT.search(text)
        return None if match is None else match[1].lower() == "pass"


def grader(grade: Any, expected: str, columns: Sequence[str], *, settings: Claude, empty: bool = False) -> Grader:
    """A function that returns the grade of a reply and its row.

    Args:
        grade: `"exact"`, `"contains"`, `"regex"`, or a function of the reply, or of the reply and its row.
        expected: The column with the expected reply; a function does not use it.
        settings: How a value is written, as in a prompt.
        empty: Whether there are no rows, and so perhaps no columns.

    Raises:
        CellError: There is no such grader, or no such column.
    """
    if callable(grade):
        return _custom_grader(grade)
    if not isinstance(grade, str) or grade not in _GRADERS:
        names = ", ".join(map(repr, _GRADERS))
        raise CellError(f"grade={grade!r} is not known. It is {names}, a function, or claude.rubric('...').")
    if expected not in columns and not empty:
        raise CellError(
            f"grade={grade!r} compares with the column {expected!r}, and there is none. Say expected='...'."
        )
    compare, same = _GRADERS[grade], grade == "exact"

    def compare_reply(reply: str, row: Row) -> bool | re.error | None:
        value = row.get(expected)
        try:
            return (
                None
                if is_missing(value)
                else compare(reply, write_value(value, settings)) or (same and _is_same(reply, value))
            )
        except re.error as error:
            return error

    return compare_reply


def is_pass(grade: Any) -> bool | None:
    """Whether a grade counts as passed: a true value, or a float of at least 0.5; `None` without a grade."""
    if grade is None or isinstance(grade, BaseException):
        return None
    try:
        return bool(grade >= 0.5 if isinstance(grade, float) else grade)
    except (TypeError, ValueError):  # such as NA of pandas, or an array
        return None


def _custom_grader(grade: Callable[..., Any]) -> Grader:
    import inspect

    try:
        signature = inspect.signature(grade)
        takes_row = "row" in signature.parameters or not _binds(signature, "a reply")
    except (TypeError, ValueError):
        takes_row = False

    def grade_reply(reply: str, row: Row) -> Any:
        try:
            return grade(reply, row) if takes_row else grade(reply)
        except Exception as error:
            return error  # a grader that fails is shown beside its row; the replies are paid for

    return grade_reply


def _binds(signature: Any, *values: Any) -> bool:
    """Whether it can be called with these values."""
    try:
        signature.bind(*values)
    except TypeError:
        return False
    return True


def _is_same(reply: str, value: Any) -> bool:
    """Whether a reply is this number or truth value, however it is written."""
    if type(value).__name__ in ("bool", "bool_"):
        return reply.strip().casefold() == str(value).casefold()
    if not isinstance(value, numbers.Number):
        return False
    try:
        return Decimal(reply.strip()) == Decimal(str(value))
    except ArithmeticError:
        return False


_GRADERS: dict[str, Callable[[str, str], bool]] = {
    "exact": lambda reply, value: reply.strip() == value.strip(),
    "contains": lambda reply, value: value.strip() in reply,
    "regex": lambda reply, value: re.search(value, reply) is not None,
}
