"""`claude.map(..., batch=True)`: message batches answer the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from ..display.live.batch_status import show
from ..errors import CellError, ClaudeError
from ..prompt.options.keywords import options_of_many
from ..prompt.options.options import Options
from ..session.prompt import Prompt
from ..session.session import Session
from ..wire import Request
from .grading import Rubric
from .map import MapOptions, Table, Texts, as_given, for_grading, graded_replies, grading_texts, map_job
from .message_batches.access import Access
from .message_batches.batch import Batch
from .message_batches.plan import Resume
from .message_batches.start import known, start
from .runner import RowResult, run


def map_in_batches(session: Session, given: Any, table: Table, how: MapOptions) -> Batch[Any]:
    """The batch that answers the rows of a table; a rubric is applied in a second one.

    Raises:
        CellError: It cannot be sent.
    """

    def results(answered: Batch[Any]) -> Any:
        verdicts = None if answered.grading is None else list(answered.grading)
        replies = graded_replies(table, how, list(answered), verdicts, answered.seconds)
        session.mapped = replies
        return as_given(given, replies, how)

    batch = _start(session, table.texts, how, results)
    if isinstance(how.grade, Rubric):
        rubric = how.grade
        batch.then(
            lambda answered: _start(
                session,
                grading_texts(rubric, table.texts, list(answered)),
                for_grading(how, rubric),
                lambda _: None,
            )
        )
    show(batch)
    return batch


def batch_options(how: MapOptions) -> Options:
    """The options of the rows.

    Raises:
        CellError: One of them has no meaning in a batch.
    """
    if how.executor is not None or how.at_once is not None:
        raise CellError("executor and concurrency have no meaning in a batch: the API decides. Leave them out.")
    options = options_of_many(how.options)
    if options.stream:
        raise CellError("a batch is not streamed. Leave stream out.")
    return replace(options, stream=False)


def resume_of(how: MapOptions, options: Options) -> Resume:
    """What of earlier runs is used."""
    return Resume(answers=how.resume is not False and not options.again, failures=how.resume is None)


def _start(session: Session, texts: Texts, how: MapOptions, results: Callable[[Batch[Any]], Any]) -> Batch[Any]:
    options = batch_options(how)
    settings = session.settings_for(options)
    if options.conversation or settings.conversation:
        raise CellError("claude.map asks outside of any conversation. Leave it out.")
    if session.ledger.replays.never_sends(settings):
        return known(_recorded(session, texts, how), results)
    prompts = (text if isinstance(text, CellError) else Prompt(options=options, text=text) for text in texts)
    return start(session, options, lambda access: requests(access, prompts), resume_of(how, options), results)


def requests(access: Access, prompts: Iterable[Prompt | CellError]) -> Iterator[Request | ClaudeError]:
    """The request of each prompt, or why there is none."""
    for prompt in prompts:
        try:
            yield prompt if isinstance(prompt, CellError) else access.request(prompt)
        except ClaudeError as error:
            yield error


def _recorded(session: Session, texts: Texts, how: MapOptions) -> list[RowResult]:
    """The recorded answers; no batch is made."""
    results = [RowResult(reply=CellError("not answered."))] * len(texts)
    run(map_job(session, texts, how), results.__setitem__)
    return results
