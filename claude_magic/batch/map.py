"""`claude.map`: from a table to prompts, replies and grades, and back to a table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..concurrency import Executor
from ..display.tables.map_replies import COLUMNS, Replies
from ..display.tables.progress import Progress
from ..errors import CellError, Interrupted
from ..prompt.options.keywords import check_flags, grading_keywords, options_of_many
from .estimate import Estimate, PriceApprover, check_price, estimate, expected_seconds
from .grading import Grader, Rubric, grader, is_pass
from .low_limits import LowLimits
from .row_prompts import check_unique, row_template
from .rows import Row, columns_of, is_frame, readable, refuse_taken, rows_of, with_columns
from .runner import Job, RowResult, run

if TYPE_CHECKING:
    from ..session.session import Session

_STOPPED = RowResult(reply=Interrupted("not sent: you stopped before."))
_EMPTY = CellError("the row holds nothing.")

Texts = Sequence[str | CellError]


ARGUMENTS = ("batch", "concurrency", "dry_run", "executor", "expected", "grade", "prefix", "resume", "yes")
"""The arguments of `claude.map` beside the options of a cell."""


@dataclass(frozen=True, kw_only=True)
class MapOptions:
    """How the rows are sent.

    Attributes:
        options: The options of `%%claude`, as keyword arguments.
        grade: `exact`, `contains` or `regex`, a function, or a `Rubric`; `None` for no grades.
        expected: The column with the expected reply.
        at_once: How many are under way at the same time; `None` for `Claude.concurrency`.
        executor: Sends the requests; `None` for threads of our own.
        resume: Whether an answer in the journal is used; `None` for yes. With batches, `True` also sends again what
            failed, and `None` does not.
        dry_run: Whether only to estimate what would be sent.
        prefix: Stands before the names of the new columns of a DataFrame.
        batch: Whether message batches answer.
        yes: Whether a high price needs no approval.
    """

    options: dict[str, Any]
    grade: Any = None
    expected: str = "expected"
    at_once: int | None = None
    executor: Executor | None = None
    resume: bool | None = None
    dry_run: bool = False
    prefix: str = ""
    batch: bool = False
    yes: bool = False

    def __post_init__(self) -> None:
        check_flags(yes=self.yes, batch=self.batch, dry_run=self.dry_run)
        if self.resume is not None:
            check_flags(resume=self.resume)


def map_rows(
    session: Session, given: Any, template: str | None, how: MapOptions, approver: PriceApprover | None = None
) -> Any:
    """The result of `claude.map`.

    Args:
        approver: Asks the user about a high price; `None` if nobody can be asked.

    Raises:
        CellError: The table, the template or the grader is wrong; nothing was sent.
        Interrupted: The user stopped it; what was answered is in `claude.mapped`.
    """
    try:
        return _map(session, given, template, how, approver)
    except KeyboardInterrupt:  # before the first request, or between two steps
        raise Interrupted("stopped between two steps; what was answered is in the journal. Run it again.") from None


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table, checked.

    Attributes:
        rows: As given.
        shown: As they are written in prompts, and compared.
        texts: The text of each row's prompt, or why there is none.
        grader: Grades a reply; `None` if nothing or a model does.
    """

    rows: Sequence[Row]
    shown: Sequence[Row]
    texts: Texts
    grader: Grader | None


def _map(session: Session, given: Any, template: str | None, how: MapOptions, approver: PriceApprover | None) -> Any:
    table = _table(session, given, template, how)
    if how.dry_run:
        return _estimate(session, table.texts, how)
    begin = _begin(session, table.texts, how, approver)
    if how.batch:
        from .map_batches import map_in_batches

        return map_in_batches(session, given, table, how)
    began, low_limits = time.monotonic(), LowLimits()
    results, complete = _results(session, table.texts, "replies", how, low_limits, begin)
    verdicts = None
    if isinstance(how.grade, Rubric) and complete:
        texts = grading_texts(how.grade, table.texts, results)
        verdicts, complete = _results(session, texts, "grades", for_grading(how, how.grade), low_limits)
    if low_limits.warning:
        print(low_limits.warning)
    replies = graded_replies(table, how, results, verdicts, time.monotonic() - began)
    session.mapped = replies
    if not complete:
        raise Interrupted(f"stopped: {replies.summary}. They are in claude.mapped; run it again for the rest.")
    return as_given(given, replies, how)


def graded_replies(
    table: Table, how: MapOptions, results: Sequence[RowResult], verdicts: Sequence[RowResult] | None, seconds: float
) -> Replies:
    """The results of a table with their grades.

    Args:
        verdicts: What the grading model said; `None` if none did.
    """
    grades: list[Any] | None = None
    if verdicts is not None:
        grades = [Rubric.verdict(each.reply) if isinstance(each.reply, str) else None for each in verdicts]
    elif table.grader is not None:
        pairs = zip(results, table.shown if isinstance(how.grade, str) else table.rows, strict=True)
        grades = [table.grader(each.reply, row) if isinstance(each.reply, str) else None for each, row in pairs]
    return Replies(
        results,
        questions=[str(text) for text in table.texts],
        grades=grades,
        passed=[is_pass(each) for each in grades or ()],
        seconds=seconds,
        graded_usd=sum(each.usd or 0.0 for each in verdicts or () if not each.known),
        graded_unpriced=sum(
            each.usd is None and isinstance(each.reply, str) and not each.known for each in verdicts or ()
        ),
    )


def as_given(given: Any, replies: Replies, how: MapOptions) -> Any:
    """The replies; of a DataFrame, a copy of it with them as columns."""
    if not is_frame(given):
        return replies
    print(replies.summary)
    return with_columns(given, replies.columns, how.prefix)


def _table(session: Session, given: Any, template: str | None, how: MapOptions) -> Table:
    """Reads the table, its template and its grader.

    Raises:
        CellError: One of them is wrong.
    """
    if how.at_once is not None and (not isinstance(how.at_once, int) or how.at_once < 1):
        raise CellError(f"concurrency is a whole number from 1 on: {how.at_once!r}. None takes Claude.concurrency.")
    rows = rows_of(given)
    columns = columns_of(given, rows)
    expected = how.expected if isinstance(how.grade, str) else None
    row_prompt = row_template(template, columns, expected=expected) if columns or template else None
    settings = session.settings_for(options_of_many(how.options, ARGUMENTS))
    grade = None
    if how.grade is not None and not isinstance(how.grade, Rubric):
        grade = grader(how.grade, how.expected, columns, settings=settings, empty=not rows)
    check_unique(columns, [] if expected is None else [expected])
    if is_frame(given):
        refuse_taken(columns, [how.prefix + name for name in (*COLUMNS, *["grade"] * (how.grade is not None))])
    shown = readable(rows)
    texts = [_EMPTY if row_prompt is None else row_prompt.text(row, settings) for row in shown]
    return Table(rows=rows, shown=shown, texts=texts, grader=grade)


def _estimate(session: Session, texts: Texts, how: MapOptions) -> Estimate:
    """What the rows would send, and their grades if a model gives them."""
    estimated = estimate(map_job(session, texts, how), batch=how.batch)
    if not isinstance(how.grade, Rubric):
        return estimated
    grading = replace(for_grading(how, how.grade), resume=False)
    prompts = [how.grade.text_for(each, "") for each in texts if isinstance(each, str)]
    return estimated.plus(estimate(map_job(session, prompts, grading), further=estimated.most_reply, batch=how.batch))


def for_grading(how: MapOptions, rubric: Rubric) -> MapOptions:
    """How the grading model is asked: without what is meant for the answering one, such as a system prompt."""
    options = grading_keywords(how.options)
    return replace(how, options={**options, "system": "", **({"model": rubric.model} if rubric.model else {})})


def grading_texts(rubric: Rubric, texts: Texts, results: Sequence[RowResult]) -> list[str | CellError]:
    """What the grading model is asked about each reply."""
    return [
        CellError("there is no reply to grade.")
        if isinstance(text, CellError) or not isinstance(result.reply, str)
        else rubric.text_for(text, result.reply)
        for text, result in zip(texts, results, strict=True)
    ]


def _begin(session: Session, texts: Texts, how: MapOptions, approver: PriceApprover | None) -> str:
    """What the progress begins with; asks the user first if the price may be high.

    Raises:
        CellError: The user says no, or cannot be asked.
    """
    limit = session.settings_for(options_of_many(how.options, ARGUMENTS)).confirm_above_usd
    if (limit is None or how.yes) and (how.batch or not Progress.is_shown()):  # a batch has no bar
        return ""
    if how.batch:
        from .map_batches import is_under_way

        if is_under_way(session, texts, how):  # nothing more is paid
            return ""
    estimated = _estimate(session, texts, how)
    if limit is not None and not how.yes:
        check_price(estimated, limit, approver)
    return estimated.line(expected_seconds(map_job(session, texts, how), estimated.requests))


def _results(
    session: Session, texts: Texts, title: str, how: MapOptions, low_limits: LowLimits, begin: str = ""
) -> tuple[list[RowResult], bool]:
    """A result for each text, and whether all were sent (`False` if the user stopped it)."""
    results = [_STOPPED] * len(texts)

    def on_result(number: int, result: RowResult) -> None:
        results[number] = result
        progress.add(0.0 if result.known else result.usd, failed=not isinstance(result.reply, str))

    job = replace(map_job(session, texts, how), low_limits=low_limits)
    with Progress(len(texts), title, begin) as progress:
        return results, run(job, on_result)


def map_job(session: Session, texts: Texts, how: MapOptions) -> Job:
    options = options_of_many({"stream": False, **how.options}, ARGUMENTS)
    settings = session.settings_for(options)
    if options.conversation or settings.conversation:
        raise CellError("claude.map asks outside of any conversation. Leave it out.")
    return Job(
        sender=session.sender,
        settings=settings,
        caller=session.caller(options),
        options=options,
        texts=texts,
        executor=how.executor,
        at_once=settings.concurrency if how.at_once is None else how.at_once,
        resume=how.resume is not False and not options.again,
    )
