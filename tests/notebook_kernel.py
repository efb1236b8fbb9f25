"""A real kernel, and its outputs as a front end would keep them."""

from __future__ import annotations

import os
import queue
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.manager import KernelManager

ROOT = Path(__file__).parents[1]


@dataclass
class Ran:
    """What a cell left behind.

    Attributes:
        outputs: As a notebook would save them: display, update and clear messages applied.
        messages: All messages of the IOPub channel, with the seconds since the start.
        error: Name, text and traceback lines; `None` if there was none.
    """

    outputs: list[dict[str, Any]] = field(default_factory=list)
    messages: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    error: tuple[str, str, list[str]] | None = None
    seconds: float = 0.0

    @property
    def stdout(self) -> str:
        return "".join(o["text"] for o in self.outputs if o["type"] == "stream")

    @property
    def text(self) -> str:
        """What all outputs say without a page: printed, or as plain text."""
        return "".join(o["text"] if o["type"] == "stream" else o["data"].get("text/plain", "") for o in self.outputs)

    def data(self, mime: str) -> list[Any]:
        """What all outputs hold of this type."""
        return [o["data"][mime] for o in self.outputs if mime in o.get("data", {})]


class Kernel:
    """Runs cells; the environment and the folder are those of the test."""

    patience = 250.0  # seconds until an answer that has not come is given up

    def __init__(self, **env: str) -> None:
        self._env = env

    def __enter__(self) -> Kernel:
        self.manager = KernelManager(kernel_name="python3", transport="ipc" if os.name == "posix" else "tcp")
        self.manager.kernel_spec.argv[0] = sys.executable
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        self.manager.start_kernel(env={**os.environ, "PYTHONPATH": path, **self._env}, cwd=os.getcwd())
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()

    def restart(self) -> None:
        """Begin anew, with nothing loaded."""
        self.__exit__()
        self.__enter__()

    def interrupt(self) -> None:
        """Stop the cell that runs; any thread may, such as the one of the scripted API in the middle of an answer."""
        os.kill(self.manager.provisioner.pid, signal.SIGINT)

    def run(
        self,
        code: str,
        *,
        stop_when: str = "",
        watch: Callable[[dict[str, Any]], object] | None = None,
        timeout: float = 100,
        cell_id: str = "",
        asks: bool = False,
    ) -> Ran:
        """Run a cell to its end.

        Args:
            stop_when: Interrupt when something that is shown holds this text.
            watch: Is called with each message of the cell as soon as it comes.
            cell_id: What the front end calls the cell.
            asks: Whether the front end says that somebody can be asked.
        """
        ran, began = Ran(), time.monotonic()
        sent = self.submit(code, cell_id=cell_id, asks=asks)
        pending_clear = False
        while True:
            seconds = time.monotonic() - began
            if seconds > timeout:
                raise TimeoutError(f"the cell took more than {timeout} s: {code[:80]}")
            try:
                message = self.client.get_iopub_msg(timeout=0.02)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") != sent:
                continue
            ran.messages.append((time.monotonic() - began, message))
            if watch is not None:
                watch(message)
            if stop_when and shows(message, stop_when):
                self.interrupt()
                stop_when = ""
            pending_clear = _apply(ran, message, pending_clear)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                ran.seconds = time.monotonic() - began
                return ran

    def submit(self, code: str, *, cell_id: str = "", asks: bool = False) -> str:
        """Ask for a cell to be run, and wait for nothing; the id of the request."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": asks, "stop_on_error": True}
        return self.send("execute_request", content, {"cellId": cell_id} if cell_id else None)

    def answer(self, request: str) -> dict[str, Any]:
        """What the kernel answers to a request, once it does."""
        while (answer := self.client.get_shell_msg(timeout=self.patience))["parent_header"].get("msg_id") != request:
            pass
        return dict(answer["content"])

    def complete(self, code: str) -> dict[str, Any]:
        """What Tab offers at the end of `code`."""
        return self.answer(self.send("complete_request", {"code": code, "cursor_pos": len(code)}))

    def send(self, kind: str, content: dict[str, Any], metadata: dict[str, Any] | None = None) -> str:
        """Send a message on the shell channel; its id."""
        request = self.client.session.msg(kind, content, metadata=metadata)
        self.client.shell_channel.send(request)
        return str(request["header"]["msg_id"])

    def value(self, expression: str) -> Any:
        """What an expression is in the kernel, through JSON."""
        ran = self.run(f"import json as _json; print(_json.dumps({expression}, default=str))")
        import json

        assert ran.error is None, ran.error
        return json.loads(ran.stdout)


def shows(message: dict[str, Any], text: str) -> bool:
    """Whether a message shows this text, other than as the source of the cell."""
    return message["msg_type"] not in ("execute_input", "comm_open", "comm_msg") and text in str(message["content"])


def _apply(ran: Ran, message: dict[str, Any], pending_clear: bool) -> bool:
    """Do with a message what a front end does; whether a clear still waits for the next output."""
    kind, content = message["msg_type"], message["content"]
    if kind == "clear_output":
        if content["wait"]:
            return True
        ran.outputs.clear()
        return False
    if kind not in ("stream", "display_data", "execute_result", "error", "update_display_data"):
        return pending_clear
    identity = content.get("transient", {}).get("display_id")
    if kind == "update_display_data":
        for output in ran.outputs:
            if identity and output.get("id") == identity:
                output["data"] = content["data"]
        return pending_clear
    if pending_clear:
        ran.outputs.clear()
    if kind == "error":
        ran.error = (content["ename"], content["evalue"], content["traceback"])
    elif kind == "stream":
        ran.outputs.append({"type": "stream", "name": content["name"], "text": content["text"]})
    else:
        ran.outputs.append({"type": kind, "data": content["data"], "id": identity})
    return False
