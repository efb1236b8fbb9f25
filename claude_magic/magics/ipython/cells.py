"""The running cell, and the requests that it has sent so far.

JupyterLab, Notebook 7 and VS Code send the id of the cell with each request (`cellId` in its metadata), so a cell that
runs again is the same cell. nbclient, papermill, consoles and other kernels send none: there each execution is a cell
of its own, whatever its text. Any shell of IPython works; what a kernel lacks (`get_parent`, metadata) is not used.
"""

from __future__ import annotations

import contextvars
import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from ...concurrency import Lock


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something was asked.

    Attributes:
        cell: The id of the cell, or its text if the front end sends none.
        run: Tells the runs of a cell apart.
        title: The cell as the page shows it, such as `[5]`.
    """

    cell: str
    run: int
    title: str


class _Cell:
    """One execution of a cell.

    Attributes:
        run: Its number among all executions.
        title: Its number on the page, such as `[5]`.
        source: The text as typed.
        id: The id from the front end; `""` if it sends none.
        label: The name of the cell: its id, or `input 5`.
    """

    def __init__(self, source: str = "", id: str = "", label: str = "", title: str = "", run: int = 0) -> None:
        self.source = source
        self.run = run
        self.title = title
        self.id = id
        self.label = id or label
        self._count = 0
        self._lock = Lock()

    def number(self) -> int:
        """The number of the next request of this execution, from 1."""
        with self._lock:
            self._count += 1
            return self._count


class Cells:
    """The cells of one shell; some kernels run several at once, in threads."""

    def __init__(self) -> None:
        self._shell: Any = None
        self._labels: dict[str, int] = {}
        self._runs = count(1)
        self._latest = _Cell()
        self._running: contextvars.ContextVar[_Cell | None] = contextvars.ContextVar("claude_magic_cell", default=None)

    def open(self, shell: Any) -> None:
        """Follows the cells of `shell`; `None` for none."""
        self._shell, self._latest = shell, _Cell()
        self._running.set(None)

    def begin(self, info: Any) -> None:
        """Called when a cell begins to run."""
        label = f"input {self._shell.execution_count}"
        times = self._labels[label] = self._labels.get(label, 0) + 1  # without a history the count does not change
        cell = _Cell(
            source=self._typed(info.raw_cell or ""),
            id=str(getattr(info, "cell_id", None) or self._parent("metadata").get("cellId") or ""),
            label=label if times == 1 else f"{label} ({times})",
            title=f"[{self._shell.execution_count}]",
            run=next(self._runs),
        )
        self._latest = cell
        self._running.set(cell)

    @property
    def _cell(self) -> _Cell:
        """The cell that runs in this context; in a thread without one, the cell that began last."""
        return self._running.get() or self._latest

    @property
    def source(self) -> str:
        """The text of the running cell as typed; IPython changes it before a magic sees it."""
        return self._cell.source

    def next(self) -> str:
        """A name for the next request of this cell: the cell, and the number of the request within this execution."""
        cell = self._cell
        number = cell.number()
        if self._shell is None or not cell.label:
            return os.urandom(16).hex()
        return f"{cell.label}#{number}"

    def lasting(self, name: str) -> str:
        """A name that is the same when the cell runs again: without an id from the front end, by the cell's text."""
        cell = self._cell
        return name if cell.id else f"{cell.source}#{name.rpartition('#')[2]}"

    @property
    def name(self) -> str:
        """The id of the running cell, or its text if the front end sends none."""
        return self._cell.id or self._cell.source

    @property
    def place(self) -> Place:
        """The running cell, and which of its runs this is."""
        return Place(cell=self.name, run=self._cell.run, title=self._cell.title)

    @property
    def has_name(self) -> bool:
        """Whether the front end sends the id of the running cell, so that it is recognized when it runs again."""
        return bool(self._cell.id)

    @property
    def in_notebook(self) -> bool:
        """Whether the shell belongs to a kernel."""
        return hasattr(self._shell, "kernel")

    @property
    def asks(self) -> bool:
        """Whether the user can be asked: not if a program runs the notebook, which each request then says."""
        return not self.in_notebook or bool(self._parent("content").get("allow_stdin", not self._has_parent))

    @property
    def notebook(self) -> str:
        """The notebook's path from Jupyter Server or VS Code; `""` from other front ends."""
        path = (self._shell.user_ns if self._shell is not None else {}).get("__vsc_ipynb_file__")
        return path if isinstance(path, str) else os.environ.get("JPY_SESSION_NAME", "")

    def _typed(self, raw: str) -> str:
        """The text as typed: JupyterLite's kernel adds a newline, but keeps the original request."""
        sent = self._parent("content").get("code")
        return sent if isinstance(sent, str) and raw.rstrip("\n") == sent.rstrip("\n") else raw

    @property
    def _has_parent(self) -> bool:
        return bool(self._parent("content"))

    def _parent(self, field: str) -> Mapping[str, Any]:
        """A field of the request that runs the cell; `{}` if the kernel does not provide it."""
        for owner in (self._shell, getattr(self._shell, "kernel", None)):
            parent: Any = getattr(owner, "get_parent", dict)()
            value = parent.get(field) if isinstance(parent, Mapping) else None
            if isinstance(value, Mapping) and value:
                return value
        return {}
