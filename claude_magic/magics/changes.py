"""A change that Python code asks for, as `claude.files["file_…"].delete()` does: shown with Run and Refuse first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..prompt.options.options import Options
from ..session.endpoint_call import endpoint_call
from .endpoints import refuse_unasked, request

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

    if yes:
        exchange = request(handle, method, path, {"body": body}, all_pages=False, save=None, yes=True)
        return exchange.json if isinstance(exchange.json, Mapping) else {}
    shell = handle.shell()
    if shell is None or not handle.cells.asks:
        base_url = handle.session.settings_for(Options()).base_url
        refuse_unasked(endpoint_call(method, path, base_url=base_url, body=body), yes=False)
    text = "" if body is None else json.dumps(body)
    EndpointCell(handle, shell, Options(endpoint=(method, path)), text, fills=False).run()
    return None
