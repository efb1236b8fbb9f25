"""How a notebook displays conversations, the journal, a preview, notes on a prompt, and a past exchange."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..prompt.attachments.attach import Attachment
    from ..session.conversation import Conversation
    from ..session.preview import Preview
    from ..session.prompt import Prompt
    from ..wire import Exchange


class NotebookViews:
    """Displays conversations and the journal as tables."""

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

    def usage(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Mapping[str, str]:
        from ..display.tables.spending import usage_table

        return usage_table(head, rows)


def entry_outputs(entries: Any) -> list[dict[str, Any]]:
    """The outputs of rows of the journal in a notebook, one bundle each."""
    from ..display.tables.journal_page import outputs

    return outputs(entries.title, list(entries))


def terminal_width() -> int:
    """The width of the terminal, in cells; 0 where no terminal shows what is printed."""
    from ..display.terminal.waiting_line import is_terminal
    from ..display.terminal.word_wrap import columns

    return columns() if is_terminal() else 0


def preview_text(preview: Preview) -> str:
    """A preview of a request, as text."""
    from ..cost.prices import as_of
    from ..display.reply.preview import preview as text

    return text(preview.request, preview.tokens, preview.usd, as_of=as_of(), note=preview.note)


def show_program(text: str, language: str, *, page: bool) -> None:
    """Shows a request as a program: in colour on a page, as it is in a terminal."""
    if not page:
        print(text)
        return
    from IPython.core.display_functions import display

    from ..display.panel.programs import program_bundle

    display(program_bundle(text, language), raw=True)


def notes_html(prompt: Prompt) -> str:
    """The attachments, and what was cut, as HTML above the reply; `""` if there is nothing to say."""
    if not prompt.attachments and not prompt.notes:
        return ""
    from ..display.reply.thumbnails import thumbnails_html

    return thumbnails_html(_facts(prompt.attachments), prompt.notes) + _translation(prompt, page=True)


def print_notes(prompt: Prompt, *, all_attachments: bool = False, to_stderr: bool = False) -> None:
    """Prints what was cut, assumed or changed, where no reply is shown that it could stand above.

    Args:
        all_attachments: Whether to print all attachments, not only those with a note.
    """
    several = [each for each in prompt.attachments if each.note or all_attachments]
    if several or prompt.notes:
        from ..display.reply.thumbnails import lines

        text = [lines(_facts(several), prompt.notes), "" if to_stderr else _translation(prompt, page=False)]
        print("\n".join(filter(None, text)), file=sys.stderr if to_stderr else None)


def _translation(prompt: Prompt, *, page: bool) -> str:
    """The messages that a text completion became, as HTML or text; `""` if there is none, or it is sent as it is."""
    if not prompt.options.complete or prompt.options.legacy:
        return ""
    from ..display.reply.translation import translation_html, translation_text

    return (translation_html if page else translation_text)(prompt.system, prompt.own)


def show(exchange: Exchange, *, page: bool) -> None:
    """Shows an exchange as the cell that sent it did.

    Args:
        page: Whether there is a page; else it is a terminal.
    """
    if exchange.answer is not None:
        from ..display.answers.screen import AnswerPage, AnswerTerminal

        (AnswerPage(panel=True) if page else AnswerTerminal()).finish(exchange)
    elif not page:
        from ..display.terminal.terminal import Terminal

        Terminal().finish(exchange)
    else:
        from ..display.live.page import Page

        Page(owns_cell=False, raw=False, panel=True).finish(exchange)
    from .claude import claude
    from .written_files import files_of, show_files

    show_files(claude, files_of([exchange]), page=page)


def _facts(attachments: Sequence[Attachment]) -> list[tuple[str, str, str, bytes]]:
    return [(each.title, each.kind, each.note, each.thumbnail) for each in attachments]
