"""A reply in a terminal: text appended as it arrives, steps as indented lines, then the summary line.

Nothing is printed twice: a later result of a step is a line of its own. Only what `plain` passes reaches the
terminal. Trailing white space waits for the text after it, and so does U+FFFD: it may be half of a character whose
other half has not arrived yet. On a terminal lines end between words; in a pipe or a file they stay as they are.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from ...wire import Exchange, TimedEvent
from ...wire.presenter import Presenter
from ..live.interrupts import hold_interrupts
from ..reply.reply import Passage, passages
from ..reply.sources import citations, sources_lines
from ..reply.status import status_line
from ..reply.steps import Step
from ..reply.summary import facts, warnings
from ..text.plain import plain
from .waiting_line import WaitingLine, is_terminal, write
from .word_wrap import WordWrap, columns, wrap_facts

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
        self._waiting = WaitingLine()
        self._wrote = False
        self._newlines = 0  # at the end of what was written
        self._wrap: WordWrap | None = None  # of the passage, on a terminal
        self._finished = False

    def show(self, exchange: Exchange, note: str = "") -> None:
        """Appends new text; before the first text, a terminal shows what is waited for."""
        if self._finished:
            return
        arrived = passages(exchange.message)
        self._append(arrived, last=False)
        quiet = time.monotonic() - self._begun < _QUIET_SECONDS
        status = "" if quiet else status_line(exchange, sum(len(each.source) for each in arrived), note)
        self._show_growth(arrived[self._passage :], status)

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Does nothing."""

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        """Appends the rest, unknown blocks as JSON, the sources, and the summary line."""
        if self._finished:
            return
        parts = passages(exchange.message, exchange.calls)
        self._append(parts, last=True)
        self._wait("")
        blocks = [f"{passage.title}:\n{passage.source}" for passage in parts if passage.kind == "json"]
        lines = _summary_lines(exchange) if parts or exchange.error is None else []
        unknown = [plain("\n\n".join(blocks))] if blocks else []
        sources = sources_lines(citations(exchange.message.content).sources)
        ending = [
            "\n".join(block_lines) for block_lines in (self._new_steps(parts), unknown, sources, lines) if block_lines
        ]
        with hold_interrupts():
            self._finished = True
            for stretch in ending:
                self._write(self._gap() + stretch)
            if self._wrote:
                self._write("\n")

    def update(self, exchange: Exchange) -> None:
        """Appends the new results of calls."""
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
            if step is not None and self._steps.get(place) != step.written_lines:
                self._steps[place] = step.written_lines
                lines += _fitted(step.written_lines)
        return lines

    def _append(self, parts: list[Passage], *, last: bool) -> None:
        while self._passage < len(parts):
            complete = last or self._passage < len(parts) - 1
            self._append_from(parts[self._passage], complete)
            if not complete:
                return
            with hold_interrupts():
                self._passage, self._at, self._marks, self._wrap = self._passage + 1, 0, 0, None

    def _append_from(self, passage: Passage, complete: bool) -> None:
        """Appends the new text of a passage; trailing white space waits, or is dropped at its end."""
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
        gap = "" if self._at else self._gap()
        self._wait("")
        with hold_interrupts():
            text = self._wrapped(title + text)
            self._write(gap + (_dim(text) if thought else text))
            self._at, self._marks = self._at + len(ready), marks

    def _append_step(self, step: Step, whole: bool) -> None:
        """Appends the lines of a step once its call is complete; its result may follow later."""
        if not whole:
            return
        with hold_interrupts():
            self._wait("")
            after_step = self._passage - 1 in self._steps
            self._write(self._gap(1 if after_step else 2) + "\n".join(_fitted(step.written_lines)))
            self._steps[self._passage] = step.written_lines

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

    def _show_growth(self, unfinished: list[Passage], status: str) -> None:
        """Shows what cannot be appended yet: before the first text, the status.

        Args:
            unfinished: The passage that grows, if there is one.
        """
        if not self._wrote and status:
            self._wait(status)

    def _wrapped(self, text: str) -> str:
        """More of a passage, with line ends between words on a terminal."""
        if not is_terminal():
            return text
        self._wrap = self._wrap or WordWrap(columns())
        return self._wrap.feed(text)

    def _gap(self, newlines: int = 2) -> str:
        """The line ends that separate what follows from what was written."""
        return "\n" * max(0, newlines - self._newlines) if self._wrote else ""

    def _wait(self, line: str) -> None:
        """Replaces the waiting line, on a terminal only; `""` removes it."""
        self._waiting.show(line)

    def _write(self, text: str) -> None:
        write(text)
        ending = len(text) - len(text.rstrip("\n"))
        self._newlines = ending + (self._newlines if ending == len(text) else 0)
        self._wrote = self._wrote or bool(text)


def _summary_lines(exchange: Exchange) -> list[str]:
    """The warnings, then the facts and the notes; on a terminal no word of them is broken."""
    warned, known = warnings(exchange), [facts(exchange), *map(plain, exchange.notes)]
    if is_terminal():
        width = columns()
        warned = _fitted(warned)
        known = [wrap_facts(line, width) for line in "\n".join(known).split("\n")]
    return [*warned, _dim("\n".join(known))]


def _fitted(lines: list[str]) -> list[str]:
    """The lines, on a terminal with line ends between words."""
    return [WordWrap(columns()).feed(line) for line in lines] if is_terminal() else lines


def _dim(text: str) -> str:
    return f"{_DIM}{text}{_BRIGHT}" if is_terminal() else text
