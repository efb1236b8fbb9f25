"""The replies of `claude.map`: a list, shown as a table of the first ones below a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from ...errors import ClaudeError
from ...wire.short_text import span, spent
from .journal_entries import NUMBERS, price, seconds, tokens
from .table import Cell, Kind, table, words

_SHOWN = 20
_WORDS = 60
_ERROR_WORDS = 120
_KINDS: dict[str, Kind] = {**NUMBERS, "row": "number", **dict.fromkeys(("question", "reply", "error"), "wrap")}
_FACT_HEADS = ("tokens in", "tokens out", "price, $", "seconds")
_FACTS = ("stop_reason", "input_tokens", "output_tokens", "usd", "seconds")
COLUMNS = ("reply", "error", *_FACTS)
_WHOLE = ("end_turn", "stop_sequence")


class Answer(Protocol):
    """The result of one prompt."""

    @property
    def reply(self) -> str | ClaudeError: ...
    @property
    def stop_reason(self) -> str | None: ...
    @property
    def input_tokens(self) -> int | None: ...
    @property
    def output_tokens(self) -> int | None: ...
    @property
    def usd(self) -> float | None: ...
    @property
    def seconds(self) -> float | None: ...
    @property
    def entry(self) -> int | None: ...
    @property
    def known(self) -> bool: ...


class Replies(list[Any]):
    """The text of each reply, or the error, in the order of the prompts.

    Attributes:
        answers: The results with their tokens, prices and times.
        questions: The prompts.
        grades: The grade of each reply; `None` if nothing was graded.
    """

    def __init__(
        self,
        answers: Sequence[Answer],
        *,
        questions: Sequence[str],
        grades: Sequence[Any] | None,
        passed: Sequence[bool | None],
        seconds: float,
        graded_usd: float = 0.0,
        graded_unpriced: int = 0,
    ) -> None:
        super().__init__(answer.reply for answer in answers)
        self.answers = answers
        self.questions = questions
        self.grades = grades
        self._passed = passed
        self._seconds = seconds
        self._graded = graded_usd, graded_unpriced

    @property
    def errors(self) -> list[ClaudeError]:
        """The errors of the prompts that failed."""
        return [reply for reply in self if isinstance(reply, ClaudeError)]

    @property
    def pass_rate(self) -> float | None:
        """The share of replies that passed, between 0 and 1; `None` if nothing was graded."""
        graded = [each for each in self._passed if each is not None]
        return sum(graded) / len(graded) if graded else None

    @property
    def columns(self) -> dict[str, list[Any]]:
        """The columns of a DataFrame: texts and errors separately, `None` where there is none."""
        errors = [_error_text(each) if isinstance(each, ClaudeError) else None for each in self]
        grades = list(self.grades or ())
        for number, grade in enumerate(grades):
            if isinstance(grade, BaseException):
                errors[number], grades[number] = f"not graded: {_error_text(grade)}", None
        result: dict[str, list[Any]] = {name: [getattr(each, name) for each in self.answers] for name in _FACTS}
        result = {"reply": [each if isinstance(each, str) else None for each in self], "error": errors, **result}
        return result if self.grades is None else {**result, "grade": grades}

    @property
    def summary(self) -> str:
        """One line: how many succeeded and failed, the cost, and how many passed."""
        failed = Counter(type(error).__name__ for error in self.errors)
        cut = Counter(a.stop_reason for a in self.answers if isinstance(a.reply, str) and a.stop_reason not in _WHOLE)
        known = sum(answer.known for answer in self.answers)
        new = [answer for answer in self.answers if not answer.known]
        usd = sum(answer.usd or 0.0 for answer in new) + self._graded[0]
        unpriced = sum(isinstance(a.reply, str) and a.usd is None for a in new) + self._graded[1]
        facts = [f"{len(self) - len(self.errors):,} of {len(self):,} answered"]
        facts += [f"{known:,} of them before"] * bool(known)
        facts += [f"{count:,} × {kind}" for kind, count in failed.most_common()]
        facts += [f"{count:,} incomplete ({reason})" for reason, count in cut.most_common() if reason]
        if self.pass_rate is not None:
            graded = [each for each in self._passed if each is not None]
            facts.append(f"{self.pass_rate:.1%} passed ({sum(graded):,} of {len(graded):,})")
        return " · ".join([*facts, spent(usd, unpriced), span(self._seconds)])

    def __repr__(self) -> str:
        return self._repr_mimebundle_()["text/plain"]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        grade = ["grade"] if self.grades is not None else []
        head = ["row", "question", "reply", "error", *grade, *_FACT_HEADS]
        left = len(self) - _SHOWN
        below = f"… {left:,} more" if left > 0 else ""
        rows = [self._cells(number) for number in range(min(len(self), _SHOWN))]
        return table(self.summary, head, rows, kinds=_KINDS, below=below)

    def _cells(self, number: int) -> list[Cell]:
        answer = self.answers[number]
        text, error = (answer.reply, "") if isinstance(answer.reply, str) else ("", _error_text(answer.reply))
        grade: list[Cell] = []
        if self.grades is not None:
            value = self.grades[number]
            is_failure = isinstance(value, BaseException)
            error = f"not graded: {_error_text(value)}" if is_failure else error
            grade = ["" if value is None or is_failure else words(str(value), 20)]
        facts = self._facts(answer)
        return [
            str(number),
            words(self.questions[number], _WORDS),
            words(text, _WORDS),
            words(error, _ERROR_WORDS),
            *grade,
            *(facts if isinstance(answer.reply, str) else [cell or "" for cell in facts]),
        ]

    @staticmethod
    def _facts(answer: Answer) -> list[Cell]:
        return [
            tokens(answer.input_tokens),
            tokens(answer.output_tokens),
            price(answer.usd),
            seconds(answer.seconds),
        ]


def _error_text(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
