"""Tokens of remote MCP servers: a request names environment variables, only the bytes on the wire hold their values.

A body holds `"authorization_token": "$MCP_TOKEN_NAME"`. The token is redacted in what is received, wherever chunks
are cut.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..browser import KEY_RISK, in_browser
from ..errors import CellError, SettingsError
from ..wire import Request
from .credentials import Secret
from .stand_ins import StandIns, without_tracing

_PLACEHOLDER = re.compile(r"\$(MCP_TOKEN(?:_[A-Z0-9_]+)?)")  # only these: a pasted request could name any variable
_MIN_LENGTH = 8  # characters of a token that is redacted; a shorter one may be an ordinary word


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """The tokens of one request.

    Attributes:
        by_name: The token of each environment variable that the request names.
    """

    by_name: dict[str, Secret]

    @classmethod
    def from_request(cls, request: Request) -> Tokens:
        """The tokens that `request` names.

        Raises:
            SettingsError: A variable is empty, or cannot be sent.
        """
        names = [name for server in _servers(request) if (name := _variable_name(server))]
        return cls(by_name={name: _token(name) for name in names})

    def content(self, request: Request, stand_ins: StandIns) -> bytes:
        """The bytes of the body, with stand-ins for the tokens."""
        if not self.by_name:
            return request.content
        marks = {name: stand_ins.add(secret, as_json=True) for name, secret in self.by_name.items()}
        servers = [
            {**server, "authorization_token": marks[name]} if (name := _variable_name(server)) else server
            for server in _servers(request)
        ]
        body = {**(request.body or {}), "mcp_servers": servers}
        return Request(method=request.method, url=request.url, body=body).content

    def redact_json(self, text: str) -> str:
        """`text` without the tokens."""
        for secret in self.by_name.values():
            text = secret.redact(text) if len(secret) >= _MIN_LENGTH else text
        return text

    def redact(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """`chunks` without the tokens; only bytes that may begin a token wait for the next chunk."""
        return redact_chunks(chunks, self.by_name.values())


def redact_chunks(chunks: Iterator[bytes], secrets: Iterable[Secret]) -> Iterator[bytes]:
    """`chunks` without these secrets; only bytes that may begin one wait for the next chunk."""
    tokens = [token for secret in secrets if len(secret) >= _MIN_LENGTH for token in secret.encodings()]
    return _redact_chunks(chunks, sorted(tokens, key=len, reverse=True)) if tokens else chunks


def refuse_tokens(body: Mapping[str, Any]) -> None:
    """Refuses a request that holds the token of a server itself: the notebook and the journal would keep it.

    Raises:
        CellError: There is one.
    """
    for server in _body_servers(body):
        token = server.get("authorization_token") if isinstance(server, dict) else None
        if token and not _variable_name(server):
            raise CellError(
                "the request holds the token of an MCP server, which the notebook and the journal would keep: nothing "
                f'was sent. Write "$MCP_TOKEN_NAME" in its place. {_how_to_set()}'
            )


def _how_to_set() -> str:
    """How the variable of a token gets its value."""
    if in_browser():
        return f"In a web page only a cell can set it, by os.environ, and {KEY_RISK}."
    return "Set it before Jupyter starts."


def _servers(request: Request) -> Iterable[Any]:
    return _body_servers(request.body or {})


def _body_servers(body: Mapping[str, Any]) -> Iterable[Any]:
    servers = body.get("mcp_servers")
    return servers if isinstance(servers, list | tuple) else ()


def _variable_name(server: Any) -> str:
    """The variable that its token is in; `""` if there is none."""
    value = server.get("authorization_token") if isinstance(server, dict) else None
    match = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else ""


def _token(name: str) -> Secret:
    with without_tracing():
        secret = Secret(os.getenv(name, ""))
    if not secret:
        raise SettingsError(f"no token for the MCP server: ${name} is empty. {_how_to_set()}")
    if not secret.is_printable():
        raise SettingsError(f"the token in ${name} contains a control or non-ASCII character. Copy it again.")
    return secret


def _redact_chunks(chunks: Iterator[bytes], tokens: list[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        for token in tokens:
            data = data.replace(token, b"***")
        held = max(_prefix_length(data, token) for token in tokens)
        rest = data[len(data) - held :]
        if ready := data[: len(data) - held]:
            yield ready
    if rest:
        yield rest


def _prefix_length(data: bytes, token: bytes) -> int:
    """How many bytes at the end of `data` may be the beginning of `token`."""
    start = data.find(token[:1], max(0, len(data) - len(token) + 1))
    while start != -1 and not token.startswith(data[start:]):
        start = data.find(token[:1], start + 1)
    return 0 if start == -1 else len(data) - start
