"""The panels whose widgets live: the last ones of a kernel, and only one run of each cell.

A widget that is closed gives way to its static twin, so a long session stays small.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from IPython.core.getipython import get_ipython

from ..widgets import Widget

_MOST = 100
_live: deque[LivePanel] = deque()


@dataclass(frozen=True, kw_only=True, eq=False)
class LivePanel:
    """A panel and where it was made.

    Attributes:
        widgets: All that it is made of, but for what panels share.
        cell: The id of its cell; `""` where the front end names none.
        run: The id of the message that ran the cell.
    """

    widgets: list[Widget]
    cell: str
    run: str


def keep(widgets: list[Widget]) -> None:
    """Let a panel live, and close those of earlier runs of its cell, and the oldest of too many."""
    cell, run = _origin()
    _live.append(LivePanel(widgets=widgets, cell=cell, run=run))
    old = [panel for panel in _live if cell and panel.cell == cell and panel.run != run]
    recent = [panel for panel in _live if panel not in old]
    close([*old, *recent[: max(0, len(recent) - _MOST)]])


def close(panels: list[LivePanel]) -> None:
    """Close their widgets."""
    for panel in panels:
        _live.remove(panel)
        for widget in panel.widgets:
            widget.close()


def close_all() -> None:
    """Close every panel, as if the session had gone on for long."""
    close(list(_live))


def latest() -> LivePanel:
    """The panel that was made last."""
    return _live[-1]


def _origin() -> tuple[str, str]:
    """The ids of the running cell and of the message that runs it, as far as the front end names them."""
    shell = get_ipython()
    kernel = getattr(shell, "kernel", None)  # JupyterLite's shell has no `get_parent`
    parent: dict[str, Any] = getattr(shell, "get_parent", getattr(kernel, "get_parent", dict))() or {}
    cell = parent.get("metadata", {}).get("cellId")
    run = parent.get("header", {}).get("msg_id")
    return str(cell or ""), str(run or "")
