"""A change that Python code asks for, as `claude.files["file_…"].delete()` does: shown with Run and Refuse first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import CellError
from ..prompt.options.keywords import check_flags
from ..prompt.options.options import Options
from .endpoints import request

if TYPE_CHECKING:
    from .claude import ClaudeHandle


def change(
    handle: ClaudeHandle, method: str, path: str, body: Mapping[str, Any] | None, *, yes: bool
) -> Mapping[str, Any] | None:
    """Send a change once the user has said so; with `yes` at once.

    Returns:
        What the API answered; `None` if the user is asked: the answer appears under the cell.

    Raises:
        ClaudeError: Nobody can be asked, or it failed.
    """
    from .endpoint_cell import EndpointCell

    check_flags(yes=yes)
    if yes:
        exchange = request(handle, method, path, {"body": body}, all_pages=False, save=None, yes=True)
        return exchange.json if isinstance(exchange.json, Mapping) else {}
    shell = handle.shell()
    if shell is None or not handle.cells.asks:
        raise CellError(
            f"{method} {path} changes something, and nobody can be asked here. Nothing was sent. Say yes=True."
        )
    text = "" if body is None else json.dumps(body)
    EndpointCell(handle, shell, Options(endpoint=(method, path)), text, fills=False).run()
    return None
