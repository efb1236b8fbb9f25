"""A front end for a workbench in a real kernel: it keeps the widgets' states, presses and types, by the protocol.

Source: https://github.com/jupyter-widgets/ipywidgets/blob/main/packages/schema/messages.md
"""

from __future__ import annotations

import html
import json
import queue
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.notebook_kernel import Kernel, Ran


class Front:
    """What a page knows of the widgets of a kernel.

    Attributes:
        states: By the id of each widget.
        sent: Bytes of the widget messages that the kernel has sent.
        updates: How many of them changed a state.
        displays: What `update_display_data` brought, in order.
        begun: How many runs have begun.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.states: dict[str, dict[str, Any]] = {}
        self.sent = 0
        self.updates = 0
        self.displays: list[dict[str, Any]] = []
        self.begun = 0

    def run(self, code: str) -> Ran:
        ran = self.kernel.run(code)
        for _, message in ran.messages:
            self._take(message)
        return ran

    def open(self, code: str) -> str:
        """Run a cell that shows a workbench; the id of it."""
        ran = self.run(code)
        assert ran.error is None, ran.error
        views = ran.data("application/vnd.jupyter.widget-view+json")
        assert views, ran
        return str(views[-1]["model_id"])

    def idle(self) -> None:
        """Wait until what was pressed in the workbench `w` has ended; the next press is no second click then."""
        ran = self.run("import time\nwhile w._busy: time.sleep(0.01)\nw._pressed = None")
        assert ran.error is None, ran.error

    def press(self, bench: str, label: str) -> None:
        self._say(self.named(bench, label), {"method": "custom", "content": {"event": "click"}})

    def type(self, bench: str, label: str, value: Any) -> None:
        """Let a field hold a value; of a choice, the label of it."""
        widget = self.named(bench, label)
        state = self.states[widget]
        change = {"value": value}
        if "_options_labels" in state:
            change = {"index": state["_options_labels"].index(value)}
        self._say(widget, {"method": "update", "state": change, "buffer_paths": []})
        state.update(change)

    def named(self, bench: str, label: str) -> str:
        """The widget with this label, in this workbench."""
        found = [name for name in self._within(bench) if self.states[name].get("description") == label]
        assert len(found) == 1, (label, [self.states[name].get("description") for name in self._within(bench)])
        return found[0]

    def labels(self, bench: str) -> list[str]:
        """Of what can be seen."""
        return [
            self.states[name]["description"]
            for name in self._within(bench, hidden=False)
            if self.states[name].get("description")
        ]

    def told(self, bench: str) -> str:
        """The status line."""
        return html.unescape(" ".join(re.sub(r"<[^>]*>", "", self._html(bench, "cm-notice")).split()))

    def told_html(self, bench: str) -> str:
        return self._html(bench, "cm-notice")

    def answer(self, bench: str) -> str:
        """The HTML of the reply."""
        box = next(name for name in self._within(bench) if "cm-answer" in self.states[name]["_dom_classes"])
        return "".join(self.states[child]["value"] for child in self._children(box))

    def until(self, found: Callable[[], bool], seconds: float = 100) -> None:
        """Take messages until something is so."""
        end = time.monotonic() + seconds
        while not found():
            assert time.monotonic() < end, f"it did not come to be so: {self._all_told()}"
            self.take(0.05)

    def take(self, seconds: float) -> None:
        """Take what comes within so many seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                self._take(self.kernel.client.get_iopub_msg(timeout=left))
            except queue.Empty:
                return

    def _say(self, widget: str, data: dict[str, Any]) -> None:
        self.kernel.send("comm_msg", {"comm_id": widget, "data": data})

    def _take(self, message: dict[str, Any]) -> None:
        kind, content = message["msg_type"], message["content"]
        if kind == "update_display_data":
            self.displays.append(content["data"])
        if kind not in ("comm_open", "comm_msg", "comm_close"):
            return
        self.sent += len(json.dumps(content))
        data = content.get("data", {})
        if kind == "comm_open":
            self.states[content["comm_id"]] = dict(data["state"])
        elif kind == "comm_close":
            self.states.pop(content["comm_id"], None)
        elif data.get("method") == "update":
            self.updates += 1
            self.begun += "Running…" in str(data["state"].get("value"))
            self.states.setdefault(content["comm_id"], {}).update(data["state"])

    def _within(self, bench: str, *, hidden: bool = True) -> Iterator[str]:
        state = self.states[bench]
        if not hidden and "cm-hidden" in state.get("_dom_classes", ()):
            return
        yield bench
        for child in self._children(bench):
            yield from self._within(child, hidden=hidden)

    def _children(self, widget: str) -> list[str]:
        return [child.removeprefix("IPY_MODEL_") for child in self.states[widget].get("children", ())]

    def _all_told(self) -> list[str]:
        return [state["value"] for state in self.states.values() if "cm-notice" in state.get("_dom_classes", ())]

    def _html(self, bench: str, css_class: str) -> str:
        found = [name for name in self._within(bench) if css_class in self.states[name].get("_dom_classes", ())]
        return str(self.states[found[0]]["value"])
