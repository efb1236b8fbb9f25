"""A pasted curl command, as the body and headers of a request."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ..errors import CellError
from ..prompt.options.options import Options, is_ours
from ..wire.completion import ENDPOINT

_MESSAGES = "/v1/messages"
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def curl(text: str, base_url: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The body and the further headers of a pasted curl command; nothing is run, and no file is read.

    Raises:
        CellError: It is no curl command, holds a key, or goes to another endpoint.
    """
    from ..api import credentials
    from ..export.curl.parse import request_fields

    credentials.refuse_keys(text, *credentials.in_use())
    command = request_fields(text)
    target, ours = urlsplit(command.url), urlsplit(base_url)
    if _origin(target) != _origin(ours):
        where = f"{target.scheme}://{target.netloc}" if target.scheme else "an address without https://"
        raise CellError(
            f"the command goes to {where}, and Claude.base_url is {base_url}. Nothing was "
            "sent. Set Claude.base_url to it, if your key may go there."
        )
    if command.method != "POST" or not target.path.rstrip("/").endswith(_MESSAGES):
        way = " Its body can stand in a cell with --complete." if target.path.rstrip("/").endswith(ENDPOINT) else ""
        raise CellError(f"the command is {command.method} {target.path}, not POST {_MESSAGES}. Nothing was sent.{way}")
    return command.body, _headers(command.headers)


def refuse_options(options: Options) -> None:
    """Refuses options for what a curl command itself says.

    Raises:
        CellError: An option would change the request.
    """
    from ..prompt.options.option import Scope
    from ..prompt.options.table import all_options

    changing = [each for each in all_options() if Scope.CURL not in each.scope and each.is_set(options)]
    changing.sort(key=lambda each: each.target == "param")  # where tools and schemas stand, too
    if changing:
        name = changing[0].names[0]
        raise CellError(f"--curl sends just what the command says: {name} would change it. Leave it out.")


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    """Scheme, host and port."""
    try:
        return url.scheme, url.hostname, url.port or {"https": 443, "http": 80}.get(url.scheme)
    except ValueError:
        raise CellError("the address in the curl command cannot be read. Repair it.") from None


def _headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers that belong to the request, without credentials and those of the connection.

    Raises:
        CellError: One of them cannot be sent.
    """
    result: dict[str, str] = {}
    for name, value in headers:
        if not _HEADER_NAME.fullmatch(name) or not (value.isascii() and value.isprintable()):
            raise CellError("a header of the curl command holds a character that headers have not. Repair it.")
        if not is_ours(name):  # a repeated header is one list, as in HTTP
            result[name.lower()] = f"{result[name.lower()]},{value}" if name.lower() in result else value
    return result
