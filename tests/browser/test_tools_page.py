"""Tools in real JupyterLab: a call is shown, asks, and is run, refused or changed with buttons; what is saved stays."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab_page import (
    Lab,
    cell,
    open_notebook,
    outputs,
    run_all,
    run_cell,
    save,
    screenshot,
    shut_down_kernel,
    use_theme,
    write_notebook,
)
from tests.server import Server, reply
from tests.tool_streams import asks

pytestmark = pytest.mark.browser

FUNCTIONS = '''
from claude_magic import claude
ran = []

@claude.tool
def pay(amount: int, to: str = "nobody") -> dict:
    """Pay.

    Args:
        amount: In euros.
        to: Whom.
    """
    ran.append((amount, to))
    return {"paid": amount, "to": to, "receipt": f"R-{1000 + amount}"}
'''


@pytest.fixture
def api() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def loading(api: Server) -> str:
    return (
        f"import os; os.environ['ANTHROPIC_BASE_URL'] = {api.url!r}\n"
        f"os.environ['ANTHROPIC_API_KEY'] = 'key-of-the-test'\n%load_ext claude_magic\n{FUNCTIONS}"
    )


def seen(page: Page, index: int) -> str:
    """What a reader sees of a cell's outputs, folded text included."""
    return str(outputs(page, index).evaluate_all("es => es.map(e => e.textContent).join(' ')"))


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def asked(page: Page, lab: Lab, api: Server, name: str, *cells: str) -> None:
    """Run a notebook whose second cell waits for its reader."""
    write_notebook(lab, name, loading(api), "%%claude -c --tools pay -o said\nPay Ada 5 euros.", "print(ran)", *cells)
    open_notebook(page, lab, name)
    run_cell(page, 0)
    run_cell(page, 1)
    expect(button(page, "Run")).to_be_visible()
    run_cell(page, 2)
    assert seen(page, 2).strip() == "[]"


def test_a_call_waits_for_its_button_and_the_reply_comes_below(
    browser_page: Page, lab: Lab, api: Server, foreign_requests: list[str]
) -> None:
    page = browser_page
    api.answers(asks(("pay", {"amount": 5, "to": "Ada"}), text="I pay."), reply("Paid: **5 euros** to Ada."))
    asked(page, lab, api, "approve.ipynb")
    screenshot(page, "tools-waiting")
    button(page, "Run").click()
    expect(outputs(page, 1).filter(has_text="Paid: 5 euros to Ada.").first).to_be_visible()
    expect(button(page, "Run")).to_have_count(0)
    run_cell(page, 2)
    assert seen(page, 2).strip() == "[(5, 'Ada')]"
    assert "R-1005" in seen(page, 1)
    screenshot(page, "tools-approved")
    save(page)
    saved = json.loads((lab.root / "approve.ipynb").read_text())
    text = json.dumps(saved["cells"][1]["outputs"])
    assert "Paid: <strong>5 euros</strong> to Ada." in text
    assert "R-1005" in text
    shut_down_kernel(page)
    open_notebook(page, lab, "approve.ipynb")
    expect(outputs(page, 1).filter(has_text="Paid: 5 euros to Ada.").first).to_be_visible()
    expect(cell(page, 1)).not_to_contain_text("model not found", use_inner_text=True)
    assert foreign_requests == []


def test_a_call_is_refused_with_a_reason(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    api.answers(asks(("pay", {"amount": 500})), reply("I did not pay."))
    asked(page, lab, api, "refuse.ipynb")
    page.get_by_placeholder("why you refuse").fill("too much")
    button(page, "Refuse").click()
    expect(outputs(page, 1).filter(has_text="I did not pay.").first).to_be_visible()
    run_cell(page, 2)
    assert seen(page, 2).strip() == "[]"
    assert "too much" in json.dumps(api.last.json["messages"][-1])


def test_arguments_are_edited_with_the_keyboard_only(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    api.answers(asks(("pay", {"amount": 500})), reply("Paid less."))
    asked(page, lab, api, "edit.ipynb")
    button(page, "Edit arguments").focus()
    page.keyboard.press("Enter")
    field = page.locator(".cm-approval textarea")
    expect(field).to_be_visible()
    field.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type('{"amount": }')
    button(page, "Run with these arguments").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".cm-approval .cm-error")).to_contain_text("not JSON")
    field.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type('{"amount": 5}')
    button(page, "Run with these arguments").focus()
    page.keyboard.press("Enter")
    expect(outputs(page, 1).filter(has_text="Paid less.").first).to_be_visible()
    run_cell(page, 2)
    assert seen(page, 2).strip() == "[(5, 'nobody')]"


def test_each_further_call_asks_in_the_same_place(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    api.answers(
        asks(("pay", {"amount": 1})), asks(("pay", {"amount": 2}), ("pay", {"amount": 3})), reply("All is paid.")
    )
    asked(page, lab, api, "further.ipynb")
    button(page, "Run").click()
    expect(button(page, "Run all")).to_be_visible()
    assert len(api.received) == 2
    button(page, "Run all").click()
    expect(outputs(page, 1).filter(has_text="All is paid.").first).to_be_visible()
    run_cell(page, 2)
    assert seen(page, 2).strip() == "[(1, 'nobody'), (2, 'nobody'), (3, 'nobody')]"
    use_theme(page, dark=True)
    screenshot(page, "tools-dark")


def test_step_shows_every_message(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    api.answers(asks(("pay", {"amount": 5})), reply("Paid."))
    write_notebook(lab, "step.ipynb", loading(api), "%%claude --tools pay --step\nPay 5.", "print(ran)")
    open_notebook(page, lab, "step.ipynb")
    run_all(page)
    button(page, "Run").click()
    expect(button(page, "Send the results")).to_be_visible()
    assert len(api.received) == 1
    screenshot(page, "tools-step")
    button(page, "Send the results").click()
    expect(outputs(page, 1).filter(has_text="Paid.").first).to_be_visible()
    shown = seen(page, 1)
    assert all(text in shown for text in ("Pay 5.", "tool_use", "tool_result", "R-1005"))
    screenshot(page, "tools-stepped")


def test_a_word_in_another_cell_takes_the_buttons_away(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    api.answers(asks(("pay", {"amount": 5})), reply("Paid."))
    asked(page, lab, api, "word.ipynb", "%claude --approve")
    run_cell(page, 3)
    expect(outputs(page, 3).filter(has_text="Paid.").first).to_be_visible()
    expect(button(page, "Run")).to_have_count(0)
    assert "R-1005" in seen(page, 1)
