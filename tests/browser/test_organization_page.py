"""The organization in real JupyterLab: its lists, the bars of its cost, and a change that waits for its button."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab_page import (
    Lab,
    cell,
    open_notebook,
    outputs,
    run_cell,
    screenshot,
    shut_down_kernel,
    write_notebook,
)
from tests.scripted_api import ADMIN_KEY, KEY, ScriptedAPI
from tests.server import Server

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>'


@pytest.fixture
def api() -> Iterator[ScriptedAPI]:
    server = Server()
    yield ScriptedAPI(server)
    server.close()


def loading(api: ScriptedAPI) -> str:
    return (
        f"import os; os.environ['ANTHROPIC_BASE_URL'] = {api.server.url!r}\n"
        f"os.environ['ANTHROPIC_API_KEY'] = {KEY!r}\nos.environ['ANTHROPIC_ADMIN_KEY'] = {ADMIN_KEY!r}\n"
        "%load_ext claude_magic\nfrom claude_magic import claude"
    )


def test_lists_bars_and_a_change_with_its_button(browser_page: Page, lab: Lab, api: ScriptedAPI) -> None:
    page, name = browser_page, "organization.ipynb"
    organization = api.organization
    organization.workspaces[1]["name"] = HOSTILE
    for number in range(1, 15):
        model = HOSTILE if number % 5 == 0 else "claude-opus-5-5" if number % 2 else "claude-haiku-5-5"
        organization.reports.spend(
            f"2026-11-{number:02d}",
            model=model,
            cents=f"{number * 31}.45",
            tokens=number * 900,
            workspace_id=f"wrkspc_0{number % 3 + 1}",
        )
    period = "starting='2026-11-01', ending='2026-11-14'"
    shown = (
        "claude.organization.workspaces",
        "claude.organization.api_keys",
        "claude.organization.rate_limits",
        f"claude.organization.cost({period})",
        f"claude.organization.cost('model', {period})",
        f"claude.organization.usage('model', {period})",
        f"claude.organization.cost('workspace', {period})",
    )
    write_notebook(lab, name, loading(api), *shown, "claude.organization.workspaces.create('Team B')")
    open_notebook(page, lab, name)
    told = {1: "Team 1", 2: "sk-ant-api03-R2D...igAA", 4: "answered by /v1/organizations/analytics/cost", 7: "Team 3"}
    for number in range(len(shown) + 1):
        run_cell(page, number)
        cell(page, number).scroll_into_view_if_needed()
        expect(cell(page, number)).to_contain_text(told.get(number, ""))
        screenshot(cell(page, number), f"organization-{number}")
        if number == 4:
            expect(outputs(page, number).locator("svg rect")).to_have_count(14)
    asked = len(shown) + 1
    run_cell(page, asked)
    run = page.get_by_role("button", name="Run", exact=True)
    expect(run).to_be_visible()
    screenshot(cell(page, asked), "organization-asks")
    assert [each for each in api.calls if each.startswith("POST")] == []
    run.click()
    expect(cell(page, asked)).to_contain_text("wrkspc_04")
    expect(run).to_be_hidden()
    screenshot(cell(page, asked), "organization-created")
    assert organization.workspaces[-1]["name"] == "Team B"
    assert page.evaluate("window.ran") is None
    shut_down_kernel(page)
