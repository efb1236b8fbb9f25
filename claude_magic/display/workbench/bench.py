"""The workbench: an ipywidgets panel to write a prompt, run it, and copy it as a cell or a program.

Every action that may block runs in a thread of its own, so that Stop works although no cell runs. Where the front end
and the kernel have subshells, a click arrives in another thread, also while a cell runs; elsewhere it waits for that
cell. Both are safe: one action runs at a time, and a click during it does nothing.

A click may overtake the text typed just before it, since a widget delays its state while an earlier message is on its
way. So the fields are read after a short pause.
"""

from __future__ import annotations

import contextvars
import html
import time
import uuid
from collections.abc import Callable, Sequence

import ipywidgets
from IPython.core.display_functions import publish_display_data

from ...concurrency import Event, Lock, start_thread
from ...errors import ClaudeError
from ...wire import Exchange
from ..text.plain import plain
from ..widgets import Widget, close_tree, widget_bundle, with_classes
from .answer import Answer, places
from .controls import Controls
from .form import Form, WorkbenchActions
from .history import History
from .script import boot
from .settings import Settings
from .source import Source
from .style import live_style
from .turns import Turns
from .twin import twin
from .variables import Variables

_REST = 0.25  # seconds before the fields are read
_AGAIN = 0.6  # seconds in which a second press on the same button, with the same fields, is the same one
_KEY_TAKEN = "a key was taken out of the text: a notebook keeps what is typed. If it is real, revoke it in the Console."


class Workbench:
    """A panel of widgets; at the end of a cell it shows itself.

    Args:
        names: Of models to choose from.
        languages: In which a request can be written.
        note: A line about the form.
    """

    def __init__(
        self, actions: WorkbenchActions, form: Form, *, names: Sequence[str], languages: Sequence[str], note: str = ""
    ) -> None:
        self._actions = actions
        self._name = f"cm-static-{uuid.uuid4().hex[:12]}"
        self._stopped = Event()
        self._lock = Lock()
        self._busy = False
        self._pressed: tuple[object, Form] | None = None  # the last action, and its fields
        self._pressed_at = 0.0
        self._key_taken = False
        self._last: Exchange | None = None
        controls = self._controls = Controls()
        self._settings = Settings(controls, names, lambda: self._begin(self._list_models))
        self._system = controls.text("System", hint="none")
        keep = controls.button("Add reply", lambda: self._begin(self._keep), hint="Add the reply as a turn")
        self._turns = Turns(controls, self._update_variables, self._guard, keep)
        self._variables = Variables(controls, self._guard)
        self._status = controls.html(name="cm-notice")
        self._places = places(ipywidgets, controls.layout)
        self._source = Source(controls, self._say)
        self._history = History(
            controls,
            lambda words: self._begin(lambda: self._find(words)),
            lambda number: self._begin(lambda: self._recall(number)),
        )
        self._language = controls.choice("Language", languages, "python")
        self.widget = self._built(controls)
        for field in (*self._settings.texts(), self._system):
            self._guard(field)
        self._fill(form)
        self._say(note)

    @property
    def form(self) -> Form:
        """The fields as the user filled them."""
        turns = tuple((role, _lines(text)) for role, text in self._turns.value)
        return self._settings.read(Form(system=_lines(self._system.value), turns=turns, fields=self._variables.value))

    @property
    def cell(self) -> str:
        """The source of a `%%claude` cell that sends the same request.

        Raises:
            CellError: No cell can express it.
        """
        return self._actions.cell(self.form)

    def run(self) -> None:
        """Send the request; the reply streams in meanwhile. Does nothing while another action runs."""
        self._begin(self._ask)

    def stop(self) -> None:
        """Stop the reply; the part received is kept."""
        self._stopped.set()

    def close(self) -> None:
        """Stop the reply, and remove the panel from the page."""
        self.stop()
        close_tree(self.widget)

    def _built(self, controls: Controls) -> Widget:
        self._stop = controls.button("Stop", self.stop, name="cm-stop", hint="Interrupt the reply")
        self._stop.disabled = True
        actions = controls.row(
            controls.button("Run", self.run, name="cm-run", style="primary", hint="Send (Ctrl+Enter)"),
            self._stop,
            controls.button(
                "Preview", lambda: self._begin(self._preview), hint="Show the request, its tokens and its price"
            ),
            controls.button("History", self._history.open, hint="Earlier requests of the journal"),
            controls.button("Insert as cell", lambda: self._begin(self._insert), hint="Write the %%claude cell below"),
            controls.button("Copy code", lambda: self._begin(self._copy), hint="The request as a program"),
            self._language,
            name="cm-actions",
        )
        reply = with_classes(ipywidgets.VBox(children=self._places, layout=controls.layout), "cm-answer")
        request_parts = (self._system, self._turns.widget, self._variables.widget, self._history.widget)
        main = controls.column(*request_parts, actions, self._status, self._source.widget, reply, name="cm-main")
        head = controls.html(live_style(self._name) + boot(), name="cm-head")
        body = controls.row(self._settings.widget, main, name="cm-body")
        return controls.column(head, body, name=f"cm-workbench {self._name}-live")

    def _fill(self, form: Form) -> None:
        self._settings.fill(form)
        self._system.value = form.system
        self._turns.fill(form.turns)
        self._variables.fill(form.fields)

    def _guard(self, field: Widget) -> None:
        """Redact API keys in a field, and update the variables when it changes."""

        def on_change(change: Widget) -> None:
            hidden = self._actions.hidden(change["new"])
            if hidden != change["new"]:
                field.value = hidden
                self._key_taken = True
                self._say(f"CellError: {_KEY_TAKEN}", failed=True)
            self._update_variables()

        field.observe(on_change, "value")

    def _update_variables(self) -> None:
        """Show the variables of the current prompt."""
        if hasattr(self, "widget"):
            self._variables.show(self._actions.variables(self.form))

    def _begin(self, act: Callable[[], object]) -> None:
        """Run an action in a thread, unless another one runs, or this is the second click of two."""
        with self._lock:
            now, pressed = time.monotonic(), (act, self.form)
            if self._busy or (pressed == self._pressed and now - self._pressed_at < _AGAIN):
                return
            self._busy, self._pressed, self._pressed_at = True, pressed, now
            self._stopped.clear()
        context = contextvars.copy_context()
        start_thread(context.run, self._do, act, name="workbench")

    def _do(self, act: Callable[[], object]) -> None:
        try:
            self._stop.disabled = False
            self._stopped.wait(_REST)
            if self._stopped.is_set():
                self._say("Stopped before anything was sent.")
            else:
                act()
        except ClaudeError as error:
            self._say(f"{type(error).__name__}: {error}", failed=True)
        except Exception as error:
            self._say(f"this failed: {type(error).__name__}: {error}. The last reply is claude.last.", failed=True)
        finally:
            self._stop.disabled = True
            with self._lock:
                self._busy = False

    def _ask(self) -> None:
        if self._key_taken:
            self._key_taken = False
            self._say(f"CellError: nothing was sent: {_KEY_TAKEN}", failed=True)
            return
        form = self.form
        self._source.close()
        self._say("Running…")
        answer = Answer(self._places, self._stopped)
        exchange = self._last = self._actions.ask(form, answer)
        answer.finish(exchange)
        error = exchange.error
        self._say("" if error is None else f"{type(error).__name__}: {error}", failed=error is not None)
        self._keep_twin(form, exchange)

    def _keep_twin(self, form: Form, exchange: Exchange) -> None:
        """Update the static output, which holds the last request and reply for when the kernel is gone."""
        try:
            source = self._actions.cell(form)
        except ClaudeError:
            source = ""
        publish_display_data(twin(self._name, source, exchange), transient={"display_id": self._name}, update=True)

    def _preview(self) -> None:
        self._say("Counting…")
        self._source.show("What would be sent", self._actions.preview(self.form))
        self._say("Nothing was sent to a model.")

    def _insert(self) -> None:
        self._source.insert("The cell", self.cell)

    def _copy(self) -> None:
        language = str(self._language.value)
        self._source.copy(f"the request as {language}", self._actions.code(self.form, language))

    def _keep(self) -> None:
        text = "" if self._last is None else self._last.text.strip()
        if not text:
            self._say("There is no reply to add.")
            return
        turns = list(self._turns.value)
        more = [("assistant", text), ("user", "")]
        if turns[-1][0] == "assistant":  # it was begun for the model, which went on with it
            self._turns.fill([*turns[:-1], ("assistant", turns[-1][1] + text), ("user", "")])
        else:
            self._turns.extend(more)
        self._say("The reply is a turn now.")

    def _list_models(self) -> None:
        self._say("Asking for the models…")
        names = tuple(self._actions.models())
        self._settings.model.options = names
        self._say(f"{len(names)} models to choose from.")

    def _find(self, words: str) -> None:
        requests = self._actions.history(words)
        self._history.show(requests)
        self._say("" if requests else "The journal holds no such request.")

    def _recall(self, number: int) -> None:
        form, note = self._actions.recall(number)
        self._history.close()
        self._fill(form)
        self._say(note or "The request is in the workbench again.")

    def _say(self, message: str, *, failed: bool = False) -> None:
        text = html.escape(" ".join(plain(self._actions.hidden(message)).split()))
        self._status.value = f'<div class="{"cm-error" if failed else "cm-quiet"}">{text}</div>' if text else ""

    def _ipython_display_(self) -> None:
        publish_display_data(widget_bundle(self.widget))
        source = ""
        if any(text.strip() for _, text in self._turns.value):
            try:
                source = self._actions.cell(self.form)
            except ClaudeError:
                source = ""
        publish_display_data(twin(self._name, source, self._last), transient={"display_id": self._name})

    def __repr__(self) -> str:
        return "claude.workbench(): a panel of widgets; at the end of a cell it shows itself"


def _lines(text: str) -> str:
    """`text` with every line end as a newline."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
