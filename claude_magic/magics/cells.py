"""Which cell is running, and what it has asked so far."""

from __future__ import annotations

import os
import threading
from datetime import datetime
from typing import Any


class Cells:
    """The cells of one shell.

    Attributes:
        source: What was typed in the one that runs: IPython changes it before a magic sees it.
    """

    def __init__(self) -> None:
        self.source = ""
        self._shell: Any = None
        self._id: str | None = None
        self._asked = 0
        self._lock = threading.Lock()

    def open(self, shell: Any) -> None:
        """Belong to `shell`; `None` for none."""
        self._shell, self.source, self._id, self._asked = shell, "", None, 0

    def begin(self, info: Any) -> None:
        """A cell begins to run."""
        self.source, self._id, self._asked = info.raw_cell or "", getattr(info, "cell_id", None), 0

    def next(self) -> str:
        """A name for the next question of this cell.

        A notebook's cell is called what its front end calls it, else by its text; in a terminal each
        input is another. A cell may ask several times: the how manieth question it is belongs to the name.
        """
        with self._lock:
            self._asked += 1
            number = self._asked
        if self._shell is None:
            return os.urandom(16).hex()
        if not self.in_notebook:
            return f"input {self._shell.execution_count}#{number}"
        return f"{self.name}#{number}"

    def place(self, name: str) -> str:
        """As `next`, but where a front end gives its cells no names, equal cells are told apart by their number."""
        if self._shell is None or self._id is not None:
            return name
        return f"input {self._shell.execution_count}#{name.rpartition('#')[2]}"

    @property
    def name(self) -> str:
        """What the cell is called that runs."""
        return self._id or self.source

    @property
    def in_notebook(self) -> bool:
        """Whether the shell is that of a kernel."""
        return hasattr(self._shell, "kernel")

    @property
    def asks(self) -> bool:
        """Whether somebody can be asked: not where a program runs the notebook, which says so in each request."""
        if not self.in_notebook:
            return True
        return bool(self._shell.get_parent().get("content", {}).get("allow_stdin", False))

    @property
    def notebook(self) -> str:
        """The notebook's path, as far as its front end tells: Jupyter Server and VS Code do."""
        told = (self._shell.user_ns if self._shell is not None else {}).get("__vsc_ipynb_file__")
        return str(told) if isinstance(told, str) else os.environ.get("JPY_SESSION_NAME", "")

    @property
    def sent(self) -> datetime | None:
        """When the front end sent this cell, by its own clock; `None` if it does not say."""
        if not self.in_notebook:
            return None
        sent = self._shell.get_parent().get("header", {}).get("date")
        return sent if isinstance(sent, datetime) else None
