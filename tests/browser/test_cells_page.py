"""Cells in real JupyterLab: asked again, code for the next cell, files; and the picture of the README."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab_page import (
    Lab,
    cell,
    command,
    open_notebook,
    outputs,
    run_all,
    run_cell,
    save,
    screenshot,
    select_cell,
    write_notebook,
)
from tests.server import STREAM, Answer, Server, event, reply, text_events
from tests.test_attachments import png

pytestmark = pytest.mark.browser

REPLY = (
    "A **list** can change, a **tuple** cannot.\n\n"
    "| | list | tuple |\n|---|---|---|\n| written | `[1, 2]` | `(1, 2)` |\n| mutable | yes | no |\n| hashable | no | yes |\n\n"
    "```python\npoint = (3, 4)\n```\n\nIts distance from the origin is $\\sqrt{x^2 + y^2}$.\n"
)
LIMITS = [
    (f"anthropic-ratelimit-{kind}-{name}", value)
    for kind, limit, remaining, reset in (
        ("input-tokens", "2000000", "1930000", "2026-11-22T00:00:02Z"),
        ("output-tokens", "400000", "130000", "2026-11-22T00:00:41Z"),
    )
    for name, value in (("limit", limit), ("remaining", remaining), ("reset", reset))
]


@pytest.fixture
def api() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def loading(api: Server) -> str:
    return (
        f"import os; os.environ['ANTHROPIC_BASE_URL'] = {api.url!r}\n"
        "os.environ['ANTHROPIC_API_KEY'] = 'key-of-the-test'\n%load_ext claude_magic"
    )


def test_the_first_message_as_the_readme_shows_it(
    browser_page: Page, lab: Lab, api: Server, foreign_requests: list[str]
) -> None:
    page = browser_page
    events = text_events(REPLY[i : i + 7] for i in range(0, len(REPLY), 7))
    api.answers(
        Answer(headers=[*STREAM, *LIMITS], before_headers=0.4, pieces=[p for e in events for p in (event(e), 0.02)])
    )
    question = "%%claude\nExplain the difference between a list and a tuple, with a table."
    setting, load = loading(api).rsplit("\n", 1)
    write_notebook(lab, "first.ipynb", setting, load, question)
    page.set_viewport_size({"width": 1000, "height": 820})
    open_notebook(page, lab, "first.ipynb")
    run_all(page)
    select_cell(page, 0)
    command(page, "notebook:delete-cell")
    shown = cell(page, 1)
    expect(shown.locator(".cm-reply table td").first).to_be_visible()
    expect(shown.locator(".cm-reply mjx-container").first).to_be_visible()
    expect(shown.locator(".cm-summary").first).to_contain_text("46 in")
    shown.locator(
        ".jupyter-widgets.widget-accordion details, .widget-accordion .lm-AccordionPanel-title, .jp-OutputArea-output details summary"
    ).first.click(force=True)
    page.wait_for_timeout(500)
    screenshot(page.locator(".jp-NotebookPanel:visible").first, "first-message")
    assert "key-of-the-test" not in shown.inner_html()
    save(page)
    assert foreign_requests == []


def test_a_cell_run_again_replaces_its_turn(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    api.answers(*(reply(f"reply {n}") for n in range(9)))
    write_notebook(lab, "turns.ipynb", loading(api), "%%claude -c\nfirst", "%%claude -c\nsecond", "%%claude -c\nthird")
    open_notebook(page, lab, "turns.ipynb")
    run_all(page)
    run_cell(page, 2)
    expect(outputs(page, 2).first).to_contain_text("re-run: turn 2 replaced, turn 3 removed")
    said = [m["content"] for m in api.last.json["messages"]]
    assert [s if isinstance(s, str) else s[0]["text"] for s in said] == ["first", "reply 0", "second"]


def test_code_is_put_into_the_next_cell_and_not_run(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    api.answers(reply("Here:\n```python\nmade = 42\n```"))
    write_notebook(lab, "code.ipynb", loading(api), "%%claude --as code\nhi", "'made' in globals()")
    open_notebook(page, lab, "code.ipynb")
    run_cell(page, 0)
    run_cell(page, 1)
    expect(cell(page, 2).locator(".cm-content")).to_contain_text("made = 42")
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(4)
    run_cell(page, 1)
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(4)
    run_cell(page, 3)
    expect(outputs(page, 3).first).to_contain_text("False")


def test_an_attached_image_is_seen_small_above_the_reply(
    browser_page: Page, lab: Lab, api: Server, foreign_requests: list[str]
) -> None:
    page = browser_page
    api.answers(reply("A white square."))
    (lab.root / "square.png").write_bytes(png(40, 40))
    write_notebook(lab, "image.ipynb", loading(api), "%%claude -a square.png\nWhat is it?")
    open_notebook(page, lab, "image.ipynb")
    run_all(page)
    expect(outputs(page, 1).first).to_contain_text("square.png")
    expect(cell(page, 1).locator(".cm-attached img")).to_be_visible()
    assert foreign_requests == []


HOSTILE_PAGE = """```html
<meta http-equiv="refresh" content="0; url={url}/refresh"><base href="{url}/">
<script>window.top.hacked = 1; fetch("{url}/script")</script><img src="{url}/img" onerror="top.hacked=2">
<link rel="stylesheet" href="{url}/css"><link rel="prefetch" href="{url}/prefetch"><iframe src="{url}/frame"></iframe>
<style>@import url("{url}/import"); body {{ background: url("{url}/background") }}</style>
<object data="{url}/object"></object><video src="{url}/video" autoplay></video><form action="{url}/form"><input autofocus></form>
<h1>Shown</h1>
```"""


def test_a_page_in_a_frame_runs_and_fetches_nothing(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    foreign = Server()
    foreign.answers(Answer(framing="length"))
    api.answers(reply(HOSTILE_PAGE.format(url=foreign.url)))
    write_notebook(lab, "frame.ipynb", loading(api), "%%claude --as html\nhi")
    open_notebook(page, lab, "frame.ipynb")
    page.evaluate("() => { window.hacked = 0 }")
    run_all(page)
    expect(cell(page, 1).frame_locator("iframe").frame_locator("iframe").locator("h1")).to_contain_text("Shown")
    page.wait_for_timeout(1500)
    assert page.evaluate("() => window.hacked") == 0
    assert [received.path for received in foreign.received] == []
    foreign.close()
