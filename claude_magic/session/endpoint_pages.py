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
from ..wire.answer import JSON
from ..wire.short_text import one_line
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
    return _joined(call, pages, items, following)


def list_notes(exchange: Exchange) -> tuple[str, ...]:
    """The notes of an exchange of all pages, but not that it was one page and all of it."""
    return tuple(note for note in exchange.notes if not note.endswith(_ONE_PAGE))


def _left_over(call: EndpointCall, body: dict[str, Any]) -> str:
    """What the last page says of further ones, which are not asked for; `""` if it is the end of the list."""
    name, value = _cursor(call, body, _style(call, body))
    if isinstance(value, str) and value:
        why = "came before" if body.get("data") else "follows a page without items"
        return f": the API names one more page, {name} {one_line(value, 100)}, which {why} and was not asked for"
    return ": the API says that there are more, and not where they are" if body.get("has_more") is True else ""


def _joined(call: EndpointCall, pages: list[Exchange], items: list[Any], following: EndpointCall | None) -> Exchange:
    last = pages[-1]
    whole_pages = len(pages) - (last.error is not None)
    note = "1 item" if len(items) == 1 else f"{len(items):,} items"
    note += _ONE_PAGE if whole_pages == 1 else f" of {whole_pages:,} pages"
    goes_on = "" if following is None or not items else "goes on with --query {} {}".format(*following.query[-1])
    if last.error is not None:
        note = f"{note}, then an error: the list is not whole" + f", and {goes_on}" * bool(goes_on)
    elif goes_on:
        note = f"stopped after {len(pages):,} pages, {note}: the list {goes_on}"
    elif isinstance(last.json, dict):
        note += _left_over(call, last.json)
    whole = last
    if last.answer is not None and (last.error is None or items):
        body = {**last.json, "data": items} if isinstance(last.json, dict) else {"data": items}
        size = sum(page.answer.size for page in pages if page.answer is not None)
        kind = JSON if items else last.answer.kind
        whole = replace(last, answer=replace(last.answer, kind=kind, value=body, size=size))
    timing = replace(whole.timing, seconds=sum(page.seconds for page in pages))
    return replace(whole, earlier=tuple(pages[:-1]), timing=timing).with_notes(note)
