"""Calls that wait for approval, each with Run, Refuse and Edit: a widget, and a static twin where there is none.

As with the panel there are two outputs in a row, of which one is seen. The arguments are shown completely, with
invisible characters written out, because the user approves them. A click may come in another thread than the cell's,
and twice.
"""

from __future__ import annotations

import json
import textwrap
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...concurrency import Lock, from_widget
from ...wire.tool import Call
from ..reply.call_signature import call_line
from ..text.excerpt import clean, one_line, plain_line, safe_content
from ..text.plain import plain, reveal_hidden
from ..widgets import has_widgets, widget_bundle
from .style import live_style, twin_style

if TYPE_CHECKING:
    from .widget import ApprovalPanel

IGNORED = "mathjax_ignore tex2jax_ignore"
_SHOWN = 20_000
_EDITABLE = 100_000
MOST = 50  # calls that are shown one by one, and with a line each
_LISTED = 500
_GO_ON = 'To go on: %claude --approve{name} runs {them}, %claude --refuse{name} "why" does not.'
_SEND_ON = "To go on: %claude --approve{name} sends them."
_RAN = "The calls were run. Their results wait to be sent."


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The user's decision on a call.

    Attributes:
        run: Whether to run it.
        arguments: The edited arguments; `None` for the model's own.
        why: The reason of a refusal; `""` for none.
    """

    run: bool
    arguments: Mapping[str, Any] | None = None
    why: str = ""


Decisions = Mapping[str, Decision]


def arguments_text(arguments: object) -> str:
    """The arguments as JSON, with invisible characters written out."""
    return reveal_hidden(json.dumps(arguments, ensure_ascii=False, indent=2, default=repr))


def parse_edit(text: str) -> tuple[dict[str, Any] | None, str]:
    """The edited arguments, or `None` and why they are invalid."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        return None, f"not JSON: {reason}{where}."
    if not isinstance(value, dict):
        return None, "arguments are an object: { … }."
    return value, ""


def pending_html(calls: Sequence[Call]) -> str:
    """HTML of calls with their arguments, safe to show."""
    return "".join(call_html(call) for call in calls[:MOST]) + further_html(calls)


def further_html(calls: Sequence[Call]) -> str:
    """HTML of a line for each further call; `""` if there are none."""
    lines = "".join(f"<div>{one_line(call_line(call.name, call.arguments, 300))}</div>" for call in calls[MOST:_LISTED])
    left = len(calls) - _LISTED
    more = f"<div>… {left:,} more calls not shown</div>" if left > 0 else ""
    return f'<div class="cm-note {IGNORED}">{lines}{more}</div>' if lines else ""


def call_html(call: Call) -> str:
    """HTML of one call."""
    inner = safe_content(arguments_text(call.arguments), _SHOWN)
    note = f'<div class="cm-note">{one_line(call.note, 300)}</div>' if call.note else ""
    name = one_line(call.name, 200)
    return f'<div class="cm-ask {IGNORED}"><div class="cm-call">{name}</div><pre>{inner}</pre>{note}</div>'


def pending_text(calls: Sequence[Call], title: str = "", how: str = "") -> str:
    """The calls as text for a terminal, and how to continue."""
    lines = (*map(call_text, calls[:_LISTED]), *_remaining_lines(calls))
    return "\n".join((title or _title(calls), *lines, how or _how(calls)))


def call_text(call: Call) -> str:
    """One call with all its arguments, indented."""
    text = f"{plain_line(call.name, 200)}\n{clean(arguments_text(call.arguments), _SHOWN)}"
    note = f"\n{plain_line(call.note, 300)}" if call.note else ""
    return textwrap.indent(text + note, "  ")


def _remaining_lines(calls: Sequence[Call]) -> list[str]:
    return [f"  … {len(calls) - _LISTED:,} more calls not shown"] if len(calls) > _LISTED else []


class Approval:
    """The outputs for calls that wait; reused for the next calls, then closed.

    Args:
        on_decide: Called once when every call has a decision, in the thread of the click.
        title: Says who asks; `""` for Claude, whose arguments may be edited.
        how: How to go on without the buttons.
    """

    def __init__(
        self, calls: Sequence[Call], on_decide: Callable[[Decisions], None], *, title: str = "", how: str = ""
    ) -> None:
        self._name = f"cm-static-{uuid.uuid4().hex[:12]}"
        self._on_decide = on_decide
        self._own = title, how
        self._lock = Lock(reentrant=True)
        self._calls: tuple[Call, ...] = ()
        self._decisions: dict[str, Decision] = {}
        self._working = self._sends = False
        self._panel = _panel(self._name, self.decide)
        self._published = False
        self.ask(calls)

    @property
    def bundles(self) -> list[dict[str, Any]]:
        """The mime bundles to publish, in order: the widget and its twin, or the twin alone."""
        view = [widget_bundle(self._panel.widget)] if self._panel else []
        return [*view, self._twin]

    def publish(self) -> None:
        """Publish the outputs here."""
        from IPython.core.display_functions import publish_display_data

        *view, twin = self.bundles
        for bundle in view:
            publish_display_data(bundle)
        publish_display_data(twin, transient={"display_id": self._name})
        self._published = True

    def ask(self, calls: Sequence[Call], *, sends: bool = False, name: str = "", note: str = "") -> None:
        """Show these calls, undecided, instead of the earlier ones.

        Args:
            sends: Whether results wait to be sent, instead of calls.
            name: What `%claude --approve` calls them; `""` if nothing else can wait.
            note: A sentence after how to go on without the buttons.
        """
        own_title, own_how = self._own
        title, how = own_title or _title(calls), own_how or _how(calls, name)
        if sends:
            title, how = _RAN, _SEND_ON.format(name=f" {name}" if name else "")
        how = f"{how} {note}".rstrip()
        with self._lock:
            self._calls, self._decisions, self._working, self._sends = tuple(calls), {}, False, sends
            if self._panel:
                self._panel.ask(self._calls, title, how, sends=sends, edits=not own_title)
            inner = f'<div class="cm-title">{one_line(title)}</div>{pending_html(calls)}'
            note = f'<div class="cm-note">{one_line(how)}</div>'
            text = f"{title}\n{how}" if sends else pending_text(calls, title, how)
            self._show_twin(self._frame(inner + note), text)

    def done(self, status: str = "") -> None:
        """Close it: nothing waits any more.

        Args:
            said: One line that replaces it; `""` for nothing.
        """
        with self._lock:
            self._working = True
            if self._panel:
                self._panel.done(status)
            note = f'<div class="cm-note">{one_line(status, 300)}</div>'
            self._show_twin(self._frame(note) if status else self._frame("", " cm-hidden"), plain(status))

    def decide(self, decisions: Decisions) -> None:
        """Record decisions on some of the calls; a later decision replaces an earlier one."""
        with self._lock:
            ids = {call.id for call in self._calls}
            if self._working or not (ids or self._sends):
                return
            self._decisions.update({name: each for name, each in decisions.items() if name in ids})
            complete = ids == set(self._decisions)
            self._working = complete
            ready = dict(self._decisions)
            if self._panel:
                self._panel.set_status(ready, working=complete)
        if complete:
            from_widget(self._on_decide, ready)

    def _frame(self, inner: str, more: str = "") -> str:
        classes = f"cm-static cm-approval {self._name} {IGNORED}{more}"
        return f'{twin_style()}<div class="{classes}">{inner}</div>'

    def _show_twin(self, source: str, text: str) -> None:
        """Set the static output, which is saved with the notebook."""
        self._twin = {"text/html": source, "text/plain": text}
        if self._published:
            from IPython.core.display_functions import publish_display_data

            publish_display_data(dict(self._twin), transient={"display_id": self._name}, update=True)


def approval_widget(calls: Sequence[Call], on_decide: Callable[[Decisions], None]) -> Approval:
    """The outputs for calls that wait for approval."""
    return Approval(calls, on_decide)


def _panel(name: str, decide: Callable[[Decisions], None]) -> ApprovalPanel | None:
    """The widget; `None` where there can be none."""
    if not has_widgets():
        return None
    from .widget import ApprovalPanel

    return ApprovalPanel(live_style(name), decide)


def _title(calls: Sequence[Call]) -> str:
    return "Claude asks to run this:" if len(calls) == 1 else f"Claude asks to run these {len(calls):,} calls:"


def _how(calls: Sequence[Call], name: str = "") -> str:
    return _GO_ON.format(them="it" if len(calls) == 1 else "them", name=f" {name}" if name else "")


def editable(call: Call) -> str:
    """The arguments of a call as text to edit; `""` if they cannot be edited here."""
    text = arguments_text(call.arguments)
    return "" if len(text) > _EDITABLE or "sk-ant-" in text else text
