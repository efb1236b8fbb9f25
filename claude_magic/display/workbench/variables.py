"""The variables of a prompt, as fields that hold the notebook's value until another is typed."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence

from ..text.plain import plain
from ..widgets import Widget
from .controls import Controls, set_visible
from .form import Variable


class Variables:
    """One field for each variable.

    Args:
        typed: Called with each new field that the user types into.
    """

    def __init__(self, controls: Controls, typed: Callable[[Widget], object]) -> None:
        self._controls = controls
        self._typed = typed
        self._fields: dict[str, Widget] = {}
        self._given: dict[str, str] = {}
        self._list = controls.column(name="cm-fields")
        self._notes = controls.html()
        self.widget = controls.column(
            controls.html('<div class="cm-heading">Variables</div>'), self._list, self._notes, name="cm-variables"
        )
        set_visible(self.widget, False)

    @property
    def value(self) -> Mapping[str, str]:
        """What was typed in the place of the notebook's values, by name."""
        result: dict[str, str] = {}
        for name in [widget.description for widget in self._list.children]:
            text = self._fields[name].value
            if text != self._given.get(name, ""):
                result[name] = text
        return result

    def fill(self, values: Mapping[str, str]) -> None:
        """Type these values into their fields."""
        for name, text in values.items():
            if name in self._fields:
                self._fields[name].value = text

    def show(self, variables: Sequence[Variable]) -> None:
        """Have a field for each of these; what was typed stays, also while its name is away from the prompt."""
        for variable in variables:
            self._place(variable)
        fields = tuple(self._fields[variable.name] for variable in variables if not variable.note)
        if fields != self._list.children:
            self._list.children = fields
        notes = (html.escape(plain(variable.note)) for variable in variables if variable.note)
        self._notes.value = "".join(f'<div class="cm-quiet">{note}</div>' for note in notes)
        set_visible(self.widget, bool(variables))

    def _place(self, variable: Variable) -> None:
        if variable.note:
            return
        field, initial = self._fields.get(variable.name), variable.text or ""
        if field is None:
            field = self._controls.text(variable.name, initial)
            self._fields[variable.name] = field
            self._typed(field)
        elif field.value == self._given.get(variable.name, "") and field.value != initial:
            self._given[variable.name] = initial  # first, for else it would seem to be typed
            field.value = initial
        self._given[variable.name] = initial
