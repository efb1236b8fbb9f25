"""What to do after an error of an endpoint that sends no message, where the general advice would be wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..wire import Request
from ..wire.chat_completion import ENDPOINT as CHAT
from .endpoints.catalog import changes, endpoints, is_of_organization

_LARGEST = (("/v1/messages/batches", "256 MB"), ("/v1/files", "500 MB"), ("/", "32 MB"))
_CODES = {
    "workspace_created_incomplete": "The workspace exists{workspace_id}: look at it, and do not create it again.",
    "change_outcome_unknown": "A part of the change may be saved: send the same again, what is saved is not repeated.",
    "authorization_check_unavailable": "Nothing was done. Send it again in a moment.",
    "workspace_human_review_disabled": "This workspace has no batches: use another one.",
    "file_expired": "Upload it again.",
}
_ID = re.compile(r"[\w-]{1,80}", re.ASCII)
_MAYBE = "It may have been done all the same, so it was not sent again: look first."


def advice(request: Request, status: int, kind: str, details: Mapping[str, object]) -> str | None:
    """A sentence; `""` for none, `None` where the general advice fits.

    Args:
        kind: The API's own name of the error, such as `not_found_error`; `""` if the answer is not the API's.
        details: Those of the error, such as its `error_code`.
    """
    path = request.endpoint
    code = str(details.get("error_code") or "")
    if code in _CODES:
        workspace = str(details.get("workspace_id") or "")
        return _CODES[code].format(workspace_id=f" as {workspace}" if _ID.fullmatch(workspace) else "")
    if path == CHAT:
        lacks = status in (404, 405, 501) and not kind
        return f"This server has no {CHAT}, which --openai needs." if lacks else None
    if status == 413:
        return f"At most {next(size for start, size in _LARGEST if path.startswith(start))} may be sent there at once."
    if status in (401, 403) and is_of_organization(path):
        return "This endpoint wants an admin key, or one with the right scope. Look at $ANTHROPIC_ADMIN_KEY."
    if status == 404 and kind and "/models/" not in path:
        return "" if is_known_path(path) else "No such endpoint is known; %claude --get lists those that are."
    if (status >= 500 or status == 408) and changes(request.method, path):
        return _MAYBE
    return None


def is_known_path(path: str) -> bool:
    """Whether an endpoint with this path is known, whatever its method."""
    return any(each.pattern.fullmatch(path) for each in endpoints())


def outcome_note(request: Request) -> str:
    """What is unknown of a change whose answer did not come; `""` for what changes nothing."""
    return _MAYBE if changes(request.method, request.endpoint) else ""
