"""A reply in a terminal: text appended as it comes, steps as indented lines, then the summary line.

Nothing is drawn twice: what is told of a step later comes as a line of its own.

Only what `plain` lets through reaches the terminal. White space at the end waits for what follows it,
and so does U+FFFD, which may be the half of a character whose other half is still on its way.
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
    """What a terminal, a pipe or a file shows of one exchange: its source text."""

    def __init__(self) -> None:
        self._passage = 0
        self._at = 0
        self._marks = 0  # how many of the passage's marks are written
        self._told: dict[int, list[str]] = {}  # what was said of the step in that place
        self._begun = time.monotonic()
        self._waiting = ""
        self._wrote = False
        self._finished = False

    def show(self, exchange: Exchange, note: str = "") -> None:
        """Append what is new, or tell on a terminal that nothing came yet.

        Args:
            exchange: Its `seconds` are those since it began.
            note: What is being waited for; `""` for the model.
        """
        if self._finished:
            return
        self._append(passages(exchange.message), last=False)
        if not self._wrote and time.monotonic() - self._begun >= _QUIET_SECONDS:
            said = note or f"waiting for {requested_model(exchange) or 'an answer'}…"
            self._wait(plain(f"{said} {int(exchange.seconds)} s"[:70]).replace("\n", " "))

    def events(self, events: Iterable[TimedEvent]) -> None:
        """Does nothing."""

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        """Append the rest, blocks of unknown kinds as JSON, the sources, and the summary line, if that was not done."""
        if self._finished:
            return
        found = passages(exchange.message, exchange.calls)
        self._append(found, last=True)
        self._wait("")
        blocks = [f"{passage.title}:\n{passage.source}" for passage in found if passage.kind == "json"]
        lines = (
            [*warnings(exchange), _dim("\n".join([facts(exchange), *map(plain, exchange.notes)]))]
            if found or exchange.error is None
            else []
        )
        unknown = [plain("\n\n".join(blocks))] if blocks else []
        sources = sources_lines(citations(exchange.message.content).sources)
        ending = ["\n".join(told) for told in (self._later(found), unknown, sources) if told]
        with hold_interrupts():
            self._finished = True
            for stretch in [*ending, *(["\n".join(lines)] if lines else [])]:
                self._write(("\n\n" if self._wrote else "") + stretch)
            if self._wrote:
                self._write("\n")

    def update(self, exchange: Exchange) -> None:
        """Append what is new about the calls of a finished reply."""
        if not self._finished:
            return
        with hold_interrupts():
            if lines := self._later(passages(exchange.message, exchange.calls)):
                self._write("\n".join(lines) + "\n")

    def _later(self, found: list[Passage]) -> list[str]:
        """What is known of the steps now and was not told before."""
        lines: list[str] = []
        for place, passage in enumerate(found):
            step = passage.step
            if step is not None and self._told.get(place) != _notes(step):
                self._told[place] = _notes(step)
                lines += step.lines
        return lines

    def _append(self, found: list[Passage], *, last: bool) -> None:
        while self._passage < len(found):
            whole = last or self._passage < len(found) - 1
            self._append_from(found[self._passage], whole)
            if not whole:
                return
            with hold_interrupts():
                self._passage, self._at, self._marks = self._passage + 1, 0, 0

    def _append_from(self, passage: Passage, whole: bool) -> None:
        """Append what is new in a passage; what trails waits, or is left out if it is white space."""
        if passage.kind == "json":
            return
        if passage.step is not None:
            self._append_step(passage.step, whole)
            return
        new = passage.source[self._at :]
        ready = new.rstrip() if whole else new.rstrip(_NOT_YET)
        written, marks = self._with_marks(passage, self._at + len(ready), whole)
        text = _BLANK_LINES.sub("\n\n\n", plain(written))
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
        """Append the lines of a step once nothing more is on its way; its result may still come later."""
        if not whole:
            return
        with hold_interrupts():
            self._wait("")
            after_step = self._passage - 1 in self._told
            before = "" if not self._wrote else "\n" if after_step else "\n\n"
            self._write(before + "\n".join(step.lines))
            self._told[self._passage] = _notes(step)

    def _with_marks(self, passage: Passage, end: int, whole: bool) -> tuple[str, int]:
        """The source up to `end` with the marks in it, and how many marks are written then.

        Where a stretch is not at its end, its mark would move on.
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
        """Show `line` in the place of the last one, on a terminal only; `""` takes it away."""
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
