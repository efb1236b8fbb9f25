"""Text completions and prompts of a model in real JupyterLab."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab_page import Lab, cell, open_notebook, outputs, run_all, run_cell, screenshot, write_notebook
from tests.scripted_api.completions import completes
from tests.server import Server, reply, whole

pytestmark = pytest.mark.browser

PROMPT = "You are a *patient* teacher.\n\nHuman: Is 91 prime?\n\nAssistant:"
GENERATED = "<text>\n{{TEXT}}\n</text>\n\nSum it up in two sentences for a busy reader."


@pytest.fixture
def api() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def loading(api: Server) -> str:
    return (
        f"import os; os.environ['ANTHROPIC_BASE_URL'] = {api.url!r}\n"
        "os.environ['ANTHROPIC_API_KEY'] = 'key-of-the-test'\n%load_ext claude_magic\nfrom claude_magic import claude"
    )


def test_a_translation_is_unfolded_above_the_reply(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    api.answers(reply("No: 91 is **7 × 13**."), completes(" No: 91 is", " **7 × 13**."))
    write_notebook(
        lab,
        "completion.ipynb",
        loading(api),
        f"%%claude --complete\n{PROMPT}",
        f"%%claude --legacy -m claude-2.1\n{PROMPT}",
    )
    open_notebook(page, lab, "completion.ipynb")
    run_all(page)
    folded = outputs(page, 1).locator("details.cm-translation")
    expect(folded.locator("pre").first).to_be_hidden()
    folded.locator("summary").click()
    expect(folded.locator("pre").first).to_have_text("You are a *patient* teacher.")
    expect(outputs(page, 1).locator("strong", has_text="7 × 13").first).to_be_visible()
    expect(outputs(page, 2).locator("strong", has_text="7 × 13").first).to_be_visible()
    expect(outputs(page, 2).locator("details.cm-translation")).to_have_count(0)
    screenshot(page, "completion")


def test_a_draft_is_inserted_below_its_cell(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    api.answers(whole(json.dumps({"messages": [{"role": "user", "content": GENERATED}]})))
    write_notebook(
        lab,
        "draft.ipynb",
        loading(api),
        "draft = claude.prompts.generate('sum up a text')\ndraft",
        "draft.insert()",
    )
    open_notebook(page, lab, "draft.ipynb")
    run_cell(page, 0)
    run_cell(page, 1)
    expect(outputs(page, 1).locator("pre.cm-json").first).to_contain_text("{{TEXT}}")
    screenshot(page, "draft")
    run_cell(page, 2)
    expect(cell(page, 3)).to_contain_text("%%claude")
    expect(cell(page, 3)).to_contain_text("Sum it up in two sentences")
