"""The panel in real JupyterLab: live, reopened, untrusted, executed headlessly, converted; seen and operated."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab_page import (
    Lab,
    cell,
    open_notebook,
    outputs,
    restart_kernel,
    run_all,
    save,
    screenshot,
    shut_down_kernel,
    trust,
    use_theme,
    write_notebook,
)
from tests.panel_exchange import ORGANIZATION_ID, REQUEST_ID

pytestmark = pytest.mark.browser

ASK = """from IPython.display import publish_display_data
from tests.panel_exchange import exchange
from claude_magic.display.panel.panel import panel_bundles
publish_display_data({"text/html": "<p>The reply.</p>", "text/plain": "The reply."})
for bundle in panel_bundles(exchange()):
    publish_display_data(bundle)"""
AFTER = "'what stands below'"
CLOSE = "from claude_magic.display.panel import live_panels; live_panels.close_all()"
TITLE = "Response headers, usage, request"
ERROR = "Error displaying widget"
TAB = ".cm-static details > div:visible"


@pytest.fixture(scope="module")
def executed(lab: Lab) -> str:
    """A notebook as nbclient leaves it: executed without a page, the widgets' state in its metadata."""
    path = write_notebook(lab, "executed.ipynb", ASK, AFTER)
    _nbconvert(lab, "--to", "notebook", "--execute", "--inplace", str(path))
    return path.name


def test_live_only_the_widget_is_seen_and_its_tabs_are_read(
    browser_page: Page, lab: Lab, foreign_requests: list[str]
) -> None:
    page = browser_page
    said = _console_errors(page)
    _show_live(page, lab, "live.ipynb")

    assert _seen(page) == ["The reply.", TITLE]
    screenshot(page, "panel-closed-light")
    page.locator(".jupyter-widget-Collapse-header").click()
    panel = page.locator(".cm-panel:visible")
    expect(panel).to_contain_text(ORGANIZATION_ID)
    expect(panel).to_contain_text("130,000 of 2,000,000 left · resets in 2 h 20 min")
    screenshot(page, "panel-headers-light")
    for tab, fact in {
        "Usage": "tokens per second",
        "Request": "$ANTHROPIC_API_KEY",
        "Response": '"stop_reason": "end_turn"',
        "Events": "content_block_delta",
        "Code": "curl https://api.anthropic.com",
    }.items():
        page.get_by_role("tab", name=tab).click()
        expect(panel).to_contain_text(fact)
        screenshot(page, f"panel-{tab.lower()}-light")
    page.get_by_label("Language", exact=True).select_option("Python")
    expect(panel).to_contain_text("import anthropic")
    expect(page.locator(".cm-others:visible")).to_have_count(0)
    screenshot(page, "panel-python-light")
    use_theme(page, dark=True)
    screenshot(page, "panel-events-dark")
    page.get_by_role("tab", name="Headers").click()
    screenshot(page, "panel-headers-dark")
    assert panel.evaluate("e => e.scrollHeight > e.clientHeight && e.clientHeight < 420")
    restart_kernel(page)
    assert _seen(page)[1].startswith(TITLE)
    assert said == []
    assert foreign_requests == []


def test_keyboard_and_mouse_open_it_change_tabs_and_close_it(browser_page: Page, lab: Lab) -> None:
    page = browser_page
    _show_live(page, lab, "keyboard.ipynb")
    panel = page.locator(".cm-panel:visible")
    control = page.locator(".cm-key > summary")
    control.focus()
    assert control.evaluate("e => e.tabIndex") == 0
    expect(control).to_be_focused()
    screenshot(page, "panel-focus-light")

    page.keyboard.press("Enter")
    expect(panel).to_contain_text(ORGANIZATION_ID)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(panel).to_contain_text("stop reason")
    page.keyboard.press("Shift+Tab")
    expect(control).to_be_focused()
    page.keyboard.press("Space")
    expect(panel).to_have_count(0)
    page.keyboard.press("Enter")
    expect(panel).to_have_count(1)
    header = page.locator(".jupyter-widget-Collapse-header")
    header.click()
    expect(panel).to_have_count(0)
    header.click()
    expect(panel).to_have_count(1)
    assert "jp-mod-commandMode" in (page.locator(".jp-Notebook").get_attribute("class") or "")


def test_a_closed_widget_gives_way_to_its_twin(browser_page: Page, lab: Lab) -> None:
    page = browser_page
    _show_live(page, lab, "replaced.ipynb", CLOSE)

    expect(page.locator("details.cm-static")).to_be_visible()
    assert _seen(page) == ["The reply.", TITLE]


def test_reopened_with_a_new_kernel_only_the_twin_is_seen(new_page: Callable[[], Page], lab: Lab) -> None:
    first = new_page()
    _show_live(first, lab, "reopened.ipynb")
    live_gap = _gap(first)
    save(first)
    shut_down_kernel(first)

    page = new_page()
    open_notebook(page, lab, "reopened.ipynb")
    expect(page.locator("details.cm-static")).to_be_visible()
    assert _seen(page) == ["The reply.", TITLE]
    assert ERROR not in page.locator(".jp-Notebook").inner_text(timeout=1000)
    assert abs(_gap(page) - live_gap) < 20
    _open_twin(page)
    expect(page.locator(TAB)).to_contain_text(ORGANIZATION_ID)
    screenshot(page, "panel-twin-light")
    for title in ("Usage", "Request", "Response", "Events", "Code"):
        page.locator("details.cm-static > details > summary", has_text=title).last.click()
    expect(page.locator(TAB).last).to_contain_text("curl https://api.anthropic.com")
    screenshot(page.locator("details.cm-static"), "panel-twin-all-light")
    use_theme(page, dark=True)
    screenshot(page.locator("details.cm-static"), "panel-twin-all-dark")


def test_executed_by_nbclient_the_twin_is_read_until_the_notebook_is_trusted_then_the_widget(
    browser_page: Page, lab: Lab, executed: str, foreign_requests: list[str]
) -> None:
    page = browser_page
    open_notebook(page, lab, executed)
    assert _seen(page) == ["The reply.", TITLE]
    _open_twin(page)
    expect(page.locator(TAB)).to_contain_text("19,999 of 20,000 left")
    screenshot(page, "panel-untrusted-light")

    trust(page)
    page.locator(".jupyter-widget-Collapse-header").click()
    expect(page.locator(".cm-panel:visible")).to_contain_text(ORGANIZATION_ID)
    assert len(_seen(page)) == 2
    screenshot(page, "panel-nbclient-light")
    page.get_by_role("tab", name="Code").click()
    expect(page.locator(".cm-panel:visible")).to_contain_text('claude.last.code(…) with "python"')
    screenshot(page, "panel-nbclient-code-light")
    assert foreign_requests == []


def test_converted_to_html_offline_the_twin_is_seen_alone(
    new_page: Callable[[], Page], lab: Lab, executed: str
) -> None:
    _nbconvert(lab, "--to", "html", str(lab.root / executed))
    page = new_page()
    page.goto((lab.root / executed).with_suffix(".html").as_uri(), wait_until="domcontentloaded")

    body = page.locator("body").inner_text()
    assert body.count(TITLE) == 1
    assert ERROR not in body
    _open_twin(page)
    expect(page.locator(TAB)).to_contain_text(ORGANIZATION_ID)
    screenshot(page, "panel-nbconvert-light")


def test_with_every_style_stripped_the_twin_is_read(new_page: Callable[[], Page], lab: Lab, executed: str) -> None:
    """As GitHub shows it: no style, no class, no script."""
    saved = json.loads((lab.root / executed).read_text())["cells"][0]["outputs"][-1]["data"]["text/html"]
    source = "".join(saved)
    stripped = re.sub(r' (class|style|role|aria-label)="[^"]*"', "", re.sub(r"(?s)<style>.*?</style>", "", source))
    page = new_page()
    page.set_content(f"<p>The reply.</p>{stripped}")

    assert page.locator("body").inner_text().split("\n\n") == ["The reply.", TITLE]
    page.locator("summary", has_text=TITLE).click()
    page.locator("details > details > summary", has_text="Headers").last.click()
    assert f"request-id\t{REQUEST_ID}" in page.locator("body").inner_text()
    screenshot(page, "panel-github-like")


def _show_live(page: Page, lab: Lab, name: str, *more: str) -> None:
    write_notebook(lab, name, ASK, *more, AFTER)
    open_notebook(page, lab, name)
    run_all(page)
    cell(page, 1 + len(more)).locator(".jp-OutputArea-child").wait_for()


def _seen(page: Page) -> list[str]:
    """The text of each output of the first cell that takes room on the page."""
    page.wait_for_timeout(300)
    found = outputs(page, 0)
    boxes = [(found.nth(number), found.nth(number).bounding_box()) for number in range(found.count())]
    return [output.inner_text().strip() for output, box in boxes if box and box["height"] > 1]


def _gap(page: Page) -> float:
    """From the reply to the next cell, in pixels: the panel, closed, and nothing else."""
    reply, following = outputs(page, 0).first.bounding_box(), cell(page, 1).bounding_box()
    assert reply is not None
    assert following is not None
    return following["y"] - reply["y"] - reply["height"]


def _open_twin(page: Page) -> None:
    page.locator("details.cm-static > summary").click()
    page.locator("details.cm-static > details > summary").first.click()


def _console_errors(page: Page) -> list[str]:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def _nbconvert(lab: Lab, *arguments: str) -> None:
    run = [sys.executable, "-m", "nbconvert", "--log-level=ERROR", *arguments]
    subprocess.run(run, check=True, env=lab.environ, cwd=lab.root)
