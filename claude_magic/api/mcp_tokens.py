"""Tokens of remote MCP servers: a request names variables of the environment, the wire gets their values.

A body holds `"authorization_token": "$MCP_TOKEN_NAME"`. Only the bytes that the socket gets hold the token, and
what comes back is searched for it, however it was cut.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import CellError, SettingsError
from ..wire import Request
from .credentials import Secret
from .stand_ins import StandIns, untraced

_PLACEHOLDER = re.compile(r"\$(MCP_TOKEN(?:_[A-Z0-9_]+)?)")  # no other: a pasted request could ask for any variable
_SHORTEST = 8  # characters of a token that is looked for; a shorter one may be any word


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """The tokens of one request, by the names that stand for them."""

    named: dict[str, Secret]

    @classmethod
    def of(cls, request: Request) -> Tokens:
        """The tokens that `request` names.

        Raises:
            SettingsError: A variable is empty, or cannot be sent.
        """
        names = [name for server in _servers(request) if (name := _variable_name(server))]
        return cls(named={name: _token(name) for name in names})

    def content(self, request: Request, stand_ins: StandIns) -> bytes:
        """The bytes of the body, with stand-ins for the tokens."""
        if not self.named:
            return request.content
        marks = {name: stand_ins.add(secret, as_json=True) for name, secret in self.named.items()}
        servers = [
            {**server, "authorization_token": marks[name]} if (name := _variable_name(server)) else server
            for server in _servers(request)
        ]
        body = {**(request.body or {}), "mcp_servers": servers}
        return Request(method=request.method, url=request.url, body=body).content

    def redact_json(self, text: str) -> str:
        """`text` without the tokens."""
        for secret in self.named.values():
            text = secret.redact(text) if len(secret) >= _SHORTEST else text
        return text

    def redact(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """`chunks` without the tokens; only what may be the beginning of one is held back until the next."""
        forms = [form for secret in self.named.values() if len(secret) >= _SHORTEST for form in secret.forms()]
        return _without(chunks, sorted(forms, key=len, reverse=True)) if forms else chunks


def refuse_tokens(body: Mapping[str, Any]) -> None:
    """Refuse a request that holds the token of a server itself: the notebook and the journal would keep it.

    Raises:
        CellError: There is one.
    """
    for server in _servers_of(body):
        token = server.get("authorization_token") if isinstance(server, dict) else None
        if token and not _variable_name(server):
            raise CellError(
                "the request holds the token of an MCP server, which the notebook and the journal would keep: nothing "
                'was sent. Write "$MCP_TOKEN_NAME" in its place, and set that variable before Jupyter starts.'
            )


def _servers(request: Request) -> Iterable[Any]:
    return _servers_of(request.body or {})


def _servers_of(body: Mapping[str, Any]) -> Iterable[Any]:
    servers = body.get("mcp_servers")
    return servers if isinstance(servers, list | tuple) else ()


def _variable_name(server: Any) -> str:
    """The variable that stands for its token; `""` if there is none."""
    value = server.get("authorization_token") if isinstance(server, dict) else None
    found = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else ""


def _token(name: str) -> Secret:
    with untraced():
        secret = Secret(os.getenv(name, ""))
    if not secret:
        raise SettingsError(f"no token for the MCP server: ${name} is empty. Set it before Jupyter starts.")
    if not secret.is_printable():
        raise SettingsError(f"the token in ${name} holds a control or non-ASCII character. Copy it again.")
    return secret


def _without(chunks: Iterator[bytes], forms: list[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        found = rest + chunk
        for form in forms:
            found = found.replace(form, b"***")
        kept = max(_prefix_length(found, form) for form in forms)
        rest = found[len(found) - kept :]
        if ready := found[: len(found) - kept]:
            yield ready
    if rest:
        yield rest


def _prefix_length(text: bytes, form: bytes) -> int:
    """How many bytes at the end of `text` may be the beginning of `form`."""
    return next((n for n in range(min(len(form) - 1, len(text)), 0, -1) if text.endswith(form[:n])), 0)
