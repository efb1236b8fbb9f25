"""Reads a pasted curl command: its address, headers and body. It is never run.

Source: https://curl.se/docs/manpage.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

from ...errors import CellError
from ...wire.headers import is_credential_name
from .options import DATA, key_error, options
from .shell import Word, command

_NAMED = {"--user-agent": "user-agent", "--referer": "referer"}
_PLACEHOLDER = re.compile(r"(?:Bearer )?\$\w+", re.IGNORECASE)
_KEY = re.compile(r"sk-ant-\w")


@dataclass(frozen=True, kw_only=True)
class CurlCommand:
    """What a curl command would send.

    Attributes:
        headers: As written; of a credential, only the name of its variable, such as `$ANTHROPIC_API_KEY`.
        body: The JSON object.
    """

    url: str
    method: str
    headers: list[tuple[str, str]]
    body: dict[str, Any]


def request_fields(text: str) -> CurlCommand:
    """The request of a curl command.

    Raises:
        CellError: It is not a curl command, holds a key, needs a shell or a file, or its body is not a JSON object.
    """
    pasted = command(text)
    if not pasted.words or pasted.words[0].text.rpartition("/")[2].removesuffix(".exe") != "curl":
        raise CellError("this is not a curl command: it does not begin with curl. Paste one.")
    pairs = list(options(pasted.words[1:]))
    headers = [pair for name, word in pairs for pair in _header(name, word)]
    if any(name == "--json" for name, _ in pairs):
        known = {name.lower() for name, _ in headers}
        headers += [(n, "application/json") for n in ("content-type", "accept") if n not in known]
    methods = [_plain(word).upper() for name, word in pairs if name == "--request"]
    return CurlCommand(
        url=_url([word for name, word in pairs if name == "--url"]),
        method=methods[-1] if methods else "POST",
        headers=headers,
        body=_body(_data(((n, word) for n, word in pairs if n in DATA), pasted.heredoc)),
    )


def _url(words: list[Word]) -> str:
    if len(words) != 1:
        seen = f"{len(words)} addresses" if words else "no address"
        raise CellError(f"the curl command has {seen}. It needs one, such as https://api.anthropic.com/v1/messages.")
    url = _plain(words[0])
    try:
        has_user = "@" in urlsplit(url).netloc
    except ValueError:
        raise CellError("the address in the curl command cannot be read. Repair it.") from None
    has_secret = any(
        name.lower() == "key" or is_credential_name(name)
        for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)
    )
    if has_user or has_secret or _KEY.search(url):
        raise key_error("url")
    return url


def _header(option: str, word: Word) -> Iterator[tuple[str, str]]:
    if option in _NAMED:
        yield _NAMED[option], _plain(word)
    if option != "--header":
        return
    name, colon, value = (text.strip() for text in word.text.partition(":"))
    if not colon and name.endswith(";"):
        yield name.removesuffix(";"), ""
        return
    if not colon or word.text.startswith("@"):
        raise CellError("a header in the curl command is not of the form 'name: value'. Repair it.")
    if _KEY.search(value) or (is_credential_name(name) and value and not _PLACEHOLDER.fullmatch(value)):
        raise key_error(name)
    if not is_credential_name(name):
        _plain(word)
    if value:
        yield name, value


def _data(pairs: Iterable[tuple[str, Word]], heredoc: Word | None) -> str | None:
    """The body; as curl does, several pieces are joined with `&`, those of `--json` with nothing."""
    body: str | None = None
    for option, word in pairs:
        text = _plain(word)
        if text.startswith("@") and option != "--data-raw":
            if text != "@-" or heredoc is None:
                raise CellError("the curl command reads a file with @, and no file is read here. Paste the body.")
            text = _plain(heredoc)
            text = text if option in {"--data-binary", "--json"} else re.sub(r"[\r\n]", "", text)
        body = text if body is None else body + ("" if option == "--json" else "&") + text
    return body


def _plain(word: Word) -> str:
    if word.variables:
        raise CellError(
            "the curl command uses a variable of the shell, which only the value of x-api-key or authorization "
            "may be here. Put its value there."
        )
    return word.text


def _body(text: str | None) -> dict[str, Any]:
    if text is None:
        raise CellError("the curl command sends no body. Paste one with -d and the JSON of a request.")
    try:
        body = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise CellError(f"the body of the curl command is not JSON: {error.msg} at {where}. Repair it.") from None
    except (RecursionError, ValueError) as error:
        raise CellError(f"the body of the curl command is not JSON: {error}. Repair it.") from None
    if not isinstance(body, dict):
        raise CellError("the body of the curl command is not a JSON object. A request is one: {...}.")
    _refuse_tokens(body.get("mcp_servers"))
    return body


def _refuse_tokens(servers: Any) -> None:
    """Refuse the token of an MCP server; the name of a variable may stand for it."""
    for server in servers if isinstance(servers, list) else ():
        token = server.get("authorization_token") if isinstance(server, dict) else None
        if token and not re.fullmatch(r"\$\w+", str(token)):
            raise CellError(
                "the curl command holds a secret (authorization_token), so nothing of it was used. Put the token into "
                'the variable MCP_TOKEN of the environment, and "$MCP_TOKEN" in its place.'
            )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
