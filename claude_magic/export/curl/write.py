"""Writes a request as a curl command for bash and any POSIX shell.

A single argument may have 128 KB on Linux, so a long body goes through standard input; so does one with a `'`, which is
easier to read there. No line of the body can end the here-document: lines of indented JSON are braces or begin with
a space.
Source: https://curl.se/docs/manpage.html
Source: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_07_04
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from .. import platforms
from ..call import BASE_URL, Call
from ..endpoint_call import download_name, multipart_parts
from ..formatting import Variable, literal
from ..literals import HEREDOC, JSON

_LONGEST_ARGUMENT = 100_000  # bytes; the limit is 131,072
_PLAIN = re.compile(r"[^\"$`\\!\x00-\x1f\x7f]*")


def program(call: Call) -> str:
    """The command."""
    *lines, last = _lines(call)
    return call.hint("#") + platforms.note(call, "#") + " \\\n  ".join([*lines, last]) + "\n"


def _lines(call: Call) -> Iterator[str]:
    yield f'curl "${BASE_URL}{call.url.removeprefix(call.base_url)}"' if call.local else f"curl {_url(call.url)}"
    if call.request.method != ("GET" if call.body is None else "POST"):
        yield f"-X {shlex.quote(call.request.method)}"
    if call.streams or platforms.returns_frames(call):
        yield "--no-buffer"
    parts = multipart_parts(call)
    scope = platforms.signature_scope(call.request)
    if scope is not None:
        yield f'--aws-sigv4 "aws:amz:{scope[0]}:{scope[1]}"'
        yield '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"'
        if "x-amz-security-token" in call.request.headers:
            yield '-H "x-amz-security-token: $AWS_SESSION_TOKEN"'
    for name, value in (*([call.credential] if scope is None else []), *call.headers):
        if parts is None or name.lower() != "content-type":  # curl makes a boundary of its own
            yield f"-H {_header(name, value)}"
    if parts is not None:
        yield from (f"-F {shlex.quote(_part(part))}" for part in parts)
    elif call.body is not None:
        yield _body(call)
    if (saved := download_name(call)) is not None:
        yield f"--output {shlex.quote(saved)}"


def _part(part: Mapping[str, Any]) -> str:
    """One part of a form; a file is read from where it was."""
    if "value" in part:
        return f"{part['name']}={part['value']}"
    filename = str(part.get("filename", "")).replace("\\", "\\\\").replace('"', '\\"')
    named = f';filename="{filename}"' if filename else ""
    return f"{part['name']}=@{part['path'] or filename or 'file'};type={part['content_type']}{named}"


def _url(url: str) -> str:
    quoted = shlex.quote(url)
    return f"--globoff {quoted}" if re.search(r"[\[\]{}]", url) else quoted


def _header(name: str, value: str | Variable) -> str:
    if isinstance(value, Variable):
        return f'"{name}: {value}"'
    text = f"{name}: {value}" if value else f"{name};"
    return f'"{text}"' if _PLAIN.fullmatch(text) else "'" + text.replace("'", r"'\''") + "'"


def _body(call: Call) -> str:
    if call.reads_files or call.reads_variables:  # `-d` takes line breaks out of what it reads, and so those of base64
        return f"-d @- <<JSON\n{literal(call.body, HEREDOC, broken=True)}\nJSON"
    text = literal(call.body, JSON, broken=True)
    if "'" in text or len(text.encode()) > _LONGEST_ARGUMENT:
        return f"--data-binary @- <<'JSON'\n{text}\nJSON"
    return f"-d '{text}'"
