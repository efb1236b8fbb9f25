"""Extracts from a reply's text: a fenced code block, or the text between two tags.

The grammar that renders the reply finds the code blocks, so that the extracted text is what the page shows as code.
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass

from ..errors import CellError

_WHERE = "The whole reply is in claude.last.text."
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
    """A fenced code block of a reply.

    Attributes:
        language: As named by its fence; `""` if it names none.
        closed: Whether a fence ends it.
        nested: Whether it contains other fences.
    """

    language: str
    source: str
    closed: bool
    nested: bool


def code(text: str, language: str = "") -> str:
    """The source of the first code block of `text`, or of the first in `language`; see `code_block`."""
    return code_block(text, language)[0].source


def code_block(text: str, language: str = "") -> tuple[CodeBlock, str]:
    """The first code block of `text`, or the first in `language`, and a warning about it; `""` for none.

    A last block that is not closed counts.

    Raises:
        CellError: There is none; it lists the languages of the blocks.
    """
    all_blocks = _blocks(text)
    blocks = [block for block in all_blocks if block.source or block.closed]  # without a last one that has only begun
    matching = [block for block in blocks if not language or _canonical(block.language) == _canonical(language)]
    if matching:
        return matching[0], _warning(matching[0], all_blocks) or _count_note(matching, language)
    names = ", ".join(list(dict.fromkeys(block.language or "unnamed" for block in blocks))[:20])
    missing = f"no {language} code block" if language else "no code block"
    others = f"its code blocks are {names}" if names else "it has no code blocks"
    raise CellError(f"the reply contains {missing}: {others}. {_WHERE}")


def tag_content(text: str, name: str) -> str:
    """The text in the first `<name>...</name>`; elements of the same name inside it are balanced.

    An opening tag that is never closed, such as one that the text only mentions, is ignored.

    Raises:
        CellError: There is none; it lists the tags of the reply.
    """
    marks = re.compile(rf"<(/?){re.escape(name)}(?:\s[^<>]*|/)?>")
    open_at: list[int] = []
    span: tuple[int, int] | None = None
    for mark in marks.finditer(text):
        if not mark[1] and not mark[0].endswith("/>"):
            open_at.append(mark.end())
        elif mark[1] and not open_at:
            continue
        else:
            begin = open_at.pop() if mark[1] else mark.end()
            if span is None or begin < span[0]:
                span = (begin, mark.start() if mark[1] else mark.end())
            if not open_at:
                break
    if span is not None:
        return re.sub(r"^\r?\n|\r?\n$", "", text[slice(*span)])
    if open_at:
        raise CellError(f"<{name}> in the reply is not closed: the reply may be incomplete. {_WHERE}")
    names = ", ".join(list(dict.fromkeys(_ANY_TAG.findall(text)))[:20])
    others = f"its tags are {names}" if names else "it has no tags"
    raise CellError(f"the reply contains no <{name}>...</{name}>: {others}. {_WHERE}")


def _canonical(language: str) -> str:
    return _ALIASES.get(language.lower(), language.lower())


def is_one_block(text: str) -> bool:
    """Whether `text` is one code block and nothing else."""
    bare = text.strip()
    return len(_blocks(text)) == 1 and bare.startswith(("```", "~~~")) and bare.endswith(("```", "~~~"))


def _count_note(matching: list[CodeBlock], language: str) -> str:
    """A note if blocks are not taken; one without a language after others is their output."""
    several = 1 + sum(bool(block.language) or not matching[0].language for block in matching[1:])
    if several == 1:
        return ""
    kind = f"code blocks in {language}" if language else "code blocks"
    return f"the first of {several} {kind} is taken; the others are in claude.last.text."


def _ends_within(block: CodeBlock) -> bool:
    """Whether Python breaks off in a string over several lines or in brackets, such as at a fence in a docstring."""
    if _canonical(block.language) != "python":
        return False
    try:
        for _ in tokenize.generate_tokens(io.StringIO(block.source).readline):
            pass
    except tokenize.TokenError as error:
        return any(word in str(error) for word in ("EOF", "end of file", "triple-quoted"))
    except SyntaxError:
        return False
    return False


def _warning(block: CodeBlock, blocks: list[CodeBlock]) -> str:
    if not block.closed:
        return "the code block is not closed: the reply may be incomplete. Check its end."
    if block.nested:
        return "the code block contains fenced blocks: it was read up to the fence that closes all. Check its end."
    if _FENCE_IN_CODE.search(block.source):
        return "the code block contains a line that opens another block: it may be cut at its end. Check it."
    if not blocks[-1].closed:
        return "a later code block of the reply is not closed: this one may end at the wrong fence. Check its end."
    if _ends_within(block):
        return "the code block ends within a text or a bracket: it may be cut at its end. Check it."
    return ""


def _blocks(text: str) -> list[CodeBlock]:
    """All code blocks; the source of a last one that has only begun is empty."""
    from ..grammar import blocks

    code_blocks: list[CodeBlock] = []
    for token in blocks(text.replace("\r\n", "\n")):
        if token.type != "fence":
            continue
        source, closed = token.content.removesuffix("\n"), bool(token.meta["closed"])
        if not closed and not source.rpartition("\n")[2].strip().strip(token.markup[0]):  # a fence that was cut
            source = source.rpartition("\n")[0]
        match = _LANGUAGE.search(token.info)
        language = match[0].removeprefix(".") if match else ""
        nested = bool(token.meta["nested"])
        code_blocks.append(CodeBlock(language=language, source=source, closed=closed, nested=nested))
    return code_blocks
