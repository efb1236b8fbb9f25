"""Growing Markdown, shown as if it ended here: what is open in its last block is closed, half a marker is left out.

So no `**`, no half link and no row of pipes is seen while a reply grows. What is complete is never changed, and the
finished reply does not pass here.
"""

from __future__ import annotations

import re
import unicodedata

_HALF_LINE = re.compile(r"(?:\A|\n)[ \t>]*[-=+*_#~`|:]*[ \t]*\Z")
_HALF_MARK = re.compile(r"(?:\s*[\\*_~`]+)+\Z")
_HALF_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*(?:[ \t]+\"[^\"\n]*)?\Z")
_ESCAPE = re.compile(r"\\.", re.DOTALL)
_TICKS = re.compile("`+")
_RUN = re.compile(r"\*+|_+|~~")
_PIPE = re.compile(r"(?<!\\)\|")
_MARKER = re.compile(r"[-*+\d.)]")
_LEAVES = ("inline", "fence", "code_block", "html_block", "math_block", "hr", "definition")


def completed(source: str) -> str:
    """`source`, as it is read when nothing follows it."""
    from ...grammar import blocks

    text = _HALF_LINE.sub("", source.rstrip())
    tokens = blocks(text, growing=True)
    places = [index for index, token in enumerate(tokens) if token.type in _LEAVES]
    if not places:
        return ""
    if tokens[places[-1]].type != "inline":
        return text if tokens[places[-1]].type in ("hr", "definition") else source
    shorter = _HALF_LINK.sub(r"\1", text)
    shorter = _HALF_MARK.sub("", shorter) if shorter == text else shorter
    content = tokens[places[-1]].content
    line = text.rpartition("\n")[2]
    if places[-1] and tokens[places[-1] - 1].type in ("td_open", "th_open"):
        content = _PIPE.split(line)[-1]
        return shorter + _closers(_without_end(content, text, shorter))
    content = _without_end(content, text, shorter)
    return shorter + _closers(content) + _delimiter_row(line, content)


def _without_end(content: str, text: str, shorter: str) -> str:
    """The content of the last block, of which the end of `text` was left out, if it was."""
    if text == shorter:
        return content
    content = content.rstrip()
    link = _HALF_LINK.sub(r"\1", content)
    return link if link != content else _HALF_MARK.sub("", content)


def _closers(content: str) -> str:
    """The marks that close what is open at the end of a paragraph."""
    content = _ESCAPE.sub("..", content)
    content, ticks = _without_code(content)
    opened: list[tuple[str, int]] = []
    for run in _RUN.finditer(content):
        before, after = content[run.start() - 1 : run.start()] or " ", content[run.end() : run.end() + 1] or " "
        mark, size = run[0][0], len(run[0])
        if not before.isspace():
            opened, size = _close(opened, mark, size)
        if size and _opens(mark, size, before, after):
            opened.append((mark, size))
    return ticks + "".join(mark * min(size, 3) for mark, size in reversed(opened))


def _without_code(content: str) -> tuple[str, str]:
    """The content without its code, and the backticks that end the code that is open."""
    runs = list(_TICKS.finditer(content))
    end, kept = 0, ""
    for index, run in enumerate(runs):
        if run.start() < end:
            continue
        close = next((each for each in runs[index + 1 :] if len(each[0]) == len(run[0])), None)
        kept += content[end : run.start()] + "."
        if close is None:
            return kept, run[0] if content[run.end() :].strip() else ""
        end = close.end()
    return kept + content[end:], ""


def _close(opened: list[tuple[str, int]], mark: str, size: int) -> tuple[list[tuple[str, int]], int]:
    """What is still open after a run of marks, and how many of these marks closed nothing."""
    while size and (at := max((n for n, each in enumerate(opened) if each[0] == mark), default=-1)) >= 0:
        taken = min(size, opened[at][1])
        rest = opened[at][1] - taken
        opened, size = [*opened[:at], *([(mark, rest)] if rest else [])], size - taken
    return opened, size


def _opens(mark: str, size: int, before: str, after: str) -> bool:
    """Whether marks between these two characters begin something."""
    if after.isspace() or (_is_sign(after) and not (before.isspace() or _is_sign(before))):
        return False
    in_word = before.isascii() and before.isalnum()
    return not in_word or (mark == "*" and size > 1 and not before.isdigit())


def _is_sign(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "PS"


def _delimiter_row(line: str, content: str) -> str:
    """The second line of a table of which only the first is there; `""` for another text."""
    if not content.startswith("| ") or "\n" in content:
        return ""
    cells = len(_PIPE.findall(content.rstrip().rstrip("|")))
    return f"\n{_MARKER.sub(' ', line[: line.index('|')])}|{'---|' * max(cells, 1)}"
