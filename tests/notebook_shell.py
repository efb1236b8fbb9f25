"""A notebook's shell within the tests' own process: ipykernel's in-process kernel, at some 10 ms a cell.

It runs cells as a real kernel does (magics, display messages, comms, parent headers), with no process and no socket
of its own. Use the fixture `shell`: the extension is loaded, and the scripted API answers.

    def test_a_cell_shows_its_reply(shell: Shell, endpoint: Server) -> None:
        endpoint.answers(reply("Hello *there*"))
        ran = shell.run("%%claude\\nhi", cell_id="a")
        assert ran.error is None                     # else (name, text, traceback lines)
        assert "<em>there</em>" in ran.data("text/html")[0]
        assert ran.stdout == ""
        assert shell.value("claude.last.message.text") == "Hello *there*"
        assert shell.user_ns["claude"].last.error is None

Each test gets a new shell, and `claude` as if it had just been imported; home and journal are the test's own.
What needs a process of its own (ending it, a second kernel, code between two cells) belongs in a test marked `kernel`.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import comm

from tests.notebook_kernel import Kernel, Ran, shows

_without_kernel = comm.create_comm, comm.get_comm_manager
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # else the debugger that ipykernel imports warns
from ipykernel import ipkernel  # noqa: E402
from ipykernel.inprocess.ipkernel import InProcessKernel  # noqa: E402
from ipykernel.inprocess.manager import InProcessKernelManager  # noqa: E402
from ipykernel.inprocess.socket import DummySocket  # noqa: E402
from ipykernel.iostream import IOPubThread  # noqa: E402
from jupyter_core.utils import run_sync  # noqa: E402

_with_kernel = comm.create_comm, comm.get_comm_manager
comm.create_comm, comm.get_comm_manager = _without_kernel  # importing ipykernel replaces them: only a shell has comms


class Shell(Kernel):
    """Runs cells in this process, as `Kernel` does in another."""

    patience = 1.0  # an answer is there once a message has been sent, or it never comes

    def __enter__(self) -> Shell:
        assert not InProcessKernel.initialized(), "one shell at a time: what is loaded is the process's own"
        assert not _loop_runs(), "an event loop runs in this thread, so cells would run in another one"
        _close_widgets()  # those that tests without a page have left
        self._exit = contextlib.ExitStack()
        # what ipykernel's own main program does to a process of its own
        self._exit.enter_context(
            mock.patch.multiple(comm, create_comm=_with_kernel[0], get_comm_manager=_with_kernel[1])
        )
        self._exit.enter_context(
            mock.patch.dict(os.environ, {"MPLBACKEND": "module://matplotlib_inline.backend_inline", **self._env})
        )
        self._exit.enter_context(mock.patch.multiple(sys, path=[*sys.path], ps1="", ps2="", ps3="", create=True))
        logging.root.addHandler(logging.lastResort)  # type: ignore[arg-type]
        self._exit.callback(logging.root.removeHandler, logging.lastResort)
        self.manager = InProcessKernelManager()
        self.manager.config.HistoryManager.enabled = False
        self.manager.session.key = b""  # nobody else sends here, so nothing is signed
        self.manager.kernel = _kernel(self.manager)
        for stream in (self.manager.kernel.stdout, self.manager.kernel.stderr):
            stream.flush_timeout = 250.0  # on a loaded machine too, a cell's messages have come once it has ended
        _iopub_thread().socket.is_open = True
        self.client = self.manager.client()
        self.client.start_channels()
        self._cell = _Cell(self.client)
        return self

    def __exit__(self, *_: object) -> None:
        kernel = self.manager.kernel
        _iopub_thread().socket.is_open = False  # nobody looks at what is said from here on
        try:
            _close_widgets()
            kernel.shell.run_line_magic("unload_ext", "claude_magic")
            forget()
        finally:
            self._end(kernel)

    def _end(self, kernel: InProcessKernel) -> None:
        kernel.shell.restore_sys_module_state()
        with mock.patch.object(gc, "collect"):  # IPython looks through all modules' objects: 50 ms for each shell
            kernel.shell.atexit_operations()
        atexit.unregister(kernel.shell.atexit_operations)  # else each shell stays in memory
        scripts = kernel.shell.magics_manager.registry.get("ScriptMagics")  # there once a cell has used one
        if scripts is not None:
            atexit.unregister(scripts.kill_bg_processes)
        kernel.shell.clear_instance()
        self.client.stop_channels()
        kernel.frontends.clear()
        self.manager.kernel = None  # `shutdown_kernel` would end the thread
        kernel.stdout.flush()  # waits until the thread has delivered what came before
        kernel.iopub_thread.socket.unobserve_all()
        kernel.clear_instance()
        self._exit.close()

    @property
    def user_ns(self) -> dict[str, Any]:
        """The notebook's variables."""
        return self.manager.kernel.shell.user_ns  # type: ignore[no-any-return]

    def run(
        self,
        code: str,
        *,
        stop_when: str = "",
        watch: Callable[[dict[str, Any]], object] | None = None,
        **how: Any,
    ) -> Ran:
        def look(message: dict[str, Any]) -> None:
            nonlocal stop_when
            if watch is not None:
                watch(message)
            if stop_when and shows(message, stop_when):
                stop_when = ""
                self.interrupt()

        self._cell.look = look
        return super().run(code, **how)

    def interrupt(self) -> None:
        self._cell.interrupt()

    def send(self, kind: str, content: dict[str, Any], metadata: dict[str, Any] | None = None) -> str:
        """Send a message on the shell channel, and wait until the kernel has dealt with it."""
        kernel, session = self.manager.kernel, self.client.session
        stream = kernel.shell_stream
        request = session.msg(kind, content, metadata=metadata)
        session.send(stream, request)
        with _late_interrupts_ignored(), self._cell, _patched_output(kernel):
            run_sync(kernel.dispatch_shell)(stream.recv_multipart())
            kernel.stdout.flush()  # waits until all that was sent has come
        while not stream.queue.empty():
            self.client.shell_channel.call_handlers(session.recv(stream, copy=False)[1])
        return str(request["header"]["msg_id"])


class _Cell:
    """The cell that runs: its messages are looked at as they come, and it can be interrupted."""

    def __init__(self, client: Any) -> None:
        self.look: Callable[[dict[str, Any]], object] = bool
        self._lock = threading.Lock()
        self._runs = False
        channel = client.iopub_channel
        self._deliver = channel.call_handlers
        channel.call_handlers = self._take

    def __enter__(self) -> None:
        self._runs = True

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._runs = False

    def interrupt(self) -> None:
        with self._lock:
            if self._runs:
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def _take(self, message: dict[str, Any]) -> None:
        self._deliver(message)
        if self._runs:
            self.look(message)


@contextlib.contextmanager
def _late_interrupts_ignored() -> Iterator[None]:
    """Lets an interrupt that comes before or after the cell pass; while a cell runs, ipykernel has its own handler."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _patched_output(kernel: InProcessKernel) -> Any:
    return mock.patch.multiple(sys, stdout=kernel.stdout, stderr=kernel.stderr)


def _close_widgets() -> None:
    if "ipywidgets" in sys.modules:
        sys.modules["ipywidgets"].Widget.close_all()


def _loop_runs() -> bool:
    """Whether this thread is in an event loop; Playwright's, for one, seems to run as long as a browser is open."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class _Wire(DummySocket):  # type: ignore[misc]
    """Where kernels send their messages; only the thread of `_iopub_thread` does it.

    A shell takes one message for each that is sent. One that came between two shells, from a thread that has outlived
    its own, would stay there, and put the next shell behind by one: so it is dropped.
    """

    is_open = False

    def send_multipart(self, *message: Any, **how: Any) -> None:
        if self.is_open:
            super().send_multipart(*message, **how)


@functools.cache
def _iopub_thread() -> IOPubThread:
    """The thread that delivers what kernels send: one for all shells, as each would need two contexts of ZeroMQ."""
    thread = IOPubThread(_Wire(), session=None)
    thread.start()
    return thread


def _kernel(manager: InProcessKernelManager) -> InProcessKernel:
    thread = _iopub_thread()
    assert thread.socket.queue.empty(), "an earlier shell sent something that it has not taken"
    # Its debugger, which no test uses, would list the files of all modules: 5 ms.
    with mock.patch.object(ipkernel, "sys", mock.Mock(wraps=sys, modules={})):
        return InProcessKernel.instance(
            parent=manager, session=manager.session, iopub_thread=thread, _underlying_iopub_socket=thread.socket
        )


def forget() -> None:
    """Let `claude_magic` be as it was when it was imported: no settings, replies, keys, journal or servers."""
    from claude_magic.api import credentials, known_models
    from claude_magic.display.panel import live_panels, programs
    from claude_magic.magics import mcp
    from claude_magic.magics.claude import claude

    claude.session.close()
    for server in list(mcp._servers.values()):
        server.close()
    vars(claude).clear()
    claude.__init__()  # type: ignore[misc]
    credentials._login_credential = credentials._admin_login_credential = None
    known_models._endpoint_names.clear()
    live_panels.close_all()
    programs._choice["language"] = programs.DEFAULT
