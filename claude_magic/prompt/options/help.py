"""`%claude --help`: the options in groups, those one needs most often first, with an example of each group."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import CellError, did_you_mean
from .option import Option, Scope
from .table import all_options, find, in_scope

_WIDTH = 92
_OTHER = "other"
_COLUMNS = re.compile(r" *\S+(?: \S+)*  +")


@dataclass(frozen=True, kw_only=True)
class Group:
    """Options that one looks for together.

    Attributes:
        title: What they are for.
        example: Lines of a cell.
        names: The options, those needed most often first.
    """

    name: str
    title: str
    example: Sequence[str] = ()
    names: Sequence[str] = ()


GROUPS = (
    Group(
        name="request",
        title="which model answers, how long and how",
        example=('%%claude -m haiku -t 500 -s "Answer in one sentence."', "What is a monad?"),
        names=(
            *("--model", "--max-tokens", "--system", "--thinking", "--effort", "--temperature", "--stop"),
            *("--cache", "--again", "--no-stream", "--stream", "--top-p", "--top-k", "--param", "--header"),
            *("--api-version", "--profile", "--provider"),
        ),
    ),
    Group(
        name="content",
        title="what is sent with the text",
        example=("%%claude -a report.pdf -a df", "Does the table fit the report?"),
        names=("--attach", "--fix", "--explain", "--with", "--save", "--upload", "--allow-secret"),
    ),
    Group(
        name="conversations",
        title="a cell that knows of earlier cells",
        example=("%%claude -c", "And in Python?"),
        names=("--continue", "--new", "--finish", "--turns", "--complete", "--legacy"),
    ),
    Group(
        name="reply",
        title="what to make of the reply",
        example=("%%claude --as json -o cities", "Three cities with their inhabitants, as a JSON list."),
        names=("--out", "--as", "--schema", "--lang", "--tag", "--raw", "--no-panel", "--panel"),
    ),
    Group(
        name="look",
        title="see the request, its price and what happens",
        example=("%%claude --preview -a report.pdf", "Summarize it."),
        names=("--preview", "--count", "--show", "--events", "--diff", "--curl"),
    ),
    Group(
        name="tools",
        title="what Claude may call",
        example=("%%claude --tools population --web-search", "How many people live in Oslo?"),
        names=(
            *("--tools", "--approve", "--refuse", "--yes", "--web-search", "--web-fetch", "--code-execution"),
            *("--mcp", "--tool-choice", "--step", "--run-tools"),
        ),
    ),
    Group(
        name="several",
        title="several replies, side by side or in a batch",
        example=("%%claude --compare model=haiku,opus temperature=0,1", "Name a colour."),
        names=("--compare", "--times", "--batch", "--openai"),
    ),
    Group(
        name="endpoints",
        title="any endpoint of the API",
        example=("%claude --get /v1/models --query limit 5 -o models",),
        names=("--get", "--post", "--put", "--patch", "--delete", "--query", "--file", "--all"),
    ),
    Group(name="help", title="this", example=("%claude --help tools",), names=("--help",)),
)


def help_text(words: str = "", width: int = 0) -> str:
    """The text of `%claude --help`, or of `%claude --help tools`.

    Args:
        words: The name of a group or of an option of it, or `all`; `""` for the list of the groups.
        width: Of the terminal, in characters: no word is broken at its end; 0 for a page.

    Raises:
        CellError: There is no such group.
    """
    lines = "\n".join(_text(words, width)).split("\n")
    return "\n".join(part for line in lines for part in _fold(line, width))


def _text(words: str, width: int) -> list[str]:
    name = words.strip().lstrip("-").lower()
    groups = _groups()
    if not name:
        return [*_HEAD, "", *(line for group in groups for line in _brief(group, width)), *_FOOT]
    if name == "all":
        return [*_HEAD, *(line for group in groups for line in ("", *_whole(group))), "", _python()]
    found = [group for group in groups if name in (group.name, *(n.lstrip("-") for n in _all_names(group)))]
    if not found:
        import difflib  # only here: the options are read at start-up

        known = [group.name for group in groups]
        near = difflib.get_close_matches(name, [*known, *(n.lstrip("-") for g in groups for n in g.names)], cutoff=0.6)
        raise CellError(
            f"--help {name[:60]}: there is no such group.{did_you_mean(near)} The groups: {', '.join(known)}."
        )
    return _whole(found[0])


def _fold(line: str, width: int) -> list[str]:
    """The line, or several of which none is longer than the width; the later ones begin below its last column."""
    if not width or len(line) <= width:
        return [line]
    column = _COLUMNS.match(line)
    indent = column.end() if column else len(line) - len(line.lstrip()) + 2
    indent = indent if indent <= width // 2 else 4
    return textwrap.wrap(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


_HEAD = (
    "%%claude [options]          the lines below are the message, sent exactly as typed",
    "%claude [options] text      the same on one line",
    "%claude                     status: model, endpoint, where the key comes from",
)
_FOOT = (
    "%claude --help GROUP explains the options of one, such as %claude --help tools; --help all explains all of them.",
    "Defaults: %config Claude",
)


def _python() -> str:
    keywords = ", ".join(option.keyword for option in in_scope(Scope.MAP))
    return "\n".join(
        (
            "Values with spaces stand in quotes. In %claude, a [NAME] is written -c=NAME,",
            "and text after -- may begin with a dash.",
            "claude(text, max_tokens=100) takes the same options, with underscores; so do claude.map and claude.count,",
            f"but only {keywords}.",
            "Defaults: %config Claude",
        )
    )


def _groups() -> list[Group]:
    """The groups, and one of the options that are in none."""
    grouped = {name for group in GROUPS for name in group.names}
    others = [option.names[-1] for option in all_options() if option.names[-1] not in grouped]
    return [*GROUPS, Group(name=_OTHER, title="other options", names=others)] if others else list(GROUPS)


def _options(group: Group) -> list[Option]:
    return [option for name in group.names if (option := find(name)) is not None]


def _all_names(group: Group) -> list[str]:
    return [name for option in _options(group) for name in option.names]


def _signature(option: Option) -> str:
    return " ".join((", ".join(option.names), *option.words))


def _brief(group: Group, width: int) -> list[str]:
    """The name of a group, its example, and the names of its options."""
    joined = "  ".join(_signature(option).replace(" ", "\N{NO-BREAK SPACE}") for option in _options(group))
    room = min(width - 4, _WIDTH) if width else _WIDTH
    lines = textwrap.wrap(joined, room, break_long_words=False, break_on_hyphens=False)
    names = (f"    {line}".replace("\N{NO-BREAK SPACE}", " ") for line in lines)
    return [f"{group.name:<15} {group.title}", *(f"    {line}" for line in group.example[:1]), *names, ""]


def _whole(group: Group) -> list[str]:
    """The options of a group with what they do, and its example."""
    example = ["", "For example:", *(f"  {line}" for line in group.example)] if group.example else []
    options = (f"  {_signature(option):<24}{_help(option)}" for option in _options(group))
    return [f"{group.name}: {group.title}", *options, *example]


def _help(option: Option) -> str:
    return f"{option.help} {', '.join(option.choices)}" if option.help.endswith(":") else option.help
