"""Where a turn is shown and its reader asked: a page, a terminal, or nowhere."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import CellError, ClaudeError
from ..session.turn import Turn, approve, calls_to_approve
from ..tools.calls import refuse
from ..wire.presenter import Presenter
from ..wire.tool import Call
from .output import Result, result

if TYPE_CHECKING:
    from ..session.prompt import Prompt
    from ..wire import Exchange


class CellPresenter:
    """Shows a cell's turn.

    Args:
        presenters: From whether it is the first to what shows the next exchange.
        above: Safe HTML above the first reply.
        after: The stage whose last reply shows what becomes of the calls that wait; `None` if none do.

    Attributes:
        made: What the cell made of its final reply; `None` before.
        misfit: Why it could not; `None` if it could.
        interrupted: Whether the reader pressed stop when the reply was whole.
    """

    def __init__(
        self,
        cell: Prompt,
        presenters: Callable[[bool], Presenter],
        *,
        above: str = "",
        after: CellPresenter | None = None,
    ) -> None:
        self.cell = cell
        self.made: Result | None = None
        self.misfit: ClaudeError | None = None
        self.interrupted = False
        self._presenters = presenters
        self._above = above
        self._presenter: Presenter | None = after._presenter if after is not None else None

    def presenter(self) -> Presenter:
        self._presenter = self._presenters(self._presenter is None)
        return self._presenter

    def finish(self, exchange: Exchange, *, final: bool) -> None:
        body = None
        if final:
            self.made, self.misfit = _cell_output(self.cell, exchange)
            body = self.made.html
            exchange = replace(exchange, notes=(*exchange.notes, *filter(None, [self.made.note])))
        if self._presenter is not None:
            self.interrupted = _finish(self._presenter, exchange, self._above, body)
        self._above = ""

    def update(self, exchange: Exchange) -> None:
        with contextlib.suppress(Exception):  # what cannot be shown is still sent
            if self._presenter is not None:
                self._presenter.update(exchange)


class PagePresenter(CellPresenter):
    """A turn in a notebook; to ask its reader, the cell ends.

    Args:
        asks: Whether the front end can ask, as far as it tells.
    """

    def __init__(
        self,
        cell: Prompt,
        presenters: Callable[[bool], Presenter],
        *,
        asks: bool,
        above: str = "",
        after: CellPresenter | None = None,
    ) -> None:
        super().__init__(cell, presenters, above=above, after=after)
        self._asks = asks

    def decide(self, turn: Turn) -> tuple[Call, ...] | None:
        asked = calls_to_approve(turn)
        if not asked:
            return tuple(map(approve, turn.exchange.calls))
        self._check(turn, asked[0])
        return None

    def may_send(self, turn: Turn) -> bool:
        return not self._asks  # where nobody can be asked, only what was recorded has come so far

    def _check(self, turn: Turn, call: Call) -> None:
        if self._asks:
            return
        way = (
            "Leave --step out."
            if turn.options.step
            else f"Run the cell with --yes, or mark {call.name} with @claude.tool(approve=False)."
        )
        raise CellError(f"{call.name} needs your approval, and nobody can be asked where this notebook runs. {way}")


class TerminalPresenter(CellPresenter):
    """A turn in a terminal: its reader is asked in the next line."""

    def decide(self, turn: Turn) -> tuple[Call, ...]:
        asks = {call.id for call in calls_to_approve(turn)}
        return tuple(_answer(call) if call.id in asks else approve(call) for call in turn.exchange.calls)

    def may_send(self, turn: Turn) -> bool:
        _read_line("Results are there. Enter to send them: ")
        return True


def _answer(call: Call) -> Call:
    """The call, as whoever sits at the terminal decides it, with all its arguments in view."""
    from ..display.approval.bundle import call_text

    print(call_text(call))
    while True:
        said = _read_line("Run it? y, or n and why: ").strip()
        word, _, why = said.partition(" ")
        if word.lower() in ("y", "yes"):
            return approve(call)
        if word.lower() in ("n", "no"):
            return refuse(call, why)


def _read_line(question: str) -> str:
    try:
        return input(question)
    except (EOFError, OSError):
        raise CellError(
            "a call needs your approval, and nobody answers here. Use --yes, or @claude.tool(approve=False)."
        ) from None


def _cell_output(cell: Prompt, exchange: Exchange) -> tuple[Result, ClaudeError | None]:
    """What the cell makes of its reply, or the plain text and why it cannot be made."""
    if exchange.error is not None:
        return Result(value=exchange.text), None
    try:
        return result(cell.options, exchange, cell.schema), None
    except ClaudeError as error:
        return Result(value=exchange.text), error


def _finish(presenter: Presenter, exchange: Exchange, above: str, body: str | None) -> bool:
    """Show the end; whether the reader pressed stop meanwhile. A display that fails shows the plain text."""
    try:
        presenter.finish(exchange, above=above, body=body)
    except KeyboardInterrupt:
        presenter.finish(exchange, above=above, body=body)
        return True
    except Exception as error:
        print(exchange.text)
        print(f"(shown as plain text: {type(error).__name__}: {error})")
    return False
