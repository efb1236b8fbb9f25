"""What the notebook shows of its journal, and of an exchange that is looked at again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..journal import Journal
from ..journal.recordings import Recorder
from ..session.ledger import Ledger
from ..settings import Claude
from ..wire import Exchange
from .export import Programs


def journal(path: Path) -> Journal:
    """The journal of a file, with its tables as a notebook shows them."""
    return Journal(path, shown=_table, sums=_sums, written=Programs())


def recorder(path: Path, books: Ledger, settings: Claude) -> Recorder:
    """A recorder that begins with what this kernel has asked so far.

    Raises:
        SettingsError: The file cannot be written.
    """
    from ..api import credentials

    made = Recorder(path, credentials.redact_secrets)
    kept = books.journal(settings)
    if kept is not None:
        for place, exchange in kept.of_session(books.session):
            made.take(place, exchange)
    made.write()
    return made


def show(exchange: Exchange, *, page: bool) -> None:
    """Show an exchange as the cell that asked it did.

    Args:
        page: Whether there is a page; else it is a terminal.
    """
    if not page:
        from ..display.terminal.terminal import Terminal

        Terminal().finish(exchange)
        return
    from ..display.live.page import Page

    Page(owns_cell=False, raw=False, panel=True).finish(exchange)


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    from ..display.tables.journal_entries import bundle

    return bundle(title, rows)


def _sums(rows: Sequence[Mapping[str, Any]], by: str) -> Any:
    from ..display.tables.spending import spending_table

    return spending_table(rows, by)
