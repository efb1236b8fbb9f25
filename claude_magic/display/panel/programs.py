"""The Code tab: the request as a program, in one language at a time.

A live panel has a list of languages; a program is written, in colour, when its language is chosen. The choice holds for
the later panels of the kernel too. Without a kernel there is one program, and a line on how to get the others.
"""

from __future__ import annotations

from ...errors import CellError
from ...export import LANGUAGES
from ...wire import Exchange
from ..clipboard import copy_attributes
from ..css import element
from ..text.excerpt import clean, cut
from ..widgets import Widget, with_classes
from .html_rows import note, text_block

DEFAULT = "curl"
SAVED_LIMIT, _LIMIT = 2_000, 5_000  # characters of a program
_RULES = ".cm-panel.cm-panel pre code{background:none;padding:0;font-size:inherit}"
_choice = {"language": DEFAULT}  # the last one in this kernel


def saved_program(exchange: Exchange) -> str:
    """The request as a curl command, brief and plain, and how to get it in another language."""
    text, problem = _program(exchange, DEFAULT)
    if problem:
        return problem + _others(DEFAULT)
    return text_block(cut(text, SAVED_LIMIT)) + _cut_note(text, DEFAULT, SAVED_LIMIT) + _others(DEFAULT)


def program_widgets(exchange: Exchange, layout: Widget, style: Widget) -> list[Widget]:
    """The list of languages with the program below it, and what it is made of, the outermost first.

    Args:
        layout: Shared by all widgets of a panel, as is `style` by those of HTML.
    """
    import ipywidgets

    language = _choice["language"] if _choice["language"] in LANGUAGES else DEFAULT
    languages = [(each.title, name) for name, each in LANGUAGES.items()]
    select = ipywidgets.Dropdown(options=languages, value=language, description="Language", layout=layout)
    page = ipywidgets.HTML(layout=layout, style=style)

    def show(language: str) -> None:
        page.value = f'<div class="cm-panel">{_live_program(exchange, language)}</div>'

    def choose(change: dict[str, str]) -> None:
        _choice["language"] = change["new"]
        show(change["new"])

    show(language)
    select.observe(choose, "value")
    box = with_classes(ipywidgets.VBox(children=[select, page], layout=layout), "cm-programs")
    return [box, select, select.style, page]


def program_bundle(text: str, language: str) -> dict[str, str]:
    """The mime bundle of a whole program, in colour, for an output of its own."""
    from ..markdown import code
    from ..reply.reply import frame

    return {"text/html": frame(code(text, LANGUAGES[language].syntax), styled=True), "text/plain": text}


def _live_program(exchange: Exchange, language: str) -> str:
    """The program in colour, with a copy button."""
    from ..markdown import code  # what takes a while to import is there once a reply has been rendered
    from ..markdown.style import colours

    text, problem = _program(exchange, language)
    if problem:
        return problem + _others(language)
    shown = cut(text, _LIMIT)
    block = code(clean(shown, 2 * _LIMIT), LANGUAGES[language].syntax)
    attributes = copy_attributes(f"Copy the program: {LANGUAGES[language].title}", text, shown)
    style = element(_RULES, colours(block, "cm-panel"))
    return (
        f"{style}<pre{attributes}{block.removeprefix('<pre')}" + _cut_note(text, language, _LIMIT) + _others(language)
    )


def _program(exchange: Exchange, language: str) -> tuple[str, str]:
    """The text of the program; and, if there is none, the HTML that says why."""
    try:
        return str(exchange.code(language)), ""
    except CellError as error:
        return "", note(str(error))


def _cut_note(text: str, language: str, limit: int) -> str:
    return "" if len(text) <= limit else note(f"cut: claude.last.code({language!r}) gives all of it")


def _others(language: str) -> str:
    others = ", ".join(f'"{name}"' for name in LANGUAGES if name != language)
    return note(f"Other languages: claude.last.code(…) with {others}", "cm-others")
