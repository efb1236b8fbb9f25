"""What is taken out of a reply's text: its fenced code, or what stands between two tags.

What a block of code is, the grammar says that also renders the reply: what is taken is what the page shows as code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import CellError

_LEFT = "It is in claude.last.text."
_LANGUAGE = re.compile(r"[^\s,:{}]+")
_FENCE_IN_CODE = re.compile(r"^ {0,3}(?:`{3,}|~{3,})[A-Za-z{][^`\n]*$", re.M)
_ANY_TAG = re.compile(r"<([A-Za-z][\w.-]{0,40})(?=[\s/>])")
_ALIASES = {
    **dict.fromkeys(("py", "python3", "ipython", "ipython3", "py3"), "python"),
    **dict.fromkeys(("js", "node", "mjs"), "javascript"),
    **dict.fromkeys(("sh", "shell", "zsh", "console"), "bash"),
    **dict.fromkeys(("ts", "mts"), "typescript"),
    "yml": "yaml",
    "md": "markdown",
    "htm": "html",
}


@dataclass(frozen=True, kw_only=True)
class CodeBlock:
    """A fenced block of a reply.

    Attributes:
        language: As its fence names it; `""` if it names none.
        closed: A fence ends it.
        nested: Other fences stand in it.
    """

    language: str
    source: str
    closed: bool
    nested: bool


def code(text: str, language: str = "") -> str:
    """The source of the first fenced block of `text`, or of the first in `language`; see `code_block`."""
    return code_block(text, language)[0].source


def code_block(text: str, language: str = "") -> tuple[CodeBlock, str]:
    """The first fenced block of `text`, or the first in `language`, and what is odd about it; `""` for nothing.

    A last block that is not closed counts.

    Raises:
        CellError: There is none; it names the languages there are.
    """
    all_blocks = _blocks(text)
    blocks = [block for block in all_blocks if block.source or block.closed]  # not a last one that has only begun
    for block in blocks:
        if not language or _known_as(block.language) == _known_as(language):
            return block, _oddity(block, all_blocks)
    names = dict.fromkeys(block.language or "unnamed" for block in blocks)
    known = ", ".join(list(names)[:20]) or "none"
    wanted = f"no {language} code" if language else "no code"
    raise CellError(f"{wanted} in the reply: its blocks are {known}. {_LEFT}")


def tagged(text: str, name: str) -> str:
    """What stands in the first `<name>...</name>`, the same tag inside it balanced.

    An opening tag that is never closed, such as one the text only speaks of, is passed over.

    Raises:
        CellError: There is none; it names the tags there are.
    """
    marks = re.compile(rf"<(/?){re.escape(name)}(?:\s[^<>]*|/)?>")
    open_at: list[int] = []
    found: tuple[int, int] | None = None
    for mark in marks.finditer(text):
        if not mark[1] and not mark[0].endswith("/>"):
            open_at.append(mark.end())
        elif mark[1] and not open_at:
            continue
        else:
            begin = open_at.pop() if mark[1] else mark.end()
            if found is None or begin < found[0]:
                found = (begin, mark.start() if mark[1] else mark.end())
            if not open_at:
                break
    if found is not None:
        return re.sub(r"^\r?\n|\r?\n$", "", text[slice(*found)])
    if open_at:
        raise CellError(f"<{name}> in the reply is not closed: it may have been cut. {_LEFT}")
    known = ", ".join(list(dict.fromkeys(_ANY_TAG.findall(text)))[:20]) or "none"
    raise CellError(f"no <{name}>...</{name}> in the reply: its tags are {known}. {_LEFT}")


def _known_as(language: str) -> str:
    return _ALIASES.get(language.lower(), language.lower())


def _oddity(block: CodeBlock, blocks: list[CodeBlock]) -> str:
    if not block.closed:
        return "the code block is not closed: the reply may have been cut. Check its end."
    if block.nested:
        return "the code block holds fenced blocks of its own: taken up to the fence that closes all. Check its end."
    if _FENCE_IN_CODE.search(block.source):
        return "the code block holds a line that opens another block: it may have been cut at its end. Check it."
    if not blocks[-1].closed:
        return "a later code block of the reply is not closed: this one may end at the wrong fence. Check its end."
    return ""


def _blocks(text: str) -> list[CodeBlock]:
    """Each fenced block; a last one that has only begun holds nothing."""
    from ..grammar import blocks

    found: list[CodeBlock] = []
    for token in blocks(text.replace("\r\n", "\n")):
        if token.type != "fence":
            continue
        source, closed = token.content.removesuffix("\n"), bool(token.meta["closed"])
        if not closed and not source.rpartition("\n")[2].strip().strip(token.markup[0]):  # a fence that was cut
            source = source.rpartition("\n")[0]
        named = _LANGUAGE.search(token.info)
        language = named[0].removeprefix(".") if named else ""
        found.append(CodeBlock(language=language, source=source, closed=closed, nested=bool(token.meta["nested"])))
    return found
