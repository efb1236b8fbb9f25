"""Several cells that wait for approval in real JupyterLab: their buttons side by side, and after a restart."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab_page import (
    Lab,
    cell,
    open_notebook,
    outputs,
    restart_kernel,
    run_all,
    run_cell,
    screenshot,
    use_theme,
    write_notebook,
)
from tests.browser.test_tools_page import api, button, loading, seen
from tests.server import Server, reply
from tests.tool_streams import asks

pytestmark = pytest.mark.browser
__all__ = ["api"]  # the fixture


def test_two_cells_wait_with_buttons_of_their_own_and_are_answered_in_any_order(
    browser_page: Page, lab: Lab, api: Server
) -> None:
    page = browser_page
    api.answers(
        asks(("pay", {"amount": 5, "to": "Ada"}), text="I pay Ada."),
        asks(("pay", {"amount": 6, "to": "Bob"}), ("pay", {"amount": 7, "to": "Cy"}), text="I pay both."),
        reply("Bob and Cy are paid."),
        reply("Ada is paid."),
    )
    ask = "%%claude --no-panel --tools pay\nPay {}."
    cells = [ask.format("Ada 5 euros"), ask.format("Bob 6 euros and Cy 7"), "print(ran)"]
    write_notebook(lab, "two.ipynb", loading(api), *cells)
    open_notebook(page, lab, "two.ipynb")
    page.set_viewport_size({"width": 1100, "height": 1700})
    run_all(page)
    expect(button(page, "Run")).to_have_count(3)
    expect(button(page, "Refuse all")).to_be_visible()
    for dark in (False, True):
        use_theme(page, dark=dark)
        screenshot(page, f"waiting-two-{'dark' if dark else 'light'}")
    run, refuse = (
        cell(page, 1).get_by_role("button", name=name, exact=True).evaluate("e => getComputedStyle(e).backgroundColor")
        for name in ("Run", "Refuse")
    )
    assert run != refuse
    button(page, "Run all").click()
    expect(outputs(page, 2).filter(has_text="Bob and Cy are paid.").first).to_be_visible()
    expect(button(page, "Run")).to_have_count(1)
    button(page, "Run").click()
    expect(outputs(page, 1).filter(has_text="Ada is paid.").first).to_be_visible()
    run_cell(page, 3)
    assert seen(page, 3).strip() == "[(6, 'Bob'), (7, 'Cy'), (5, 'Ada')]"


def test_after_a_restart_the_page_says_how_to_go_on_and_that_works(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    api.answers(asks(("pay", {"amount": 5, "to": "Ada"}), text="I pay Ada."), reply("Ada is paid."))
    question = "%%claude --tools pay -o said\nPay Ada 5 euros."
    write_notebook(lab, "restart.ipynb", loading(api), question, "%claude --approve", "print(said, ran)")
    open_notebook(page, lab, "restart.ipynb")
    run_cell(page, 0)
    run_cell(page, 1)
    expect(button(page, "Run")).to_be_visible()
    restart_kernel(page)
    screenshot(page, "waiting-restarted")
    told = cell(page, 1).get_by_text(re.compile(r"%claude --approve \d+ runs it")).filter(visible=True)
    expect(told).to_have_count(1)
    expect(button(page, "Run")).to_have_count(0)
    run_cell(page, 0)
    run_cell(page, 2)
    expect(outputs(page, 2).filter(has_text="Ada is paid.").first).to_be_visible()
    run_cell(page, 3)
    assert seen(page, 3).strip() == "Ada is paid. [(5, 'Ada')]"
    screenshot(page, "waiting-went-on")
