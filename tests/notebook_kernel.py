"""A real kernel, and its outputs as a front end would keep them."""

from __future__ import annotations

import os
import queue
import sys
import time
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

    def data(self, mime: str) -> list[Any]:
        """What all outputs hold of this type."""
        return [o["data"][mime] for o in self.outputs if mime in o.get("data", {})]


class Kernel:
    """Runs cells; the environment and the folder are those of the test."""

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

    def run(
        self,
        code: str,
        *,
        stop_after: float | None = None,
        stop_when: str = "",
        timeout: float = 60,
        cell_id: str = "",
        asks: bool = False,
    ) -> Ran:
        """Run a cell to its end.

        Args:
            stop_after: Interrupt the kernel after so many seconds.
            stop_when: Interrupt when a message holds this text.
            cell_id: What the front end calls the cell.
            asks: Whether the front end says that somebody can be asked.
        """
        ran, began = Ran(), time.monotonic()
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        sent = self.send(
            "execute_request",
            {**content, "allow_stdin": asks, "stop_on_error": True},
            {"cellId": cell_id} if cell_id else None,
        )
        pending_clear = False
        while True:
            seconds = time.monotonic() - began
            if stop_after is not None and seconds >= stop_after:
                self.manager.interrupt_kernel()
                stop_after = None
            if seconds > timeout:
                raise TimeoutError(f"the cell took more than {timeout} s: {code[:80]}")
            try:
                message = self.client.get_iopub_msg(timeout=0.02)
            except queue.Empty:
                continue
            if message["parent_header"].get("msg_id") != sent:
                continue
            ran.messages.append((time.monotonic() - began, message))
            if stop_when and stop_when in str(message["content"]):
                self.manager.interrupt_kernel()
                stop_when = ""
            pending_clear = _apply(ran, message, pending_clear)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                ran.seconds = time.monotonic() - began
                return ran

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
