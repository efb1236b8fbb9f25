"""Which cell is running, and what it has asked so far.

JupyterLab, Notebook 7 and VS Code name the cell of each request (`cellId` in its metadata): run again, it is the same
cell. nbclient, papermill, consoles and other kernels name none: there each execution is a cell of its own, whatever
its text. Any shell of IPython will do; what a kernel does not offer (`get_parent`, a request's metadata) is not used.
"""

from __future__ import annotations

import contextvars
import os
from collections.abc import Mapping
from typing import Any

from ...concurrency import Lock


class _Cell:
    """One execution of a cell.

    Attributes:
        source: What was typed.
        id: What the front end calls the cell; `""` if it names none.
        label: What the cell is called: its id, or `input 5`.
    """

    def __init__(self, source: str = "", id: str = "", label: str = "") -> None:
        self.source = source
        self.id = id
        self.label = id or label
        self._count = 0
        self._lock = Lock()

    def number(self) -> int:
        """The number of the next question of this execution, from 1."""
        with self._lock:
            self._count += 1
            return self._count


class Cells:
    """The cells of one shell; some kernels run several at the same time, in threads."""

    def __init__(self) -> None:
        self._shell: Any = None
        self._labels: dict[str, int] = {}
        self._latest = _Cell()
        self._running: contextvars.ContextVar[_Cell | None] = contextvars.ContextVar("claude_magic_cell", default=None)

    def open(self, shell: Any) -> None:
        """Belong to `shell`; `None` for none."""
        self._shell, self._latest = shell, _Cell()
        self._running.set(None)

    def begin(self, info: Any) -> None:
        """A cell begins to run."""
        label = f"input {self._shell.execution_count}"
        again = self._labels[label] = self._labels.get(label, 0) + 1  # the count stands still without a history
        cell = _Cell(
            source=self._typed(info.raw_cell or ""),
            id=str(getattr(info, "cell_id", None) or self._parent("metadata").get("cellId") or ""),
            label=label if again == 1 else f"{label} ({again})",
        )
        self._latest = cell
        self._running.set(cell)

    @property
    def _cell(self) -> _Cell:
        """The cell that runs here; in a thread that knows of none, the one that began last."""
        return self._running.get() or self._latest

    @property
    def source(self) -> str:
        """What was typed in the cell that runs: IPython changes it before a magic sees it."""
        return self._cell.source

    def next(self) -> str:
        """A name for the next question of this cell.

        A cell may ask several times: the number of the question within this execution belongs to the name.
        """
        cell = self._cell
        number = cell.number()
        if self._shell is None or not cell.label:
            return os.urandom(16).hex()
        return f"{cell.label}#{number}"

    def lasting(self, name: str) -> str:
        """`name`, or where the front end names no cells, the same by the cell's text: it is all that lasts."""
        cell = self._cell
        return name if cell.id else f"{cell.source}#{name.rpartition('#')[2]}"

    @property
    def name(self) -> str:
        """What the cell that runs is called, or its text where the front end names none."""
        return self._cell.id or self._cell.source

    @property
    def has_name(self) -> bool:
        """Whether the front end names the cell that runs, so that it is known again."""
        return bool(self._cell.id)

    @property
    def in_notebook(self) -> bool:
        """Whether the shell is that of a kernel."""
        return hasattr(self._shell, "kernel")

    @property
    def asks(self) -> bool:
        """Whether somebody can be asked: not where a program runs the notebook, which says so in each request."""
        return not self.in_notebook or bool(self._parent("content").get("allow_stdin", not self._has_parent))

    @property
    def notebook(self) -> str:
        """The notebook's path, as far as its front end tells: Jupyter Server and VS Code do."""
        told = (self._shell.user_ns if self._shell is not None else {}).get("__vsc_ipynb_file__")
        return str(told) if isinstance(told, str) else os.environ.get("JPY_SESSION_NAME", "")

    def _typed(self, raw: str) -> str:
        """What was typed: the kernel of JupyterLite adds a newline, but has the request as it was sent."""
        sent = self._parent("content").get("code")
        return sent if isinstance(sent, str) and raw.rstrip("\n") == sent.rstrip("\n") else raw

    @property
    def _has_parent(self) -> bool:
        return bool(self._parent("content"))

    def _parent(self, field: str) -> Mapping[str, Any]:
        """A field of the request that runs the cell; `{}` where the kernel does not tell."""
        for owner in (self._shell, getattr(self._shell, "kernel", None)):
            parent: Any = getattr(owner, "get_parent", dict)()
            found = parent.get(field) if isinstance(parent, Mapping) else None
            if isinstance(found, Mapping) and found:
                return found
        return {}
