"""Where a cell's turn is shown, and who approves its calls: a page, a terminal, or an output below the cell."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

from ..errors import CellError, ClaudeError
from ..prompt.options.options import Options
from ..session.prompt import Prompt
from ..session.turn import Turn, approve, calls_to_approve
from ..tools.calls import refuse
from ..wire import Exchange
from ..wire.presenter import Presenter
from ..wire.tool import Call
from .output import Result, result

if TYPE_CHECKING:
    from ..display.live.detached import DetachedOutput


class Screen(Protocol):
    """Where replies are shown."""

    def presenter(self, *, first: bool) -> Presenter:
        """What shows the next exchange.

        Args:
            first: Whether it is the first of the turn here.
        """


class PageScreen:
    """The outputs of a cell in a notebook.

    Args:
        owns_cell: Whether nothing else is shown in the cell.
        panel: Whether each reply has a panel.
    """

    def __init__(self, options: Options, *, owns_cell: bool, panel: bool) -> None:
        self._options = options
        self._owns_cell = owns_cell
        self._panel = panel

    def presenter(self, *, first: bool) -> Presenter:
        if self._options.events:
            from ..display.live.event_log import EventPage

            return EventPage(panel=self._panel)
        from ..display.live.page import Page

        return Page(owns_cell=self._owns_cell and first, raw=is_raw(self._options), panel=self._panel)


class DetachedScreen:
    """An output below a cell that has ended."""

    def __init__(self, output: DetachedOutput, options: Options, *, panel: bool) -> None:
        self._output = output
        self._options = options
        self._panel = panel

    def presenter(self, *, first: bool) -> Presenter:
        return self._output.next(raw=is_raw(self._options), panel=self._panel)


class TerminalScreen:
    """The lines of a terminal."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def presenter(self, *, first: bool) -> Presenter:
        from ..display.terminal import rich_terminal
        from ..display.terminal.terminal import Terminal

        rendered = rich_terminal.available() and not self._options.raw
        reply = rich_terminal.RichTerminal() if rendered else Terminal()
        if not self._options.events:
            return reply
        from ..display.live.event_log import EventTerminal

        return EventTerminal(reply)


class CellPresenter:
    """Shows a cell's turn, and makes the result of its final reply.

    Args:
        above: Safe HTML above the first reply.
        after: The presenter whose last reply shows the results of the calls that wait; `None` if none do.

    Attributes:
        result: What the options make of the final reply; `None` before.
        result_error: Why they cannot; `None` if they can.
        interrupted: Whether the user pressed stop when the reply was complete.
    """

    def __init__(self, prompt: Prompt, screen: Screen, *, above: str = "", after: CellPresenter | None = None) -> None:
        self.prompt = prompt
        self.result: Result | None = None
        self.result_error: ClaudeError | None = None
        self.interrupted = False
        self._screen = screen
        self._above = above
        self._presenter: Presenter | None = after._presenter if after is not None else None

    def next(self) -> Presenter:
        self._presenter = self._screen.presenter(first=self._presenter is None)
        return self._presenter

    def finish(self, exchange: Exchange, *, final: bool) -> None:
        body = None
        if final:
            self.result, self.result_error = _result(self.prompt, exchange)
            body = self.result.html
            exchange = exchange.with_notes(self.result.note)
        if self._presenter is not None:
            self.interrupted = _finish(self._presenter, exchange, self._above, body)
        self._above = ""

    def update(self, exchange: Exchange) -> None:
        with contextlib.suppress(Exception):  # what cannot be shown is still sent
            if self._presenter is not None:
                self._presenter.update(exchange)


class PageApprover:
    """Approves calls in a notebook; to ask the user, the cell ends.

    Args:
        can_ask: Whether the front end can ask the user, as far as it tells.
    """

    def __init__(self, *, can_ask: bool) -> None:
        self._can_ask = can_ask

    def decide(self, turn: Turn) -> tuple[Call, ...] | None:
        calls = calls_to_approve(turn)
        if not calls:
            return tuple(map(approve, turn.exchange.calls))
        if self._can_ask:
            return None
        name = calls[0].name
        advice = f"Run the cell with --yes, or mark {name} with @claude.tool(approve=False)."
        advice = "Leave --step out." if turn.prompt.options.step else advice
        raise CellError(f"{name} needs your approval, and nobody can be asked where this notebook runs. {advice}")

    def may_send(self, turn: Turn) -> bool:
        return not self._can_ask  # where the user cannot be asked, there are only recorded results so far


class TerminalApprover:
    """Approves calls in a terminal: the user is asked in the next line."""

    def decide(self, turn: Turn) -> tuple[Call, ...]:
        asks = {call.id for call in calls_to_approve(turn)}
        return tuple(_ask(call) if call.id in asks else approve(call) for call in turn.exchange.calls)

    def may_send(self, turn: Turn) -> bool:
        _read_line("Results are there. Enter to send them: ")
        return True


def is_raw(options: Options) -> bool:
    """Whether the source text of a reply is shown instead of being rendered."""
    return options.raw or options.as_ == "text"


def _ask(call: Call) -> Call:
    """The call as the user decides it, with all its arguments in view."""
    from ..display.approval.bundle import call_text

    print(call_text(call))
    while True:
        line = _read_line("Run it? y, or n and why: ").strip()
        word, _, why = line.partition(" ")
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


def _result(prompt: Prompt, exchange: Exchange) -> tuple[Result, ClaudeError | None]:
    """What the options make of a reply, or the plain text and why they cannot."""
    if exchange.error is not None:
        return Result(value=exchange.text), None
    try:
        return result(prompt.options, exchange, prompt.schema, shown=True), None
    except ClaudeError as error:
        return Result(value=exchange.text), error


def _finish(presenter: Presenter, exchange: Exchange, above: str, body: str | None) -> bool:
    """Shows the end, as plain text if the display fails; whether the user pressed stop meanwhile."""
    try:
        presenter.finish(exchange, above=above, body=body)
    except KeyboardInterrupt:
        presenter.finish(exchange, above=above, body=body)
        return True
    except Exception as error:
        print(exchange.text)
        print(f"(shown as plain text: {type(error).__name__}: {error})")
    return False
