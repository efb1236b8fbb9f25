"""Sends the prompts of a table, many at once, each only once.

What the journal holds already is not sent again, so a second run sends only what is missing or failed. Of each reply
only what the table shows stays in memory; the rest is in the journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..api.interrupt import Interrupt
from ..concurrency import Executor, Future, Lock, completed, thread_pool
from ..errors import CellError, ClaudeError
from ..prompt.options.options import Options
from ..session.ledger import Caller
from ..session.prompt import Prompt
from ..session.request import offline_requests, waiting
from ..session.send import Sender
from ..settings import Claude
from ..wire import Exchange
from ..wire.short_text import ShortRepr
from .executors import ExecutorStream
from .low_limits import LowLimits

_LOOKED_UP = 200  # rows that are looked up in the journal at once
_GRACE = 0.5  # seconds that stopped exchanges have to be written down
_TICK = 0.1  # seconds between two looks at whether the user pressed stop


@dataclass(frozen=True, kw_only=True, repr=False)
class RowResult(ShortRepr):
    """The result of a row.

    Attributes:
        reply: Its text, or the error.
        usd: What it cost, or would have cost; `None` if unknown.
        entry: The exchange's id in the journal; `None` if it is not there.
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


OnResult = Callable[[int, RowResult], None]


@dataclass(frozen=True, kw_only=True)
class Job:
    """The prompts of a table, and how they are sent.

    Attributes:
        texts: The text of each row's prompt, or why there is none.
        executor: Sends the requests; `None` for threads of our own.
        at_once: How many are under way at the same time.
        resume: Whether an answer in the journal is used.
        low_limits: The rate limits that came close.
    """

    sender: Sender
    settings: Claude
    caller: Caller
    options: Options
    texts: Sequence[str | CellError]
    executor: Executor | None
    at_once: int
    resume: bool
    low_limits: LowLimits = field(default_factory=LowLimits)

    def prompt(self, text: str) -> Prompt:
        return Prompt(options=self.options, text=text)


def run(job: Job, on_result: OnResult) -> bool:
    """Sends all prompts; `False` if the user stopped it.

    Args:
        on_result: Called with the number and the result of each row, by one thread at a time.
    """
    under_way: dict[Future[None], Interrupt] = {}
    lock = Lock()

    def report(number: int, result: RowResult) -> None:
        with lock:
            on_result(number, result)

    def report_known(number: int, result: RowResult) -> None:
        if result.known:
            job.sender.ledger.usage.add({}, None, replayed=True)
        report(number, result)

    def send(number: int, text: str, interrupt: Interrupt) -> None:
        report(number, _send_row(job, number, text, interrupt))

    pool = thread_pool(job.at_once, name="map")
    try:
        for number, text in missing(job, report_known):
            interrupt = Interrupt()
            under_way[pool.submit(send, number, text, interrupt)] = interrupt
            while len(under_way) >= 2 * job.at_once:
                _drop_done(under_way)
        while under_way:
            _drop_done(under_way)
    except KeyboardInterrupt:
        for future, interrupt in under_way.items():
            future.cancel()
            interrupt.set()
        completed(under_way, timeout=_GRACE)
        return False
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return True


def _drop_done(under_way: dict[Future[None], Interrupt]) -> None:
    """Waits a moment, and leaves those that are still under way."""
    for future in completed(under_way, timeout=_TICK, first=True):
        del under_way[future]
        future.result()


def missing(job: Job, on_result: OnResult) -> Iterator[tuple[int, str]]:
    """The rows to send.

    Args:
        on_result: Called with the results of the other rows: recorded replies, or why there is no prompt.
    """
    seen: Counter[str] = Counter()
    for begin in range(0, len(job.texts), _LOOKED_UP):
        rows = list(enumerate(job.texts[begin : begin + _LOOKED_UP], begin))
        known = _journal_answers(job, {number: text for number, text in rows if isinstance(text, str)}, seen)
        for number, text in rows:
            result = known.get(number) if isinstance(text, str) else RowResult(reply=text)
            if result is not None:
                on_result(number, result)
            elif isinstance(text, str):
                yield number, text


def _journal_answers(job: Job, texts: Mapping[int, str], seen: Counter[str]) -> dict[int, RowResult]:
    """The results in the journal: the first of equal prompts gets the first one, and so on."""
    ledger, settings = job.sender.ledger, job.settings
    journal = ledger.journal(settings)
    if journal is None or not job.resume or ledger.replays.recording is not None:
        return {}
    identities: dict[int, list[str]] = {}
    sends = not ledger.replays.never_sends(settings)
    for number, text in texts.items():
        try:
            requests = offline_requests(settings, job.prompt(text), sends=sends)
            identities[number] = [request.identity for request in requests]
        except ClaudeError:
            continue  # it is the result once it is sent
    answers = journal.answers({identity for each in identities.values() for identity in each})
    results: dict[int, RowResult] = {}
    for number, candidates in identities.items():
        identity = next((each for each in candidates if each in answers), candidates[0])
        several = answers.get(identity, ())
        if seen[identity] < len(several):
            results[number] = _of_journal(several[seen[identity]])
        seen[identity] += 1
    return results


def _send_row(job: Job, number: int, text: str, interrupt: Interrupt) -> RowResult:
    settings, caller, accumulator = job.settings, job.caller.part(f"/{number}"), waiting()
    through = None
    if job.executor is not None:
        through = ExecutorStream(executor=job.executor, settings=settings, number=number, interrupt=interrupt)
    try:
        exchange = job.sender.send(settings, job.prompt(text), caller, accumulator, interrupt, through)
    except ClaudeError as error:
        return RowResult(reply=error)
    if not exchange.replayed:
        job.low_limits.add(exchange.headers)
    return of_exchange(exchange)


def of_exchange(exchange: Exchange) -> RowResult:
    """What the table shows of an exchange."""
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


def _of_journal(row: Mapping[str, Any]) -> RowResult:
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
