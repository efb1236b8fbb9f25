"""`claude.map(..., batch=True)`: message batches answer the rows of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from ..api.interrupt import Interrupt
from ..display.live.batch_status import show
from ..errors import CellError, ClaudeError
from ..prompt.options.keywords import options_of_many
from ..prompt.options.options import Options
from ..session.prompt import Prompt
from ..session.request import waiting
from ..session.session import Session
from ..wire import Request
from .grading import Rubric
from .map import ARGUMENTS, MapOptions, Table, Texts, as_given, for_grading, graded_replies, grading_texts
from .message_batches.access import Access, access
from .message_batches.batch import Batch
from .message_batches.plan import Resume
from .message_batches.start import known, start
from .plan_approval import PlanApproval
from .runner import RowResult, of_exchange


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

    options = batch_options(how)
    prompts = (text if isinstance(text, CellError) else Prompt(options=options, text=text) for text in table.texts)
    batch = start_or_replay(session, options, prompts, resume_of(how, options), results)
    if isinstance(how.grade, Rubric):
        follow_with_grades(session, batch, how, how.grade, table.texts)
    show(batch)
    return batch


def follow_with_grades(session: Session, batch: Batch[Any], how: MapOptions, rubric: Rubric, texts: Texts) -> None:
    """Lets a second batch grade the replies of the first."""

    def grade(answered: Batch[Any]) -> Batch[Any]:
        grading = for_grading(how, rubric)
        options = batch_options(grading)
        prompts = (
            text if isinstance(text, CellError) else Prompt(options=options, text=text)
            for text in grading_texts(rubric, texts, list(answered))
        )
        return start_or_replay(session, options, prompts, resume_of(grading, options), lambda _: None)

    batch.then(grade)


def batch_options(how: MapOptions) -> Options:
    """The options of the rows.

    Raises:
        CellError: One of them has no meaning in a batch.
    """
    if how.executor is not None or how.at_once is not None:
        raise CellError("executor and concurrency have no meaning in a batch: the API decides. Leave them out.")
    options = options_of_many(how.options, ARGUMENTS)
    if options.stream:
        raise CellError("a batch is not streamed. Leave stream out.")
    return replace(options, stream=False)


def resume_of(how: MapOptions, options: Options) -> Resume:
    """What of earlier runs is used."""
    return Resume(answers=how.resume is not False and not options.again, failures=how.resume is None)


def is_under_way(session: Session, texts: Texts, how: MapOptions) -> bool:
    """Whether every row is answered, or in a batch of an earlier run, so that nothing would be sent."""
    options = batch_options(how)
    resume = resume_of(how, options)
    if not resume.answers or not resume.failures or session.ledger.replays.never_sends(session.settings_for(options)):
        return False
    context = access(session, options)
    prompts = (Prompt(options=options, text=text) for text in texts if isinstance(text, str))
    identities = Counter(each.identity for each in requests(context, prompts) if isinstance(each, Request))
    sources = context.journal.sources(identities, context.provider.base_url)
    return all(len(sources.get(identity, ())) >= count for identity, count in identities.items())


def start_or_replay(
    session: Session,
    options: Options,
    prompts: Iterable[Prompt | CellError],
    resume: Resume,
    results: Callable[[Batch[Any]], Any],
    approve: PlanApproval | None = None,
) -> Batch[Any]:
    """The batch that answers prompts; where only recorded answers are given, these, and no batch is made.

    Args:
        approve: Asks the user about a high price; `None` to ask nobody.

    Raises:
        CellError: It cannot be sent, or may not.
    """
    settings = session.settings_for(options)
    if options.conversation or settings.conversation:
        raise CellError("a batch is outside of any conversation. Leave it out.")
    if session.ledger.replays.never_sends(settings):
        return known(_recorded(session, options, prompts), results)
    check = None if approve is None else lambda planned: approve.check(planned, settings)
    return start(session, options, lambda access: requests(access, prompts), resume, results, check)


def requests(access: Access, prompts: Iterable[Prompt | CellError]) -> Iterator[Request | ClaudeError]:
    """The request of each prompt, or why there is none."""
    for prompt in prompts:
        try:
            yield prompt if isinstance(prompt, CellError) else access.request(prompt)
        except ClaudeError as error:
            yield error


def _recorded(session: Session, options: Options, prompts: Iterable[Prompt | CellError]) -> list[RowResult]:
    """The recorded answers."""
    settings, caller = session.settings_for(options), session.caller(options)
    results: list[RowResult] = []
    for number, prompt in enumerate(prompts):
        try:
            if isinstance(prompt, CellError):
                raise prompt
            exchange = session.sender.send(settings, prompt, caller.part(f"/{number}"), waiting(), Interrupt())
            results.append(of_exchange(exchange))
        except ClaudeError as error:
            results.append(RowResult(reply=error))
    return results
