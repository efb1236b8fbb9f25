"""From what `claude.map` is given to what it gives back: rows, questions, answers, grades, and a table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..concurrency import Executor
from ..display.tables.map_replies import COLUMNS, Replies
from ..display.tables.progress import Progress
from ..errors import CellError, Interrupted
from ..prompt.options.keywords import grading_keywords, options_of_many
from ..prompt.options.options import Options
from .estimate import Estimate, estimate
from .grading import Rubric, grader, is_pass
from .row_prompts import check_unique, row_template
from .rows import columns_of, is_frame, readable, refuse_taken, rows_of, with_columns
from .runner import Job, RowResult, run

if TYPE_CHECKING:
    from ..session.session import Session

_STOPPED = RowResult(reply=Interrupted("not asked: the reader stopped before."))
_NOTHING = CellError("the row holds nothing.")

Questions = Sequence[str | CellError]


@dataclass(frozen=True, kw_only=True)
class MapOptions:
    """How the rows are asked.

    Attributes:
        at_once: How many are under way at the same time; `None` for `Claude.concurrency`.
        executor: Sends the requests; `None` for threads of our own.
        resume: Whether an answer in the journal is taken.
        dry_run: Whether only to tell what would be sent.
        prefix: Stands before the names of the new columns of a DataFrame.
    """

    options: dict[str, Any]
    at_once: int | None = None
    executor: Executor | None = None
    resume: bool = True
    dry_run: bool = False
    prefix: str = ""


def map_rows(session: Session, given: Any, template: str | None, *, grade: Any, expected: str, how: MapOptions) -> Any:
    """As `_mapped`; a stop that comes before anything is asked, or between two steps, is one line too."""
    try:
        return _mapped(session, given, template, grade=grade, expected=expected, how=how)
    except KeyboardInterrupt:
        raise Interrupted("stopped between two steps; what was answered is in the journal. Run it again.") from None


def _mapped(session: Session, given: Any, template: str | None, *, grade: Any, expected: str, how: MapOptions) -> Any:
    """What `claude.map` gives back.

    Raises:
        CellError: The table, the template or the grader is wrong; nothing was sent.
        Interrupted: The reader stopped it; what was answered is in `claude.mapped`.
    """
    if how.at_once is not None and (not isinstance(how.at_once, int) or how.at_once < 1):
        raise CellError(f"concurrency is a whole number from 1 on: {how.at_once!r}. None takes Claude.concurrency.")
    rows = rows_of(given)
    columns = columns_of(given, rows)
    compares = isinstance(grade, str)
    asked_as = row_template(template, columns, expected=expected if compares else None) if columns or template else None
    own = (
        None
        if grade is None or isinstance(grade, Rubric)
        else grader(grade, expected, columns, write=session.format_value, empty=not rows)
    )
    check_unique(columns, [expected] if compares else [])
    if is_frame(given):
        refuse_taken(columns, [how.prefix + name for name in (*COLUMNS, *["grade"] * (grade is not None))])
    texts = readable(rows)
    questions = [_NOTHING if asked_as is None else asked_as.prompt(row, session.format_value) for row in texts]
    if how.dry_run:
        return _estimate(session, questions, grade, how)
    began = time.monotonic()
    answers, whole = _answers(session, questions, "replies", how)
    grades: list[Any] | None = None
    graded_usd = 0.0
    if isinstance(grade, Rubric) and whole:
        asked = [_to_grade(grade, *pair) for pair in zip(questions, answers, strict=True)]
        said, whole = _answers(session, asked, "grades", _how_to_grade(how, grade))
        graded_usd = sum(each.usd or 0.0 for each in said if not each.known)
        grades = [Rubric.verdict(each.reply) if isinstance(each.reply, str) else None for each in said]
    elif own is not None:
        pairs = zip(answers, texts if compares else rows, strict=True)
        grades = [own(answer.reply, row) if isinstance(answer.reply, str) else None for answer, row in pairs]
    replies = Replies(
        answers,
        questions=[str(question) for question in questions],
        grades=grades,
        passed=[is_pass(each) for each in grades or ()],
        seconds=time.monotonic() - began,
        graded_usd=graded_usd,
    )
    session.mapped = replies
    if not whole:
        raise Interrupted(f"stopped: {replies.summary}. They are in claude.mapped; run it again for the rest.")
    if not is_frame(given):
        return replies
    print(replies.summary)
    return with_columns(given, replies.columns, how.prefix)


def _estimate(session: Session, questions: Questions, grade: Any, how: MapOptions) -> Estimate:
    """What the rows, and their grades if a model gives them, would be."""
    job = _job(session, questions, how, told=lambda *_: None)
    found = estimate(job)
    if not isinstance(grade, Rubric):
        return found
    most = found.most_reply
    grading = _how_to_grade(how, grade)
    asked = [grade.question(each, "") for each in questions if isinstance(each, str)]
    return found.plus(estimate(_job(session, asked, replace(grading, resume=False), told=lambda *_: None), more=most))


def _how_to_grade(how: MapOptions, rubric: Rubric) -> MapOptions:
    """How the grading model is asked: without what was said to the one that answers, such as a system prompt."""
    options = grading_keywords(how.options)
    return replace(how, options={**options, "system": "", **({"model": rubric.model} if rubric.model else {})})


def _to_grade(rubric: Rubric, question: str | CellError, answer: RowResult) -> str | CellError:
    if isinstance(question, CellError) or not isinstance(answer.reply, str):
        return CellError("there is no reply to grade.")
    return rubric.question(question, answer.reply)


def _answers(session: Session, questions: Questions, title: str, how: MapOptions) -> tuple[list[RowResult], bool]:
    """An answer for each question, and whether the reader let it end."""
    answers = [_STOPPED] * len(questions)

    def on_answer(number: int, answer: RowResult) -> None:
        answers[number] = answer
        progress.add(0.0 if answer.known else answer.usd, failed=not isinstance(answer.reply, str))

    job = _job(session, questions, how, on_answer)
    with Progress(len(questions), title) as progress:
        return answers, run(job)


def _job(session: Session, questions: Questions, how: MapOptions, told: Callable[[int, RowResult], None]) -> Job:
    options: Options = options_of_many({"stream": False, **how.options})
    means = session.context(options)
    if options.conversation or means.settings.conversation:
        raise CellError("claude.map asks outside of any conversation. Leave it out.")
    return Job(
        means=means,
        asker=session.caller(options, ""),
        options=options,
        questions=questions,
        executor=how.executor,
        at_once=means.settings.concurrency if how.at_once is None else how.at_once,
        resume=how.resume and not options.again,
        told=told,
    )
