"""What `claude.organization` sends is what the official SDK sends: method, path, query, body, beta header."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import anthropic
import pytest

from claude_magic import claude
from tests.notebook_shell import forget
from tests.scripted_api import ADMIN_KEY, ScriptedAPI
from tests.server import Received

_DAYS = {"starting_at": "2026-11-01T00:00:00Z", "ending_at": "2026-11-06T00:00:00Z", "limit": 1000}
_PERIOD: dict[str, Any] = {"starting": "2026-11-01", "ending": "2026-11-05"}
PAIRS: list[tuple[str, Callable[[], Any], Callable[[Any], Any]]] = [
    ("me", lambda: claude.organization.me, lambda org: org.retrieve()),
    ("workspaces", lambda: claude.organization.workspaces, lambda org: list(org.workspaces.list(limit=1000))),
    (
        "archived workspaces",
        lambda: claude.organization.workspaces(include_archived=True, ids=["a", "é b"]),
        lambda org: list(org.workspaces.list(limit=1000, include_archived=True, ids=["a", "é b"])),
    ),
    ("members", lambda: claude.organization.members, lambda org: list(org.users.list(limit=1000))),
    (
        "members of roles",
        lambda: claude.organization.members(roles=["admin", "user"], email="a+b@example.com"),
        lambda org: list(org.users.list(limit=1000, roles=["admin", "user"], email="a+b@example.com")),
    ),
    ("invites", lambda: claude.organization.invites, lambda org: list(org.invites.list(limit=1000))),
    ("keys", lambda: claude.organization.api_keys, lambda org: list(org.api_keys.list(limit=1000))),
    ("limits", lambda: claude.organization.rate_limits, lambda org: list(org.rate_limits.list())),
    (
        "create",
        lambda: claude.organization.workspaces.create("Té", tags={"a": "b"}, yes=True),
        lambda org: org.workspaces.create(name="Té", tags={"a": "b"}),
    ),
    (
        "rename",
        lambda: claude.organization.workspaces["wrkspc_01"].rename("B", yes=True),
        lambda org: org.workspaces.update("wrkspc_01", name="B"),
    ),
    (
        "archive",
        lambda: claude.organization.workspaces["wrkspc_01"].archive(yes=True),
        lambda org: org.workspaces.archive("wrkspc_01"),
    ),
    (
        "add a member",
        lambda: claude.organization.workspaces[0].add_member("user_02", "workspace_developer", yes=True),
        lambda org: org.workspaces.members.add("wrkspc_01", user_id="user_02", workspace_role="workspace_developer"),
    ),
    (
        "invite",
        lambda: claude.organization.invites.create("a@example.com", "developer", yes=True),
        lambda org: org.invites.create(email="a@example.com", role="developer"),
    ),
    (
        "role",
        lambda: claude.organization.members["user_02"].set_role("billing", yes=True),
        lambda org: org.users.update("user_02", role="billing"),
    ),
    (
        "remove",
        lambda: claude.organization.members["user_02"].remove(yes=True),
        lambda org: org.users.remove("user_02"),
    ),
    (
        "rename a key",
        lambda: claude.organization.api_keys["ci"].rename("build", yes=True),
        lambda org: org.api_keys.update("apikey_01", name="build"),
    ),
    (
        "archive a key",
        lambda: claude.organization.api_keys["ci"].archive(yes=True),
        lambda org: org.api_keys.update("apikey_01", status="archived"),
    ),
]
REPORTS: list[tuple[str, Callable[[], Any], Callable[[Any], Any]]] = [
    (
        f"{what} by {by}",
        lambda what=what, by=by: getattr(claude.organization, what)(by, **_PERIOD),  # type: ignore[misc]
        lambda analytics, what=what, how=how: list(getattr(analytics, what).list(**_DAYS, **how)),  # type: ignore[misc]
    )
    for what in ("usage", "cost")
    for by, how in (
        ("day", {"time_bucket_width": "1d"}),
        ("model", {"group_by": ["model"]}),
        ("workspace", {"group_by": ["workspace_id"]}),
        ("key", {"group_by": ["api_key_id"]}),
    )
]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    forget()


def sdk(api: ScriptedAPI) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key=ADMIN_KEY, base_url=api.server.url, max_retries=0)


def wire(received: Received) -> tuple[Any, ...]:
    path, _, query = received.path.partition("?")
    return received.method, path, sorted(query.split("&")), received.body, received.headers.get("anthropic-beta")


@pytest.mark.parametrize(("name", "ours", "theirs"), PAIRS, ids=[each[0] for each in PAIRS])
def test_a_call_is_that_of_the_sdk(
    name: str, ours: Callable[[], Any], theirs: Callable[[Any], Any], endpoint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", ADMIN_KEY)
    api = ScriptedAPI(endpoint)
    ours()
    first = api.server.last
    theirs(sdk(ScriptedAPI(endpoint)).organization)  # another one, without what ours has changed
    second = api.server.last
    assert first is not second
    assert wire(first) == wire(second)
    assert first.headers.get("content-type") == second.headers.get("content-type")


@pytest.mark.parametrize(("name", "ours", "theirs"), REPORTS, ids=[each[0] for each in REPORTS])
def test_a_report_is_asked_for_as_the_sdk_does(
    name: str, ours: Callable[[], Any], theirs: Callable[[Any], Any], api: ScriptedAPI
) -> None:
    ours()
    (first,) = [each for each in api.server.received if "/analytics/" in each.path]
    theirs(sdk(api).beta.organization.analytics)
    assert wire(first) == wire(api.server.last)


def test_the_sdk_reads_the_reports_of_the_scripted_api_as_ours_are_read(api: ScriptedAPI) -> None:
    api.organization.reports.spend("2026-11-02", model="claude-opus-5-5", cents="123.45", tokens=7)
    (row,) = sdk(api).beta.organization.analytics.cost.list(**_DAYS, group_by=["model"])  # type: ignore[arg-type]
    found = claude.organization.cost("model", **_PERIOD)
    assert row.group.model == found["model"][0]
    assert Decimal(row.cost.amount) == found["usd"][0] * 100
