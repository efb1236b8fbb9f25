"""What shows an exchange: every presenter has the protocol's four methods, and says an incomplete reply once."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from claude_magic.display.live.detached import DetachedOutput
from claude_magic.display.live.event_log import EventPage, EventTerminal
from claude_magic.display.live.grid import Grid
from claude_magic.display.live.page import Page
from claude_magic.display.terminal.rich_terminal import RichTerminal
from claude_magic.display.terminal.series import Series
from claude_magic.display.terminal.terminal import Terminal
from claude_magic.display.workbench.answer import Answer
from claude_magic.errors import StreamError
from claude_magic.wire.presenter import Presenter, SilentPresenter
from tests.notebook_shell import Shell
from tests.replaying import exchange

METHODS = ("show", "events", "update", "finish")
PRESENTERS: dict[str, Callable[[], Presenter]] = {
    "page": lambda: Page(owns_cell=True, raw=False, panel=True),
    "events of a page": lambda: EventPage(panel=True),
    "detached output": lambda: DetachedOutput("name").next(raw=False, panel=True),
    "grid": lambda: Grid(["only"]).places[0],
    "printed grid": lambda: Series(["only"], Terminal).places[0],
    "workbench": lambda: Answer([SimpleNamespace(value="") for _ in range(3)], threading.Event()),
    "terminal": Terminal,
    "rich terminal": RichTerminal,
    "events of a terminal": EventTerminal,
    "nothing": SilentPresenter,
}


@pytest.mark.parametrize("name", PRESENTERS)
def test_a_presenter_has_the_methods_of_the_protocol(name: str) -> None:
    with Shell():
        kind = type(PRESENTERS[name]())
    for method in METHODS:
        assert inspect.signature(getattr(kind, method)) == inspect.signature(getattr(Presenter, method)), method


@pytest.mark.parametrize("name", PRESENTERS)
def test_a_presenter_takes_a_reply_that_breaks_off_while_it_is_shown(name: str) -> None:
    whole = exchange("Once upon", error=StreamError("dropped"))
    with Shell():
        presenter = PRESENTERS[name]()
        presenter.show(exchange(""), "overloaded: try 2 of 3 in 2 s")
        presenter.show(exchange("Once"))
        presenter.events(())
        presenter.finish(whole, above="<i>above</i>", body=None)
        presenter.update(whole)


@pytest.mark.parametrize("name", ["printed grid", "terminal", "events of a terminal"])
def test_to_finish_twice_prints_once(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    presenter = PRESENTERS[name]()
    for _ in range(2):
        presenter.finish(exchange("Once upon a time", stop_reason="end_turn"))
    assert capsys.readouterr().out.count("req_test") == 1


def test_a_series_shows_a_reply_when_those_before_it_are_finished(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = Series(["one", "two"], Terminal).places
    second.finish(exchange("the second", stop_reason="end_turn"))
    assert capsys.readouterr().out == ""
    first.finish(exchange("the first", stop_reason="end_turn"))
    printed = capsys.readouterr().out
    assert printed.index("the first") < printed.index("the second")
