"""A reply in a terminal: text appended as it arrives, steps as indented lines, then the summary line.

Nothing is printed twice: a later result of a step is a line of its own. Only what `plain` passes reaches the
terminal. Trailing white space waits for the text after it, and so does U+FFFD: it may be half of a character whose
other half has not arrived yet.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable

from ...wire import Exchange, TimedEvent
from ...wire.presenter import Presenter
from ..live.interrupts import hold_interrupts
from ..reply.reply import Passage, passages
from ..reply.sources import citations, sources_lines
from ..reply.steps import Step
from ..reply.summary import facts, requested_model, warnings
from ..text.plain import plain

_QUIET_SECONDS = 0.5
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){3,}")
_NOT_YET = "\ufffd \t\r\n\u2028\u2029"
_DIM, _BRIGHT = "\x1b[2m", "\x1b[22m"


class Terminal(Presenter):
    """Writes the source text of one exchange to a terminal, a pipe or a file."""

    def __init__(self) -> None:
        self._passage = 0
        self._at = 0
        self._marks = 0  # of the passage, written so far
        self._steps: dict[int, list[str]] = {}  # lines written of a step, by the index of its passage
        self._begun = time.monotonic()
        self._waiting = ""
        self._wrote = False
        self._finished = False

    def show(self, exchange: Exchange, note: str = "") -> None:
        """Append new text; until the first text, show on a terminal what is awaited."""
        if self._finished:
            return
        self._append(passages(exchange.message), last=False)
        if not self._wrote and time.monotonic() - self._begun >= _QUIET_SECONDS:
            status = note or f"waiting for {requested_model(exchange) or 'an answer'}…"
            self._wait(plain(f"{status} {int(exchange.seconds)} s"[:70]).replace("\n", " "))

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Does nothing."""

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        """Append the rest, unknown blocks as JSON, the sources, and the summary line."""
        if self._finished:
            return
        parts = passages(exchange.message, exchange.calls)
        self._append(parts, last=True)
        self._wait("")
        blocks = [f"{passage.title}:\n{passage.source}" for passage in parts if passage.kind == "json"]
        lines = (
            [*warnings(exchange), _dim("\n".join([facts(exchange), *map(plain, exchange.notes)]))]
            if parts or exchange.error is None
            else []
        )
        unknown = [plain("\n\n".join(blocks))] if blocks else []
        sources = sources_lines(citations(exchange.message.content).sources)
        ending = ["\n".join(block_lines) for block_lines in (self._new_steps(parts), unknown, sources) if block_lines]
        with hold_interrupts():
            self._finished = True
            for stretch in [*ending, *(["\n".join(lines)] if lines else [])]:
                self._write(("\n\n" if self._wrote else "") + stretch)
            if self._wrote:
                self._write("\n")

    def update(self, exchange: Exchange) -> None:
        """Append the new results of calls."""
        if not self._finished:
            return
        with hold_interrupts():
            if lines := self._new_steps(passages(exchange.message, exchange.calls)):
                self._write("\n".join(lines) + "\n")

    def _new_steps(self, parts: list[Passage]) -> list[str]:
        """The lines of steps that changed since they were written."""
        lines: list[str] = []
        for place, passage in enumerate(parts):
            step = passage.step
            if step is not None and self._steps.get(place) != _notes(step):
                self._steps[place] = _notes(step)
                lines += step.lines
        return lines

    def _append(self, parts: list[Passage], *, last: bool) -> None:
        while self._passage < len(parts):
            complete = last or self._passage < len(parts) - 1
            self._append_from(parts[self._passage], complete)
            if not complete:
                return
            with hold_interrupts():
                self._passage, self._at, self._marks = self._passage + 1, 0, 0

    def _append_from(self, passage: Passage, complete: bool) -> None:
        """Append the new text of a passage; trailing white space waits, or is dropped at its end."""
        if passage.kind == "json":
            return
        if passage.step is not None:
            self._append_step(passage.step, complete)
            return
        new = passage.source[self._at :]
        ready = new.rstrip() if complete else new.rstrip(_NOT_YET)
        marked, marks = self._with_marks(passage, self._at + len(ready), complete)
        text = _BLANK_LINES.sub("\n\n\n", plain(marked))
        text = text if self._at else text.lstrip("\n")
        if not text:
            return
        thought = passage.kind == "thinking"
        title = "thinking: " if thought and not self._at else ""
        break_before = "\n\n" if self._wrote and not self._at else ""
        self._wait("")
        with hold_interrupts():
            self._write(break_before + (_dim(title + text) if thought else text))
            self._at, self._marks = self._at + len(ready), marks

    def _append_step(self, step: Step, whole: bool) -> None:
        """Append the lines of a step when its call is complete; its result may follow later."""
        if not whole:
            return
        with hold_interrupts():
            self._wait("")
            after_step = self._passage - 1 in self._steps
            before = "" if not self._wrote else "\n" if after_step else "\n\n"
            self._write(before + "\n".join(step.lines))
            self._steps[self._passage] = _notes(step)

    def _with_marks(self, passage: Passage, end: int, whole: bool) -> tuple[str, int]:
        """The source up to `end` with its citation marks, and the number of marks written so far.

        A mark at the end of incomplete text waits: it may still move.
        """
        last = end if whole else min(end, len(passage.source.rstrip()) - 1)
        pieces, at, marks = list[str](), self._at, self._marks
        for place, number in passage.places[marks:]:
            if place > last:
                break
            pieces += [passage.source[at : max(at, place)], f"[{number}]"]
            at, marks = max(at, place), marks + 1
        return "".join((*pieces, passage.source[at:end])), marks

    def _wait(self, line: str) -> None:
        """Replace the waiting line, on a terminal only; `""` removes it."""
        if line == self._waiting or not _is_terminal():
            return
        with hold_interrupts():
            _print("\r" + line.ljust(len(self._waiting)) + ("" if line else "\r"))
            self._waiting = line

    def _write(self, text: str) -> None:
        _print(text)
        self._wrote = True


def _notes(step: Step) -> list[str]:
    return [step.call_line, *step.outcome_lines]


def _print(text: str) -> None:
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def _dim(text: str) -> str:
    return f"{_DIM}{text}{_BRIGHT}" if _is_terminal() else text


def _is_terminal() -> bool:
    try:
        return sys.stdout.isatty()
    except (AttributeError, ValueError):
        return False
