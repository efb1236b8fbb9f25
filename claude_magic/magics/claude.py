"""`claude`: the notebook's handle on the API from Python."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..browser import KEY_RISK, in_browser
from ..errors import ClaudeError, SettingsError
from ..prompt.options.options import Options
from ..session.session import Session
from ..settings import Claude
from .approvals import Approvals
from .approved_changes import ApprovedChanges
from .ipython.cells import Cells
from .views import NotebookViews

if TYPE_CHECKING:
    from ..batch.grading import Rubric
    from ..batch.message_batches.batch import Batch
    from ..cost.usage import Usage
    from ..display.workbench.bench import Workbench
    from ..journal import Journal
    from ..journal.recordings import Recorder, Recording
    from ..prompt.snippets import Snippets
    from ..session.conversation import Conversation
    from ..session.conversations import Conversations
    from ..wire import Exchange
    from .approvals import WaitingList
    from .batch_list import Batches
    from .files import Files
    from .mcp import Server
    from .model_list import Models
    from .organization import Organization
    from .price_approval import InputApprover
    from .prompts import Draft, Prompts
    from .token_count import Count


_INTERNAL = {"shell", "open", "close"}  # for the magics only
_PARTS = {"cells", "session", "approvals"}


class ClaudeHandle:
    """Sends requests from Python, and gives access to settings, exchanges, conversations and the journal.

    Attributes:
        approvals: What waits for approval; a notebook needs only `waiting`.
        session: Sends the requests; a notebook needs only the other names.
    """

    def __init__(self) -> None:
        self.cells = Cells()
        self.session = Session(self.cells, NotebookViews())
        self.session.changes = ApprovedChanges(self)
        self.approvals = Approvals(self.session)
        self._shell: Any = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _PARTS and not name.startswith("_"):
            advice = f"Set claude.settings.{name}." if self.settings.has_trait(name) else "See claude.settings."
            raise SettingsError(f"claude.{name} cannot be set, and nothing was. {advice}")
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        public = {name for name in vars(type(self)) if not name.startswith("_")} - _INTERNAL
        return sorted(public)

    @property
    def settings(self) -> Claude:
        """The settings; `claude.settings.model = ...` is `%config Claude.model = ...`."""
        return self.session.settings

    @property
    def snippets(self) -> Snippets:
        """Cells kept by name, with `--save NAME`."""
        return self.session.snippets

    @property
    def conversations(self) -> Conversations:
        """All conversations by name, with turns and tokens."""
        return self.session.conversations

    @property
    def last(self) -> Exchange | None:
        """The last exchange; after a failure it holds what arrived, and the `error`. `None` before the first."""
        return self.session.last

    @property
    def mapped(self) -> Sequence[Any] | None:
        """The replies of the last `map`; `None` before the first."""
        return self.session.mapped

    @property
    def journal(self) -> Journal:
        """All your exchanges, also those of other notebooks; displayed, the last ones.

        Raises:
            SettingsError: No journal is kept: `Claude.journal` is `""`.
        """
        journal = self.session.ledger.journal(self.settings)
        if journal is None:
            raise SettingsError("no journal is kept: Claude.journal is ''. Set it to None, or to a path.")
        return journal

    @property
    def waiting(self) -> WaitingList | None:
        """What waits for your approval, also what the journal kept over a restart; `None` if nothing does."""
        return self.approvals.waiting

    @property
    def usage(self) -> Usage:
        """What this kernel has used, in exchanges, tokens and dollars, also by conversation."""
        return self.session.ledger.usage

    def record(self, path: str | Path | None) -> Recorder | None:
        """Records this kernel's exchanges, past and future, in a text file made for git.

        Args:
            path: Such as `"lesson.recording.txt"`; `None` ends it.

        Raises:
            SettingsError: The file cannot be written.
        """
        return self.session.ledger.record(None if path is None else Path(path), self.settings)

    def replay(self, path: str | Path | None) -> Recording | None:
        """Answers only from a file that `record` wrote; nothing is sent.

        Args:
            path: `None` ends it.

        Raises:
            SettingsError: It cannot be read, or is no recording.
        """
        return self.session.ledger.replays.open(None if path is None else Path(path))

    def __call__(self, text: str = "", *, tools: Any = (), **options: Any) -> Any:
        """Sends a message, and returns the exchange without displaying it.

        Args:
            text: The user message, sent exactly as given.
            tools: Functions that Claude may call, or definitions; each marked `@claude.tool(approve=False)`, unless
                `yes=True`, since no approval is asked for.
            options: Those of `%%claude`, with underscores: `max_tokens=100`, `stop=["."]`, `attach=["df"]`,
                `as_="json"`. With `times`, `compare` or `openai` the exchanges are returned, with `show`, `preview` and
                `count` what a cell would print. `events`, `raw`, `panel`, `diff` and `step` show the reply as a cell
                does, and return nothing.

        Raises:
            ClaudeError: The exchange failed; `claude.last` holds what arrived.
        """
        from .python_call import call

        return call(self, text, tools, options)

    @staticmethod
    def tool(
        function: Any = None,
        *,
        approve: bool = True,
        name: str | None = None,
        strict: bool = False,
        parallel: bool = False,
    ) -> Any:
        """Marks a function that Claude may call, as `@claude.tool` or `@claude.tool(approve=False)`.

        Args:
            approve: Whether you are asked before each call.
            name: The name of the tool; `None` for the function's own name.
            strict: Whether the API guarantees that the arguments fit the schema.
            parallel: Whether several calls may run at the same time, in threads.

        Raises:
            CellError: A parameter cannot be described; it is named.
        """
        from ..tools.schema.from_function import mark

        return mark(function, approve=approve, name=name, strict=strict, parallel=parallel)

    @staticmethod
    def schema(function: Any) -> dict[str, Any]:
        """The definition of a function as a tool: name, description, and the schema of its arguments.

        Raises:
            CellError: A parameter cannot be described; it is named.
        """
        from ..tools.schema.from_function import schema_of

        return schema_of(function)

    def count(self, what: Any, **options: Any) -> Count:
        """The tokens of each portion of a request: system prompt, tools, each message, attachments.

        Args:
            what: A text, or an exchange.
            options: The options of `%%claude`, with underscores.

        Raises:
            ExchangeError: The endpoint does not count, or does not answer.
        """
        from .token_count import count

        return count(self.session, what, options)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        all: bool = False,
        save: str | Path | None = None,
        yes: bool = False,
    ) -> Exchange:
        """Call any endpoint of the API, as `claude.request("GET", "/v1/models").json`; nothing is displayed.

        Args:
            path: With a query if need be; `%claude --get` lists the endpoints that are known.
            query: Parameters; a list repeats a name.
            json: The body; beside `files` its fields.
            files: By the name of the part: a path, bytes, or (file name, path or bytes, type).
            all: Whether to ask for all pages of a list.
            save: The file or folder that the answer is written to, instead of held.
            yes: Whether it may change, create or delete something (and replace the file of `save`): nobody is asked.

        Raises:
            CellError: It cannot be sent, or changes something without `yes=True`.
            SettingsError: There is no key: `/v1/organizations/` needs an admin key, see `login`.
            ExchangeError: It failed; `claude.last` holds what arrived.
        """
        from .endpoints import request

        how: dict[str, Any] = {"query": query or {}, "headers": headers, "body": json, "files": files or {}}
        return request(self, method, path, how, all_pages=all, save=save, yes=yes)

    @property
    def files(self) -> Files:
        """The files of the Files API; shown, a table of them. `.upload(path)` sends one, `[id]` is one of them."""
        from .files import Files

        return Files(self)

    @property
    def models(self) -> Models:
        """The models of the endpoint, listed once a day; displayed, a table.

        Raises:
            ExchangeError: The endpoint does not list models, or does not answer.
        """
        from .model_list import models

        return models(self.session.sender, self.session.settings_for(Options()))

    @property
    def batches(self) -> Batches:
        """The newest message batches of the endpoint, as a table; `claude.batches["msgbatch_..."]` attaches to any.

        Raises:
            ExchangeError: The endpoint lists no batches, or does not answer.
        """
        from .batch_list import Batches

        return Batches(self.session)

    @property
    def organization(self) -> Organization:
        """Your organization; `.workspaces`, `.members`, `.invites`, `.api_keys`, `.rate_limits`, `.usage()`, `.cost()`.

        They need an admin key: `ANTHROPIC_ADMIN_KEY`, or `claude.login(admin=True)`. What changes something asks first.
        """
        from .organization import Organization

        return Organization(self)

    def mcp(self, name: str, command: str | Sequence[str], **how: Any) -> Server:
        """Starts a local MCP server; cells offer its tools with `--mcp` and the variable that holds it.

        Args:
            name: Stands before the names of its tools; an earlier server of this name is stopped.
            command: The program and its arguments, as a list, or as one text as in a shell.
            how: `env` (its variables; it gets few others, and no key), `cwd`, `approve` (whether you are asked
                before each call), `timeout` and `start_timeout` (seconds).

        Raises:
            CellError: The name or the command cannot be used.
            ServerFailed: It does not start, or does not list its tools.
            SettingsError: The package `mcp` is missing.
        """
        from .mcp import start_server

        return start_server(name, command, **how)

    def map(
        self,
        rows: Any,
        template: str | None = None,
        *,
        grade: Any = None,
        expected: str = "expected",
        concurrency: int | None = None,
        executor: Any = None,
        resume: bool | None = None,
        dry_run: bool = False,
        prefix: str = "",
        batch: bool = False,
        yes: bool = False,
        **options: Any,
    ) -> Any:
        """Sends one prompt for each row of a table, many at once.

        Args:
            rows: Texts, dicts, or a DataFrame of pandas.
            template: With `{{column}}`; a text has the column `prompt`. `None` to send the only column.
            grade: `"exact"`, `"contains"` or `"regex"` of the column `expected`; a function of the reply (and its
                row); or `claude.rubric("...")`, by which a model grades.
            concurrency: How many are under way at once; `None` for `Claude.concurrency`.
            executor: A `concurrent.futures.Executor` that sends the requests, such as Dask's; `None` for threads.
            resume: Whether an answer in the journal is used instead of sending again; `None` for yes. With `batch`,
                `True` also sends again what failed, expired or was canceled, and `None` does not.
            dry_run: Whether only to return the number of tokens and the highest price; nothing is sent.
            prefix: Stands before the names of the new columns, where a DataFrame has such columns already.
            batch: Whether message batches answer, within a day and at half the price. What is returned then has
                `.wait()`, `.results()` and `.cancel()`, and the rows are answered in the background.
            yes: Whether to send without asking what may cost more than `Claude.confirm_above_usd`.
            options: The options of `%%claude`, with underscores.

        Returns:
            Of a DataFrame a copy with the columns `reply` (text only), `error`, `stop_reason`, `input_tokens`,
            `output_tokens`, `usd`, `seconds` and `grade`; else a list of the replies, which shows itself as a table,
            with the error in the place of a reply where a row failed. `claude.mapped` keeps the list.

        Raises:
            CellError: The table or the template is wrong; nothing was sent.
            Interrupted: You stopped it; run again, it sends only the rest.
        """
        from ..batch.map import MapOptions, map_rows

        how = MapOptions(
            options=options,
            grade=grade,
            expected=expected,
            at_once=concurrency,
            executor=executor,
            resume=resume,
            dry_run=dry_run,
            prefix=prefix,
            batch=batch,
            yes=yes,
        )
        return map_rows(self.session, rows, template, how, self._price_approver())

    def batch(
        self,
        requests: Any,
        *,
        grade: Any = None,
        expected: str = "expected",
        resume: bool | None = None,
        yes: bool = False,
        **options: Any,
    ) -> Batch[Any]:
        """Answer requests by message batches, within a day and at half the price.

        Args:
            requests: Texts; bodies of `/v1/messages`; or `{"custom_id": ..., "params": body}`, in which further names
                are for a grader. They may come from a generator, and are not held. Model and length are those of the
                options and settings where a body has none; the ids that are sent are made from row and content.
            grade: As for `map`, of the row's further names; a function gets the reply (and the row).
            expected: The name of what is right, for `grade`.
            resume: As for `map`: `True` also asks again what errored, expired or was canceled.
            yes: Whether to send without asking what may cost more than `Claude.confirm_above_usd`.
            options: The options of `%%claude`, with underscores.

        Returns:
            The batch, which is answered in the background: it has `.wait()`, `.results()` and `.cancel()`.

        Raises:
            CellError: It cannot be sent; nothing was.
        """
        from ..batch.map import MapOptions
        from ..batch.request_batches import batch_of_requests

        how = MapOptions(options=options, grade=grade, expected=expected, resume=resume, batch=True, yes=yes)
        return batch_of_requests(self.session, requests, how, self._price_approver())

    def _price_approver(self) -> InputApprover | None:
        """Asks the user about a high price; `None` where nobody can be asked."""
        from .price_approval import approver

        return approver(self)

    def rubric(self, text: str, *, model: str | None = None) -> Rubric:
        """Criteria by which a model grades the replies of `map`; `model=None` for the model that answers."""
        from ..batch.grading import Rubric

        return Rubric(text=text, model=model)

    @property
    def prompts(self) -> Prompts:
        """Has a model write, improve or templatize a prompt."""
        from .prompts import Prompts

        return Prompts(self)

    def workbench(self, text: str | Draft | Exchange = "") -> Workbench:
        """A panel to develop a prompt in: settings, turns and variables as fields; shown at the end of a cell.

        Run sends what a cell would, and the reply streams in while the notebook stays usable; "Insert as cell" writes
        the `%%claude` cell that sends the same, "Copy code" the program. Its `.form` and `.cell` are for Python.

        Args:
            text: The prompt to begin with, or a draft of `claude.prompts`; `{{name}}` becomes a field. Of an exchange,
                such as `claude.last` or `claude.journal.exchange(3)`, its request; a line says what does not fit.

        Raises:
            CellError: The exchange asked for no message.
            SettingsError: There is no notebook page, as in a terminal.
        """
        from ..display.widgets import has_widgets

        shell = self.shell()
        if shell is None or not has_widgets():
            raise SettingsError(
                "the workbench needs a notebook's page, and here is none. Ask with %claude, or open it in JupyterLab."
            )
        from .ipython.prompt_namespace import prompt_namespace
        from .workbench.workbench import workbench

        return workbench(self.session, prompt_namespace(shell), text)

    def conversation(self, name: str = "main") -> Conversation:
        """The conversation of this name; a new one is empty."""
        return self.session.conversations.open(name)

    def load(self, path: str | Path, name: str | None = None) -> Conversation:
        """Reads a conversation that `.save(path)` wrote, under its own name or another.

        Raises:
            SettingsError: It cannot be read, holds no conversation, or the name is in use.
        """
        return self.session.conversations.load(path, name)

    def login(self, key: str | None = None, *, save: bool = False, admin: bool = False) -> None:
        """Keeps a key in memory; you are asked for it, and it is not shown while you type.

        Args:
            key: Only for programs that have it from elsewhere; typed in a cell it would stay in the notebook.
            save: Whether also to write it to a file that only you can read, in your configuration folder.
            admin: Whether it is the admin key, which goes to `/v1/organizations/` and nowhere else.
        """
        from ..api import credentials

        credential = credentials.remember(_ask_for_key() if key is None else key, save=save, admin=admin)
        if in_browser():
            print(f"the key is kept in the memory of this page until it is reloaded, and nowhere else: {KEY_RISK}.")
        else:
            print(f"the key from {credential.source} is kept{' in memory' * (not save)}.")

    def logout(self) -> None:
        """Forgets the keys of `login`, and deletes the saved files."""
        from ..api import credentials

        credentials.forget()

    def shell(self) -> Any:
        """The running shell, `None` if there is none; the extension is loaded into it if needed."""
        running = sys.modules.get("IPython")
        if self._shell is None and running is not None and (shell := running.get_ipython()) is not None:
            from .extension import load

            load(shell)
        return self._shell

    def open(self, shell: Any) -> None:
        """Takes the settings from the configuration of `shell`; a wrong value is reported and left out."""
        self._shell = shell
        self.cells.open(shell)
        for name, value in shell.config.get("Claude", {}).items():
            try:
                if not self.settings.is_assigned(name):
                    setattr(self.settings, name, value)
            except ClaudeError as error:
                print(error)
        shell.configurables.append(self.settings)

    def close(self) -> None:
        """Forgets the shell and its settings."""
        if self._shell is not None and self.settings in self._shell.configurables:
            self._shell.configurables.remove(self.settings)
        self._shell = None
        self.cells.open(None)
        self.session.settings = Claude()

    def __reduce__(self) -> Any:
        """In another process it is the handle of that process, with the settings of this one; never a key."""
        return _unpickle, (os.getpid(), self.settings.assigned_values())

    def __repr__(self) -> str:
        from ..session.provider import base_url

        endpoint = f"claude: {self.settings.model} at {base_url(self.settings)}"
        return f"{endpoint}; claude(text) asks, claude.last is the last exchange"


def _unpickle(process: int, settings: dict[str, Any]) -> ClaudeHandle:
    if process != os.getpid():
        for name, value in settings.items():
            setattr(claude.settings, name, value)
    return claude


def _ask_for_key() -> str:
    import getpass

    try:
        return getpass.getpass("API key (not shown): ")
    except Exception as error:  # a front end without input, or end of input
        else_do = "Run claude.login() again." if in_browser() else "Set $ANTHROPIC_API_KEY before Jupyter starts."
        raise SettingsError(f"no key was typed: {error}. {else_do}") from None


claude = ClaudeHandle()
