"""What `claude.map(..., batch=True)` returns: rows that message batches answer, watched in the background."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from ...api.endpoints.batches import RequestCounts
from ...concurrency import Event, Lock, can_run_beside, sleep, start_thread
from ...display.live.batch_status import show_once
from ...display.tables.batches import BatchFacts, batch_bundle
from ...errors import CellError, ClaudeError, Interrupted
from ...journal.batch_rows import CHUNK, Source
from ...prompt.options.keywords import check_flags
from ..runner import RowResult
from .access import Access
from .outcomes import row_result
from .part import Part, Watched

_TICK = 0.1  # seconds between two looks at whether the user pressed stop
_SHORTEST_WAIT = 0.005  # seconds between two looks at a batch, whatever the API says

Table = TypeVar("Table")
Listener = Callable[["Batch[Any]"], object]


class Batch(Generic[Table]):
    """Rows that message batches answer, within a day and at half the price; iterated, the result of each row.

    Attributes:
        shows: Makes what is shown below the state at the end; `None` for nothing.
        shown_in: The number of the input whose output shows it already; `None` for none.
        grading: The batch that grades the replies; `None` if none does, or not yet.

    Args:
        access: The endpoint and the journal; `None` if every row is known already.
        sources: Where the result of each row is found.
        parts: The message batches.
        table: Makes the result table of the results.
        again: How many rows failed in an earlier run and are not sent again.
    """

    def __init__(
        self,
        access: Access | None,
        sources: Sequence[Source | RowResult],
        parts: Sequence[Watched],
        table: Callable[[Batch[Table]], Table],
        *,
        failed_before: int = 0,
    ) -> None:
        self._access = access
        self._sources = sources
        self._parts = list(parts)
        self._make_table = table
        self._table: list[Table] = []
        self._failed_before = failed_before
        self._then: Callable[[Batch[Table]], Batch[Any] | None] | None = None
        self._then_failure: ClaudeError | None = None
        self.grading: Batch[Any] | None = None
        self.shows: Callable[[Batch[Table]], Any] | None = None
        self.shown_in: int | None = None
        self._read_before = {part.number for part in parts if isinstance(part, Part) and part.is_read}
        self._over = Event()
        self._listeners: list[Listener] = []
        self._lock = Lock()
        self._began = time.monotonic()
        self._process = os.getpid()
        self._known = sum(isinstance(each, RowResult) or each.batch is None for each in sources)
        self._is_watched = False
        if all(part.is_over for part in self._parts):
            self._over.set()
        else:
            self._begin_watch()

    def _begin_watch(self) -> None:
        """Polls the batches in a thread; without threads, `wait` polls them."""
        self._is_watched = can_run_beside()
        if self._is_watched:
            start_thread(self._watch, name="batch")

    def then(self, follow: Callable[[Batch[Table]], Batch[Any] | None]) -> None:
        """Lets another batch follow, once all results are here: `grading`."""
        with self._lock:
            self._then = follow
            over = self._over.is_set()
        if over:
            self._over.clear()
            self._begin_watch()

    @property
    def ids(self) -> list[str]:
        """The ids of the message batches, as the API calls them."""
        return [part.id for part in self._parts if part.id]

    @property
    def counts(self) -> RequestCounts:
        """The requests of all message batches by their state; all are processing until their batch has ended."""
        names = ("processing", "succeeded", "errored", "canceled", "expired")
        return RequestCounts(**{name: sum(getattr(part.counts, name) for part in self._parts) for name in names})

    @property
    def done(self) -> bool:
        """Whether all results are here, or no more come."""
        return self._over.is_set() and (self.grading is None or self.grading.done)

    @property
    def usd(self) -> float:
        """What the results that are here cost, in US dollars; those of unknown price are not in it."""
        return self._spent[0]

    @property
    def _spent(self) -> tuple[float, int]:
        """US dollars, and how many results have an unknown price."""
        if self._access is None or not self._parts:
            return 0.0, 0
        return self._access.journal.spent(part.number for part in self._parts if isinstance(part, Part))

    @property
    def seconds(self) -> float:
        """Seconds since it was created or attached to."""
        return time.monotonic() - self._began

    def wait(self, timeout: float | None = None) -> Batch[Table]:
        """Waits until all results are here; Stop ends the waiting, and no batch.

        Args:
            timeout: The most seconds to wait; `None` for as long as it takes.

        Raises:
            Interrupted: You pressed stop.
            ClaudeError: A batch can no longer be looked at.
        """
        if os.getpid() != self._process and not self._over.is_set():
            raise CellError("the parent process watches this batch. Run claude.map again here: it attaches to it.")
        until = None if timeout is None else time.monotonic() + timeout
        try:
            while not self._over.wait(_TICK) and (until is None or time.monotonic() < until):
                if not self._is_watched:
                    self._watch(until)
        except KeyboardInterrupt:
            raise Interrupted(self._on_stop()) from None
        for failure in [*(part.failure for part in self._parts), self._then_failure]:
            if failure is not None:
                raise failure
        if self.grading is not None:
            self.grading.wait(None if until is None else max(0.0, until - time.monotonic()))
        return self

    def results(self, *, wait: bool = True) -> Table:
        """The result table, as of `claude.map`; waits for the end first.

        Args:
            wait: Whether to wait; else rows that are not answered yet are errors in the table.
        """
        if not wait and not self.done:
            return self._make_table(self)
        self.wait()
        with self._lock:
            if not self._table:
                self._table.append(self._make_table(self))
        return self._table[0]

    def cancel(self) -> Batch[Table]:
        """Ends the batches; what is answered by then is kept and paid for, the rest costs nothing.

        Raises:
            ExchangeError: The API could not be asked.
        """
        if self._access is not None:
            for part in self._parts:
                part.cancel(self._access)
        self._tell()
        return self

    def delete(self, *, yes: bool = False) -> None:
        """Deletes the batch and its results at the API, after your approval; what is in the journal stays.

        Args:
            yes: Whether to delete without asking.

        Raises:
            CellError: It goes on, or nobody can be asked.
            ExchangeError: The API refused.
        """
        check_flags(yes=yes)
        if not self.done:
            raise CellError("a batch that goes on cannot be deleted. End it with .cancel(), and wait for it.")
        if self._access is None or not self.ids:
            raise CellError("there is no batch to delete: all rows were known without one.")
        paths = [f"/v1/messages/batches/{name}" for name in self.ids]
        if yes:
            for name in self.ids:
                self._access.client.json(self._access.requests.delete(name))
        elif len(paths) > 1 or self._access.changes is None:
            raise CellError(
                f"deleting {len(paths):,} {'batch' if len(paths) == 1 else 'batches'} cannot be undone, and nobody is "
                f"asked here. Nothing was deleted. Say yes=True, or run %claude --delete {paths[0]}."
            )
        else:
            self._access.changes.delete(paths[0])

    def watch(self, listener: Listener) -> None:
        """Calls `listener` with this whenever something has changed, from the thread that watches."""
        self._listeners.append(listener)

    def __len__(self) -> int:
        return len(self._sources)

    def __iter__(self) -> Iterator[RowResult]:
        """The result of each row in order; they are read from the journal, and not held."""
        for begin in range(0, len(self._sources), CHUNK):
            yield from self._results(self._sources[begin : begin + CHUNK])

    def _results(self, chunk: Sequence[Source | RowResult]) -> Iterator[RowResult]:
        rows: Iterator[Mapping[str, Any]] = iter(())
        if self._access is not None:
            rows = iter(self._access.journal.results([each for each in chunk if isinstance(each, Source)]))
        for each in chunk:
            if isinstance(each, RowResult):
                yield each
            else:
                yield row_result(next(rows), known=each.batch is None or each.batch in self._read_before)

    @property
    def _most_usd(self) -> float | None:
        """The most that batches whose results are not all here can cost; `None` if unknown."""
        open_parts = [part for part in self._parts if not part.is_read]
        known = [part.most_usd for part in open_parts if isinstance(part, Part) and part.most_usd]
        return sum(known) if len(known) == len(open_parts) else None

    @property
    def facts(self) -> BatchFacts:
        """What is shown."""
        usd, unpriced = self._spent
        graded = self.grading._spent if self.grading else (0.0, 0)
        failure = next((part.failure for part in self._parts if part.failure is not None), None)
        return BatchFacts(
            rows=len(self._sources),
            known=self._known,
            failed_before=self._failed_before,
            parts=[part.facts for part in (*self._parts, *(self.grading._parts if self.grading else ()))],
            usd=usd + graded[0],
            unpriced=unpriced + graded[1],
            most_usd=self._most_usd,
            in_others=max(0, sum(part.requests for part in self._parts) - (len(self._sources) - self._known)),
            note=str(failure or next((part.note for part in self._parts if part.note), "")),
            done=self.done,
        )

    def __repr__(self) -> str:
        return batch_bundle(self.facts)["text/plain"]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        bundle = batch_bundle(self.facts)
        if self.done and self.shows is not None:
            below = self.shows(self)._repr_mimebundle_()
            return {kind: f"{text}\n{below[kind]}" for kind, text in bundle.items()}
        return bundle

    def _ipython_display_(self) -> None:
        """At the end of a cell; where the cell shows it already, nothing more."""
        show_once(self)

    def _on_stop(self) -> str:
        listed = ", ".join(self.ids[:3]) + f" and {len(self.ids) - 3:,} more" * (len(self.ids) > 3)
        return (
            f"stopped waiting; the batch goes on, and is paid for: {listed}. .wait() waits again, .cancel() ends it, "
            "and running the cell again attaches to it."
        )

    def _watch(self, until: float | None = None) -> None:
        """Polls the batches until all are read. Runs in a thread of its own, if there are threads.

        Args:
            until: When to stop looking, by `time.monotonic()`; `None` for at the end.
        """
        try:
            while not self._look():
                self._tell()
                due = min(part.due for part in self._parts if not part.is_over)
                if until is not None and due > until:
                    sleep(max(until - time.monotonic(), 0.0))
                    return
                sleep(max(due - time.monotonic(), _SHORTEST_WAIT))
            self._follow()
        except Exception as error:  # such as a journal that is gone: whoever waits is told
            failure = error if isinstance(error, ClaudeError) else CellError(f"{type(error).__name__}: {error}")
            for part in self._parts:
                part.failure = part.failure or failure
        self._over.set()
        self._tell()

    def _look(self) -> bool:
        """Polls each batch that is due; returns whether all have ended."""
        for part in self._parts:
            if self._access is not None:
                part.look(self._access)
        return all(part.is_over for part in self._parts)

    def _follow(self) -> None:
        """Creates the batch that follows."""
        with self._lock:
            follow, self._then = self._then, None
        if follow is None or any(part.failure is not None for part in self._parts):
            return
        try:
            self.grading = follow(self)
        except ClaudeError as error:
            self._then_failure = error
        if self.grading is not None:
            self.grading.watch(lambda _: self._tell())

    def _tell(self) -> None:
        for listener in list(self._listeners):
            with contextlib.suppress(Exception):  # a display that fails stops no batch
                listener(self)
