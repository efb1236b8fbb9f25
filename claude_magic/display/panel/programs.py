"""The Code tab: the request as a program, in one language at a time.

A live panel has a list of languages; a program is written when its language is chosen. The choice holds for the later
panels of the kernel too. Without a kernel there is one program, and a line on how to get the others.
"""

from __future__ import annotations

from ...errors import CellError
from ...export import LANGUAGES
from ...wire import Exchange
from ..text.excerpt import cut
from ..widgets import Widget, with_classes
from .html_rows import note, text_block

DEFAULT = "curl"
SAVED_LIMIT, _LIMIT = 2_000, 5_000  # characters of a program
_choice = {"language": DEFAULT}  # the last one in this kernel


def program_html(exchange: Exchange, language: str = DEFAULT, limit: int = SAVED_LIMIT) -> str:
    """The request as a program of at most `limit` characters, and how to get it in another language."""
    others = ", ".join(f'"{name}"' for name in LANGUAGES if name != language)
    return _program(exchange, language, limit) + note(
        f"Other languages: claude.last.code(…) with {others}", "cm-others"
    )


def program_widgets(exchange: Exchange, saved_html: str, layout: Widget, style: Widget) -> list[Widget]:
    """The list of languages with the program below it, and what it is made of, the outermost first.

    Args:
        saved_html: What `program_html` returned for the saved twin.
        layout: Shared by all widgets of a panel, as is `style` by those of HTML.
    """
    import ipywidgets

    language = _choice["language"] if _choice["language"] in LANGUAGES else DEFAULT
    languages = [(each.title, name) for name, each in LANGUAGES.items()]
    select = ipywidgets.Dropdown(options=languages, value=language, description="Language", layout=layout)
    page = ipywidgets.HTML(layout=layout, style=style)

    def show(language: str) -> None:
        is_saved = language == DEFAULT and len(saved_html) < SAVED_LIMIT  # then nothing of it is cut
        source = saved_html if is_saved else program_html(exchange, language, _LIMIT)
        page.value = f'<div class="cm-panel">{source}</div>'

    def choose(change: dict[str, str]) -> None:
        _choice["language"] = change["new"]
        show(change["new"])

    show(language)
    select.observe(choose, "value")
    box = with_classes(ipywidgets.VBox(children=[select, page], layout=layout), "cm-programs")
    return [box, select, select.style, page]


def _program(exchange: Exchange, language: str, limit: int) -> str:
    try:
        text = str(exchange.code(language))
    except CellError as error:
        return note(str(error))
    whole = "" if len(text) <= limit else note(f"cut: claude.last.code({language!r}) gives all of it")
    return text_block(cut(text, limit)) + whole
