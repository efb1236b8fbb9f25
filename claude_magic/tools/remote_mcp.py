"""Remote MCP servers, which the API connects to itself.

Source: the types of the official SDK, `BetaRequestMCPServerURLDefinition` and `BetaMCPToolset`;
https://docs.anthropic.com/en/docs/agents-and-tools/mcp-connector
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from ..errors import CellError
from ..hosts import is_loopback
from ..wire.message import Block

BETA = "mcp-client-2025-11-20"  # 2026-09-15 adds only toolsets in the middle of a conversation
_LONGEST = 60  # characters of a name
_NAMED = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)=(.*)", re.DOTALL)
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9_-]*=)?[A-Za-z][A-Za-z0-9+.-]*://", re.IGNORECASE)
_SAYS_NOTHING = re.compile(r"^((www|mcp|api)\.)+(?=.*\.)")
_SECRET = re.compile(r"key|token|secret|passw|credential|auth|signature|^sig$|^code$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class RemoteServers:
    """The parts of a request for remote servers.

    Attributes:
        servers: The items of `mcp_servers`; a token is only named, as `$MCP_TOKEN_NAME`.
        toolsets: The items for `tools`.
    """

    servers: tuple[Block, ...] = ()
    toolsets: tuple[Block, ...] = ()

    def betas(self, header: str = "") -> str:
        """The `anthropic-beta` header, with the `given` values; `""` if none is needed.

        Another version of this beta that is given is kept.
        """
        betas = [beta for each in header.split(",") if (beta := each.strip())]
        if self.servers and not any(beta.startswith("mcp-client-") for beta in betas):
            betas.append(BETA)
        return ",".join(dict.fromkeys(betas))


def is_address(text: str) -> bool:
    """Whether `text` is a URL rather than the name of a variable."""
    return _ADDRESS.match(text) is not None


def remote_servers(texts: Sequence[str], variables: Container[str]) -> RemoteServers:
    """The servers at these addresses, each `URL` or `NAME=URL`.

    Without NAME, a server is named after its host. Its token is in the variable `MCP_TOKEN_<NAME>`; if only one server
    is given, also in `MCP_TOKEN`.

    Args:
        variables: The names of environment variables; no value is read.

    Raises:
        CellError: An address cannot be used, or two servers have one name.
    """
    addresses: dict[str, tuple[str, SplitResult]] = {}
    for text in dict.fromkeys(texts):
        match = _NAMED.fullmatch(text)
        name, address = (match[1], match[2]) if match else ("", text)
        url = _check_address(address)
        if name in addresses or len(name) > _LONGEST:
            raise CellError(f"two MCP servers cannot be called {name[:_LONGEST]!r}. Call one of them otherwise.")
        addresses[name or _free(_name(url), addresses)] = (address, url)
    variable = {name: _variable(name, variables, alone=len(addresses) == 1) for name in addresses}
    return RemoteServers(
        servers=tuple(_definition(name, address, variable[name]) for name, (address, _) in addresses.items()),
        toolsets=tuple({"type": "mcp_toolset", "mcp_server_name": name} for name in addresses),
    )


def _definition(name: str, address: str, variable: str) -> Block:
    token = {"authorization_token": f"${variable}"} if variable else {}
    return {"type": "url", "url": address, "name": name, **token}


def _variable(name: str, variables: Container[str], *, alone: bool) -> str:
    """The name of the variable with the server's token; `""` if there is none."""
    own = f"MCP_TOKEN_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"
    if own in variables:
        return own
    return "MCP_TOKEN" if alone and "MCP_TOKEN" in variables else ""


def _name(url: SplitResult) -> str:
    host = _SAYS_NOTHING.sub("", (url.hostname or "").lower().rstrip("."))
    port = f"_{url.port}" if url.port not in (None, 443, 80) else ""
    name = re.sub(r"[^A-Za-z0-9-]+", "_", host).strip("_-") or "server"
    return name[: _LONGEST - 6] + port


def _free(name: str, used: Container[str]) -> str:
    count, free = 2, name
    while free in used:
        free = f"{name[: _LONGEST - 6]}_{count}"
        count += 1
    return free


def _check_address(address: str) -> SplitResult:
    """The parsed address; errors do not repeat it, since it may hold a secret."""
    if address != address.strip() or not address.isprintable() or " " in address:
        raise CellError("the address of an MCP server holds a space or a control character. Write it without.")
    try:
        url = urlsplit(address)
        host, _ = url.hostname, url.port
    except ValueError:
        raise CellError("the address of an MCP server cannot be read. Write it as https://host/path.") from None
    if not host:
        raise CellError("the address of an MCP server names no host. Write it as https://host/path.")
    if "@" in url.netloc or any(_SECRET.search(name) for name, _ in parse_qsl(url.query, keep_blank_values=True)):
        raise CellError(
            f"the address of the MCP server at {host[:80]} holds a credential, which the notebook would keep. "
            f"Put it into the variable MCP_TOKEN_{re.sub(r'[^A-Z0-9]', '_', _name(url).upper())}."
        )
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(host)):
        raise CellError(f"an MCP server must be at https://, but {host[:80]} is at {url.scheme[:20]}://.")
    return url
