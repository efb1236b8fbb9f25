"""`--times`, `--compare`, `--openai`: several replies to one prompt, side by side or in turn, and what they give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from IPython.core.display_functions import publish_display_data

from ..batch.compare import Combination, combinations, results
from ..errors import ClaudeError, Interrupted
from ..prompt.options.options import Options
from ..session.prompt import Prompt
from ..wire import Exchange, TimedEvent
from ..wire.presenter import Presenter
from .output import Result, result
from .presenters import TerminalScreen, is_raw

if TYPE_CHECKING:
    from ..display.live.grid import Grid
    from ..display.terminal.series import Series
    from .claude import ClaudeHandle
    from .turn_runner import TurnRunner

_NOT_FILLED = "the next cell is not filled by several replies; -o NAME binds what they give."


class SeveralReplies:
    """Asks for several replies, and shows them in the running cell."""

    def __init__(self, turns: TurnRunner, handle: ClaudeHandle, shell: Any) -> None:
        self._turns = turns
        self._handle = handle
        self._shell = shell

    def run(self, prompt: Prompt, cell: str) -> None:
        """Sends the prompt of the running cell, and shows the replies.

        Raises:
            ClaudeError: None can be sent, all of `--times` failed, or the user stopped them.
        """
        options, session = prompt.options, self._handle.session
        several = combinations(options, self._shell.user_ns, session.snippets)
        names = [each.label for each in several]
        grid = self._grid(prompt, names)
        places = [ResultPresenter(place, options, prompt.schema) for place in grid.places]
        prompts = [replace(prompt, options=each.options) for each in several]
        try:
            exchanges = session.ask_each(prompts, places, cell)
        except BaseException:
            grid.close()
            raise
        for place, exchange in zip(places, exchanges, strict=True):
            place.finish(exchange)
            place.update(exchange)
        self._turns.show_files(exchanges)
        if options.compare or options.openai:
            self._show_table(names, exchanges)
        if options.openai:
            self._show_forms(exchanges)
        if options.diff:
            self._show_differences(names, exchanges)
        self._bind(options, several, exchanges, places)

    def _grid(self, prompt: Prompt, names: Sequence[str]) -> Grid | Series:
        options = prompt.options
        if self._handle.cells.in_notebook:
            from ..display.live.grid import Grid

            return Grid(names, raw=is_raw(options), panel=self._turns.shows_panel(prompt))
        from ..display.terminal.series import Series

        screen = TerminalScreen(options)
        return Series(names, lambda: screen.presenter(first=False))

    def _bind(
        self,
        options: Options,
        several: Sequence[Combination],
        exchanges: Sequence[Exchange],
        places: Sequence[ResultPresenter],
    ) -> None:
        values, compares = [place.value for place in places], options.compare or options.openai
        if options.out:
            value = results(several, exchanges, values) if compares else values
            self._shell.push({options.out: value})
        elif any(place.fills_next_cell for place in places):
            print(_NOT_FILLED)
        errors = [exchange.error for exchange in exchanges if exchange.error is not None]
        if any(isinstance(error, Interrupted) for error in errors):
            whole = len(exchanges) - len(errors)
            raise Interrupted(f"stopped; {whole} of {len(exchanges)} replies had come whole, and what came is kept.")
        if len(errors) == len(exchanges) and not compares:
            raise errors[0]

    def _show_table(self, names: Sequence[str], exchanges: Sequence[Exchange]) -> None:
        from ..display.tables.comparison import comparison

        self._show(comparison(names, exchanges, brief=not self._handle.cells.in_notebook))

    def _show_differences(self, names: Sequence[str], exchanges: Sequence[Exchange]) -> None:
        """What differs between the first reply and each of the others."""
        from ..display.reply.diff import differences_bundle

        self._show(differences_bundle(list(zip(names, exchanges, strict=True))))

    def _show_forms(self, exchanges: Sequence[Exchange]) -> None:
        """What OpenAI's form drops or changes."""
        from ..display.tables.forms import forms
        from ..export.openai.request import differences

        self._show(forms(differences(exchanges[0].request, exchanges)))

    def _show(self, bundle: dict[str, str]) -> None:
        if self._handle.cells.in_notebook:
            publish_display_data(bundle)
        else:
            print(f"\n{bundle['text/plain']}")


class ResultPresenter(Presenter):
    """Shows one of several replies, with what the options make of it.

    Attributes:
        value: The value for `-o`; the error if there is none.
        fills_next_cell: Whether it would be the next cell, if it were the only reply.
    """

    def __init__(self, place: Presenter, options: Options, kind: Any) -> None:
        self.value: Any = None
        self.fills_next_cell = False
        self._place = place
        self._options = options
        self._kind = kind

    def show(self, exchange: Exchange, note: str = "") -> None:
        self._place.show(exchange, note)

    def events(self, events: Iterable[TimedEvent]) -> None:
        self._place.events(events)

    def finish(self, exchange: Exchange, *, above: str = "", body: str | None = None) -> None:
        view = self._result(exchange)
        self._place.finish(exchange.with_notes(view.note), above=above, body=view.html)

    def update(self, exchange: Exchange) -> None:
        self._place.update(exchange.with_notes(self._result(exchange).note))

    def _result(self, exchange: Exchange) -> Result:
        """What the options make of the reply; why they cannot is a note under it."""
        if exchange.error is not None:
            self.value = exchange.error
            return Result(value=exchange.text)
        try:
            view = result(self._options, exchange, self._kind)
        except ClaudeError as error:
            self.value = error
            return Result(value=exchange.text, note=f"{type(error).__name__}: {error}")
        self.value, self.fills_next_cell = view.value, view.next_input is not None
        return view
