"""Message batches in a real JupyterLab: the state goes on changing under a cell that has ended, and is inert."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab_page import (
    Lab,
    cell,
    open_notebook,
    outputs,
    run_cell,
    screenshot,
    use_theme,
    write_notebook,
)

pytestmark = pytest.mark.browser

SETUP = """
import os
from tests.batch_api import BatchAPI, echo, errored, last_text

api = BatchAPI()
api.polls = None
api.retry_after = "0.2"
os.environ["ANTHROPIC_BASE_URL"], os.environ["ANTHROPIC_API_KEY"] = api.url, "test-key-of-this-notebook"
hostile = "<img src=x onerror=document.body.dataset.hit=1><script>document.body.dataset.hit=1</script>"
def outcome(params):
    text = last_text(params)
    if "refuse" in text:
        return errored("invalid_request_error", hostile)
    return {"type": "expired"} if "expire" in text else echo(params)
api.outcome = outcome
%load_ext claude_magic
from claude_magic import claude
"""
CELLS = (
    SETUP,
    "rows = [{'city': c} for c in ('Lisbon', 'Oslo', 'refuse', 'expire', hostile)]\n"
    "batch = claude.map(rows, 'In which country is {{city}}?', batch=True)\nbatch",
    "6 * 7",
    "api.end()",
    "batch.results()",
    "%%claude --batch --times 2 -o names\nSuggest a name for a boat.",
    "api.end()\n_ = names.wait()",
    "claude.batches",
)


def test_the_state_of_a_batch_changes_while_other_cells_run(browser_page: Page, lab: Lab) -> None:
    page = browser_page
    write_notebook(lab, "batches.ipynb", *CELLS)
    open_notebook(page, lab, "batches.ipynb")
    run_cell(page, 0)
    run_cell(page, 1)
    state = cell(page, 1)
    expect(state).to_contain_text("5 rows in 1 batch")
    expect(state).to_contain_text("in_progress")
    expect(state).to_contain_text("23 h")
    expect(outputs(page, 1)).to_have_count(1)  # though the cell ends with it
    screenshot(page, "batch-in-progress")
    run_cell(page, 2)
    expect(cell(page, 2)).to_contain_text("42")
    run_cell(page, 3)
    expect(state).to_contain_text("ended")
    expect(state).to_contain_text("in all, at half the price")
    run_cell(page, 4)
    expect(cell(page, 4)).to_contain_text("3 of 5 answered")
    expect(cell(page, 4)).to_contain_text("BatchExpired")
    screenshot(page, "batch-ended")
    run_cell(page, 5)
    expect(cell(page, 5)).to_contain_text("2 rows in 1 batch")
    run_cell(page, 6)
    expect(cell(page, 5)).to_contain_text("SUGGEST A NAME FOR A BOAT.")
    run_cell(page, 7)
    expect(cell(page, 7)).to_contain_text("in the journal")
    screenshot(page, "batch-list")
    use_theme(page, dark=True)
    screenshot(page, "batch-list-dark")
    assert page.evaluate("() => document.body.dataset.hit") is None
