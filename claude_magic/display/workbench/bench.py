"""The workbench: an ipywidgets panel to write a question in, run it, and take it away as a cell or a program.

What takes its time runs in a thread of its own, so that Stop works: no cell is running. Where the front end
and the kernel have subshells, a press arrives in another thread, also while a cell runs; elsewhere it waits for
that cell. Both are safe: one thing is done at a time, and a press while it is being done changes nothing.

A press may overtake what was typed just before it, since a widget holds its state back while an earlier one is
on its way. So nothing is read from the fields before a short rest.
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
from ..widgets import Widget, widget_bundle
from .answer import Answer, places
from .controls import Controls, with_classes
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
    """

    def __init__(self, doors: WorkbenchActions, form: Form, *, names: Sequence[str], languages: Sequence[str]) -> None:
        self._doors = doors
        self._name = f"cm-static-{uuid.uuid4().hex[:12]}"
        self._stopped = Event()
        self._lock = Lock()
        self._busy = False
        self._pressed: tuple[object, Form] | None = None  # what was done last, with which fields
        self._pressed_at = 0.0
        self._key_taken = False
        self._last: Exchange | None = None
        controls = self._controls = Controls()
        self._settings = Settings(controls, names, lambda: self._begin(self._list_models))
        self._system = controls.text("System", hint="none")
        keep = controls.button("Add reply", lambda: self._begin(self._keep), hint="Add the reply as a turn")
        self._turns = Turns(controls, self._update_variables, self._guard, keep)
        self._variables = Variables(controls, self._guard)
        self._told = controls.html(name="cm-told")
        self._places = places(ipywidgets, controls.layout)
        self._source = Source(controls, self._tell)
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

    @property
    def form(self) -> Form:
        """What stands in the fields."""
        turns = tuple((role, _lines(text)) for role, text in self._turns.value)
        return self._settings.read(Form(system=_lines(self._system.value), turns=turns, fields=self._variables.value))

    @property
    def cell(self) -> str:
        """The source of a `%%claude` cell that sends the same.

        Raises:
            CellError: There is none.
        """
        return self._doors.cell(self.form)

    def run(self) -> None:
        """Ask; the reply streams in while the notebook goes on. Nothing, if something is being done already."""
        self._begin(self._ask)

    def stop(self) -> None:
        """Interrupt the reply; what had arrived is kept."""
        self._stopped.set()

    def close(self) -> None:
        """Interrupt the reply, and take the panel from the page."""
        self.stop()
        self.widget.close()

    def _built(self, controls: Controls) -> Widget:
        self._stop = controls.button("Stop", self.stop, name="cm-stop", hint="Interrupt the reply")
        self._stop.disabled = True
        actions = controls.row(
            controls.button("Run", self.run, name="cm-run", style="primary", hint="Send (Ctrl+Enter)"),
            self._stop,
            controls.button("Preview", lambda: self._begin(self._preview), hint="The request, its tokens, its price"),
            controls.button("History", self._history.open, hint="Earlier questions of the journal"),
            controls.button("Insert as cell", lambda: self._begin(self._insert), hint="Write the %%claude cell below"),
            controls.button("Copy code", lambda: self._begin(self._copy), hint="The request as a program"),
            self._language,
            name="cm-actions",
        )
        reply = with_classes(ipywidgets.VBox(children=self._places, layout=controls.layout), "cm-answer")
        asked = (self._system, self._turns.widget, self._variables.widget, self._history.widget)
        main = controls.column(*asked, actions, self._told, self._source.widget, reply, name="cm-main")
        head = controls.html(live_style(self._name) + boot(), name="cm-head")
        body = controls.row(self._settings.widget, main, name="cm-body")
        return controls.column(head, body, name=f"cm-workbench {self._name}-live")

    def _fill(self, form: Form) -> None:
        self._settings.fill(form)
        self._system.value = form.system
        self._turns.fill(form.turns)

    def _guard(self, field: Widget) -> None:
        """Keep keys out of a field, and the variables up to date with it."""

        def on_change(change: Widget) -> None:
            hidden = self._doors.hidden(change["new"])
            if hidden != change["new"]:
                field.value = hidden
                self._key_taken = True
                self._tell(f"CellError: {_KEY_TAKEN}", failed=True)
            self._update_variables()

        field.observe(on_change, "value")

    def _update_variables(self) -> None:
        """The variables are those of the prompt, whatever was changed."""
        if hasattr(self, "widget"):
            self._variables.show(self._doors.variables(self.form))

    def _begin(self, act: Callable[[], object]) -> None:
        """Do something in a thread of its own, unless something is being done, or it is the second of two clicks."""
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
                self._tell("Stopped before anything was sent.")
            else:
                act()
        except ClaudeError as error:
            self._tell(f"{type(error).__name__}: {error}", failed=True)
        except Exception as error:
            self._tell(f"this failed: {type(error).__name__}: {error}. The last reply is claude.last.", failed=True)
        finally:
            self._stop.disabled = True
            with self._lock:
                self._busy = False

    def _ask(self) -> None:
        if self._key_taken:
            self._key_taken = False
            self._tell(f"CellError: nothing was sent: {_KEY_TAKEN}", failed=True)
            return
        form = self.form
        self._source.close()
        self._tell("Running…")
        answer = Answer(self._places, self._stopped)
        exchange = self._last = self._doors.ask(form, answer)
        answer.finish(exchange)
        error = exchange.error
        self._tell("" if error is None else f"{type(error).__name__}: {error}", failed=error is not None)
        self._keep_twin(form, exchange)

    def _keep_twin(self, form: Form, exchange: Exchange) -> None:
        """The notebook keeps the last question and its reply, for when the kernel is gone."""
        try:
            asked = self._doors.cell(form)
        except ClaudeError:
            asked = ""
        publish_display_data(twin(self._name, asked, exchange), transient={"display_id": self._name}, update=True)

    def _preview(self) -> None:
        self._tell("Counting…")
        self._source.show("What would be sent", self._doors.preview(self.form))
        self._tell("Nothing was sent to a model.")

    def _insert(self) -> None:
        self._source.insert("The cell", self.cell)

    def _copy(self) -> None:
        language = str(self._language.value)
        self._source.copy(f"the request as {language}", self._doors.code(self.form, language))

    def _keep(self) -> None:
        text = "" if self._last is None else self._last.text.strip()
        if not text:
            self._tell("There is no reply to add.")
            return
        turns = list(self._turns.value)
        more = [("assistant", text), ("user", "")]
        if turns[-1][0] == "assistant":  # it was begun for the model, which went on with it
            self._turns.fill([*turns[:-1], ("assistant", turns[-1][1] + text), ("user", "")])
        else:
            self._turns.extend(more)
        self._tell("The reply is a turn now.")

    def _list_models(self) -> None:
        self._tell("Asking for the models…")
        found = tuple(self._doors.models())
        self._settings.model.options = found
        self._tell(f"{len(found)} models to choose from.")

    def _find(self, words: str) -> None:
        found = self._doors.history(words)
        self._history.show(found)
        self._tell("" if found else "The journal holds no such question.")

    def _recall(self, number: int) -> None:
        form, note = self._doors.recall(number)
        self._history.close()
        self._fill(form)
        self._tell(note or "The question stands in the workbench again.")

    def _tell(self, said: str, *, failed: bool = False) -> None:
        text = html.escape(" ".join(plain(self._doors.hidden(said)).split()))
        self._told.value = f'<div class="{"cm-error" if failed else "cm-quiet"}">{text}</div>' if text else ""

    def _ipython_display_(self) -> None:
        publish_display_data(widget_bundle(self.widget))
        asked = ""
        if any(text.strip() for _, text in self._turns.value):
            try:
                asked = self._doors.cell(self.form)
            except ClaudeError:
                asked = ""
        publish_display_data(twin(self._name, asked, self._last), transient={"display_id": self._name})

    def __repr__(self) -> str:
        return "claude.workbench(): a panel of widgets; at the end of a cell it shows itself"


def _lines(text: str) -> str:
    """`text` with the line ends that a field of a page has."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
