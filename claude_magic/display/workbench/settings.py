"""The settings of a workbench: the model and its parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import ipywidgets

from ..widgets import Widget
from .controls import Controls
from .form import Form

_LEVELS = (("as the model does", ""), ("low", "low"), ("medium", "medium"), ("high", "high"))
_EFFORT = (*_LEVELS, ("xhigh", "xhigh"), ("max", "max"))
_NOT_SENT = "not sent"
_ESCAPE = {"\\n": "\n", "\\t": "\t", "\\\\": "\\"}


class Settings:
    """Model, length, sampling, thinking, stop sequences.

    Args:
        names: Models to choose from; any other may be typed.
        listed: Requests the models of the endpoint.
    """

    def __init__(self, controls: Controls, names: Sequence[str], list_models: Callable[[], object]) -> None:
        self.model = ipywidgets.Combobox(
            description="Model",
            placeholder="the one there is",
            options=tuple(names),
            layout=controls.layout,
            continuous_update=False,
        )
        self.max_tokens = controls.line("Max tokens")
        self.temperature = controls.line("Temperature", hint=_NOT_SENT)
        self.top_p = controls.line("Top p", hint=_NOT_SENT)
        self.top_k = controls.line("Top k", hint=_NOT_SENT)
        self.thinking = controls.switch("Thinking")
        self.effort = controls.choice("Effort", _EFFORT)
        self.stop = controls.text("Stop sequences", hint="one a line; \\n is a line end")
        more = controls.button("List models", list_models, hint="Ask the endpoint which models it has")
        self.params = controls.text("Other fields", hint='as JSON: {"tools": […]}', name="cm-params")
        tools = controls.html('<div class="cm-quiet">Tools that stand there are offered; none is run.</div>')
        fields = (
            *(self.max_tokens, self.thinking, self.effort, self.temperature, self.top_p, self.top_k),
            *(self.stop, self.params),
        )
        self.widget = controls.column(self.model, more, *fields, tools, name="cm-settings")

    def read(self, form: Form) -> Form:
        """The form with these settings."""
        return replace(
            form,
            model=self.model.value.strip(),
            max_tokens=self.max_tokens.value.strip(),
            temperature=self.temperature.value.strip(),
            top_p=self.top_p.value.strip(),
            top_k=self.top_k.value.strip(),
            thinking=self.thinking.value,
            effort=self.effort.value,
            params=self.params.value.strip(),
            stop=tuple(_read(line) for line in re.split(r"\r\n|\r|\n", self.stop.value) if line),
        )

    def fill(self, form: Form) -> None:
        """Show the settings of a form."""
        for name in ("model", "max_tokens", "temperature", "top_p", "top_k", "thinking", "params"):
            getattr(self, name).value = getattr(form, name)
        self.effort.value = form.effort if form.effort in [value for _, value in _EFFORT] else ""
        self.stop.value = "\n".join(map(_format, form.stop))

    def texts(self) -> list[Widget]:
        """The widgets that the user types into."""
        return [self.model, self.max_tokens, self.temperature, self.top_p, self.top_k, self.stop, self.params]


def _read(line: str) -> str:
    return re.sub(r"\\[nt\\]", lambda match: _ESCAPE[match[0]], line)


def _format(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
