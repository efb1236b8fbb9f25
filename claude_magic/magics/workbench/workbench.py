"""`claude.workbench()`: what its panel asks of the other rooms, by the same way as a cell.

A form becomes the first line and the text of a `%%claude` cell, and these are read as a cell's are. So what Run
sends, what "Insert as cell" writes and what "Copy code" shows are one request.
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
from ...wire import Exchange
from ..views import preview_text
from .form_from_request import exchange_line, form_of
from .form_to_cell import Layout, cell_meaning, map_texts

if TYPE_CHECKING:
    from ...display.workbench.answer import Answer
    from ...display.workbench.bench import Workbench
    from ...session.session import Session
    from ...settings import Claude

_SHOWN = 50
_UNWRITABLE = "this cannot be written as a cell: a text in it says {{name}} in a way that would be filled. Change it."


def workbench(session: Session, namespace: Mapping[str, Any], text: str) -> Workbench:
    """A panel that begins with the settings of the notebook, and with this prompt."""
    from ...display.workbench.bench import Workbench
    from ...session.local_model import max_tokens
    from ..model_list import names

    settings, _ = session.settings.effective()
    form = Form(
        model="" if _has_one_model(settings) else settings.model,
        max_tokens=str(max_tokens(settings, local=_has_one_model(settings))),
        system=settings.system,
        turns=(("user", text),),
    )
    actions = _SessionActions(session=session, namespace=namespace, name=f"{session.cells.next()}/workbench").actions
    return Workbench(actions, form, names=names(settings), languages=list(LANGUAGES))


def _has_one_model(settings: Claude) -> bool:
    """Whether the local model answers, which is no other whatever it is called."""
    from ...session.provider import is_local

    try:
        return is_local(settings)
    except ClaudeError:  # a key that cannot be read: Run tells of it
        return False


@dataclass(frozen=True, kw_only=True)
class _SessionActions:
    """What stands behind the panel.

    Attributes:
        namespace: The notebook's variables.
        name: Of the panel, as a cell is called.
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
        return self.session.ask(*self._question(form), answer, self.name)

    def _preview(self, form: Form) -> str:
        return preview_text(self.session.preview(*self._question(form), self.name))

    def _code(self, form: Form, language: str) -> str:
        options, text = self._question(form)
        return self.session.program(replace(options, show=language), text, self.name)

    def _models(self) -> Sequence[str]:
        from ..model_list import models

        return [model.id for model in models(self.session.context(Options()))]

    def _question(self, form: Form) -> tuple[Options, str]:
        """The options, and the text with its variables in it."""
        laid_out = Layout.of(form, self._settings)
        filled = map_texts(form, self._fill(form))
        options, _ = parse_line(laid_out.line(filled), text_follows=False)
        return options, laid_out.text(filled)

    def _fill(self, form: Form) -> Callable[[str], str]:
        values = ChainMap(dict(form.fields), dict(self.namespace))
        return lambda text: templates.fill_template(text, values, self.session.format_value)

    @property
    def _settings(self) -> Claude:
        return self.session.settings.effective()[0]

    def _cell(self, form: Form) -> str:
        """The source of a cell that sends the same: with its variables where the notebook has them.

        Raises:
            CellError: There is none.
        """
        wanted = cell_meaning(*self._question(form))
        laid_out, fill = Layout.of(form, self._settings), self._fill(form)
        typed = map_texts(form, lambda text: templates.insert_values(text, form.fields))
        whole = map_texts(form, lambda text: templates.escape(fill(text)))
        for written in (typed, whole):
            first, text = laid_out.line(written), laid_out.text(written)
            if self._read_back(first, text) == wanted:
                return f"%%claude {first}\n{text}"
        raise CellError(_UNWRITABLE)

    def _read_back(self, first: str, text: str) -> object:
        """What a cell with this first line and text asks; `None` if it asks nothing."""
        try:
            options, _ = parse_line(first, text_follows=False)
            return cell_meaning(options, templates.fill_template(text, self.namespace, self.session.format_value))
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

        known = name in self.namespace
        try:
            text = templates.fill_template(
                "{{" + name + "}}", self.namespace if known else {name: ""}, self.session.format_value
            )
        except ClaudeError as error:  # such as for a name that promises a secret
            return Variable(name=name, note=str(error))
        if credentials.redact_secrets(text) != text:
            return Variable(name=name, note=f"{{{{{name}}}}} holds the key: it is neither shown nor sent.")
        return Variable(name=name, text=text if known else None)

    def _history(self, words: str) -> list[tuple[str, int]]:
        from ...api import credentials
        from ...errors import SettingsError

        journal = self.session.ledger.journal(self.session.settings)
        if journal is None:
            raise SettingsError("no journal is kept: Claude.journal is ''. Set it to None, or to a path.")
        found = journal.search(words, _SHOWN) if words.strip() else journal.last(_SHOWN)
        return [(credentials.redact_secrets(exchange_line(row)), row["id"]) for row in found]

    def _recall(self, number: int) -> tuple[Form, str]:
        from ...api import credentials

        journal = self.session.ledger.journal(self.session.settings)
        if journal is None:
            raise CellError(f"no exchange {number} in the journal.")
        return form_of(journal.exchange(number).request, credentials.redact_secrets)
