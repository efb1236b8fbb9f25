"""`claude.request(...)`: a call of any endpoint from Python."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api.saved_files import SavedFile
from ..errors import CellError
from ..session.endpoint_call import EndpointCall, endpoint_call

if TYPE_CHECKING:
    from ..wire import Exchange
    from .claude import ClaudeHandle


def request(
    handle: ClaudeHandle,
    method: str,
    path: str,
    how: Mapping[str, Any],
    *,
    all_pages: bool,
    save: str | Path | None,
    yes: bool,
) -> Exchange:
    """What `claude.request` returns.

    Raises:
        ClaudeError: It cannot be sent, or failed.
    """
    settings, _ = handle.settings.effective()
    call = endpoint_call(method, path, base_url=settings.base_url, **how)
    refuse_unasked(call, yes=yes)
    saved = None if save is None else SavedFile(save, overwrite=yes)
    exchange = handle.session.request(call, all_pages=all_pages, save=saved)
    if exchange.error is not None:
        raise exchange.error
    return exchange


def refuse_unasked(call: EndpointCall, *, yes: bool) -> None:
    """Refuse what changes something where nobody is asked.

    Raises:
        CellError: It does.
    """
    if call.changes and not yes:
        raise CellError(
            f"{call.method} {call.target} changes something, and nobody is asked from Python. Nothing was sent. "
            "Say yes=True, or run it as a cell: %claude --" + f"{call.method.lower()} {call.path}."
        )
