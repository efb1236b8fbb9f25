"""`claude.workbench()`: the actions of its panel, by the same way as a cell.

A form becomes the first line and the text of a `%%claude` cell, and these are parsed like a cell. So what Run sends,
what "Insert as cell" writes and what "Copy code" shows are one request.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...display.workbench.form import Form, Variable, WorkbenchActions
from ...errors import CellError, ClaudeError
from ...export import LANGUAGES
from ...prompt import templates
from ...prompt.options.options import Options
from ...prompt.options.parser import parse_line
from ...session.prompt import Prompt, write_value
from ...wire import Exchange
from ..views import preview_text
from .form_from_request import exchange_line, form_of
from .form_to_cell import Layout, cell_meaning, map_texts

if TYPE_CHECKING:
    from ...display.workbench.answer import Answer
    from ...display.workbench.bench import Workbench
    from ...session.session import Session
    from ...settings import Claude
    from ..prompts import Draft

_SHOWN = 50
_UNWRITABLE = "this cannot be written as a cell: a text in it says {{name}} in a way that would be filled. Change it."


def workbench(session: Session, namespace: Mapping[str, Any], text: str | Draft | Exchange) -> Workbench:
    """A panel with the settings of the notebook and this prompt, or with all of a request that was sent.

    Raises:
        CellError: The request asks for no message.
    """
    from ...display.workbench.bench import Workbench
    from ...session.model_list import names

    settings, _ = session.settings.effective()
    form, note = form_of(text.request) if isinstance(text, Exchange) else (_new_form(settings, text), "")
    actions = _SessionActions(session=session, namespace=namespace, name=f"{session.cells.next()}/workbench").actions
    return Workbench(actions, form, names=names(settings), languages=list(LANGUAGES), note=note)


@dataclass(frozen=True, kw_only=True)
class WorkbenchSource:
    """Makes the workbenches that buttons in the page open.

    Attributes:
        namespace: Returns the notebook's variables.
    """

    session: Session
    namespace: Callable[[], Mapping[str, Any]]

    def of_exchange(self, exchange: Exchange) -> Workbench:
        return workbench(self.session, self.namespace(), exchange)

    def of_row(self, number: int) -> Workbench:
        journal = self.session.ledger.journal(self.session.settings)
        if journal is None:
            raise CellError(f"no exchange {number} in the journal.")
        return self.of_exchange(journal.exchange(number))


def _new_form(settings: Claude, text: str | Draft) -> Form:
    """The form of a prompt that was not sent yet."""
    from ...session.local_model import max_tokens

    form = Form(
        model="" if _has_one_model(settings) else settings.model,
        max_tokens=str(max_tokens(settings, local=_has_one_model(settings))),
        system=settings.system,
        turns=(("user", text),) if isinstance(text, str) else text.turns,
    )
    return form if isinstance(text, str) else replace(form, system=text.system, fields=text.variable_values)


def _has_one_model(settings: Claude) -> bool:
    """Whether the local model answers, so that the name of the model has no effect."""
    from ...session.provider import is_local

    try:
        return is_local(settings)
    except ClaudeError:  # a key that cannot be read: Run will say so
        return False


@dataclass(frozen=True, kw_only=True)
class _SessionActions:
    """What the buttons of the panel do.

    Attributes:
        namespace: The notebook's variables.
        name: The name of the panel, as a cell.
    """

    session: Session
    namespace: Mapping[str, Any]
    name: str

    @property
    def actions(self) -> WorkbenchActions:
        from ...api import credentials

        return WorkbenchActions(
            ask=self._ask,
            preview=self._preview,
            cell=self._cell,
            code=self._code,
            models=self._models,
            history=self._history,
            recall=self._recall,
            variables=self._variables,
            hidden=credentials.redact_secrets,
        )

    def _ask(self, form: Form, answer: Answer) -> Exchange:
        return self.session.ask(self._prompt(form), answer, self.name)

    def _preview(self, form: Form) -> str:
        return preview_text(self.session.preview(self._prompt(form), self.name))

    def _code(self, form: Form, language: str) -> str:
        prompt = self._prompt(form)
        return self.session.program(replace(prompt, options=replace(prompt.options, show=language)), self.name)

    def _models(self) -> Sequence[str]:
        from ..model_list import models

        return [model.id for model in models(self.session.sender, self.session.settings_for(Options()))]

    def _prompt(self, form: Form) -> Prompt:
        """The prompt, with variables filled in."""
        layout = Layout.of(form, self._settings)
        filled = map_texts(form, self._fill(form))
        options, _ = parse_line(layout.line(filled), text_follows=False)
        return Prompt(options=options, text=layout.text(filled))

    def _fill(self, form: Form) -> Callable[[str], str]:
        values = ChainMap(dict(form.fields), dict(self.namespace))
        return lambda text: templates.fill_template(text, values, self._write)

    def _write(self, value: Any) -> str:
        return write_value(value, self._settings)

    @property
    def _settings(self) -> Claude:
        return self.session.settings.effective()[0]

    def _cell(self, form: Form) -> str:
        """The source of a cell that sends the same: with variables where the notebook has them.

        Raises:
            CellError: There is none.
        """
        prompt = self._prompt(form)
        meaning = cell_meaning(prompt.options, prompt.text)
        layout, fill = Layout.of(form, self._settings), self._fill(form)
        typed = map_texts(form, lambda text: templates.insert_values(text, form.fields))
        whole = map_texts(form, lambda text: templates.escape(fill(text)))
        for written in (typed, whole):
            first, text = layout.line(written), layout.text(written)
            if self._read_back(first, text) == meaning:
                return f"%%claude {first}\n{text}"
        raise CellError(_UNWRITABLE)

    def _read_back(self, first: str, text: str) -> object:
        """What a cell with this first line and text sends; `None` if it cannot be sent."""
        try:
            options, _ = parse_line(first, text_follows=False)
            return cell_meaning(options, templates.fill_template(text, self.namespace, self._write))
        except ClaudeError:
            return None

    def _variables(self, form: Form) -> list[Variable]:
        try:
            text = "\n".join((form.system, *(text for _, text in form.turns)))
            return [self._variable(name) for name in templates.names(text)]
        except RecursionError:
            return []

    def _variable(self, name: str) -> Variable:
        from ...api import credentials

        exists = name in self.namespace
        try:
            values = self.namespace if exists else {name: ""}
            text = templates.fill_template("{{" + name + "}}", values, self._write)
        except ClaudeError as error:  # such as for a name that promises a secret
            return Variable(name=name, note=str(error))
        if credentials.redact_secrets(text) != text:
            return Variable(name=name, note=f"{{{{{name}}}}} holds the key: it is neither shown nor sent.")
        return Variable(name=name, text=text if exists else None)

    def _history(self, words: str) -> list[tuple[str, int]]:
        from ...api import credentials
        from ...errors import SettingsError

        journal = self.session.ledger.journal(self.session.settings)
        if journal is None:
            raise SettingsError("no journal is kept: Claude.journal is ''. Set it to None, or to a path.")
        rows = journal.search(words, _SHOWN) if words.strip() else journal.last(_SHOWN)
        return [(credentials.redact_secrets(exchange_line(row)), row["id"]) for row in rows]

    def _recall(self, number: int) -> tuple[Form, str]:

        journal = self.session.ledger.journal(self.session.settings)
        if journal is None:
            raise CellError(f"no exchange {number} in the journal.")
        return form_of(journal.exchange(number).request)
