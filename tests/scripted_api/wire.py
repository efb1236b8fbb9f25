"""Requests as the parts of the scripted API see them, their answers, and the three styles of lists."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.server import JSON, Answer


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request.

    Attributes:
        path: Decoded, without the query.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def value(self, name: str, default: str = "") -> str:
        """The last value of a query parameter."""
        return next((value for each, value in reversed(self.query) if each == name), default)

    def values(self, name: str) -> list[str]:
        return [value for each, value in self.query if each == name]

    def match(self, method: str, pattern: str) -> re.Match[str] | None:
        """Whether it is this method of a path, where `{}` stands for one segment."""
        regex = re.escape(pattern).replace(r"\{\}", "([^/]+)")
        return re.fullmatch(regex, self.path) if self.method == method else None


def json_answer(body: Any, status: int = 200, *headers: tuple[str, str]) -> Answer:
    return Answer(status=status, headers=(*JSON, *headers), pieces=[json.dumps(body).encode()], framing="length")


def error(status: int, kind: str, message: str, *headers: tuple[str, str], code: str = "", **details: str) -> Answer:
    """An error as the API gives it; `code` is the `details.error_code`."""
    told = {"error_code": code, **details} if code else None
    body = {
        "type": "error",
        "error": {"type": kind, "message": message, "details": told},
        "request_id": "req_011Test",
    }
    return json_answer(body, status, *headers)


def _limit(asked: Asked) -> int:
    return int(asked.value("limit") or 20)


def after_id_page(items: Sequence[dict[str, Any]], asked: Asked) -> Answer:
    """A page with `has_more`, `first_id` and `last_id`."""
    ids = [item.get("id") or item["user_id"] for item in items]
    limit = _limit(asked)
    if (before := asked.value("before_id")) in ids:
        end = ids.index(before)
        start = max(0, end - limit)
        has_more = start > 0
    else:
        start = ids.index(asked.value("after_id")) + 1 if asked.value("after_id") in ids else 0
        end = min(len(items), start + limit)
        has_more = end < len(items)
    page = list(items[start:end])
    first, last = (ids[start], ids[end - 1]) if page else (None, None)
    return json_answer({"data": page, "has_more": has_more, "first_id": first, "last_id": last})


def cursor_page(items: Sequence[dict[str, Any]], asked: Asked, *, report: bool = False) -> Answer:
    """A page with `next_page`; of a report also with `has_more` and `data_refreshed_at`."""
    cursor = asked.value("page")
    if cursor and not re.fullmatch(r"page_\d+", cursor):
        return error(400, "invalid_request_error", "page: invalid cursor")
    start = int(cursor.removeprefix("page_")) if cursor else 0
    end = start + _limit(asked)
    following = f"page_{end}" if end < len(items) else None
    body: dict[str, Any] = {"data": list(items[start:end]), "next_page": following}
    if report:
        body |= {"has_more": following is not None, "data_refreshed_at": "2026-11-28T11:00:00Z"}
    return json_answer(body)
