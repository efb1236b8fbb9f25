"""Copying from the page in real JupyterLab and Notebook 7: two clicks, the keyboard, plain http, a busy kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab_page import (
    Lab,
    cell,
    open_in_notebook_7,
    open_notebook,
    run_all,
    save,
    screenshot,
    shut_down_kernel,
    start_all,
    use_theme,
    wait_until_idle,
    write_notebook,
)
from tests.server import Answer, Server, event, text_events

pytestmark = pytest.mark.browser

SOURCE = 'def square(number):\n    return number**2  # "of" <anything> & more\n'
REPLY = f"A program:\n\n```python\n{SOURCE}```\n\nand a command:\n\n```\npip install x\n```\n"
ASK = '%%claude\nSay it\'s "hello" & <more>.'
OPEN = ".jupyter-widget-Collapse-header"
Opener = Callable[[Page, Lab, str], None]
HELD = "() => navigator.clipboard.readText()"
RECORD = """() => {
  window.written = [];
  document.addEventListener('copy', () => {
    const t = document.activeElement;
    window.written.push(t.value.slice(t.selectionStart, t.selectionEnd));
  });
}"""


@pytest.fixture
def api() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def _show(page: Page, lab: Lab, api: Server, *more: str, opener: Opener = open_notebook, start: bool = False) -> None:
    """A notebook in which a cell has asked, and `more` cells after it."""
    pieces = [event(data) for data in text_events([REPLY])]
    stream = (("content-type", "text/event-stream"), ("request-id", "req_011CdeLUpakHYCG43qGLsdXo"))
    api.answers(Answer(headers=stream, pieces=pieces))
    load = (
        f"import os; os.environ['ANTHROPIC_BASE_URL'] = {api.url!r}; os.environ['ANTHROPIC_API_KEY'] = 'key-of-a-test'\n"
        "%load_ext claude_magic\nfrom claude_magic import claude"
    )
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    write_notebook(lab, "copy.ipynb", load, ASK, *more)
    opener(page, lab, "copy.ipynb")
    if start:
        start_all(page)
    else:
        run_all(page)
    cell(page, 1).locator(".cm-summary").first.wait_for()


def _button(page: Page, label: str) -> Locator:
    return page.get_by_role("button", name=label, exact=True)


def _copied(page: Page, label: str) -> str:
    """Press the button, wait until it says so, and read the clipboard."""
    _button(page, label).first.click()
    expect(_button(page, "copied")).to_have_count(1)  # until the mouse leaves it
    text = str(page.evaluate(HELD))
    page.mouse.move(1, 1)
    return text


@pytest.mark.parametrize("opener", [open_notebook, open_in_notebook_7], ids=["lab", "notebook-7"])
def test_two_clicks_copy_the_curl_command(browser_page: Page, lab: Lab, api: Server, opener: Opener) -> None:
    page = browser_page
    program = "from pathlib import Path; Path('last.sh').write_text(claude.last.code('curl'))"
    _show(page, lab, api, program, opener=opener)
    page.locator(OPEN).click()
    page.get_by_role("tab", name="Code").click()

    assert _copied(page, "Copy the program: curl") == (lab.root / "last.sh").read_text()

    page.locator(".cm-panel:visible pre").hover()
    screenshot(page, f"copy-code-{'lab' if opener is open_notebook else 'notebook-7'}-light")
    if opener is open_notebook:
        use_theme(page, dark=True)
        page.locator(".cm-panel:visible pre").hover()
        screenshot(page, "copy-code-lab-dark")


def test_request_response_headers_id_and_each_code_block_are_copied(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    _show(page, lab, api)
    expect(_button(page, "Copy this code")).to_have_count(2)
    cell(page, 1).locator(".cm-reply pre").first.hover()
    screenshot(page, "copy-reply-light")
    assert _copied(page, "Copy this code") == SOURCE
    assert _copied(page, "Copy request-id") == "req_011CdeLUpakHYCG43qGLsdXo"
    page.locator(OPEN).click()
    assert "request-id: req_011CdeLUpakHYCG43qGLsdXo" in _copied(page, "Copy response headers").split("\n")
    page.get_by_role("tab", name="Request").click()
    assert json.loads(_copied(page, "Copy request JSON")) == api.last.json
    page.get_by_role("tab", name="Response").click()
    assert json.loads(_copied(page, "Copy response JSON"))["content"][0]["text"] == REPLY


def test_the_keyboard_reaches_a_button_and_sees_it(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    _show(page, lab, api)
    button = _button(page, "Copy this code").first
    expect(button).to_have_css("opacity", "0")
    page.locator(".jp-NotebookPanel-toolbar").hover()
    button.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(button).to_be_focused()
    expect(button).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    expect(_button(page, "copied")).to_have_count(1)
    assert page.evaluate(HELD) == SOURCE
    assert "jp-mod-commandMode" in (page.locator(".jp-Notebook").get_attribute("class") or "")


@pytest.mark.parametrize("clipboard", ["undefined", "{writeText: () => Promise.reject(new Error('no'))}"])
def test_without_a_clipboard_of_the_page_the_copy_command_does_it(
    browser_page: Page, lab: Lab, api: Server, clipboard: str
) -> None:
    page = browser_page
    page.add_init_script(f"Object.defineProperty(navigator, 'clipboard', {{value: {clipboard}}})")
    _show(page, lab, api)
    page.evaluate(RECORD)
    _button(page, "Copy this code").first.click()
    expect(_button(page, "copied")).to_have_count(1)
    assert page.evaluate("() => window.written") == [SOURCE]
    expect(page.locator("body > textarea")).to_have_count(0)


def test_where_the_page_refuses_both_ways_the_text_is_shown_selected(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.add_init_script("document.execCommand = () => false")
    _show(page, lab, api)
    _button(page, "Copy this code").first.click()
    shown = page.locator(".cm-copy textarea")
    expect(shown).to_be_focused()
    expect(shown).to_have_value(SOURCE)
    assert shown.evaluate("t => t.value.slice(t.selectionStart, t.selectionEnd)") == SOURCE
    expect(_button(page, "copied")).to_have_count(0)
    screenshot(page, "copy-refused-light")
    page.keyboard.press("Shift+Tab")
    expect(shown).to_have_count(0)


def test_a_busy_kernel_does_not_matter(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    wait = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)\n'ended'"
    _show(page, lab, api, wait, start=True)
    try:
        assert _copied(page, "Copy this code") == SOURCE
        expect(cell(page, 2).locator(".jp-InputPrompt")).to_have_text("[*]:")
    finally:
        (lab.root / "go").touch()
    wait_until_idle(page)


def test_reopened_without_a_kernel_and_exported_there_is_no_button(
    new_page: Callable[[], Page], lab: Lab, api: Server
) -> None:
    first = new_page()
    _show(first, lab, api)
    expect(_button(first, "Copy this code")).to_have_count(2)
    save(first)
    shut_down_kernel(first)
    page = new_page()
    open_notebook(page, lab, "copy.ipynb")
    page.locator("details.cm-static").wait_for()
    expect(page.locator(".cm-reply pre")).to_have_count(2)
    expect(page.locator(".cm-copy, .cm-copy-line")).to_have_count(0)

    run = [sys.executable, "-m", "nbconvert", "--log-level=ERROR", "--to", "html", str(lab.root / "copy.ipynb")]
    subprocess.run(run, check=True, env=lab.environ, cwd=lab.root)
    page = new_page()
    page.goto((lab.root / "copy.html").as_uri(), wait_until="domcontentloaded")
    expect(page.locator(".cm-reply pre")).to_have_count(2)
    expect(page.locator(".cm-copy, .cm-copy-line, .cm-reply button")).to_have_count(0)
