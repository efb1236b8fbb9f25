"""Requests as programs, and curl commands as requests."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import CellError
from ..wire import Request

if TYPE_CHECKING:
    from ..cell.attachments import Attachment

_MESSAGES = "/v1/messages"


class Programs:
    """Writes a request as a program that reads attachments from the files they came from.

    Args:
        attached: What went with the request.
    """

    def __init__(self, attached: Iterable[Attachment] = ()) -> None:
        pairs = ((each.block.get("source", {}), each.source) for each in attached)
        self._sources = [(source["data"], path) for source, path in pairs if source.get("type") == "base64"]

    def __call__(self, request: Request, language: str) -> str:
        """The program.

        Raises:
            CellError: There is no such language, or the request cannot be said in it.
        """
        from ..export import program

        return program(request, language, files=dict(self._files()))

    def _files(self) -> Iterable[tuple[str, str]]:
        """Those whose file still holds just what was sent: not what was scaled, or has changed."""
        for data, path in self._sources:
            try:
                if base64.b64encode(Path(path).read_bytes()).decode() == data:
                    yield data, path
            except (OSError, ValueError):
                continue


def curl(text: str, base_url: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The body and the further headers of a pasted curl command; nothing is run, and no file read.

    Raises:
        CellError: It is none, holds a key, or goes elsewhere than our requests do.
    """
    from ..export import request_fields

    found = request_fields(text)
    asked, ours = urlsplit(found.url), urlsplit(base_url)
    if (asked.scheme, asked.netloc) != (ours.scheme, ours.netloc):
        raise CellError(
            f"the command goes to {asked.scheme}://{asked.netloc}, and Claude.base_url is {base_url}. Nothing was "
            "sent. Set Claude.base_url to it, if your key may go there."
        )
    if found.method != "POST" or not asked.path.rstrip("/").endswith(_MESSAGES):
        raise CellError(f"the command asks for {found.method} {asked.path}, not POST {_MESSAGES}. Nothing was sent.")
    return found.body, dict(_headers(found.headers))


def _headers(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Those that say something of the request; credentials, and what belongs to the connection, are ours to set."""
    from ..cell.options import is_ours

    for name, value in headers:
        if not is_ours(name):
            yield name, value
