"""A request in the form that the writers of programs use: headers and body, with variables in place of secrets.

A header of any name may hold a secret (a gateway's key, a cookie). Its value is never written: the program reads it
from an environment variable named after the header. The same holds for the token of a remote MCP server, which
a body may also hold as the name of its variable, such as `$MCP_TOKEN_DOCS`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..errors import CellError
from ..wire import Request
from ..wire.headers import DIRECT_ACCESS, RANDOM_KEY, is_credential_name
from ..wire.request import Hosting
from .formatting import File, Variable
from .platforms import missing

DEFAULT_BASE_URL = "https://api.anthropic.com"
BASE_URL = "ANTHROPIC_BASE_URL"  # the variable that the official SDKs read
_LOCAL = (
    f"The small local model of a notebook was asked. Set {BASE_URL} to a server of this API",
    f"and ANTHROPIC_API_KEY to its key: {DEFAULT_BASE_URL} with a model of Claude, or a",
    "server of your own, such as llama-server at http://localhost:8080, where any key will do.",
)
_OURS = {
    *(("accept", "application/json"), ("accept-encoding", "identity"), ("user-agent", "claude-magic")),
    (DIRECT_ACCESS, "true"),  # of a web page; a program is none
}
_JSON = ("content-type", "application/json")
_APART = {
    "x-api-key",
    "api-key",
    "authorization",
    "x-amz-security-token",
    "x-amz-date",
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
}
_PLACEHOLDER = re.compile(r"\$([A-Z_][A-Z0-9_]*)")
_KEY_OF_PLATFORM = re.compile(r"(?:Bearer )?\$([A-Z_]+)")
_LONG_REPLY = 21_333  # tokens, from which on the SDKs refuse not to stream, unless they are given a timeout


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request, prepared for a writer.

    Attributes:
        request: The original, for what must be identical byte for byte.
        url: The URL without user and password.
        base_url: The URL before the endpoint.
        local: Whether the local model was asked, whose address and key are others each time: a program takes both
            from the environment.
        credential: Header and value that open the API.
        hosting: The platform that it goes to; `None` for the API and servers like it.
        all_headers: The others, without those that only describe the connection.
        body: As the API parses it, with a `File` in place of data that is read from one, and a `Variable` in
            that of a secret.
    """

    request: Request
    url: str
    base_url: str
    local: bool
    credential: tuple[str, Variable]
    hosting: Hosting | None
    all_headers: list[tuple[str, str | Variable]]
    body: Any

    @property
    def headers(self) -> list[tuple[str, str | Variable]]:
        """Those that a program must name: without what is only ours, such as the user agent."""
        return [(name, value) for name, value in self.all_headers if (name.lower(), value) not in _OURS]

    @property
    def explicit_headers(self) -> list[tuple[str, str | Variable]]:
        """Those that a library for JSON does not say by itself."""
        return [header for header in self.headers if (header[0].lower(), header[1]) != _JSON]

    def hint(self, comment: str) -> str:
        """The lines that tell which server, key and settings the program needs; `""` if it has them.

        Args:
            comment: What begins a comment.
        """
        lines: tuple[str, ...] = _LOCAL if self.local else ()
        if self.hosting is not None:
            lines = tuple(filter(None, [missing(self.hosting)]))
        return "".join(f"{comment} {line}\n" for line in lines)

    @property
    def default_address(self) -> bool:
        """Whether a client goes to its server without being told."""
        return self.base_url == DEFAULT_BASE_URL or self.hosting is not None

    @property
    def bearer(self) -> bool:
        return self.credential[0] == "authorization"

    @property
    def named_token(self) -> bool:
        """Whether a client has to be told its token; that of a platform finds its own credentials."""
        return self.bearer and self.hosting is None

    @property
    def streams(self) -> bool:
        return isinstance(self.body, dict) and self.body.get("stream") is True

    @property
    def reads_files(self) -> bool:
        return _holds(self.body, File)

    @property
    def reads_variables(self) -> bool:
        """Whether something of its body is in the environment."""
        return _holds(self.body, Variable)

    @property
    def needs_a_timeout(self) -> bool:
        """Whether the official SDKs send it only if they are told how long to wait."""
        tokens = self.body.get("max_tokens") if isinstance(self.body, dict) else None
        return not self.streams and isinstance(tokens, int) and tokens > _LONG_REPLY

    @property
    def is_message(self) -> bool:
        """Whether it asks for a message, which the SDKs have a function of its own shape for."""
        return self.url == f"{self.base_url}/v1/messages" and self.request.method == "POST"

    def for_an_sdk(self, language: str) -> dict[str, Any]:
        """The body, if it is one of the endpoint that the SDKs have a function for.

        Raises:
            CellError: It is not.
        """
        if self.url != f"{self.base_url}/v1/messages" or self.request.method != "POST":
            raise CellError(
                f"no {language} program: the SDK's function posts to /v1/messages, and this request is "
                f"{self.request.method} {self.request.endpoint}. Export it as curl, requests or http."
            )
        missing = [name for name in ("model", "max_tokens", "messages") if name not in (self.body or {})]
        if missing:
            raise CellError(
                f"no {language} program: the SDK's function needs {', '.join(missing)}, which the request has not. "
                "Export it as curl, requests or http."
            )
        body: dict[str, Any] = self.body
        return body


def call(request: Request, files: Mapping[str, str]) -> Call:
    """The request, read; `files` holds base64 data and the path each came from."""
    url = urlsplit(request.url)
    url = url._replace(netloc=url.netloc.rpartition("@")[2])
    base = url._replace(path=url.path.removesuffix(request.endpoint), query="", fragment="")
    return Call(
        request=request,
        url=url.geturl(),
        base_url=base.geturl(),
        local=request.headers.get("x-api-key") == RANDOM_KEY,
        credential=_credential(request),
        hosting=request.hosting,
        all_headers=[(n, _value(n, value)) for n, value in request.headers.items() if n.lower() not in _APART],
        body=None if request.body is None else _without_tokens(_with_files(json.loads(request.content), files)),
    )


def _credential(request: Request) -> tuple[str, Variable]:
    if request.hosting is not None:
        return _credential_of_platform(request)
    value = request.headers.get("authorization")
    if value is None or "x-api-key" in request.headers:
        admin = request.headers.get("x-api-key") == "$ANTHROPIC_ADMIN_KEY"
        return "x-api-key", Variable(name="ANTHROPIC_ADMIN_KEY" if admin else "ANTHROPIC_API_KEY")
    name = "ANTHROPIC_AUTH_TOKEN" if "$ANTHROPIC_AUTH_TOKEN" in value else "ANTHROPIC_API_KEY"
    return "authorization", Variable(name=name, before="Bearer ")


def _credential_of_platform(request: Request) -> tuple[str, Variable]:
    """The key of a platform by the name of its variable; else a token, whose command a comment names."""
    for name, before in (("x-api-key", ""), ("authorization", "Bearer ")):
        if found := _KEY_OF_PLATFORM.fullmatch(request.headers.get(name, "")):
            return name, Variable(name=found[1], before=before)
    return "authorization", Variable(name="ACCESS_TOKEN", before="Bearer ")


def _value(name: str, value: str) -> str | Variable:
    return Variable(name=_variable_name(name)) if is_credential_name(name) else value


def _variable_name(text: str) -> str:
    """The name of a variable, which no digit begins."""
    return re.sub(r"\W|^(?=\d)", "_", text.upper(), flags=re.ASCII)


def _with_files(value: Any, files: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_with_files(item, files) for item in value]
    if not isinstance(value, dict):
        return value
    result = {name: _with_files(item, files) for name, item in value.items()}
    data = value.get("data")
    if value.get("type") == "base64" and isinstance(data, str) and data in files:
        result["data"] = File(path=files[data])
    return result


def _without_tokens(body: Any) -> Any:
    """The body, with the tokens of its MCP servers in the environment."""
    servers = body.get("mcp_servers") if isinstance(body, dict) else None
    return {**body, "mcp_servers": list(map(_without_token, servers))} if isinstance(servers, list) else body


def _without_token(server: Any) -> Any:
    token = server.get("authorization_token") if isinstance(server, dict) else None
    if not token or not isinstance(token, str):
        return server
    match = _PLACEHOLDER.fullmatch(token)
    name = match[1] if match else _variable_name(f"MCP_TOKEN_{server.get('name', '')}").rstrip("_")
    return {**server, "authorization_token": Variable(name=name)}


def _holds(value: Any, kind: type) -> bool:
    if isinstance(value, dict):
        return any(_holds(item, kind) for item in value.values())
    return any(_holds(item, kind) for item in value) if isinstance(value, list) else isinstance(value, kind)
