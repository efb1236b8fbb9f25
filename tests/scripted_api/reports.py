"""Usage and cost of the organization: what was spent, as each of the three generations of reports tells it.

    api.organization.reports.spend("2026-11-20", model="claude-haiku-5-5", cents="12.345", tokens=1000)
    api.organization.reports.denied = ("/v1/organizations/analytics/",)   # where the key may not read: 403

Rows are summed by what `group_by[]` names, with the limits that the API has for the time asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.scripted_api.wire import Asked, cursor_page, error
from tests.server import Answer

ROOT = "/v1/organizations"
BETA = "analytics-usage-cost-2026-08-24"
_GROUPS = ("model", "workspace_id", "api_key_id")


@dataclass(frozen=True, kw_only=True)
class Charge:
    """What one request cost and used."""

    day: date
    model: str | None = None
    workspace_id: str | None = None
    api_key_id: str | None = None
    cents: Decimal
    tokens: int


@dataclass
class Reports:
    """The reports of one organization.

    Attributes:
        denied: The beginnings of paths that answer 403.
        faults: Answers to the next reports, which are then not read.
        rows: Rows of the analytics endpoints as they are, by the end of their path; then nothing is summed.
        page_size: The most rows, or days, on a page.
    """

    charges: list[Charge] = field(default_factory=list)
    denied: Sequence[str] = ()
    faults: list[Answer] = field(default_factory=list)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    page_size: int = 1000

    def spend(self, day: str, *, cents: str = "0", tokens: int = 0, **groups: str | None) -> None:
        self.charges.append(Charge(day=date.fromisoformat(day), cents=Decimal(cents), tokens=tokens, **groups))

    def answer(self, asked: Asked) -> Answer | None:
        known: dict[str, tuple[Callable[..., Answer], str]] = {
            f"{ROOT}/analytics/cost": (self._rows, "cost"),
            f"{ROOT}/analytics/usage": (self._rows, "usage"),
            f"{ROOT}/analytics/cost_report": (self._buckets, "cost"),
            f"{ROOT}/analytics/usage_report": (self._buckets, "usage"),
            f"{ROOT}/cost_report": (self._buckets, "cost"),
            f"{ROOT}/usage_report/messages": (self._buckets, "usage"),
        }
        if asked.method != "GET" or asked.path not in known:
            return None
        if asked.path.startswith(tuple(self.denied)):
            return error(403, "permission_error", "Your key may not read this report.")
        if self.faults:
            return self.faults.pop(0)
        function, what = known[asked.path]
        return function(asked, what)

    def _rows(self, asked: Asked, what: str) -> Answer:
        """A row a group, and with `time_bucket_width` one of each day."""
        if what in self.rows:
            return cursor_page(self.rows[what], asked, report=True)
        begin, end = _days(asked)
        groups = [_group(asked, each) for each in self.charges]
        by_day = asked.value("time_bucket_width") == "1d"
        if wrong := self._wrong(asked, begin, end):
            return error(400, "invalid_request_error", wrong)
        found: dict[tuple[Any, ...], list[Charge]] = {}
        for charge, group in zip(self.charges, groups, strict=True):
            if begin <= charge.day < end:
                found.setdefault((charge.day if by_day else begin, *group.values()), []).append(charge)
        rows = [
            {
                "starting_at": _moment(key[0]),
                "ending_at": _moment(key[0] + timedelta(days=1) if by_day else end),
                "group": dict(zip(_GROUPS, key[1:], strict=True)),
                what: _analytics(charges, what),
            }
            for key, charges in found.items()
        ]
        return cursor_page(rows, self._paged(asked), report=True)

    def _wrong(self, asked: Asked, begin: date, end: date) -> str:
        if asked.headers.get("anthropic-beta") != BETA:
            return "this endpoint needs a beta header"
        if begin < date(2026, 1, 1):
            return "starting_at: must not be before 2026-01-01"
        return "the range is more than 31 days" if end - begin > timedelta(days=31) else ""

    def _buckets(self, asked: Asked, what: str) -> Answer:
        """A bucket a day, also without rows; a row a group in it."""
        begin, end = _days(asked)
        known = _knows(asked.path, what)
        if wrong := [each for each in asked.values("group_by[]") if each not in known]:
            return error(400, "invalid_request_error", f"group_by: {wrong[0]} is not allowed")
        if not 1 <= int(asked.value("limit", "7")) <= 31:
            return error(400, "invalid_request_error", "limit: at most 31")
        buckets = []
        for number in range((end - begin).days):
            day = begin + timedelta(days=number)
            found: dict[tuple[Any, ...], list[Charge]] = {}
            for charge in self.charges:
                if charge.day == day:
                    found.setdefault(tuple(_group(asked, charge).values()), []).append(charge)
            results = [_older(charges, key, what) for key, charges in found.items()]
            buckets.append({"starting_at": _moment(day), "ending_at": _moment(day), "results": results})
        return cursor_page(buckets, self._paged(asked), report=True)

    def _paged(self, asked: Asked) -> Asked:
        limit = min(self.page_size, int(asked.value("limit", "20")))
        return replace(asked, query=[*(pair for pair in asked.query if pair[0] != "limit"), ("limit", str(limit))])


def _knows(path: str, what: str) -> tuple[str, ...]:
    if "/analytics/" in path:
        return ("model", "cost_type") if what == "cost" else ("model",)
    return ("description", "workspace_id") if what == "cost" else _GROUPS


def _days(asked: Asked) -> tuple[date, date]:
    begin, end = (datetime.fromisoformat(asked.value(name)[:19]) for name in ("starting_at", "ending_at"))
    return begin.date(), end.date()


def _moment(day: date) -> str:
    return f"{day}T00:00:00Z"


def _group(asked: Asked, charge: Charge) -> dict[str, Any]:
    """The fields that are asked for; the others are null."""
    names = {"model" if each == "description" else each for each in asked.values("group_by[]")}
    return {name: getattr(charge, name) if name in names else None for name in _GROUPS}


def _usage(charges: Sequence[Charge]) -> dict[str, Any]:
    tokens = sum(each.tokens for each in charges)
    return {
        "uncached_input_tokens": tokens,
        "cache_read_input_tokens": 2 * tokens,
        "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4},
        "output_tokens": 5,
        "server_tool_use": {"web_search_requests": 1},
    }


def _analytics(charges: Sequence[Charge], what: str) -> dict[str, Any]:
    if what == "usage":
        usage = _usage(charges)
        total = usage["uncached_input_tokens"] * 3 + 12
        return {**usage, "total_tokens": total, "requests": len(charges)}
    cents = sum((each.cents for each in charges), Decimal(0))
    return {"amount": str(cents), "list_amount": str(2 * cents), "currency": "USD", "requests": len(charges)}


def _older(charges: Sequence[Charge], key: Sequence[Any], what: str) -> dict[str, Any]:
    group = dict(zip(_GROUPS, key, strict=True))
    if what == "usage":
        return {**_usage(charges), **group}
    cents = sum((each.cents for each in charges), Decimal(0))
    return {"amount": str(cents), "currency": "USD", "description": "Usage", "cost_type": "tokens", **group}
