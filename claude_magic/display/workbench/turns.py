"""The turns of a workbench: edit, change role, add, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..widgets import Widget
from .controls import Controls

_ROLES = (("User", "user"), ("Assistant", "assistant"))


class Turns:
    """The conversation as it will be sent.

    Args:
        changed: Called after each change.
        typed: Called with each new field that the user types into.
        more: Further widgets beside "Add turn".
    """

    def __init__(
        self, controls: Controls, changed: Callable[[], object], typed: Callable[[Widget], object], *more: Widget
    ) -> None:
        self._controls = controls
        self._changed = changed
        self._typed = typed
        self._rows: list[tuple[Widget, Widget, Widget]] = []  # role, text, row
        self._list = controls.column(name="cm-turns")
        add = controls.button("Add turn", self._add, hint="Add a turn below the last one")
        self.widget = controls.column(self._list, controls.row(add, *more, name="cm-actions"), name="cm-turns")

    @property
    def value(self) -> tuple[tuple[str, str], ...]:
        """Role and text of each turn."""
        return tuple((role.value, text.value) for role, text, _ in self._rows)

    def fill(self, turns: Sequence[tuple[str, str]]) -> None:
        """Replace the turns."""
        old_rows, self._rows = self._rows, [self._row(role, text) for role, text in turns or (("user", ""),)]
        self._arrange()
        for row in old_rows:
            _close(row)

    def extend(self, turns: Sequence[tuple[str, str]]) -> None:
        """Add turns below the last one."""
        self._rows += [self._row(role, text) for role, text in turns]
        self._arrange()

    def _add(self) -> None:
        last = self._rows[-1][0].value if self._rows else "assistant"
        self.extend([("user" if last == "assistant" else "assistant", "")])

    def _row(self, role: str, text: str) -> tuple[Widget, Widget, Widget]:
        controls = self._controls
        role_choice = controls.choice("Role", _ROLES, role if role in ("user", "assistant") else "user")
        field = controls.text("Text", text, hint="{{name}} inserts a variable", name="cm-turn-text")
        delete = controls.button("Delete", lambda: self._delete(role_choice))
        row = (
            role_choice,
            field,
            controls.column(controls.row(role_choice, delete, name="cm-turn-head"), field, name="cm-turn"),
        )
        self._typed(field)
        role_choice.observe(lambda _: self._arrange(), "value")
        return row

    def _delete(self, role: Widget) -> None:
        deleted = next(row for row in self._rows if row[0] is role)
        if len(self._rows) == 1:
            deleted[1].value = ""
            return
        self._rows.remove(deleted)
        self._arrange()
        _close(deleted)

    def _arrange(self) -> None:
        """Number the rows, so that each control has a unique name, and show them."""
        for number, (role, text, row) in enumerate(self._rows, 1):
            role.description, text.description = f"Turn {number}", f"{'User' if role.value == 'user' else 'Assistant'}"
            row.children[0].children[1].description = f"Delete turn {number}"
        self._list.children = tuple(row for _, _, row in self._rows)
        self._changed()


def _close(row: tuple[Widget, Widget, Widget]) -> None:
    """Close the widgets of a row."""
    outer = row[2]
    for widget in (*outer.children[0].children, *outer.children, outer):
        widget.close()
