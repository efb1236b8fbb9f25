"""How a notebook shows conversations, the journal, a preview, and an exchange that is looked at again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..session.conversation import Conversation
    from ..session.session import Preview
    from ..wire import Exchange


class NotebookViews:
    """Shows conversations and the journal as a notebook does."""

    def conversation(self, conversation: Conversation) -> Mapping[str, str]:
        from ..display.reply.conversation import bundle

        rows = [(turn.messages, turn.model, turn.usage) for turn in conversation.turns]
        return bundle(repr(conversation), rows)

    def entries(self, title: str, rows: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
        from ..display.tables.journal_entries import bundle

        return bundle(title, rows)

    def spending(self, rows: Sequence[Mapping[str, Any]], by: str) -> Any:
        from ..display.tables.spending import spending_table

        return spending_table(rows, by)


def preview_text(preview: Preview) -> str:
    """A preview of a request, as text."""
    from ..cost.prices import as_of
    from ..display.reply.preview import preview as text

    return text(preview.request, preview.tokens, preview.usd, as_of=as_of(), note=preview.note)


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
