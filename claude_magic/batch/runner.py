"""`claude.map`: one question for each row of a table, many at once, each asked only once.

What the journal holds already is not asked again, so a second run sends only what is missing or
failed. Of each answer only what the table shows stays in memory; the rest is in the journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..api.interrupt import Interrupt
from ..concurrency import Executor, Future, Lock, completed, thread_pool
from ..errors import CellError, ClaudeError
from ..prompt.options.options import Options
from ..session.ledger import Caller
from ..session.send import PendingRequest, RequestParts, SessionContext, offline_requests, send
from ..wire import Exchange
from ..wire.short_text import ShortRepr
from .executors import send_through

_LOOKED_UP = 200  # rows that are looked up in the journal at once
_LAST_WORDS = 0.5  # seconds that stopped exchanges have to be written down
_TICK = 0.1  # seconds between two looks at whether the reader pressed stop


@dataclass(frozen=True, kw_only=True, repr=False)
class RowResult(ShortRepr):
    """What became of a row.

    Attributes:
        reply: Its text, or the error.
        usd: What it cost, or would have cost; `None` if unknown.
        entry: The exchange's number in the journal; `None` if it is not there.
        known: Whether it was answered before.
    """

    reply: str | ClaudeError
    stop_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    usd: float | None = None
    seconds: float | None = None
    entry: int | None = None
    known: bool = False


@dataclass(frozen=True, kw_only=True)
class Job:
    """The questions of a table.

    Attributes:
        questions: A text each, or why there is none.
        executor: Sends the requests; `None` for threads of our own.
        at_once: How many are under way at the same time.
        resume: Whether an answer in the journal is taken.
        told: Told the number of each row and its answer.
    """

    means: SessionContext
    asker: Caller
    options: Options
    questions: Sequence[str | CellError]
    executor: Executor | None
    at_once: int
    resume: bool
    told: Callable[[int, RowResult], None]


def run(job: Job) -> bool:
    """Ask all questions; whether the reader let it end. What was answered by then was told."""
    doing: dict[Future[None], Interrupt] = {}
    told = Lock()

    def tell_known(number: int, found: RowResult) -> None:
        if found.known:
            job.means.books.usage.add({}, None, replayed=True)
        with told:
            job.told(number, found)

    def do(number: int, asking: PendingRequest, interrupt: Interrupt) -> None:
        found = _send_row(job, number, asking, interrupt)
        with told:
            job.told(number, found)

    pool = thread_pool(job.at_once, name="map")
    try:
        for number, asking in missing(job, tell_known):
            interrupt = Interrupt()
            doing[pool.submit(do, number, asking, interrupt)] = interrupt
            while len(doing) >= 2 * job.at_once:
                _drop_done(doing)
        while doing:
            _drop_done(doing)
    except KeyboardInterrupt:
        for future, interrupt in doing.items():
            future.cancel()
            interrupt.set()
        completed(doing, timeout=_LAST_WORDS)
        return False
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return True


def _drop_done(doing: dict[Future[None], Interrupt]) -> None:
    """Wait a moment, and leave those that are still under way."""
    for future in completed(doing, timeout=_TICK, first=True):
        del doing[future]
        future.result()


def missing(job: Job, tell: Callable[[int, RowResult], None]) -> Iterator[tuple[int, PendingRequest]]:
    """The rows that are to be asked; of the others it is told what they were answered, or why they cannot be asked."""
    seen: Counter[str] = Counter()
    for begin in range(0, len(job.questions), _LOOKED_UP):
        rows = list(enumerate(job.questions[begin : begin + _LOOKED_UP], begin))
        askings = {number: _row_request(job, number, text) for number, text in rows if isinstance(text, str)}
        known = _journal_answers(job, askings, seen)
        for number, text in rows:
            found = known.get(number) if isinstance(text, str) else RowResult(reply=text)
            if found is None:
                yield number, askings[number]
                continue
            tell(number, found)


def _row_request(job: Job, number: int, text: str) -> PendingRequest:
    asker = replace(job.asker, cell=f"{job.asker.cell}/{number}", place=f"{job.asker.place}/{number}")
    question = RequestParts(new=[{"role": "user", "content": text}])
    return PendingRequest(options=job.options, question=question, asker=asker)


def _journal_answers(job: Job, askings: dict[int, PendingRequest], seen: Counter[str]) -> dict[int, RowResult]:
    """What the journal answers: the first of equal questions gets the first answer, and so on."""
    journal = job.means.books.journal(job.means.settings)
    if journal is None or not job.resume or job.means.books.recording is not None:
        return {}
    identities: dict[int, list[str]] = {}
    settings, sends = job.means.settings, not job.means.books.never_sends(job.means.settings)
    for number, asking in askings.items():
        try:
            identities[number] = [request.identity for request in offline_requests(settings, asking, sends=sends)]
        except ClaudeError:
            continue  # it is told when it is asked
    answers = journal.answers({identity for each in identities.values() for identity in each})
    found: dict[int, RowResult] = {}
    for number, candidates in identities.items():
        identity = next((each for each in candidates if each in answers), candidates[0])
        several = answers.get(identity, ())
        if seen[identity] < len(several):
            found[number] = _of_row(several[seen[identity]])
        seen[identity] += 1
    return found


def _send_row(job: Job, number: int, asking: PendingRequest, stop: Interrupt) -> RowResult:
    growing = asking.accumulator(job.means.settings)
    means = job.means
    if job.executor is not None:
        executor = job.executor
        means = replace(means, carry=lambda request: send_through(executor, means.settings, request, number, stop))
    try:
        return of_exchange(send(means, asking, growing, stop))
    except ClaudeError as error:
        return RowResult(reply=error)


def of_exchange(exchange: Exchange) -> RowResult:
    """What stays of an exchange."""
    usage = exchange.message.usage
    return RowResult(
        reply=exchange.error or exchange.text,
        stop_reason=exchange.message.stop_reason,
        input_tokens=usage.get("input_tokens"),
        output_tokens=usage.get("output_tokens"),
        usd=exchange.usd,
        seconds=round(exchange.seconds, 3),
        entry=exchange.entry,
        known=bool(exchange.replayed),
    )


def _of_row(row: Mapping[str, Any]) -> RowResult:
    return RowResult(
        reply=row["reply"],
        stop_reason=row["stop_reason"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        usd=row["usd"],
        seconds=row["seconds"],
        entry=row["id"],
        known=True,
    )
