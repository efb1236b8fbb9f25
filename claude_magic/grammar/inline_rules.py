"""Rules within paragraphs that differ from the library's: text, formulas, emphasis, bare URLs, footnote references.

Each is a rule of markdown-it-py: called with the state, and `silent`, to find out only where it would end.
"""

from __future__ import annotations

import re
import unicodedata

from markdown_it import MarkdownIt
from markdown_it.rules_inline.state_inline import Delimiter, StateInline
from markdown_it.token import Token

from .addresses import bare_address
from .formula import formula_end

CHECKBOX = re.compile(r"\[([ xX])\][ \t]+")
_SPECIAL = re.compile(r"[\\`*_~\[\]!<&$\n]|https?://|www\.", re.I)
_BREAK = re.compile(r"<br[ \t]*/?>", re.I)
_FOOTNOTE = re.compile(r"\[\^([^\]\s]{1,200})\]")
_ASCII_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_AROUND_SIGNS = frozenset(("()", "[]", "{}", "<>", '""', "''", "“”"))
_DUNDER = re.compile(r"__([A-Za-z_]{2,20})__(?![\w])")
_NAMES = {name.strip("_") for kind in (object, type, int, dict, list, property) for name in dir(kind)} | set(
    """main name file path all version author builtins future annotations dict post_init slots match_args
    enter exit aenter aexit aiter anext await next iter call get set delete set_name getattr missing
    FILE LINE DATE TIME FUNCTION func VA_ARGS COUNTER STDC cplusplus attribute declspec""".split()  # noqa: SIM905
)


def install(grammar: MarkdownIt) -> None:
    """Replaces the library's rules."""
    ruler = grammar.inline.ruler
    ruler.at("text", _text)
    ruler.after("text", "math", _math)
    ruler.at("strikethrough", _strikethrough)
    ruler.at("emphasis", _emphasis)
    ruler.at("footnote_ref", _footnote)
    ruler.before("html_inline", "break", _break)
    ruler.push("bare_address", _bare_address)
    grammar.inline.ruler2.after("balance_pairs", "signs", _unpair_signs)


def citation(number: int) -> Token:
    """The token of a citation."""
    return Token("citation", "", 0, info=str(number))


def _text(state: StateInline, silent: bool) -> bool:
    """Text up to the next special character, with the citations before and in it."""
    if check := state.env.get("check"):
        check()
    special = _SPECIAL.search(state.src, state.pos, state.posMax)
    end = special.start() if special else state.posMax
    if not silent:
        if state.src is state.env["source"]:
            end = _push_citations(state, end)
        if end > state.pos:
            state.append_pending(state.src[state.pos : end])
    has_text, state.pos = end > state.pos, end
    return has_text


def _push_citations(state: StateInline, end: int) -> int:
    """Adds the citations up to the position; returns the position of the next one, or `end` if that is earlier."""
    citations = state.env["citations"]
    while citations and citations[-1][0] <= state.pos:
        state.push("citation", "", 0).info = str(citations.pop()[1])
    return min(end, citations[-1][0]) if citations else end


def _math(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    end = formula_end(state.src, state.pos, state.posMax)
    if not end and state.src.startswith("$$", state.pos):  # not two single `$`
        if not silent:
            state.append_pending("$$")
        state.pos += 2
        return True
    if end:
        if not silent:
            state.push("math", "", 0).content = state.src[state.pos : end]
        state.pos = end
    return end > 0


def _strikethrough(state: StateInline, silent: bool) -> bool:
    """Two tildes; one, or three and more, are text."""
    if silent or state.src[state.pos] != "~":
        return False
    end = _run_end(state)
    size = end - state.pos
    before, after = _neighbours(state, end)
    token = state.push("text", "", 0)
    token.content = "~" * size
    if size == 2:
        left, right = _is_flanking(before, after), _is_flanking(after, before)
        state.delimiters.append(Delimiter(ord("~"), 0, len(state.tokens) - 1, -1, left, right))
    state.pos = end
    return True


def _emphasis(state: StateInline, silent: bool) -> bool:
    """A run of `*` or `_`, a token each; the library pairs them later."""
    letter = state.src[state.pos]
    if silent or letter not in "*_":
        return False
    if letter == "_" and (name := _dunder_name(state)):
        state.append_pending(name)
        state.pos += len(name)
        return True
    end = _run_end(state)
    before, after = _neighbours(state, end)
    can_open, can_close = _can_open_and_close(letter, end - state.pos, before, after)
    sign = {"sign": True} if letter == "*" and _is_sign(end - state.pos, before, after) else {}
    for _ in range(end - state.pos):
        token = state.push("text", "", 0)
        token.content = letter
        token.meta = dict(sign)
        state.delimiters.append(
            Delimiter(ord(letter), end - state.pos, len(state.tokens) - 1, -1, can_open, can_close),
        )
    state.pos = end
    return True


def _run_end(state: StateInline) -> int:
    end, letter = state.pos, state.src[state.pos]
    while end < state.posMax and state.src[end] == letter:
        end += 1
    return end


def _neighbours(state: StateInline, end: int) -> tuple[str, str]:
    """The characters before and after a run; `""` at the beginning and end of the text."""
    return state.src[max(0, state.pos - 1) : state.pos], state.src[end : end + 1] if end < state.posMax else ""


def _can_open_and_close(letter: str, size: int, before: str, after: str) -> tuple[bool, bool]:
    """Whether a run can open emphasis, and whether it can close it."""
    left, right = _is_flanking(before, after), _is_flanking(after, before)
    if letter == "*":
        is_power = size == 2 and {before, after} <= _ASCII_WORD and (before.isdigit() or after.isdigit())
        return left and not is_power, right and not is_power
    if size == 2 and _is_cjk(before) and _is_cjk(after):
        return left, right
    return left and (not right or _is_punctuation(before)), right and (not left or _is_punctuation(after))


def _is_sign(size: int, before: str, after: str) -> bool:
    """Whether `*` may be a sign rather than emphasis: `a*b`, `COUNT(*)`, `"*"`, `/* remark */`, `src/**/*.py`."""
    if size == 1 and before in _ASCII_WORD and after in _ASCII_WORD:
        return True
    return size < 3 and ("/" in (before, after) or before + after in _AROUND_SIGNS)


def _is_flanking(outside: str, inside: str) -> bool:
    """Whether a run between the characters `outside` and `inside` is flanking on the side of `inside`.

    Source: https://spec.commonmark.org/0.31.2/#left-flanking-delimiter-run, and for CJK
    https://github.com/tats-u/markdown-cjk-friendly
    """
    if not inside or inside.isspace():
        return False
    if not _is_punctuation(inside) or _is_cjk(inside):
        return True
    return not outside or outside.isspace() or _is_punctuation(outside) or _is_cjk(outside)


def _is_punctuation(letter: str) -> bool:
    return bool(letter) and (letter in _PUNCTUATION if letter.isascii() else unicodedata.category(letter)[0] == "P")


def _is_cjk(letter: str) -> bool:
    """Whether this is a character or punctuation mark of a script without spaces, or an emoji."""
    return bool(letter) and not letter.isascii() and unicodedata.east_asian_width(letter) in "WFH"


def _dunder_name(state: StateInline) -> str:
    """The name of Python or C between double underscores at this position; `""` for none."""
    match = _DUNDER.match(state.src, state.pos, state.posMax)
    before = state.src[max(0, state.pos - 1) : state.pos]
    return match[0] if match and match[1] in _NAMES and not (before == "_" or before.isalnum()) else ""


def _unpair_signs(state: StateInline) -> None:
    """Separates paired stars that are both signs."""
    if len(state.tokens) < 3:
        return
    lists = [state.delimiters, *(meta["delimiters"] for meta in state.tokens_meta if meta and "delimiters" in meta)]
    for delimiters in lists:
        for opener in delimiters:
            closer = delimiters[opener.end] if opener.end >= 0 else opener
            if closer is not opener and all("sign" in state.tokens[each.token].meta for each in (opener, closer)):
                opener.end = -1


def _footnote(state: StateInline, silent: bool) -> bool:
    """A reference to an existing footnote."""
    match = _FOOTNOTE.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "[" else None
    if not match or ":" + match[1] not in state.env.get("footnotes", {}).get("refs", {}):
        return False
    if not silent:
        state.push("footnote_ref", "", 0).meta = {"label": match[1]}
    state.pos = match.end()
    return True


def _break(state: StateInline, silent: bool) -> bool:
    """`<br>`, the only tag that is interpreted."""
    match = _BREAK.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "<" else None
    if match and not silent:
        state.push("hardbreak", "br", 0).markup = match[0]
    state.pos = match.end() if match else state.pos
    return match is not None


def _bare_address(state: StateInline, silent: bool) -> bool:
    """A URL that begins with `http://`, `https://` or `www.`; not in the text of a link."""
    if silent or state.linkLevel > 0:
        return False
    address = bare_address(state.src, state.pos)
    if not address:
        return False
    link = state.push("link_open", "a", 1)
    link.attrs = {"href": ("http://" if address[0] in "wW" else "") + address}
    state.push("text", "", 0).content = address
    state.push("link_close", "a", -1)
    state.pos += len(address)
    return True
