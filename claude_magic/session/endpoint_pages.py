"""A list of the API, page after page, in its three styles of paging.

`after_id`: `has_more` and `last_id`, and `first_id` if one goes back with `before_id`. `page`: `next_page`. `report`:
`next_page`, unless `has_more` is false. A page without items, or a cursor that came before, ends the list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..api.endpoints.catalog import find
from ..errors import CellError
from ..wire import Exchange
from .endpoint_call import EndpointCall

MOST_PAGES = 100
_ONE_PAGE = " of 1 page"


def next_call(call: EndpointCall, body: Any, cursors: set[str]) -> EndpointCall | None:
    """The call for the page after the one that `call` got; `None` if it was the last.

    Args:
        body: The parsed JSON of that page.
        cursors: Those that were followed so far; the new one is added.
    """
    if not isinstance(body, dict) or not body.get("data"):
        return None
    name, value = _cursor(call, body, _style(call, body))
    if not isinstance(value, str) or not value or (name, value) in call.query or value in cursors:
        return None
    cursors.add(value)
    return call.with_query(name, value)


def _style(call: EndpointCall, body: dict[str, Any]) -> str:
    """The style of the endpoint; for an unknown endpoint, the one that its answer has."""
    endpoint = find(call.method, call.path)
    if "next_page" in body:  # an old beta header selects another style than the endpoint's own
        return "report" if "has_more" in body else "page"
    return "after_id" if "last_id" in body else endpoint.paging if endpoint is not None else ""


def _cursor(call: EndpointCall, body: dict[str, Any], style: str) -> tuple[str, Any]:
    """The parameter that asks for the next page, and its value; `None` as a value if there is none."""
    if style == "after_id":
        name, field = (
            ("before_id", "first_id") if any(n == "before_id" for n, _ in call.query) else ("after_id", "last_id")
        )
        return name, body.get(field) if body.get("has_more") is not False else None
    more = style != "report" or body.get("has_more") is not False
    return "page", body.get("next_page") if more else None


def all_pages(call: EndpointCall, send: Callable[[EndpointCall, int], Exchange], most: int = MOST_PAGES) -> Exchange:
    """The last page's exchange, whose JSON has the items of all pages; the others are its `earlier`.

    An error ends the list: the exchange holds it, and the items so far.

    Args:
        send: From a call, and the number of its page from 1, to its exchange.
        most: The largest number of pages to request; a note says that more are left.

    Raises:
        CellError: The answer is no list.
    """
    items: list[Any] = []
    pages: list[Exchange] = []
    cursors = set[str]()
    following: EndpointCall | None = call
    while following is not None and len(pages) < most:
        page_call = following
        pages.append(send(page_call, len(pages) + 1))
        if pages[-1].error is not None or pages[-1].answer is None:
            break
        if not isinstance(pages[-1].json, dict) or not isinstance(pages[-1].json.get("data"), list):
            raise CellError(
                f"--all: {call.path} answers with no list. Leave --all out; claude.last.json is its answer."
            )
        items += pages[-1].json["data"]
        following = next_call(page_call, pages[-1].json, cursors)
    return _joined(pages, items, following)


def list_notes(exchange: Exchange) -> tuple[str, ...]:
    """The notes of an exchange of all pages, but not that it was one page and all of it."""
    return tuple(note for note in exchange.notes if not note.endswith(_ONE_PAGE))


def _joined(pages: list[Exchange], items: list[Any], following: EndpointCall | None) -> Exchange:
    last = pages[-1]
    note = f"{len(items):,} items" + (_ONE_PAGE if len(pages) == 1 else f" of {len(pages):,} pages")
    if following is not None:
        name, value = following.query[-1]
        note = f"stopped after {len(pages):,} pages, {note}: the list goes on with --query {name} {value}"
    if following is None and last.error is None and isinstance(last.json, dict) and last.json.get("has_more") is True:
        note = f"{note}: the API says that there are more, and not where they are"
    if last.error is not None:
        note = f"{note}, then an error: the list is not whole"
    whole = last
    if last.answer is not None and (last.error is None or not last.json):
        body = {**last.json, "data": items} if isinstance(last.json, dict) else {"data": items}
        whole = replace(last, answer=replace(last.answer, value=body))
    timing = replace(whole.timing, seconds=sum(page.seconds for page in pages))
    return replace(whole, earlier=tuple(pages[:-1]), timing=timing).with_notes(note)
