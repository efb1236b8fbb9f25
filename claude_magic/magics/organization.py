"""`claude.organization`: who it is, its workspaces, members, invites, keys and limits, its usage and cost.

Each access asks the API, with the admin key. What changes something is shown first with Run and Refuse, as under
`%claude --post`; `yes=True` sends it at once.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ..api.endpoints.reports import BY
from ..errors import APIError, CellError
from .organization_items import ROOT, Item, RateLimit, Workspace, get
from .organization_lists import Invites, Keys, Listing, Members, Workspaces

if TYPE_CHECKING:
    from .claude import ClaudeHandle

_DAYS = 30
_PARTS = ("me", "workspaces", "members", "invites", "api_keys", "rate_limits", "usage(by)", "cost(by)")


class Organization:
    """The organization of the admin key."""

    def __init__(self, handle: ClaudeHandle) -> None:
        self._handle = handle

    @property
    def me(self) -> Item:
        """The organization that the key belongs to.

        Raises:
            SettingsError: There is no admin key.
            ExchangeError: The API refused.
        """
        return Item(self._handle, get(self._handle, f"{ROOT}/me"))

    @property
    def workspaces(self) -> Workspaces:
        """The workspaces; `.create(name)` makes one, `["Team A"]` finds one by name or id."""
        return Workspaces(self._handle)

    @property
    def members(self) -> Members:
        """The members; found by id, name or email."""
        return Members(self._handle)

    @property
    def invites(self) -> Invites:
        """The invites; `.create(email)` invites someone."""
        return Invites(self._handle)

    @property
    def api_keys(self) -> Keys:
        """The API keys, with the hints that the API gives; found by id or name. The API creates none."""
        return Keys(self._handle)

    @property
    def rate_limits(self) -> Listing[RateLimit]:
        """The rate limits, one row a group of models or endpoints."""
        return Listing(self._handle, RateLimit, f"{ROOT}/rate_limits")

    def usage(self, by: str = "day", *, days: int = _DAYS, starting: object = None, ending: object = None) -> Any:
        """Tokens and requests, as a table with bars; a DataFrame where pandas is installed.

        Args:
            by: `day`, `model`, `workspace` or `key`.
            days: How many UTC days, up to and with `ending`.
            starting: The first day instead, such as `"2026-11-01"`.
            ending: The last day; `None` for today.

        Raises:
            CellError: `by` or a day is none of these.
            ClaudeError: No endpoint reports it to this key.
        """
        from ..display.tables.spending import report_table
        from ..session.organization_report import usage_report

        period = _group(by), *_period(days, starting, ending)
        names = self._names(by)
        report = usage_report(self._handle.session, *period)
        return report_table(report.rows, by, report.notes, is_cost=False, names=names)

    def cost(self, by: str = "day", *, days: int = _DAYS, starting: object = None, ending: object = None) -> Any:
        """Dollars, exact; by day and by model beside what the journal counted. Arguments and errors as of `usage`."""
        from ..display.tables.spending import report_table
        from ..session.organization_report import cost_report

        period = _group(by), *_period(days, starting, ending)
        names = self._names(by)
        report = cost_report(self._handle.session, *period)
        return report_table(report.rows, by, report.notes, is_cost=True, names=names)

    def _names(self, by: str) -> dict[str, str]:
        """The names of workspaces or keys by id, as far as this key may read them."""
        if by not in ("workspace", "key"):
            return {}
        try:
            every = {"include_archived": True, "include_default": True}
            several: Listing[Any] = (
                self.api_keys if by == "key" else Listing(self._handle, Workspace, Workspace.path, every)
            )
        except APIError as error:
            if error.status in (403, 404):
                return {}
            raise
        return {each.id: str(each.get("name", "")) for each in several}

    def __repr__(self) -> str:
        return f"claude.organization: .{', .'.join(_PARTS)}"


def _group(by: str) -> str:
    if by not in BY:
        raise CellError(f"by={str(by)[:40]!r} is not known. It must be one of {', '.join(BY)}. Nothing was sent.")
    return by


def _period(days: int, starting: object, ending: object) -> tuple[date, date]:
    """The first day, and the day after the last."""
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 366:
        raise CellError(f"days={str(days)[:40]!r} is not a number of days, from 1 to 366. Nothing was sent.")
    last = datetime.now(timezone.utc).date() if ending is None else _utc_day(ending)
    first = last - timedelta(days=days - 1) if starting is None else _utc_day(starting)
    if not 0 <= (last - first).days < 366:
        raise CellError(f"from {first} to {last} is not a period of 1 to 366 days. Nothing was sent.")
    return first, last + timedelta(days=1)


def _utc_day(moment: object) -> date:
    if isinstance(moment, date) and not isinstance(moment, datetime):
        return moment
    try:
        found = moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment).replace("Z", "+00:00"))
        return (found.astimezone(timezone.utc) if found.tzinfo else found).date()
    except (ValueError, OverflowError):
        raise CellError(f"not a day: {str(moment)[:40]!r}. It looks like '2026-11-01'. Nothing was sent.") from None
