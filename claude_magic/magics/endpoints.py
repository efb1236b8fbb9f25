"""`claude.request(...)`: a call of any endpoint from Python; and the list of endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api.saved_files import SavedFile
from ..errors import CellError
from ..prompt.options.keywords import check_flags
from ..session.endpoint_call import EndpointCall, endpoint_call
from ..session.provider import base_url

if TYPE_CHECKING:
    from ..api.endpoints.catalog import Endpoint
    from ..display.answers.endpoint_list import Row
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
    check_flags(yes=yes, all=all_pages)
    settings, _ = handle.settings.effective()
    call = endpoint_call(method, path, base_url=base_url(settings), **how)
    refuse_unasked(call, yes=yes)
    saved = None if save is None else SavedFile(save, overwrite=yes, permit="yes=True")
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


def list_endpoints(words: str, *, page: bool) -> None:
    """Show the endpoints whose method, path or summary hold these words; in a page they can be searched further."""
    from IPython.core.display_functions import publish_display_data

    from ..display.answers.endpoint_list import endpoint_bundles

    if not page:
        print(_found(words)["text/plain"])
        return
    for bundle in endpoint_bundles(_found, words):
        publish_display_data(bundle)


def found_text(words: str) -> str:
    """The endpoints that match, as text."""
    return _found(words)["text/plain"]


def _found(words: str) -> dict[str, str]:
    from ..api.endpoints.catalog import as_of, endpoints, search
    from ..display.answers.endpoint_list import endpoint_table

    return endpoint_table([_row(each) for each in search(words)], len(endpoints()), as_of())


def _row(endpoint: Endpoint) -> Row:
    from ..display.answers.endpoint_list import Row

    facts = (
        "" if endpoint.key == "api" else f"{endpoint.key} key",
        f"pages by {endpoint.paging}" if endpoint.paging else "",
        f"beta {endpoint.beta}" if endpoint.beta else "",
        endpoint.answer if endpoint.answer != "json" else "files" if endpoint.body == "multipart" else "",
    )
    return Row(verb=endpoint.verb, path=endpoint.path, summary=endpoint.summary, facts=", ".join(filter(None, facts)))
