"""RecordedAnswer answers: from a recording that was opened, or from the journal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NotRecorded, SettingsError
from ..settings import Claude
from ..wire import Block, Exchange, Request
from ..wire.tool import DONE, FAILED, Call

if TYPE_CHECKING:
    from ..journal import Journal
    from ..journal.recordings import Recording
    from ..journal.request_counts import RequestCounts
    from ..wire.recorded_answer import RecordedAnswer
    from .ledger import Caller


class Replays:
    """Answers requests again that were answered before.

    Attributes:
        recording: A file that answers; `None` for the journal.
    """

    def __init__(self) -> None:
        self.recording: Recording | None = None
        self._counts: RequestCounts | None = None

    def open(self, path: Path | None) -> Recording | None:
        """Answers from a recording only; `None` ends it.

        Raises:
            SettingsError: It cannot be read, or is no recording.
        """
        from ..journal import recordings

        self.recording = None if path is None else recordings.read_recording(path)
        return self.recording

    def never_sends(self, settings: Claude) -> bool:
        """Whether only recorded answers are given."""
        return self.recording is not None or settings.replay == "only"

    def apply(self, settings: Claude, caller: Caller) -> bool:
        """Whether a recorded answer is looked for."""
        may_reuse = settings.replay == "on" or settings.reuse_on_run_all
        return self.never_sends(settings) or (may_reuse and not caller.again)

    def answer(
        self, settings: Claude, request: Request, caller: Caller, journal: Journal | None
    ) -> RecordedAnswer | None:
        """The recorded answer for `request`; `None` if there is none."""
        from ..journal.request_counts import RequestCounts

        self._counts = self._counts or RequestCounts()
        number = self._counts.index(request, caller.cell)
        if self.recording is not None:
            return self.recording.answer(request, number)
        if journal is None:
            return None
        try:
            if settings.replay == "off":
                return journal.displayed_answer(request, caller.cell) if caller.on_page else None
            return journal.answer(request, number, only=settings.replay == "only")
        except SettingsError:  # it cannot be read; the line under the reply will say so
            if settings.replay == "only":
                raise
            return None

    def calls(self, exchange: Exchange, journal: Journal | None) -> tuple[Call, ...]:
        """The calls of a replayed reply with their recorded results; no function runs for them.

        Raises:
            NotRecorded: The results are not recorded.
        """
        source = self.recording or journal
        results = source.results(exchange) if source is not None else None
        if results is None or len(results) != len(exchange.calls):
            raise NotRecorded("what its functions returned is not recorded. Nothing was run. --run-tools runs them.")
        return tuple(map(_with_result, exchange.calls, results))  # in their order: history sees to it

    def error(self, request: Request, journal: Journal | None) -> NotRecorded:
        """Why there is no recorded answer for `request`."""
        if self.recording is not None:
            return self.recording.not_recorded(request)
        why = "there is no journal, for Claude.journal is ''." if journal is None else journal.nearest(request)
        return NotRecorded(
            f"not recorded in the journal: {why} Nothing was sent. Undo that, or set Claude.replay = 'on' to send it."
        )


def _with_result(call: Call, block: Block) -> Call:
    """A call with its recorded result."""
    content = block.get("content")
    blocks = tuple(content) if isinstance(content, list) else ({"type": "text", "text": str(content or "")},)
    return replace(call, state=FAILED if block.get("is_error") else DONE, content=blocks, note="recorded, not run")
