"""`claude.organization`: lists, what changes something, usage and cost, against an organization that keeps state."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from claude_magic import claude
from claude_magic.errors import APIError, CellError, ExchangeError, SettingsError
from tests.notebook_shell import Shell, forget
from tests.scripted_api import ADMIN_KEY, KEY, ScriptedAPI, error, json_answer
from tests.scripted_api.organization import api_key, user
from tests.server import reply
from tests.test_endpoint_cells import HOSTILE, answered, asks, press

ROOT = "/v1/organizations"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    forget()


def posts(api: ScriptedAPI) -> list[tuple[str, Any]]:
    """What changed something: method and path, and the body."""
    return [
        (f"{each.method} {each.path}", each.json if each.body else None)
        for each in api.server.received
        if each.method != "GET"
    ]


def cell(shell: Shell, code: str) -> Any:
    return asks(shell, f"from claude_magic import claude\n{code}")


def test_who_it_is(api: ScriptedAPI) -> None:
    assert claude.organization.me["name"] == "Example Org"
    assert dict(claude.organization.me) == {
        "id": "12345678-1234-5678-1234-567812345678",
        "type": "organization",
        "name": "Example Org",
    }


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("workspaces", "workspaces"),
        ("members", "users"),
        ("invites", "invites"),
        ("api_keys", "api_keys"),
        ("rate_limits", "rate_limits"),
    ],
)
def test_a_list_has_what_the_api_has(name: str, path: str, api: ScriptedAPI) -> None:
    api.organization.page_size = 2
    claude.organization.invites.create("a@example.com", yes=True)
    found = getattr(claude.organization, name)
    whole = claude.request("GET", f"{ROOT}/{path}", all=True).json["data"]
    assert [dict(each) for each in found] == whole
    assert len(found) == len(whole)
    assert found[0] == whole[0]
    assert [dict(each) for each in found[:1]] == whole[:1]


def test_all_pages_of_a_list_are_asked_for(api: ScriptedAPI) -> None:
    api.organization.page_size = 20
    assert len(claude.organization.members) == 45
    assert len(api.calls) == 3
    for shown in claude.organization.members._repr_mimebundle_().values():
        assert "45 items of 3 pages" in shown


def test_more_rows_than_a_table_shows_are_said_on_the_page_and_in_the_terminal(api: ScriptedAPI) -> None:
    api.organization.users += [user(f"user_{number}") for number in range(100, 300)]
    for shown in claude.organization.members._repr_mimebundle_().values():
        assert "100 of 245 shown" in shown


def test_a_list_is_a_table_on_the_page(api: ScriptedAPI, shell: Shell) -> None:
    ran = cell(shell, "claude.organization.workspaces")
    html = answered(ran)
    assert '<td class="cm-code">wrkspc_01</td>' in html
    assert "<td>Team 1</td>" in html
    assert "wrkspc_01" in ran.data("text/plain")[0]


def test_a_table_says_which_fields_it_leaves_out(api: ScriptedAPI, shell: Shell) -> None:
    html = answered(cell(shell, "claude.organization.workspaces"))
    assert "also compartment_id, display_color, external_key_id: .frame() has all" in html
    html = answered(cell(shell, "claude.organization.api_keys"))
    assert "<td>wrkspc_01</td>" in html
    assert "<td>organization</td>" in html
    assert "<td>user_01</td>" in html


def test_a_list_that_ends_before_its_end_says_so(api: ScriptedAPI) -> None:
    api.server.respond = lambda _: json_answer({"data": [{"id": "rl_1"}], "has_more": True, "next_page": None})
    assert "there are more, and not where they are" in claude.request("GET", f"{ROOT}/rate_limits", all=True).notes[-1]
    assert "there are more, and not where they are" in repr(claude.organization.cost(**PERIOD))


def test_a_list_becomes_a_data_frame(api: ScriptedAPI) -> None:
    frame = claude.organization.api_keys.frame()
    assert list(frame["id"]) == ["apikey_01", "apikey_02"]


def test_a_list_takes_the_parameters_of_the_api_and_no_others(api: ScriptedAPI) -> None:
    claude.organization.workspaces["Team 2"].archive(yes=True)
    assert [each["name"] for each in claude.organization.workspaces] == ["Team 1", "Team 3"]
    assert len(claude.organization.workspaces(include_archived=True)) == 3
    api.organization.users[7]["role"] = "admin"
    found = claude.organization.members(roles=["admin", "billing"])
    assert [each.id for each in found] == ["user_08"]
    assert "roles%5B%5D=admin&roles%5B%5D=billing" in api.calls[-1]
    with pytest.raises(CellError, match=r"no parameter 'colour'. It has email, roles"):
        claude.organization.members(colour="red")


def test_an_item_is_found_by_id_and_by_name(api: ScriptedAPI) -> None:
    assert claude.organization.workspaces["wrkspc_02"]["name"] == "Team 2"
    assert claude.organization.workspaces["Team 2"].id == "wrkspc_02"
    assert claude.organization.members["user_03@example.com"].id == "user_03"
    with pytest.raises(CellError, match=r"nothing here is called 'Team'. Did you mean 'Team 1'"):
        claude.organization.workspaces["Team"]


def test_a_name_that_several_have_is_refused(api: ScriptedAPI) -> None:
    api.organization.keys.append(api_key("apikey_03", "ci", None))
    with pytest.raises(CellError, match=r"2 have the name 'ci'. Use an id: 'apikey_01', 'apikey_03'"):
        claude.organization.api_keys["ci"]


def test_hints_of_keys_are_shown_as_the_api_gives_them_and_never_more(api: ScriptedAPI, shell: Shell) -> None:
    api.organization.keys[1]["partial_key_hint"] = "sk-ant-api03-" + "a1B2" * 12
    html = answered(cell(shell, "claude.organization.api_keys"))
    assert "sk-ant-api03-R2D...igAA" in html
    assert "a1B2" not in html


def test_limits_have_a_column_each(api: ScriptedAPI, shell: Shell) -> None:
    html = answered(cell(shell, "claude.organization.rate_limits"))
    assert "requests_per_minute" in html
    assert "Claude Opus 5.x" in html
    assert "4000" in html


def test_without_an_admin_key_one_line_says_what_to_set(
    api: ScriptedAPI, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_ADMIN_KEY")
    for code in ("me", "workspaces", "cost()", "usage()", "invites.create('a@example.com', yes=True)"):
        ran = cell(shell, f"claude.organization.{code}")
        assert ran.error is not None, code
        assert ran.error[0] == "SettingsError"
        assert re.search(r"ANTHROPIC_ADMIN_KEY.*login\(admin=True\)", ran.error[1]), ran.error
        assert len(ran.error[2]) == 1
    assert api.calls == []


def test_only_the_admin_key_goes_there(api: ScriptedAPI) -> None:
    _ = claude.organization.workspaces, claude.organization.cost(), claude.organization.usage()
    assert {each.headers["x-api-key"] for each in api.server.received} == {ADMIN_KEY}
    assert api.misplaced == []


CHANGES = [
    ("workspaces.create('New', tags={'a': 'b'}", f"POST {ROOT}/workspaces", {"name": "New", "tags": {"a": "b"}}),
    ("workspaces['Team 1'].rename('One'", f"POST {ROOT}/workspaces/wrkspc_01", {"name": "One"}),
    (
        "workspaces['Team 1'].change(display_color='#000000'",
        f"POST {ROOT}/workspaces/wrkspc_01",
        {"display_color": "#000000"},
    ),
    ("workspaces['Team 1'].archive(", f"POST {ROOT}/workspaces/wrkspc_01/archive", None),
    (
        "workspaces[0].add_member(claude.organization.members[1]",
        f"POST {ROOT}/workspaces/wrkspc_01/members",
        {"user_id": "user_02", "workspace_role": "workspace_user"},
    ),
    (
        "invites.create('a@example.com', 'developer'",
        f"POST {ROOT}/invites",
        {"email": "a@example.com", "role": "developer"},
    ),
    ("members['user_02'].set_role('billing'", f"POST {ROOT}/users/user_02", {"role": "billing"}),
    ("members['user_02'].remove(", f"DELETE {ROOT}/users/user_02", None),
    ("api_keys['ci'].rename('build'", f"POST {ROOT}/api_keys/apikey_01", {"name": "build"}),
    ("api_keys['ci'].set_status('inactive'", f"POST {ROOT}/api_keys/apikey_01", {"status": "inactive"}),
    ("api_keys['ci'].archive(", f"POST {ROOT}/api_keys/apikey_01", {"status": "archived"}),
]


@pytest.mark.parametrize(("code", "call", "body"), CHANGES)
def test_a_change_is_shown_first_and_run_sends_it(
    code: str, call: str, body: Any, api: ScriptedAPI, shell: Shell
) -> None:
    ran = cell(shell, f"claude.organization.{code})")
    assert ran.error is None, ran.error
    html = "".join(ran.data("text/html"))
    assert "This changes something. Send it?" in html
    assert call in html
    assert all(str(value) in html for value in (body or {}).values() if isinstance(value, str))
    assert "with the admin key" in html
    assert posts(api) == []
    assert press(shell, "Run").error is None
    assert posts(api) == [(call, body)]


@pytest.mark.parametrize(("code", "call", "body"), CHANGES)
def test_refuse_sends_nothing_and_yes_sends_at_once(
    code: str, call: str, body: Any, api: ScriptedAPI, shell: Shell
) -> None:
    comma = "" if code.endswith("(") else ", "
    cell(shell, f"claude.organization.{code})")
    assert press(shell, "Refuse").error is None
    assert posts(api) == []
    ran = cell(shell, f"claude.organization.{code}{comma}yes=True)")
    assert ran.error is None, ran.error
    assert posts(api) == [(call, body)]


def test_where_nobody_can_be_asked_a_change_is_an_error_that_names_yes(api: ScriptedAPI, shell: Shell) -> None:
    ran = shell.run("from claude_magic import claude\nclaude.organization.invites.create('a@example.com')")
    assert ran.error is not None
    assert "yes=True" in ran.error[1]
    assert posts(api) == []


def test_a_program_without_a_notebook_says_yes_or_changes_nothing(api: ScriptedAPI) -> None:
    with pytest.raises(CellError, match="yes=True"):
        claude.organization.workspaces[0].archive()
    assert posts(api) == []


def test_what_was_changed_is_there_afterwards(api: ScriptedAPI) -> None:
    organization = claude.organization
    made = organization.workspaces.create("New", yes=True)
    assert made is not None
    assert made.rename("Newer", yes=True)["name"] == "Newer"
    added = made.add_member("user_05", "workspace_developer", yes=True)
    assert [each.id for each in made.members] == ["user_05"]
    assert added.set_role("workspace_admin", yes=True)["workspace_role"] == "workspace_admin"
    assert made.members["user_05"].remove(yes=True)["type"] == "workspace_member_deleted"
    assert len(made.members) == 0
    assert made.archive(yes=True)["archived_at"] is not None
    invite = organization.invites.create("a@example.com", yes=True)
    assert invite is not None
    assert organization.invites["a@example.com"].delete(yes=True)["type"] == "invite_deleted"
    assert len(organization.invites) == 0
    assert organization.members[0].remove(yes=True)["type"] == "user_deleted"
    assert len(organization.members) == 44


def test_the_limits_of_a_workspace_are_a_list_of_its_own(api: ScriptedAPI) -> None:
    limit = {"type": "requests_per_minute", "value": 500, "org_limit": 4000, "source": {"type": "workspace"}}
    api.organization.workspace_limits["wrkspc_01"] = [
        {"type": "workspace_rate_limit", "rate_limit_id": "rl_01", "group": {"type": "batch"}, "limits": [limit]}
    ]
    found = claude.organization.workspaces[0].rate_limits
    assert found[0].row() == {"id": "rl_01", "group": "batch", "models": "", "requests_per_minute": 500}
    assert len(found(include_inherited=True)) == 1
    assert api.calls[-1].endswith("rate_limits?include_inherited=true")


@pytest.mark.parametrize("way", ["yes", "button"])
def test_a_workspace_created_incompletely_is_sent_once_and_explained_in_one_line(
    way: str, api: ScriptedAPI, shell: Shell
) -> None:
    api.organization.incomplete = True
    if way == "yes":
        ran = cell(shell, "claude.organization.workspaces.create('New', yes=True)")
        assert ran.error is not None
        line = ran.error[1]
    else:
        cell(shell, "claude.organization.workspaces.create('New')")
        ran = press(shell, "Run")
        line = "".join(str(message) for _, message in ran.messages)
    assert "The workspace exists as wrkspc_04: look at it, and do not create it again." in line
    assert len(posts(api)) == 1
    assert len(api.organization.workspaces) == 4


def test_hostile_names_are_shown_as_text(api: ScriptedAPI, shell: Shell) -> None:
    for number, text in enumerate(HOSTILE):
        api.organization.users[number]["name"] = text
        api.organization.users[number]["id"] = text
        api.organization.reports.spend("2026-11-20", model=text, cents="100", tokens=10)
    for code in (
        "members",
        "members[0]",
        "cost('model', starting='2026-11-20', ending='2026-11-20')",
        "usage('model', starting='2026-11-20', ending='2026-11-20')",
    ):
        ran = cell(shell, f"claude.organization.{code}")
        assert ran.error is None, ran.error
        for html in ran.data("text/html"):
            assert not re.search(r"<(script|img|iframe)\b", html)
            assert "onerror" not in "".join(re.findall(r"<[^>]*>", html))
            assert "\x1b" not in html
            assert "\u202e" not in html
            assert "x" * 40 not in html
        for text in ran.data("text/plain"):
            assert "\x1b" not in text
            assert "\u202e" not in text


def test_an_id_that_leads_elsewhere_changes_nothing(api: ScriptedAPI) -> None:
    api.organization.users[0]["id"] = "../api_keys/apikey_01"
    api.organization.users[1]["id"] = "a?b#c"
    with pytest.raises(CellError):
        claude.organization.members[0].remove(yes=True)
    assert posts(api) == []
    claude.organization.members[1].remove(yes=True)
    assert posts(api) == [(f"DELETE {ROOT}/users/a%3Fb%23c", None)]
    assert api.organization.deleted == ["a?b#c"]


def test_a_list_of_something_else_is_one_line(api: ScriptedAPI) -> None:
    api.server.respond = lambda _: json_answer({"data": ["a", 1], "has_more": False})
    with pytest.raises(ExchangeError, match="something else than objects"):
        _ = claude.organization.members


def spend(api: ScriptedAPI) -> None:
    """Some charges of two models, two workspaces and two keys."""
    reports = api.organization.reports
    for day, model, workspace, key, cents, tokens in (
        ("2026-11-01", "claude-opus-5-5", "wrkspc_01", "apikey_01", "123.45", 100),
        ("2026-11-01", "claude-haiku-5-5", "wrkspc_02", "apikey_02", "0.1", 10),
        ("2026-11-03", "claude-haiku-5-5", None, "apikey_01", "0.1", 20),
        ("2026-11-05", "claude-haiku-5-5", "wrkspc_02", None, "0.1", 30),
    ):
        reports.spend(day, model=model, workspace_id=workspace, api_key_id=key, cents=cents, tokens=tokens)


PERIOD: dict[str, Any] = {"starting": "2026-11-01", "ending": "2026-11-05"}
OLDER = {"analytics": (), "older": (f"{ROOT}/analytics/",)}


def rows(frame: Any, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in frame[list(columns)].itertuples(index=False)]


@pytest.mark.parametrize("generation", OLDER)
def test_cost_by_day_is_exact_and_has_each_day(generation: str, api: ScriptedAPI) -> None:
    spend(api)
    api.organization.reports.denied = OLDER[generation]
    api.organization.reports.page_size = 2
    assert rows(claude.organization.cost(**PERIOD), "day", "usd") == [
        ("2026-11-01", Decimal("1.2355")),
        ("2026-11-02", Decimal(0)),
        ("2026-11-03", Decimal("0.001")),
        ("2026-11-04", Decimal(0)),
        ("2026-11-05", Decimal("0.001")),
    ]


@pytest.mark.parametrize("generation", OLDER)
@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("model", [("claude-opus-5-5", "1.2345"), ("claude-haiku-5-5", "0.003")]),
        ("workspace", [("wrkspc_01", "1.2345"), ("wrkspc_02", "0.002"), ("(none)", "0.001")]),
    ],
)
def test_cost_by_group_is_the_same_from_both_generations(
    by: str, expected: list[tuple[str, str]], generation: str, api: ScriptedAPI
) -> None:
    spend(api)
    api.organization.reports.denied = OLDER[generation]
    api.organization.reports.page_size = 1
    found = claude.organization.cost(by, **PERIOD)
    assert rows(found, by, "usd") == [(name, Decimal(usd)) for name, usd in expected]


def test_three_of_a_tenth_of_a_cent_are_exactly_three_thousandths_of_a_dollar(api: ScriptedAPI) -> None:
    for _ in range(3):
        api.organization.cost.append(
            {"starting_at": "2026-11-01T00:00:00Z", "group": {}, "cost": {"amount": "0.1", "currency": "USD"}}
        )
    found = claude.organization.cost(**PERIOD)
    assert found["usd"].sum() == Decimal("0.003")
    assert "0.003" in found._repr_html_()


def test_an_amount_is_cents_and_is_shown_with_its_fraction(api: ScriptedAPI, shell: Shell) -> None:
    spend(api)
    html = answered(cell(shell, f"claude.organization.cost('model', **{PERIOD!r})"))
    assert "$1.2345</text>" in html
    assert '<td class="cm-number">1.2345</td>' in html
    assert "123.45" not in html.replace("1.2345", "")


def test_cost_by_key_is_of_the_analytics_endpoint_only(api: ScriptedAPI) -> None:
    spend(api)
    found = claude.organization.cost("key", **PERIOD)
    assert rows(found, "key", "usd") == [
        ("apikey_01", Decimal("1.2355")),
        ("(none)", Decimal("0.001")),
        ("apikey_02", Decimal("0.001")),
    ]
    api.organization.reports.denied = OLDER["older"]
    with pytest.raises(ExchangeError, match=r"no report of cost by key: .*refused with HTTP 403.*by key") as caught:
        claude.organization.cost("key", **PERIOD)
    assert "\n" not in str(caught.value)


def test_ids_of_workspaces_and_keys_have_their_names_beside_them(api: ScriptedAPI) -> None:
    spend(api)
    api.organization.workspaces[1]["name"] = HOSTILE[0]
    claude.organization.workspaces["Team 1"].archive(yes=True)
    found = claude.organization.cost("workspace", **PERIOD)
    assert list(found["name"]) == ["Team 1", HOSTILE[0], ""]
    assert ">Team 1</text>" in found._repr_html_()
    assert "<script" not in found._repr_html_()
    assert list(claude.organization.usage("key", **PERIOD)["name"]) == ["ci", "", "notebooks"]


def test_a_key_that_may_not_list_workspaces_still_gets_their_cost(api: ScriptedAPI) -> None:
    spend(api)

    def answer(received: Any) -> Any:
        refused = error(403, "permission_error", "no") if "/workspaces" in received.path else None
        return refused or api.answer(received)

    api.server.respond = answer
    found = claude.organization.cost("workspace", **PERIOD)
    assert "name" not in found
    assert found["usd"].sum() == Decimal("1.2375")


@pytest.mark.parametrize("generation", OLDER)
@pytest.mark.parametrize("by", ["day", "model", "workspace", "key"])
def test_usage_is_summed_by_each_group(by: str, generation: str, api: ScriptedAPI) -> None:
    spend(api)
    api.organization.reports.denied = OLDER[generation]
    found = claude.organization.usage(by, **PERIOD)
    assert found["uncached_input_tokens"].sum() == 160
    assert found["cache_read_input_tokens"].sum() == 320
    assert (found["total_tokens"] - found[["uncached_input_tokens", "cache_read_input_tokens"]].sum(axis=1)).sum() == (
        found["cache_write_tokens"].sum() + found["output_tokens"].sum()
    )
    if by == "key":
        assert list(found["key"]) == ["apikey_01", "(none)", "apikey_02"]
    assert 'aria-label="tokens by' in found._repr_html_()


@pytest.mark.parametrize(
    ("denied", "answers", "refusals"),
    [
        ((), "analytics/cost", []),
        ((f"{ROOT}/analytics/",), "cost_report", ["analytics/cost"]),
        ((f"{ROOT}/analytics/cost", f"{ROOT}/cost_report"), "", ["analytics/cost", "cost_report"]),
    ],
)
def test_it_is_said_which_endpoint_answered_and_why_not_the_first(
    denied: tuple[str, ...], answers: str, refusals: list[str], api: ScriptedAPI, shell: Shell
) -> None:
    spend(api)
    api.organization.reports.denied = denied
    ran = cell(shell, f"claude.organization.cost(**{PERIOD!r})")
    if not answers:
        assert ran.error is not None
        assert f"{ROOT}/analytics/cost_report refused" in ran.error[1]
        return
    html, text = answered(ran), ran.data("text/plain")[0]
    for shown in (html, text):
        assert f"answered by {ROOT}/{answers}, 2026-11-01 to 2026-11-05, days in UTC" in shown
        assert [each for each in refusals if f"{ROOT}/{each} refused with HTTP 403" not in shown] == []


def test_enterprise_reports_answer_where_both_others_refuse(api: ScriptedAPI) -> None:
    spend(api)
    reports = api.organization.reports
    reports.faults = [error(404, "not_found_error", "Not found"), error(403, "permission_error", "no")]
    assert f"answered by {ROOT}/analytics/cost_report" in repr(claude.organization.cost(**PERIOD))


def test_a_server_in_trouble_is_no_reason_for_an_older_report(api: ScriptedAPI) -> None:
    api.organization.reports.faults = [
        error(401, "authentication_error", "invalid", ("x-should-retry", "false")),
        error(500, "api_error", "no", ("x-should-retry", "false")),
    ]
    for _ in range(2):
        with pytest.raises(APIError):
            claude.organization.cost(**PERIOD)
    assert {call.split("?")[0] for call in api.calls} == {f"GET {ROOT}/analytics/cost"}


def test_a_long_period_is_asked_for_in_pieces_that_the_api_allows(api: ScriptedAPI) -> None:
    spend(api)
    found = claude.organization.cost(days=100, ending="2026-11-28")
    assert len(found) == 100
    assert found["usd"].sum() == Decimal("1.2375")
    assert len(api.calls) == 4


def test_a_period_before_the_analytics_begin_is_answered_by_the_older_report(api: ScriptedAPI) -> None:
    api.organization.reports.spend("2025-12-30", cents="250", tokens=1)
    found = claude.organization.cost(starting="2025-12-20", ending="2026-01-10")
    assert found["usd"].sum() == Decimal("2.5")
    assert "must not be before 2026-01-01" in repr(found)


def test_days_are_utc_whatever_zone_a_time_is_written_in(api: ScriptedAPI) -> None:
    api.organization.cost.append(
        {"starting_at": "2026-11-02T23:00:00-05:00", "group": {}, "cost": {"amount": "100", "currency": "USD"}}
    )
    assert ("2026-11-03", Decimal(1)) in rows(claude.organization.cost(**PERIOD), "day", "usd")


@pytest.mark.parametrize(
    "item",
    [
        {"amount": "abc", "currency": "USD"},
        {"amount": "NaN", "currency": "USD"},
        {"amount": "1e999999", "currency": "USD"},
        {"amount": True, "currency": "USD"},
        {"amount": None, "currency": "USD"},
        {"amount": "5", "currency": "EUR"},
        "nothing",
    ],
)
def test_an_amount_that_cannot_be_counted_is_said_and_not_guessed(item: Any, api: ScriptedAPI) -> None:
    good = {"starting_at": "2026-11-02T00:00:00Z", "group": {}, "cost": {"amount": "100", "currency": "USD"}}
    odd = {**good, "cost": item}
    api.organization.cost += [good, odd]
    found = claude.organization.cost(**PERIOD)
    assert found["usd"].sum() == Decimal(1)
    assert "not counted: 1 rows" in repr(found)


@pytest.mark.parametrize(
    "how",
    [
        {"by": "colour"},
        {"days": 0},
        {"days": 9999},
        {"days": True},
        {"starting": "yesterday"},
        {"starting": "2026-11-05", "ending": "2026-11-01"},
        {"starting": "2020-01-01"},
    ],
)
def test_a_period_or_group_that_is_none_is_refused_before_anything_is_sent(
    how: dict[str, Any], api: ScriptedAPI
) -> None:
    for report in (claude.organization.cost, claude.organization.usage):
        with pytest.raises(CellError, match="Nothing was sent"):
            report(**how)
    assert api.calls == []


def test_without_pandas_reports_are_tables_of_our_own(api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    spend(api)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    found = claude.organization.cost("model", **PERIOD)
    assert [row["usd"] for row in found] == [Decimal("1.2345"), Decimal("0.003")]
    assert "<svg" in found._repr_html_()
    assert "1.2345" in repr(found)
    assert "answered by" in repr(found)
    assert "answered by" in found._repr_html_()


def test_cost_stands_beside_what_the_journal_counted(api: ScriptedAPI) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 100}
    api.server.answers(reply("hi", usage=usage))
    exchange = claude("hi", model="claude-haiku-5-5")
    claude.journal.writer.flush()
    assert exchange.usd
    day = exchange.began[:10]
    api.organization.reports.spend(day, model="claude-haiku-5-5", cents="300", tokens=1)
    for by, name in (("day", day), ("model", "claude-haiku-5-5")):
        found = claude.organization.cost(by, starting=day, ending=day)
        ((group, usd, counted, difference),) = rows(found, by, "usd", "journal_usd", "difference_usd")
        assert (group, usd) == (name, Decimal(3))
        assert float(counted) == pytest.approx(exchange.usd)
        assert difference == usd - counted
        assert f"{counted:f} of 3 USD" in repr(found)


def test_what_only_the_journal_knows_is_a_row_too(api: ScriptedAPI) -> None:
    api.server.answers(reply("hi", usage={"input_tokens": 1000, "output_tokens": 100}))
    exchange = claude("hi", model="claude-haiku-5-5")
    claude.journal.writer.flush()
    day = exchange.began[:10]
    found = claude.organization.cost("model", starting=day, ending=day)
    ((model, usd, counted, difference),) = rows(found, "model", "usd", "journal_usd", "difference_usd")
    assert (model, usd) == ("claude-haiku-5-5", Decimal(0))
    assert difference == -counted != 0


def test_the_journal_counts_only_what_went_to_this_endpoint_in_these_days(api: ScriptedAPI) -> None:
    api.server.answers(reply("hi", usage={"input_tokens": 1000, "output_tokens": 100}))
    claude("hi", model="claude-haiku-5-5")
    claude.journal.writer.flush()
    found = claude.organization.cost("model", starting="2026-01-05", ending="2026-01-09")
    assert len(found) == 0
    begin, end = date(2000, 1, 1), date(2100, 1, 1)
    assert claude.journal.spend_between(begin, end, "model", "https://elsewhere.example") == []
    assert len(claude.journal.spend_between(begin, end, "model", api.server.url)) == 1


def test_without_a_journal_there_is_nothing_to_compare_with_and_that_is_said(api: ScriptedAPI) -> None:
    spend(api)
    claude.settings.journal = ""
    found = claude.organization.cost(**PERIOD)
    assert "journal_usd" not in found
    assert "no journal is kept" in repr(found)


def test_reading_is_not_asked_about_and_nothing_shows_a_key(api: ScriptedAPI, shell: Shell) -> None:
    spend(api)
    for code in ("", ".me", ".workspaces", ".members", ".api_keys", ".rate_limits", ".usage()", ".cost()"):
        ran = cell(shell, f"claude.organization{code}")
        assert ran.error is None, ran.error
        everything = json.dumps([ran.outputs, ran.stdout], default=str)
        assert ADMIN_KEY not in everything
        assert KEY not in everything


@pytest.mark.parametrize(
    "first",
    [
        "2026-11-01",
        date(2026, 11, 1),
        datetime(2026, 11, 1, 5),
        "2026-10-31T23:30:00-05:00",
        "2026-11-01T00:00:00Z",
        datetime(2026, 10, 31, 23, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_a_day_may_be_written_in_several_ways_and_is_of_utc(first: Any, api: ScriptedAPI) -> None:
    claude.organization.usage(starting=first, ending="2026-11-03")
    assert "starting_at=2026-11-01T00%3A00%3A00Z&ending_at=2026-11-04T00%3A00%3A00Z" in api.calls[-1]


def test_more_days_than_bars_are_said(api: ScriptedAPI) -> None:
    spend(api)
    found = claude.organization.cost(days=45, ending="2026-11-05")
    assert found._repr_html_().count("<rect") == 40
    assert "the bars show the last 40 of 45" in found._repr_html_()
    assert "the bars show" not in claude.organization.cost(**PERIOD)._repr_html_()


@pytest.mark.slow
def test_tab_and_help_send_nothing(api: ScriptedAPI, shell: Shell) -> None:
    cell(shell, "organization = claude.organization")
    for code in (
        "claude.organization.",
        "claude.organization.workspaces.",
        "organization.members.",
        "organization.me[",
    ):
        found = shell.run(
            "from IPython.core.completer import provisionalcompleter\nwith provisionalcompleter():\n"
            f"    found = [c.text for c in get_ipython().Completer.completions({code!r}, {len(code)})]"
        )
        assert found.error is None
    assert cell(shell, "organization?").error is None
    assert api.calls == []


def test_no_admin_key_is_named_before_a_change_is_asked_about(
    api: ScriptedAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_ADMIN_KEY")
    with pytest.raises(SettingsError, match="ANTHROPIC_ADMIN_KEY"):
        claude.organization.workspaces.create("New")
    assert api.calls == []
