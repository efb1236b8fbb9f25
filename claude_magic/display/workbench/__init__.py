"""The workbench: a panel of widgets to try a question in, and to take it away as a cell or a program."""

from __future__ import annotations


def has_page() -> bool:
    """Whether there is a page that widgets could live in: a kernel has one, a terminal has none."""
    try:
        import comm
        import ipywidgets  # noqa: F401  it must be there
    except ImportError:
        return False
    return bool(comm.create_comm.__module__ != "comm")
