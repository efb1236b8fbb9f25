"""Recognizes `{{expression}}`: braces with Python in them, whose value the user probably expects.

Nothing in braces is called or computed. Text of other languages stays as typed: JSON, CSS, Jinja's filters,
Handlebars, LaTeX. Where Python and another language look the same, such as `{{first-name}}` or `{{width:100}}`, it
counts as Python only if a name in it is a variable of the notebook.
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from collections.abc import Container
from dataclasses import dataclass

_MAX_LENGTH = 2_000  # characters; longer content is not parsed
_NAME = r"[^\W\d]\w*"
_FORMAT = re.compile(
    rf"\s*(?P<value>{_NAME}(?:\.{_NAME}|\[[^\[\]{{}}\n]*\])*(?:\([^{{}}\n]*\))?)\s*(?P<convert>![rsa])?"
    r"(?::(?P<spec>(?:.?[<>=^])?[-+ ]?z?\#?0?\d*[,_]?(?:\.\d+)?[bcdeEfFgGnosxX%]?|[^{}\n]*%[a-zA-Z][^{}\n]*))?\s*"
)
_VAGUE = re.compile(r"\d*|[a-zA-Z]|\s.*")  # after a colon, CSS and JavaScript write this, too
_CERTAIN: tuple[type[ast.expr], ...] = (
    ast.Call,
    ast.Lambda,
    ast.NamedExpr,
    ast.Await,
    ast.JoinedStr,
    ast.IfExp,
    ast.Subscript,
)
_CERTAIN += (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.BoolOp, ast.Compare)
_CALLED = re.compile(rf"\s*(?:await\s+)?{_NAME}(?:\.{_NAME}|\[[^\]]*\])*\s*\(")


@dataclass(frozen=True, kw_only=True)
class Expression:
    """A Python expression in braces.

    Attributes:
        names: The names of variables in it.
        certain: Whether it is hardly anything but Python; otherwise one of the names must be a variable.
    """

    names: frozenset[str]
    certain: bool

    def is_meant(self, namespace: Container[str]) -> bool:
        """Whether Python is meant, in a notebook with these variables."""
        return self.certain or any(name in namespace for name in self.names)


def expression(content: str) -> Expression | None:
    """The Python expression between double braces; `None` if there is none, or only a path to data or a constant."""
    if len(content) > _MAX_LENGTH or not content.strip():
        return None
    if value := _format_expression(content):
        return value
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(f"({content.strip()}\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    names = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    if isinstance(tree, ast.Set | ast.Dict):
        return None  # one more pair of braces, as in other languages or an f-string
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
        return _union(tree)
    if isinstance(tree, ast.BinOp):
        joined = " " not in content.strip() and isinstance(tree.op, ast.Sub | ast.Div)
        return Expression(names=names, certain=not joined)
    if any(isinstance(node, _CERTAIN) for node in ast.walk(tree)) and _needs_python(tree):
        return Expression(names=names, certain=True)
    return Expression(names=names, certain=False) if isinstance(tree, ast.UnaryOp | ast.Tuple | ast.List) else None


def _format_expression(content: str) -> Expression | None:
    """A value with a format, as in an f-string: `x:.2f`, `x!r`, `day:%Y-%m-%d`, `x=`."""
    match = _FORMAT.fullmatch(content.removesuffix("="))
    shows_itself = content.endswith("=") and match is not None
    if match is None or keyword.iskeyword(match["value"]) or not (match["convert"] or match["spec"] or shows_itself):
        return None
    names = frozenset(re.findall(_NAME, match["value"])[:1])
    vague = not match["convert"] and (shows_itself or _VAGUE.fullmatch(match["spec"] or "") is not None)
    return Expression(names=names, certain=not vague)


def _union(tree: ast.BinOp) -> Expression | None:
    """`a|b`, which is a filter of Jinja, as in `x|upper`, unless `b` is a variable."""
    if isinstance(tree.right, ast.Name):
        return Expression(names=frozenset({tree.right.id}), certain=False)
    return None


def _needs_python(tree: ast.expr) -> bool:
    """Whether it is more than a path to data, which a template can fill."""
    return not isinstance(tree, ast.Subscript) or not _is_plain(tree)


def _is_plain(tree: ast.expr) -> bool:
    if isinstance(tree, ast.Name):
        return True
    if isinstance(tree, ast.Attribute):
        return _is_plain(tree.value)
    if not isinstance(tree, ast.Subscript):
        return False
    index = tree.slice.operand if isinstance(tree.slice, ast.UnaryOp) else tree.slice
    return isinstance(index, ast.Constant) and isinstance(index.value, int | str) and _is_plain(tree.value)


def is_call(text: str) -> bool:
    """Whether `text` is a call."""
    return _CALLED.match(text) is not None and text.rstrip().endswith((")", "]"))
