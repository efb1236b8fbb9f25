"""Stand-ins for `js` and `pyodide.ffi`: what Python in a web page has, for tests of the code that uses it.

Stacks are switched by greenlets, as a browser with JSPI switches them: a function that runs as a coroutine gives its
awaitable to the loop, and goes on with the result.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import types
from collections.abc import Awaitable, Callable
from typing import Any

import greenlet
import pytest


class JsException(Exception):
    """An exception of JavaScript."""

    def __init__(self, message: str, name: str = "TypeError") -> None:
        super().__init__(message)
        self.message = message
        self.name = name


class PagePython:
    """The modules, and the loop of the page.

    Attributes:
        js: The module `js`.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, jspi: bool = True) -> None:
        self.js = types.ModuleType("js")
        self.js.WebAssembly = types.SimpleNamespace(**({"Suspending": object} if jspi else {}))  # type: ignore[attr-defined]
        ffi = types.ModuleType("pyodide.ffi")
        ffi.__dict__.update(JsException=JsException, can_run_sync=can_run_sync, run_sync=run_sync, to_js=bytes)
        for name, module in {"js": self.js, "pyodide": types.ModuleType("pyodide"), "pyodide.ffi": ffi}.items():
            monkeypatch.setitem(sys.modules, name, module)
        self._monkeypatch = monkeypatch

    def module(self, name: str) -> Any:
        """A module of the package, imported anew with these stand-ins."""
        anew = {name, "claude_magic.concurrency.coroutines"}
        for each in anew:
            self._monkeypatch.delitem(sys.modules, each, raising=False)
        module = importlib.import_module(name)
        for each in anew:
            self._monkeypatch.delitem(sys.modules, each, raising=False)  # no later test gets it
        if hasattr(module, "_start"):
            self._monkeypatch.setattr(module, "_start", _start)
        return module

    def run(self, cell: Callable[[], Any]) -> Any:
        """Runs a function as a kernel runs a cell: in the page's loop, with a stack that can be switched."""
        return asyncio.run(_switchable(cell))


_tasks: set[asyncio.Task[Any]] = set()


def _start(call: Callable[[], object], name: str) -> None:
    task = asyncio.get_running_loop().create_task(_switchable(call), name=name)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _switchable(call: Callable[[], Any]) -> Any:
    """The result of `call`, whose awaitables are awaited here."""
    stack = greenlet.greenlet(call)
    awaitable = stack.switch()
    while not stack.dead:
        try:
            result = await awaitable
        except BaseException as error:
            awaitable = stack.throw(error)
        else:
            awaitable = stack.switch(result)
    return awaitable


def can_run_sync() -> bool:
    return greenlet.getcurrent().parent is not None


def run_sync(awaitable: Awaitable[Any]) -> Any:
    """The result of `awaitable`; what else the loop has to do is done meanwhile."""
    parent = greenlet.getcurrent().parent
    assert parent is not None, "Cannot stack switch"
    return parent.switch(awaitable)
