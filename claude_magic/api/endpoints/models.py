"""`GET /v1/models`: a page of the models that can be asked.

Source: https://docs.anthropic.com/en/api/models-list
"""

from __future__ import annotations

from urllib.parse import urlencode

from ...wire import Headers, Request


def models(*, base_url: str, api_version: str, limit: int, after_id: str = "") -> Request:
    """A request for a page of models.

    Args:
        limit: How many, from 1 to 1000.
        after_id: The last model of the page before; `""` for the first page.
    """
    query = {"limit": str(limit), **({"after_id": after_id} if after_id else {})}
    ours = {
        "anthropic-version": api_version,
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "claude-magic",
    }
    return Request(method="GET", url=f"{base_url}/v1/models?{urlencode(query)}", headers=Headers(ours.items()))
