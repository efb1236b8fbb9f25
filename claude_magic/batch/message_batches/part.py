"""One message batch under watch: polled at the API's intervals, and read into the journal when it has ended.

Several tables may watch the same batch: each batch of a journal is one `Part`, which one thread at a time looks at.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from weakref import WeakValueDictionary

from ...api.endpoints import batches as endpoint
from ...api.endpoints.batches import ENDED, IN_PROGRESS, MessageBatch, Outcome, RequestCounts
from ...api.transports.retry import backoff
from ...concurrency import Lock, in_child, sleep
from ...display.tables.batches import PartFacts
from ...errors import APIError, ClaudeError, ConnectionFailed, ExchangeError, StreamError, TimedOut
from ...journal import crash_recovery
from ...journal.batch_rows import BUILDING, CHUNK, READ, SENT, WAITING
from .access import Access
from .creation import make, settle
from .outcomes import LOST, ended
from .plan import now

_JOURNAL_SECONDS = 0.5  # between two looks at whether another kernel has made its batch
_LONGEST_WAIT = 60.0  # seconds between two looks after errors
_TRIES = 4  # to read results that break off
_GONE = (404, 410)

_parts: WeakValueDictionary[tuple[str, int], Part] = WeakValueDictionary()
_lock = Lock()


def part_of(access: Access, number: int) -> Part:
    """The part of this id in the journal; a new one if an earlier one failed."""
    key = str(access.journal.path), number
    with _lock:
        found = _parts.get(key)
        if found is None or found.failure is not None:
            found = _parts[key] = Part(number)
        return found


@in_child
def _forget() -> None:
    _parts.clear()


class Watched:
    """A batch that is polled until it has ended.

    Attributes:
        id: As the API calls it; `""` until it is made.
        latest: As it was seen last; `None` before.
        is_read: Whether its results can be had without another look.
        note: Why it could not be looked at; it will be again. `""` if it could.
        failure: Why it is no longer looked at; `None` if it is.
        due: When to look again, on the clock of `time.monotonic`.
    """

    def __init__(self, id: str = "") -> None:
        self.id = id
        self.requests = 0
        self.latest: MessageBatch | None = None
        self.is_read = False
        self.note = ""
        self.failure: ClaudeError | None = None
        self.due = 0.0
        self._failed = 0
        self._lock = Lock()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will change."""
        return self.is_read or self.failure is not None

    @property
    def status(self) -> str:
        """The state, in a word for the user."""
        if self.is_read:
            return ENDED
        if self.failure is not None:
            return "failed"
        if not self.id:
            return "not made yet"
        if self.latest is None:
            return IN_PROGRESS
        return "reading results" if self.latest.is_ended else self.latest.status

    @property
    def counts(self) -> RequestCounts:
        """The counts that the API last reported."""
        return RequestCounts(processing=self.requests) if self.latest is None else self.latest.counts

    @property
    def facts(self) -> PartFacts:
        """What is shown."""
        return self.id, self.status, vars(self.counts), "" if self.latest is None else self.latest.expires

    def look(self, access: Access) -> None:
        """Polls the batch if it is due; reads its results if it has ended."""
        with self._lock:
            if self.is_over or time.monotonic() < self.due:
                return
            try:
                self._look(access)
            except (APIError, ConnectionFailed, TimedOut, StreamError) as error:
                self._on_error(error)
            except ClaudeError as error:
                self.failure = error

    def cancel(self, access: Access) -> None:
        """Asks the API to end the batch; requests that are being answered are still answered.

        Raises:
            ExchangeError: It could not be asked.
        """
        with self._lock:
            if self.id and not (self.latest is not None and self.latest.is_ended):
                self.latest = endpoint.message_batch(access.client.json(access.requests.cancel(self.id)))
                self.due = 0.0

    def _look(self, access: Access) -> None:
        self.latest, wait = endpoint.retrieve(access.client, access.requests, self.id)
        self.requests = self.requests or self.latest.counts.total
        self.due = time.monotonic() + wait
        if self.latest.is_ended:
            self._read(access)
        self.note, self._failed = "", 0

    def _read(self, access: Access) -> None:
        """The batch has ended."""
        self.is_read = True

    def _on_error(self, error: ClaudeError) -> None:
        """Schedules the next poll, unless that cannot help."""
        if isinstance(error, APIError) and 400 <= error.status < 500 and error.status not in (408, 409, 429):
            self.failure = error
            return
        self._failed += 1
        self.note = str(error)
        self.due = time.monotonic() + min(backoff(self._failed) * self._failed, _LONGEST_WAIT)


class Part(Watched):
    """A batch of the journal, into which its results are read.

    Args:
        number: Its id in the journal.

    Attributes:
        most_usd: The most that it can cost; 0 if that is unknown.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.most_usd = 0.0
        self._unread = 0

    def load(self, access: Access) -> None:
        """Its row in the journal."""
        row = access.journal.batch(self.number)
        if row is None:
            self.failure = ExchangeError("its batch was not made, or was deleted from the journal. Run it again.")
            return
        self.requests = row["requests"]
        self.most_usd = row["reserved_usd"]
        self.id = row["batch_id"] or ""
        if row["state"] == READ:
            self.is_read = True
            counts = _counts(access.journal.states(self.number))
            self.latest = MessageBatch(
                id=self.id, status=ENDED, counts=counts, created=row["created"], expires=row["expires"]
            )
        elif row["state"] == SENT and self.latest is None:
            self.latest = MessageBatch(
                id=self.id,
                status=IN_PROGRESS,
                counts=RequestCounts(processing=self.requests),
                created=row["created"],
                expires=row["expires"],
            )

    def _look(self, access: Access) -> None:
        if not self.id:
            self._find(access)
        if self.id and not self.is_over:
            super()._look(access)

    def _find(self, access: Access) -> None:
        """The batch that was prepared in another kernel, or of which no answer came."""
        row = access.journal.batch(self.number)
        if row is None or row["batch_id"]:
            self.load(access)
            return
        if not access.journal.claim(self.number, access.ledger.session):
            if row["state"] == BUILDING and not crash_recovery.may_run(row["session"], row["began"]):
                raise ExchangeError("the kernel that prepared its batch ended before it was sent. Run it again.")
            self.note = "another kernel is making it"
            self.due = time.monotonic() + _JOURNAL_SECONDS
            return
        batch = make(access, self.number, look_first=True)
        self.id, self.latest, self.note = batch.id, batch, ""

    def _read(self, access: Access) -> None:
        """Reads the results into the journal; what is there already is not written again."""
        assert self.latest is not None  # noqa: S101  it has ended
        spent = 0.0
        for attempt in range(_TRIES):
            self._unread = 0
            try:
                for chunk in _chunks(endpoint.results(access.client, access.requests, self.id)):
                    spent += self._write(access, chunk)
                if attempt or not access.journal.states(self.number).get(WAITING):
                    break
                sleep(backoff(0))  # a proxy may have cut them without a sign: they are read once more
            except APIError as error:
                if error.status not in _GONE:
                    raise
                self._end(access, spent, f"its result is no longer kept: {self.id} was archived after 29 days.")
                return
            except (StreamError, ConnectionFailed, TimedOut):
                if attempt == _TRIES - 1:
                    raise
                sleep(backoff(attempt))
        unread = "line" if self._unread == 1 else "lines"
        note = f"; {self._unread:,} {unread} of them could not be read" * bool(self._unread)
        if [*access.journal.states(self.number)] == [WAITING] and self.counts.succeeded:
            raise ExchangeError(
                f"{self.id} has {self.counts.succeeded:,} replies, and none was among its results{note}. "
                "The API keeps them for 29 days: run it again, and they are read again."
            )
        self._end(access, spent, f"there is no result for it among those of {self.id}{note}.")

    def _write(self, access: Access, outcomes: Sequence[Outcome]) -> float:
        """Writes results; returns the cost of the new ones, in US dollars."""
        assert self.latest is not None  # noqa: S101  it has ended
        named = [each for each in outcomes if each.custom_id]
        self._unread += len(outcomes) - len(named)
        rows = access.journal.waiting(self.number, [each.custom_id for each in named])
        if named and not rows:
            self._check_first(access, named[0])
        first = {each.custom_id: each for each in reversed(named)}
        ends = now()
        several = [(ended(access, row, first[name], self.latest, ends), row["row"]) for name, row in rows.items()]
        written = access.journal.end(self.number, [end for (end, _), _ in several], access.client.redact)
        spent = 0.0
        for (end, exchange), row in several:
            if exchange is not None and end.custom_id in written:
                spent += exchange.usd or 0.0
                caller = access.caller.part(f"/{row}")
                access.ledger.take_batch_exchange(caller, exchange.with_record(entry=written[end.custom_id]))
        return spent

    def _check_first(self, access: Access, outcome: Outcome) -> None:
        """Checks that the batch is the expected one.

        Raises:
            ExchangeError: It is another one.
        """
        if not access.journal.holds(self.number, outcome.custom_id):
            access.journal.set_unclear(self.number, self.id)
            raise ExchangeError(
                f"{self.id} is not the batch of these rows, although it is as large and was made at the same time. "
                "Run it again: another one is looked for first."
            )

    def _end(self, access: Access, spent: float, why: str) -> None:
        access.journal.set_read(self.number, lost=(LOST, why))
        settle(access, self.number, spent)
        self.is_read = True


def _counts(states: dict[str, int]) -> RequestCounts:
    """Counts of a batch whose results are in the journal; what is lost has expired."""
    names = ("succeeded", "errored", "canceled")
    known = {name: states.get(name, 0) for name in names}
    return RequestCounts(**known, expired=sum(states.values()) - sum(known.values()))


def _chunks(outcomes: Iterator[Outcome]) -> Iterator[list[Outcome]]:
    """Results in portions; what came before results broke off is one too."""
    while True:
        chunk: list[Outcome] = []
        try:
            for each in itertools.islice(outcomes, CHUNK):
                chunk.append(each)
        except ExchangeError:
            if chunk:
                yield chunk
            raise
        if not chunk:
            return
        yield chunk
