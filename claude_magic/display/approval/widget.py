"""The widget in which the user decides on calls: for each the call, Run, Refuse with a reason, Edit.

Run stands out; with several calls there are Run all and Refuse all.

All text in it is escaped or plain, and its state holds nothing that the page does not show.

Fields send what was typed when they are left (`continuous_update=False`). A front end that sends each key holds
back the later ones while the kernel is busy, but never a press on a button: the press would come first, and run
the call with arguments that nobody sees any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ipywidgets

from ...wire.tool import Call
from ..text.excerpt import one_line
from ..widgets import Widget, with_classes
from .bundle import MOST, Decision, call_html, editable, further_html, parse_edit

_ROWS = 12


class ApprovalPanel:
    """A widget that is created once and shows the calls of each turn.

    Args:
        style: Its style element.
        decide: Called with the decisions of a click.
    """

    def __init__(self, style: str, decide: Callable[[Mapping[str, Decision]], None]) -> None:
        self._decide = decide
        self._style = style
        self._rows: dict[str, _Row] = {}
        self._head = ipywidgets.HTML(value=style)
        self._all: list[Widget] = []  # new ones each time, so that a second click never means the next calls
        self._further, self._said = ipywidgets.HTML(), ipywidgets.HTML()
        self.widget = self._box = with_classes(ipywidgets.VBox(), "cm-approval", "cm-live-approval")

    def ask(self, calls: Sequence[Call], title: str, how: str, *, sends: bool = False, edits: bool = True) -> None:
        """Show these calls, and how to go on without the buttons; with `sends`, that results wait to be sent."""
        before = self._rows
        self._rows = {call.id: _Row(call, self._decide, edits=edits) for call in calls[:MOST]}
        self._calls = calls
        self._head.value = f'{self._style}<div class="cm-title">{one_line(title)}</div>'
        self._further.value = further_html(calls)
        self._said.value = f'<div class="cm-note">{one_line(how)}</div>'
        for name in ("cm-done", "cm-hidden"):
            self._box.remove_class(name)
        old, self._all = self._all, []
        if sends or len(calls) > 1:
            self._all.append(_button("Send the results" if sends else "Run all", self._run_all, stands_out=True))
        if len(calls) > 1 and not sends:
            self._all.append(_button("Refuse all", self._refuse_all))
        whole = [with_classes(ipywidgets.HBox(self._all), "cm-choices", "cm-whole")] if self._all else []
        self._box.children = [self._head, *(row.box for row in self._rows.values()), self._further, *whole, self._said]
        for each in [*before.values(), *old]:
            each.close()

    def set_status(self, decisions: Mapping[str, Decision], *, working: bool) -> None:
        """Show the decisions; while `working` all controls are disabled."""
        for name, row in self._rows.items():
            row.set_status(decisions.get(name), working=working)
        for button in self._all:
            button.disabled = working
        left = len(self._calls) - len(decisions)
        status = "working…" if working else f"{left:,} more to decide" if decisions else ""
        self._said.value = f'<div class="cm-note">{one_line(status)}</div>'

    def done(self, status: str) -> None:
        """Replace all of it with one line, or with nothing."""
        self._head.value = self._style + (f'<div class="cm-note">{one_line(status, 300)}</div>' if status else "")
        self._box.children = [self._head]
        self._box.add_class("cm-done" if status else "cm-hidden")
        for each in [*self._rows.values(), *self._all]:
            each.close()
        self._rows, self._all = {}, []

    def _run_all(self, _: object) -> None:
        """Approve each undecided call, with its edited arguments where there are some."""
        row_decisions = {name: row.decision() for name, row in self._rows.items() if row.decided is None}
        ready = {name: each for name, each in row_decisions.items() if each is not None}
        if len(ready) == len(row_decisions):
            others = {call.id: Decision(run=True) for call in self._calls if call.id not in self._rows}
            self._decide({**ready, **others})

    def _refuse_all(self, _: object) -> None:
        """Refuse each undecided call, with the reason written beside it."""
        rows = {name: row.refusal() for name, row in self._rows.items() if row.decided is None}
        others = {call.id: Decision(run=False) for call in self._calls if call.id not in self._rows}
        self._decide({**rows, **others})


def _button(label: str, press: Callable[[object], None], *, stands_out: bool = False, disabled: bool = False) -> Widget:
    button = ipywidgets.Button(description=label, button_style="primary" if stands_out else "", disabled=disabled)
    button.on_click(press)
    return button


class _Row:
    """The controls of one call.

    Attributes:
        decided: The decision; `None` so far.
    """

    def __init__(self, call: Call, decide: Callable[[Mapping[str, Decision]], None], *, edits: bool) -> None:
        self._call, self._decide = call, decide
        self.decided: Decision | None = None
        self._shown = ipywidgets.HTML(value=call_html(call))
        self._run = _button("Run", self._on_run, stands_out=True)
        self._refuse = _button("Refuse", self._on_refuse)
        self._edit = _button("Edit arguments", self._on_edit, disabled=not editable(call))
        self._why = ipywidgets.Text(placeholder="why you refuse (optional)", continuous_update=False)
        self._said = ipywidgets.HTML()
        self._text: Widget | None = None
        choices = [self._run, self._refuse, self._why, self._edit] if edits else [self._run, self._refuse]
        self._choices = with_classes(ipywidgets.HBox(choices), "cm-choices")
        self.box = ipywidgets.VBox([self._shown, self._choices, self._said])

    def decision(self) -> Decision | None:
        """Approval with the arguments as shown; `None` if the edited ones are not JSON, which is then shown."""
        if self._text is None:
            return Decision(run=True)
        arguments, wrong = parse_edit(self._text.value)
        self._said.value = f'<div class="cm-error" role="alert">{one_line(wrong, 300)}</div>' if wrong else ""
        if arguments is None:
            return None
        return Decision(run=True, arguments=None if arguments == self._call.arguments else arguments)

    def refusal(self) -> Decision:
        """Refusal, with the reason that the user wrote."""
        return Decision(run=False, why=self._why.value.strip())

    def set_status(self, decision: Decision | None, *, working: bool) -> None:
        """Show the decision."""
        self.decided = decision
        for each in (self._run, self._refuse, self._why):
            each.disabled = working
        settled = working or decision is not None  # what would be written now would not be what is run
        self._edit.disabled = settled or self._text is not None or not editable(self._call)
        if self._text is not None:
            self._text.disabled = settled
        if decision is not None:
            status = "will run" if decision.run else "will not run"
            changed = ", with the arguments you wrote" if decision.arguments is not None else ""
            self._said.value = f'<div class="cm-note">✓ {status}{changed}</div>'

    def close(self) -> None:
        """Close the widgets."""
        for each in (self._shown, self._run, self._refuse, self._edit, self._why, self._said, self._text):
            if each is not None:
                each.close()
        self._choices.close()
        self.box.close()

    def _on_run(self, _: object) -> None:
        decision = self.decision()
        if decision is not None:
            self._decide({self._call.id: decision})

    def _on_refuse(self, _: object) -> None:
        self._decide({self._call.id: self.refusal()})

    def _on_text(self, _: object) -> None:
        """Remove the error of the earlier text."""
        if self.decided is None:
            self._said.value = ""

    def _on_edit(self, _: object) -> None:
        text = editable(self._call)
        if self._text is not None or not text or self._run.disabled:
            return
        rows = min(_ROWS, text.count("\n") + 2)
        self._text = ipywidgets.Textarea(value=text, rows=rows, continuous_update=False)
        self._text.observe(self._on_text, "value")
        self._run.description = "Run with these arguments"
        self._edit.disabled = True
        self.box.children = [self._shown, self._text, self._choices, self._said]
