"""A request as the HTTP/1.1 message that was sent, with the name of the key in its place.

Its lines end as HTTP's do, and the length is that of the body as it stands there.
Source: https://www.rfc-editor.org/rfc/rfc9112.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from .call import BASE_URL, Call
from .endpoint_call import multipart_parts
from .platforms import signature_scope


def program(call: Call) -> str:
    """The message."""
    body = _body(call)
    return "".join(f"{line}\r\n" for line in _head(call, len(body))) + "\r\n" + body.decode()


def _body(call: Call) -> bytes:
    if (parts := multipart_parts(call)) is not None:
        return _form(parts, call.request.headers["content-type"].partition("boundary=")[2])
    if not call.reads_variables:
        return call.request.content
    return json.dumps(call.body, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def _form(parts: Sequence[Mapping[str, Any]], boundary: str) -> bytes:
    """A form, with the place of each file instead of its bytes."""
    pieces = []
    for part in parts:
        filename = part.get("filename", "")
        head = f'Content-Disposition: form-data; name="{part["name"]}"' + f'; filename="{filename}"' * bool(filename)
        kind = "" if "value" in part else f"\r\nContent-Type: {part['content_type']}"
        place = part.get("path") or filename or "a file"
        content = part["value"] if "value" in part else f"({part['size']:,} bytes of {place})"
        pieces.append(f"--{boundary}\r\n{head}{kind}\r\n\r\n{content}\r\n")
    return "".join([*pieces, f"--{boundary}--\r\n"]).encode()


def _head(call: Call, length: int) -> Iterator[str]:
    url = urlsplit(call.url)
    target = url._replace(scheme="", netloc="", path=url.path or "/", fragment="").geturl()
    yield f"{call.request.method} {target} HTTP/1.1"
    yield f"Host: {f'${BASE_URL}' if call.local else url.netloc}"
    signed = signature_scope(call.request) is not None
    credential = ("authorization", call.request.headers["authorization"]) if signed else call.credential
    for name, value in (credential, *call.all_headers):
        yield f"{name}: {value}"
    if call.body is not None and multipart_parts(call) is None:
        yield f"content-length: {length}"
