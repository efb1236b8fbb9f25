"""Usage and cost of the organization: three generations of reports, read into the same sums.

The analytics endpoints are asked first. A key that may not use them gets the older reports, which know fewer groups.
Amounts are decimal strings in fractional cents: they are never made floats. Days are UTC.

Source: https://docs.anthropic.com/en/api/usage-cost-api
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Context, Decimal, InvalidOperation
from typing import Any

MOST_DAYS = 31  # of one request
BY = ("day", "model", "workspace", "key")
_ROOT = "/v1/organizations"
EXACT = Context(prec=100)
_CENTS = Decimal(100)
_LARGEST, _SMALLEST = 15, -40  # exponents of an amount
_TOKENS = ("uncached_input_tokens", "cache_read_input_tokens", "cache_write_tokens", "output_tokens")
_GROUPS = {"model": "model", "workspace": "workspace_id", "key": "api_key_id"}


@dataclass(frozen=True, kw_only=True)
class Source:
    """An endpoint that reports usage or cost.

    Attributes:
        groups: The API's name of each group that it knows, beside days.
        in_buckets: Whether its rows stand in buckets of a day; else each row has its own time.
        asks: Groups that are asked for under another name than their rows have.
    """

    path: str
    groups: Mapping[str, str]
    in_buckets: bool = True
    asks: Mapping[str, str] = field(default_factory=dict)

    def knows(self, by: str) -> bool:
        """Whether it can sum by this."""
        return by == "day" or by in self.groups

    def query(self, by: str, begin: date, end: date) -> dict[str, Any]:
        """The parameters for the days from `begin` to before `end`."""
        width = {"bucket_width": "1d"} if self.in_buckets else {"time_bucket_width": "1d"} if by == "day" else {}
        name = "" if by == "day" else self.asks.get(by, self.groups[by])
        return {
            "starting_at": f"{begin}T00:00:00Z",
            "ending_at": f"{end}T00:00:00Z",
            **width,
            "group_by[]": [name] if name else [],
            "limit": MOST_DAYS if self.in_buckets else 1000,
        }


USAGE = (
    Source(path=f"{_ROOT}/analytics/usage", groups=_GROUPS, in_buckets=False),
    Source(path=f"{_ROOT}/usage_report/messages", groups=_GROUPS),
    Source(path=f"{_ROOT}/analytics/usage_report", groups={"model": "model"}),
)
COST = (
    Source(path=f"{_ROOT}/analytics/cost", groups=_GROUPS, in_buckets=False),
    Source(
        path=f"{_ROOT}/cost_report",
        groups={"model": "model", "workspace": "workspace_id"},
        asks={"model": "description"},
    ),
    Source(path=f"{_ROOT}/analytics/cost_report", groups={"model": "model"}),
)


def windows(begin: date, end: date) -> Iterator[tuple[date, date]]:
    """The days from `begin` to before `end`, in pieces that a request may ask for."""
    while begin < end:
        following = min(end, begin + timedelta(days=MOST_DAYS))
        yield begin, following
        begin = following


def usd_of(amount: object) -> Decimal | None:
    """Dollars from an amount in fractional cents; `None` if it is no number."""
    try:
        cents = Decimal(amount if isinstance(amount, str | int) else str(amount))
    except (InvalidOperation, ValueError):
        return None
    if isinstance(amount, bool) or not cents.is_finite():
        return None
    if cents and not _SMALLEST <= cents.adjusted() <= _LARGEST:
        return None
    return shortest(EXACT.divide(cents, _CENTS))


def shortest(number: Decimal) -> Decimal:
    """The same number without zeros at the end of its fraction, and without an exponent."""
    text = f"{number:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


@dataclass(frozen=True, kw_only=True)
class Sums:
    """The sums of a report.

    Attributes:
        rows: Each with the group under the name `by`.
        left_out: How many rows of the report could not be read or are in another currency.
    """

    rows: Sequence[dict[str, Any]]
    left_out: int


def usage_sums(items: Iterable[object], by: str, days: Sequence[date]) -> Sums:
    """Tokens and requests of each group; of days also those without any."""
    rows: dict[str, dict[str, Any]] = {}
    left_out = 0
    for name, fields in _entries(items, by):
        counts = _counts(fields) if name is not None else None
        if counts is None or name is None:
            left_out += 1
            continue
        row = rows.setdefault(name, dict.fromkeys(counts, 0))
        for each, count in counts.items():
            row[each] = None if count is None or row[each] is None else row[each] + count
    return Sums(rows=_ordered(rows, by, days, dict.fromkeys(_USAGE_COLUMNS, 0), "total_tokens"), left_out=left_out)


_USAGE_COLUMNS = (*_TOKENS, "total_tokens", "web_searches", "requests")


def _counts(fields: Mapping[str, Any]) -> dict[str, int | None] | None:
    """The numbers of one row of a report; `None` if one is no number."""
    cache, tools = fields.get("cache_creation") or {}, fields.get("server_tool_use") or {}
    if not isinstance(cache, Mapping) or not isinstance(tools, Mapping):
        return None
    written = [count for name, count in cache.items() if str(name).endswith("_input_tokens")]
    found = [fields.get(name, 0) for name in (_TOKENS[0], _TOKENS[1], _TOKENS[3])]
    searches, requests = tools.get("web_search_requests", 0), fields.get("requests")
    if not all(_is_count(each) for each in (*written, *found, searches, 0 if requests is None else requests)):
        return None
    values = found[0], found[1], sum(written), found[2]
    return {
        **dict(zip(_TOKENS, values, strict=True)),
        "total_tokens": sum(values),
        "web_searches": searches,
        "requests": requests,
    }


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18


def cost_sums(items: Iterable[object], by: str, days: Sequence[date]) -> Sums:
    """Dollars of each group, exact; of days also those without any. `list_usd` is the price before discounts."""
    rows: dict[str, dict[str, Any]] = {}
    left_out = 0
    for name, fields in _entries(items, by):
        usd = usd_of(fields.get("amount")) if fields.get("currency", "USD") == "USD" else None
        if usd is None or name is None:
            left_out += 1
            continue
        listed = usd_of(fields.get("list_amount")) if fields.get("list_amount") is not None else None
        row = rows.setdefault(name, {"usd": Decimal(0), "list_usd": Decimal(0)})
        row["usd"] = EXACT.add(row["usd"], usd)
        row["list_usd"] = None if listed is None or row["list_usd"] is None else EXACT.add(row["list_usd"], listed)
    empty = {"usd": Decimal(0), "list_usd": Decimal(0)}
    return Sums(rows=_ordered(rows, by, days, empty, "usd"), left_out=left_out)


def _entries(items: Iterable[object], by: str) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    """Of each row its group and its fields; the group is `None` if the row cannot be read."""
    for item in items:
        if not isinstance(item, Mapping):
            yield None, {}
            continue
        day = _day(item.get("starting_at"))
        results = item.get("results")
        for row in results if isinstance(results, list) else [item]:
            if not isinstance(row, Mapping):
                yield None, {}
                continue
            fields = row.get("usage", row.get("cost", row))
            group = row if isinstance(results, list) else row.get("group")
            name = day if by == "day" else _text((group or {}).get(_GROUPS[by])) if _is_group(group) else None
            yield (name, fields) if isinstance(fields, Mapping) else (None, {})


def _is_group(group: object) -> bool:
    return group is None or isinstance(group, Mapping)


def _text(name: object) -> str | None:
    """The name of a group; `""` where the API names none, `None` for what is no name."""
    return "" if name is None else name if isinstance(name, str) else None


def _day(moment: object) -> str | None:
    """The UTC day of an RFC 3339 time; `None` if it is none."""
    try:
        found = datetime.fromisoformat(str(moment).replace("Z", "+00:00"))
    except ValueError:
        return None
    return str((found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(timezone.utc).date())


def _ordered(
    rows: Mapping[str, dict[str, Any]], by: str, days: Sequence[date], empty: Mapping[str, Any], measure: str
) -> list[dict[str, Any]]:
    """Days in order, each of them; other groups by what they sum to. A column that the report lacks is left out."""
    lacking = {name for row in rows.values() for name, value in row.items() if value is None}
    if by == "day":
        rows = {**{str(day): dict(empty) for day in days}, **rows}
    names = sorted(rows) if by == "day" else sorted(rows, key=lambda name: (-rows[name][measure], name))
    return [{by: name, **{key: rows[name][key] for key in empty if key not in lacking}} for name in names]
