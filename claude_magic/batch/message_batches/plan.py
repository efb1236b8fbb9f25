"""Plans batches in the journal for requests: what is answered or under way is not sent again.

Requests are taken one after another, written in chunks, and not held: a table of 100,000 rows passes through.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from ...api.endpoints.batches import MOST_BYTES, MOST_REQUESTS
from ...cost.token_bounds import token_bound
from ...errors import CellError, ClaudeError, OverBudget
from ...journal.batch_rows import CHUNK, NewRequest, Place, Source
from ...journal.batch_sources import SourceLookup
from ...journal.rows import prompt_text
from ...session.costs import highest_cost, worst_cases
from ...wire import Request
from ...wire.short_text import size_text
from ..runner import RowResult
from .access import Access

_DIGITS = 32  # of a request's digest, in its custom id
_HEAD = len('{"requests":[]}')  # bytes of a batch without requests


@dataclass(frozen=True, kw_only=True)
class Resume:
    """What of earlier runs is used.

    Attributes:
        answers: Whether requests that are answered or under way are not sent again.
        failures: Whether the same holds for those that errored, expired or were canceled.
        exchanges: Whether answers that no batch gave are used, too.
    """

    answers: bool = True
    failures: bool = True
    exchanges: bool = True


@dataclass(kw_only=True)
class NewBatch:
    """A batch to be created.

    Attributes:
        number: Its id in the journal.
        size: The sum of the sizes of its requests.
        usd: What is reserved for it: the most that it can cost, 0 if that is unknown and there is no budget.
        texts: The characters of the prompts.
        highest: The most that it can cost; `None` if unknown.
    """

    number: int
    requests: int = 0
    size: int = 0
    usd: float = 0.0
    texts: int = 0
    highest: float | None = 0.0


@dataclass(kw_only=True)
class Plan:
    """The source of each row's result, and the batches to be created.

    Attributes:
        sources: By row; a result stands for what is known already, such as why it cannot be sent.
        earlier: Ids, in the journal, of batches of earlier runs that hold rows.
    """

    sources: list[Source | RowResult] = field(default_factory=list)
    batches: list[NewBatch] = field(default_factory=list)
    earlier: set[int] = field(default_factory=set)

    @property
    def failed(self) -> int:
        """How many rows ended without a reply in an earlier run."""
        return sum(isinstance(each, Source) and each.failed for each in self.sources)


def plan(
    access: Access,
    requests: Iterable[Request | ClaudeError],
    resume: Resume,
    *,
    most_requests: int = MOST_REQUESTS,
    most_bytes: int = MOST_BYTES,
) -> Plan:
    """Writes what is to be sent into the journal.

    Args:
        requests: Of each row: a request for a message, or why there is none.

    Raises:
        OverBudget: What it can cost is not known, and there is a budget.
        SettingsError: The journal cannot be written.
    """
    access.journal.drop_abandoned(access.ledger.session)
    planner = _Planner(access, resume, most_requests, most_bytes)
    try:
        for chunk in _chunks(enumerate(requests)):
            planner.add(chunk)
    except BaseException:
        planner.drop()
        raise
    return planner.finish()


def custom_id(row: int, request: Request) -> str:
    """The name of a row's request within a batch: its number, and a digest of what it asks."""
    return f"{row}-{request.identity[:_DIGITS]}"


def _new_request(row: int, request: Request) -> NewRequest:
    return NewRequest(
        row=row,
        custom_id=custom_id(row, request),
        identity=request.identity,
        content=request.content.decode(),
    )


class _Planner:
    def __init__(self, access: Access, resume: Resume, most_requests: int, most_bytes: int) -> None:
        self._access = access
        self._resume = resume
        self._most_requests = most_requests
        self._most_bytes = most_bytes - _HEAD
        self._plan = Plan()
        self._left: dict[str, list[Source]] = {}  # by the digest of a request: sources that no row has yet
        self._priced = access.settings.budget_usd is not None or access.settings.budget_usd_per_day is not None

    def add(self, rows: Sequence[tuple[int, Request | ClaudeError]]) -> None:
        """Adds rows to the batch that is being written, or to a new one where that is full."""
        checked = [(row, self._checked(row, request)) for row, request in rows]
        pending = [(row, request) for row, request in checked if isinstance(request, Request)]
        found: dict[int, Source | RowResult] = {
            row: RowResult(reply=error) for row, error in checked if not isinstance(error, Request)
        }
        while pending:
            batch = self._batch()
            fitting = list(self._fitting(batch, pending))
            if not fitting:
                self._begin()
                continue
            pending = pending[len(fitting) :]
            sources = self._add(batch.number, [new for new, _ in fitting])
            for (new, request), (source, is_new) in zip(fitting, sources, strict=True):
                found[new.row] = source
                if is_new:
                    batch.requests, batch.size = batch.requests + 1, batch.size + new.size
                    self._estimate(batch, request)
                elif source.batch is not None:
                    self._plan.earlier.add(source.batch)
        self._plan.sources += [found[row] for row, _ in rows]

    def _checked(self, row: int, request: Request | ClaudeError) -> Request | ClaudeError:
        """The request; why it is not sent, if it alone is larger than a batch may be."""
        if isinstance(request, ClaudeError) or _new_request(row, request).size <= self._most_bytes:
            return request
        size, most = size_text(len(request.content)), size_text(self._most_bytes + _HEAD)
        return CellError(f"the request has {size}, and a whole batch may have {most}. It was not sent.")

    def _add(self, batch: int, chunk: Sequence[NewRequest]) -> list[tuple[Source, bool]]:
        left: dict[str, list[Source]] = {}
        identities = [new.identity for new in chunk]
        sources = self._access.journal.add(batch, chunk, lambda lookup: self._sources(lookup, identities, left))
        self._left.update(left)
        return sources

    def finish(self) -> Plan:
        for batch in [each for each in self._plan.batches if not each.requests]:
            self._access.journal.delete(batch.number)
            self._plan.batches.remove(batch)
        return self._plan

    def drop(self) -> None:
        for batch in self._plan.batches:
            self._access.journal.delete(batch.number)

    def _batch(self) -> NewBatch:
        return self._plan.batches[-1] if self._plan.batches else self._begin()

    def _begin(self) -> NewBatch:
        access = self._access
        place = Place(
            session=access.ledger.session,
            endpoint=access.provider.base_url,
            provider=access.provider.name,
            notebook=access.caller.notebook,
            cell=access.caller.cell,
        )
        self._plan.batches.append(NewBatch(number=access.journal.begin(place, now())))
        return self._plan.batches[-1]

    def _fitting(self, batch: NewBatch, pending: Sequence[tuple[int, Request]]) -> Iterator[tuple[NewRequest, Request]]:
        """The first of these that the batch takes."""
        requests, size = batch.requests, batch.size
        for row, request in pending:
            new = _new_request(row, request)
            requests, size = requests + 1, size + new.size
            if requests > self._most_requests or size > self._most_bytes:
                return
            yield new, request

    def _sources(
        self, lookup: SourceLookup, identities: Sequence[str], left: dict[str, list[Source]]
    ) -> list[Source | None]:
        """The source of each request; `None` for those to be sent.

        Args:
            left: Set to the sources that are left then. This may run again if the journal was locked.
        """
        if not self._resume.answers:
            return [None] * len(identities)
        unseen = [identity for identity in identities if identity not in self._left]
        known = lookup.sources(unseen, self._access.provider.base_url, exchanges=self._resume.exchanges)
        left.clear()
        left.update({each: list(self._left.get(each, known.get(each, []))) for each in identities})
        return [self._take(lookup, left[identity]) for identity in identities]

    def _take(self, lookup: SourceLookup, left: list[Source]) -> Source | None:
        """The next of the sources; `None` if there is none that is wanted."""
        source = left.pop(0) if left else None
        if source is not None and source.failed and not self._resume.failures:
            lookup.replace(source)
            return None
        return source

    def _estimate(self, batch: NewBatch, request: Request) -> None:
        """Adds what a request may cost; without a budget, nothing is asked for it.

        Raises:
            OverBudget: It is unknown, and there is a budget.
        """
        body = request.body or {}
        most = token_bound(body)
        usd = None if most is None else highest_cost(self._access.settings, request, most, batch=True)
        batch.texts += len(f"{body.get('system', '')}{prompt_text(body)}")
        batch.highest = None if usd is None or batch.highest is None else batch.highest + usd
        batch.usd = batch.usd + self._most(request) if self._priced else batch.highest or 0.0

    def _most(self, request: Request) -> float:
        """The most that a request can cost in a batch, in US dollars.

        Raises:
            OverBudget: It is unknown.
        """
        access = self._access
        for most in worst_cases(access.settings, request, access.client, batch=True):
            return most
        raise OverBudget("how many tokens a row has cannot be told, and there is a budget. Nothing was sent.")


def now() -> str:
    """The time, as the journal writes it."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def _chunks(
    rows: Iterator[tuple[int, Request | ClaudeError]],
) -> Iterator[list[tuple[int, Request | ClaudeError]]]:
    while chunk := list(itertools.islice(rows, CHUNK)):
        yield chunk
