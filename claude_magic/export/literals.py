"""Strings of JSON, Python, JavaScript and the shell, such that the program says the same text, byte for byte.

Characters that cannot be seen are escaped: a carriage return would not survive an editor, and a program
could otherwise show its reader another text than it sends. Python and JavaScript write a text of several
lines so.
Source: https://datatracker.ietf.org/doc/html/rfc8259#section-7
Source: https://docs.python.org/3/reference/lexical_analysis.html#escape-sequences
Source: https://tc39.es/ecma262/#sec-literals-string-literals
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import replace

from .formatting import File, Syntax, Variable

_BACKSLASH = {"\\": "\\\\"}
_LINE = {**_BACKSLASH, "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LINES = {**_BACKSLASH, "\n": "\n", "\r": "\\r", "\t": "\\t"}
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*", re.ASCII)


def json_text(text: str) -> str:
    """A string of JSON."""
    return '"' + _escape(text, {**_LINE, '"': '\\"'}, _utf16) + '"'


def python_text(text: str) -> str:
    """A string of Python."""
    if _has_lines(text):
        inner = re.sub(r'"(?="|\Z)', r"\"", _escape(text, _LINES, _code_point))
        return f'"""{inner}"""'
    return _quote(text, _code_point)


def javascript_text(text: str) -> str:
    """A string of JavaScript."""
    if _has_lines(text):
        return "`" + _escape(text, {**_LINES, "`": "\\`"}, _utf16).replace("${", "\\${") + "`"
    return _quote(text, _utf16)


def _has_lines(text: str) -> bool:
    return "\n" in text.strip("\n")


def _quote(text: str, code: Callable[[str], str]) -> str:
    quote = "'" if '"' in text and "'" not in text else '"'
    return quote + _escape(text, {**_LINE, quote: f"\\{quote}"}, code) + quote


def _escape(text: str, short: dict[str, str], code: Callable[[str], str]) -> str:
    return "".join(short.get(c) or (c if c.isprintable() else code(c)) for c in text)


def _utf16(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def _code_point(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _javascript_key(name: str) -> str:
    if name == "__proto__":  # would set the object's prototype
        return '["__proto__"]'
    return name if _IDENTIFIER.fullmatch(name) else _quote(name, _utf16)


def _python_file(file: File) -> str:
    read = f"base64.standard_b64encode(Path({python_text(file.path)}).read_bytes()).decode()"
    return f"{python_text(file.before)} + {read}" if file.before else read


def _javascript_file(file: File) -> str:
    return f'readFileSync({javascript_text(file.path)}, "base64")'


def _python_variable(variable: Variable) -> str:
    read = f'os.environ["{variable.name}"]'
    return f"{python_text(variable.before)} + {read}" if variable.before else read


def _javascript_variable(variable: Variable) -> str:
    return f"process.env.{variable.name}"


def _json_variable(variable: Variable) -> str:
    return f'"{variable}"'


def _heredoc_text(text: str) -> str:
    """A string of JSON in a here-document that the shell expands."""
    return re.sub(r"[\\$`]", r"\\\g<0>", json_text(text))


def _heredoc_file(file: File) -> str:
    return f'"$(base64 < {shlex.quote(file.path)})"'


JSON = Syntax(
    text=json_text,
    key=json_text,
    file=_heredoc_file,
    variable=_json_variable,
    words=("true", "false", "null"),
    indent="  ",
)
HEREDOC = replace(JSON, text=_heredoc_text, key=_heredoc_text)
PYTHON = Syntax(
    text=python_text,
    key=lambda name: _quote(name, _code_point),
    file=_python_file,
    variable=_python_variable,
    words=("True", "False", "None"),
    indent="    ",
    last_comma=True,
)
JAVASCRIPT = Syntax(
    text=javascript_text,
    key=_javascript_key,
    file=_javascript_file,
    variable=_javascript_variable,
    words=("true", "false", "null"),
    indent="  ",
    padding=" ",
    last_comma=True,
)
