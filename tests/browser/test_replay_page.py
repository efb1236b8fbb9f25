"""A lesson in real JupyterLab, run, restarted and run again from what was recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab_page import (
    Lab,
    cell,
    open_notebook,
    outputs,
    restart_kernel,
    run_all,
    use_theme,
    write_notebook,
)
from tests.server import Server, reply, whole

pytestmark = pytest.mark.browser

LESSON = (
    "%%claude\nWhat is the difference between a list and a tuple?",
    "%%claude\nGive me a number.",
    "%%claude\nGive me a number.",
    "%%claude --new talk\nMy name is Ada.",
    "%%claude -c talk --no-stream\nWhat is my name?",
)
ANSWERS = (
    reply("A **list** can change.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = (1, 2)\n```\n"),
    reply("Seven."),
    reply("Eleven."),
    reply("Hello, *Ada*."),
    whole("Your name is Ada."),
)
MODES = {
    "the journal": ("", "%config Claude.replay = 'only'"),
    "a recording": ("claude.record('lesson.claude.jsonl');", "claude.replay('lesson.claude.jsonl');"),
}


@pytest.fixture
def api() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def first_cell(api: Server, name: str, live: str, again: str) -> str:
    """Loads the extension; the second time it runs, it answers from what was recorded."""
    return (
        f"import os, pathlib\nos.environ['ANTHROPIC_BASE_URL'] = {api.url!r}\n"
        "os.environ['ANTHROPIC_API_KEY'] = 'key-of-the-test'\n%load_ext claude_magic\nfrom claude_magic import claude\n"
        f"again = pathlib.Path({name!r} + '.again')\n"
        f"get_ipython().run_cell({again!r} if again.exists() else {live!r})\nagain.touch()"
    )


def shown(page: Page, index: int) -> str:
    """The reply of a cell as HTML, without its summary line."""
    html = outputs(page, index).locator(".cm-reply").first.inner_html()
    return re.sub(r'<div class="cm-summary">.*?</div>', "", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))


@pytest.mark.parametrize("mode", MODES)
def test_a_lesson_shows_the_same_page_after_a_restart_and_sends_nothing(
    browser_page: Page, lab: Lab, api: Server, foreign_requests: list[str], mode: str
) -> None:
    page, name = browser_page, f"lesson {mode}.ipynb"
    api.answers(*ANSWERS)
    write_notebook(lab, name, first_cell(api, name, *MODES[mode]), *LESSON)
    open_notebook(page, lab, name)
    run_all(page)
    live = [shown(page, number) for number in range(1, len(LESSON) + 1)]
    assert "Seven" in live[1]
    assert "Eleven" in live[2]
    sent = len(api.received)
    assert sent == len(LESSON)
    restart_kernel(page)
    run_all(page)
    assert [shown(page, number) for number in range(1, len(LESSON) + 1)] == live
    assert len(api.received) == sent
    for number in range(1, len(LESSON) + 1):
        expect(outputs(page, number).locator(".cm-summary").first).to_contain_text("replayed, recorded 20")
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    assert foreign_requests == []


def test_the_journal_is_a_table_in_which_nothing_runs(
    browser_page: Page, lab: Lab, api: Server, foreign_requests: list[str]
) -> None:
    page, name = browser_page, "journal.ipynb"
    api.answers(reply("An answer to be found again."))
    hostile = "<img src='http://evil.test/x.png' onerror='document.title=1'><script>document.title=2</script>"
    write_notebook(
        lab,
        name,
        first_cell(api, name, "", ""),
        f"%%claude\n{hostile}",
        "claude.journal",
        "claude.journal.exchange(claude.last.entry)",
        "claude.journal.spend(by='model')",
        "claude.usage",
    )
    open_notebook(page, lab, name)
    run_all(page)
    table = outputs(page, 2).locator("table.cm-rows")
    expect(table).to_contain_text("<img src='http://evil.test/x.png'")
    assert table.locator("img").count() == 0
    expect(outputs(page, 3).locator(".cm-reply").first).to_contain_text("An answer to be found again.")
    expect(outputs(page, 3).get_by_text("Response headers").first).to_be_visible()
    for dark in (False, True):
        use_theme(page, dark=dark)
        text = outputs(page, 4).locator("svg text").first
        expect(text).to_be_visible()
        colours = text.evaluate(
            "e => [getComputedStyle(e).fill, getComputedStyle(e.closest('.jp-Cell')).getPropertyValue('--jp-layout-color0')]"
        )
        assert colours[0] != colours[1]
    expect(outputs(page, 5).locator("table")).to_contain_text("exchanges")
    assert cell(page, 1).locator("img").count() == 0
    assert foreign_requests == []
