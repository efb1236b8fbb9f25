"""A request as the HTTP/1.1 message that was sent, with the name of the key in its place.

Its lines end as HTTP's do, and the length is that of the body as it stands there.
Source: https://www.rfc-editor.org/rfc/rfc9112.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from .call import BASE_URL, Call


def program(call: Call) -> str:
    """The message."""
    body = _body(call)
    return "".join(f"{line}\r\n" for line in _head(call, len(body))) + "\r\n" + body.decode()


def _body(call: Call) -> bytes:
    if not call.reads_variables:
        return call.request.content
    return json.dumps(call.body, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def _head(call: Call, length: int) -> Iterator[str]:
    url = urlsplit(call.url)
    target = url._replace(scheme="", netloc="", path=url.path or "/", fragment="").geturl()
    yield f"{call.request.method} {target} HTTP/1.1"
    yield f"Host: {f'${BASE_URL}' if call.local else url.netloc}"
    for name, value in (call.credential, *call.all_headers):
        yield f"{name}: {value}"
    if call.body is not None:
        yield f"content-length: {length}"
