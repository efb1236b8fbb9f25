"""Files in real JupyterLab: the table, the button that downloads, and what is left of it without a kernel."""

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
    save,
    screenshot,
    shut_down_kernel,
    write_notebook,
)
from tests.scripted_api import KEY, ScriptedAPI
from tests.server import Server
from tests.test_written_files import PNG, ran

pytestmark = pytest.mark.browser


@pytest.fixture
def scripted() -> Iterator[ScriptedAPI]:
    server = Server()
    yield ScriptedAPI(server)
    server.close()


def loading(api: ScriptedAPI) -> str:
    return (
        f"import os; os.environ['ANTHROPIC_BASE_URL'] = {api.server.url!r}\n"
        f"os.environ['ANTHROPIC_API_KEY'] = {KEY!r}\n"
        "from claude_magic import claude\n%load_ext claude_magic"
    )


def test_a_button_downloads_and_a_saved_notebook_names_the_command(
    browser_page: Page, lab: Lab, scripted: ScriptedAPI
) -> None:
    page = browser_page
    plot = scripted.files.add("plot.png", PNG, "image/png", downloadable=True)
    table = scripted.files.add("sums.csv", b"a,b\n" * 9_000, "text/csv", downloadable=True)
    scripted.server.answers(ran(plot.id, table.id, text="The plot shows a **peak** in May."))
    (lab.root / "report.txt").write_text("Sales rose in May.")
    cells = (
        "%%claude -a report.txt --upload --code-execution --no-stream\nPlot it.",
        "claude.files",
        "claude.files['file_002'].delete()",
    )
    write_notebook(lab, "files.ipynb", loading(scripted), *cells)
    open_notebook(page, lab, "files.ipynb")
    for index in range(4):
        run_cell(page, index)
    downloads = page.get_by_role("button", name="Download", exact=True)
    expect(downloads).to_have_count(2)
    expect(cell(page, 1).get_by_text("claude.files['file_001'].download()")).to_be_hidden()
    downloads.nth(0).click()
    expect(cell(page, 1).get_by_text("saved as plot.png")).to_be_visible()
    assert (lab.root / "plot.png").read_bytes() == PNG
    expect(outputs(page, 2).get_by_text("report.txt", exact=True)).to_be_visible()
    screenshot(page, "files-live")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(outputs(page, 3).get_by_text("HTTP 200").first).to_be_visible()
    assert "file_002" not in scripted.files.stored
    screenshot(page, "files-deleted")
    save(page)
    shut_down_kernel(page)
    open_notebook(page, lab, "files.ipynb")
    expect(cell(page, 1).get_by_text("claude.files['file_001'].download()")).to_be_visible()
    expect(downloads).to_have_count(0)
    screenshot(page, "files-reopened")
