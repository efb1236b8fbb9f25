"""`%claude --get PATH` and `%%claude --post PATH`: a cell that calls an endpoint of the API.

What changes, creates or deletes something is asked about first, as a call of a tool is: method, path, body, Run or
Refuse. `--yes` answers for scripts; where nobody can be asked, it is an error without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..api.saved_files import SavedFile
from ..errors import CellError, SettingsError
from ..prompt.json_body import json_body
from ..prompt.options.option import Scope
from ..prompt.options.options import Options
from ..prompt.options.table import all_options
from ..prompt.values import format_value
from ..session.endpoint_call import EndpointCall, endpoint_call
from ..session.endpoint_send import preview_request
from ..session.provider import base_url
from .endpoints import found_text, list_endpoints, refuse_unasked
from .ipython.prompt_namespace import prompt_namespace
from .views import show_program

if TYPE_CHECKING:
    from ..wire import Exchange
    from ..wire.presenter import Presenter
    from .claude import ClaudeHandle


class EndpointCell:
    """One call that a cell asks for.

    Args:
        text: The JSON body, or without a path the words that endpoints are searched with.
        fills: Whether `{{name}}` in the body inserts a variable.

    Raises:
        CellError: It cannot be sent.
    """

    def __init__(self, handle: ClaudeHandle, shell: Any, options: Options, text: str, *, fills: bool = True) -> None:
        self._handle = handle
        self._shell = shell
        self._namespace = prompt_namespace(shell) if fills else None
        self.options = options
        self.notes: list[str] = []
        _refuse_other_options(options)
        settings, _ = handle.settings.effective(options.profile, options.provider)
        self._settings = settings
        self.call = self._call(text) if _path(options) else None
        self._words = text.strip()

    def run(self) -> None:
        """Do what the cell says: list, print a program, ask, or send and show.

        Raises:
            ClaudeError: It failed, or nobody can be asked.
        """
        options, call = self.options, self.call
        if call is None:
            list_endpoints(self.search, page=self._handle.cells.in_notebook)
        elif options.show:
            show_program(self.program(call), options.show, page=self._handle.cells.in_notebook)
        elif call.changes and not options.yes and not self._only_replays:
            self._ask(call)
        else:
            self.send(self.presenter())

    @property
    def search(self) -> str:
        """The words that endpoints are searched with; `--get` alone lists those of every method."""
        method = "" if _method(self.options) == "GET" else _method(self.options)
        return f"{method} {self._words}".strip()

    def program(self, call: EndpointCall) -> str:
        """The call as a program, in the language of `--show`."""
        from ..export import program

        return program(preview_request(self._settings, call), self.options.show)

    @property
    def _only_replays(self) -> bool:
        return self._handle.session.ledger.replays.never_sends(self._settings)

    def send(self, presenter: Presenter) -> Exchange:
        """Send the call, show its answer, and bind `-o`.

        Raises:
            ClaudeError: It failed.
        """
        assert self.call is not None  # noqa: S101  only a call is sent
        options, session = self.options, self._handle.session
        saved = self._saved_file()
        exchange = session.request(
            self.call,
            session.caller(options),
            presenter,
            all_pages=options.all_pages,
            save=saved,
            profile=options.profile,
            notes=tuple(self.notes),
        )
        presenter.finish(exchange)
        if exchange.error is not None:
            raise exchange.error
        if options.out and saved is None:
            self._shell.push({options.out: self._value(exchange)})
        return exchange

    @property
    def shows_panel(self) -> bool:
        """Whether the panel is shown under the answer."""
        return self._settings.panel if self.options.panel is None else self.options.panel

    def presenter(self) -> Presenter:
        """What shows the answer under the cell that runs."""
        panel, in_notebook = self.shows_panel, self._handle.cells.in_notebook
        if self.call is not None and self.call.is_message:
            from ..display.live.page import Page
            from ..display.terminal.terminal import Terminal

            return Page(owns_cell=False, raw=False, panel=panel) if in_notebook else Terminal()
        from ..display.answers.screen import AnswerPage, AnswerTerminal

        return AnswerPage(panel=panel) if in_notebook else AnswerTerminal()

    def _ask(self, call: EndpointCall) -> None:
        from .pending_call import PendingCall, is_approved_in_terminal

        if not self._handle.cells.in_notebook:
            if is_approved_in_terminal(call, base_url(self._settings)):
                self.send(self.presenter())
            return
        if not self._handle.cells.asks:
            raise CellError(
                f"{call.method} {call.target} changes something and needs your approval, and nobody can be asked where "
                "this notebook runs. Run the cell with --yes."
            )
        approvals, place = self._handle.approvals, self._handle.cells.place
        approvals.replace(place)
        PendingCall(self, call, base_url(self._settings), place, approvals).show()

    def _call(self, text: str) -> EndpointCall:
        options = self.options
        body = json_body(
            text,
            self._namespace,
            self._format,
            allow_secret=options.allow_secret,
            tell=self.notes.append,
        )
        return endpoint_call(
            _method(options),
            _path(options),
            base_url=base_url(self._settings),
            query=[(each.name, each.value) for each in options.query],
            headers=options.header,
            body=body,
            files=[(each.name, each.value) for each in options.file],
            api_version=options.api_version,
        )

    def _format(self, value: Any) -> str:
        """A variable's value as it is written into a string."""
        limits = {"table_rows": self._settings.table_rows, "value_chars": self._settings.value_chars}
        return format_value(value, **limits)

    def _saved_file(self) -> SavedFile | None:
        out = self.options.out
        return SavedFile(out, overwrite=self.options.yes) if out and not out.isidentifier() else None

    def _value(self, exchange: Exchange) -> Any:
        if exchange.answer is None:
            return exchange.json
        from ..display.answers.data_frame import value_of

        return value_of(exchange.answer)


def call_from_python(handle: ClaudeHandle, shell: Any, options: Options, text: str) -> Any:
    """What `claude(text, get="/v1/models")` returns: the exchange, a program, or a list of endpoints as text.

    Raises:
        ClaudeError: It cannot be sent, or failed.
    """
    from ..wire.presenter import SilentPresenter

    if options.out and options.out.isidentifier() and shell is None:
        raise SettingsError("out needs a notebook: run %load_ext claude_magic first.")
    cell = EndpointCell(handle, shell, options, text, fills=False)
    if cell.call is None:
        return found_text(cell.search)
    if options.show:
        return cell.program(cell.call)
    refuse_unasked(cell.call, yes=options.yes)
    return cell.send(SilentPresenter())


def _method(options: Options) -> str:
    return options.endpoint[0] if options.endpoint else ""


def _path(options: Options) -> str:
    return options.endpoint[1] if options.endpoint else ""


def _refuse_other_options(options: Options) -> None:
    """Refuse options that would say nothing here.

    Raises:
        CellError: There is one.
    """
    others = [each for each in all_options() if Scope.CALL not in each.scope and each.is_set(options)]
    if others:
        method = _method(options).lower()
        raise CellError(f"--{method} calls an endpoint, and {others[0].names[-1]} is for messages. Leave it out.")
