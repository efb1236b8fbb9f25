"""Any endpoint in real JupyterLab: a table, a tree that folds, a list that is searched, a deletion that asks first."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

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
from tests.scripted_api import ADMIN_KEY, KEY, ScriptedAPI, json_answer
from tests.server import Server

pytestmark = pytest.mark.browser

HOSTILE = {
    "<img src=x onerror=window.stolen=1>": "<script>window.stolen=1</script>",
    "link": "javascript:window.stolen=1",
    "</details><iframe srcdoc='<script>parent.stolen=1</script>'>": ["</div><svg onload=window.stolen=1>"],
    "math": "$\\href{javascript:window.stolen=1}{x}$",
}


@pytest.fixture
def endpoints() -> Iterator[ScriptedAPI]:
    server = Server()
    yield ScriptedAPI(server)
    server.close()


def loading(api: ScriptedAPI) -> str:
    return (
        f"import os; os.environ['ANTHROPIC_BASE_URL'] = {api.server.url!r}\n"
        f"os.environ['ANTHROPIC_API_KEY'] = {KEY!r}; os.environ['ANTHROPIC_ADMIN_KEY'] = {ADMIN_KEY!r}\n"
        "%load_ext claude_magic"
    )


def seen(page: Page, index: int) -> str:
    """What a reader sees of a cell's outputs."""
    return str(outputs(page, index).evaluate_all("es => es.map(e => e.innerText).join(' ')"))


def test_lists_trees_and_the_search(browser_page: Page, lab: Lab, endpoints: ScriptedAPI) -> None:
    page = browser_page
    write_notebook(
        lab,
        "endpoints.ipynb",
        loading(endpoints),
        "%claude --get /v1/models",
        "%claude --get /v1/models/claude-opus-5-5",
        "%claude --get",
    )
    open_notebook(page, lab, "endpoints.ipynb")
    run_all(page)
    assert "claude-opus-5-5" in seen(page, 1)
    folded = outputs(page, 2).locator("summary", has_text="capabilities").first
    expect(folded).to_be_visible()
    expect(outputs(page, 2).locator(".cm-name", has_text="thinking")).to_be_visible()
    screenshot(page, "endpoints-list-and-tree")
    use_theme(page, dark=True)
    screenshot(page, "endpoints-dark")
    use_theme(page, dark=False)
    cell(page, 3).scroll_into_view_if_needed()
    page.get_by_placeholder("search, such as").fill("files delete")
    expect(outputs(page, 3).get_by_text("/v1/files/{file_id}").first).to_be_visible()
    expect(outputs(page, 3).locator("td", has_text="/v1/models").filter(visible=True)).to_have_count(0)
    screenshot(page, "endpoints-search")


def test_a_deletion_waits_for_its_button_and_the_answer_comes_below(
    browser_page: Page, lab: Lab, endpoints: ScriptedAPI
) -> None:
    page = browser_page
    stored = endpoints.files.add("notes.txt", b"hello")
    write_notebook(lab, "delete.ipynb", loading(endpoints), f"%claude --delete /v1/files/{stored.id} -o gone", "gone")
    open_notebook(page, lab, "delete.ipynb")
    run_cell(page, 0)
    run_cell(page, 1)
    run = page.get_by_role("button", name="Run", exact=True)
    expect(run).to_be_visible()
    assert f"DELETE /v1/files/{stored.id}" in seen(page, 1)
    assert endpoints.calls == []
    screenshot(page, "endpoints-approval")
    run.click()
    expect(outputs(page, 1).locator(".cm-leaf", has_text="file_deleted").first).to_be_visible()
    expect(run).to_have_count(0)
    assert endpoints.calls == [f"DELETE /v1/files/{stored.id}"]
    run_cell(page, 2)
    assert stored.id in seen(page, 2)
    screenshot(page, "endpoints-approved")
    save(page)
    shut_down_kernel(page)
    open_notebook(page, lab, "delete.ipynb")
    expect(outputs(page, 1).locator(".cm-leaf", has_text="file_deleted").first).to_be_visible()
    saved = json.dumps(json.loads((lab.root / "delete.ipynb").read_text())["cells"][1])
    assert "file_deleted" in saved
    assert KEY not in saved


def test_hostile_names_and_values_never_run(
    browser_page: Page, lab: Lab, endpoints: ScriptedAPI, foreign_requests: list[str]
) -> None:
    page = browser_page
    endpoints.server.respond = lambda asked: json_answer(  # type: ignore[method-assign]
        {"data": [HOSTILE, HOSTILE], **HOSTILE} if "list" in asked.path else HOSTILE
    )
    write_notebook(
        lab, "hostile-endpoints.ipynb", loading(endpoints), "%claude --get /v1/tree", "%claude --get /v1/list"
    )
    open_notebook(page, lab, "hostile-endpoints.ipynb")
    run_all(page)
    page.evaluate("() => document.querySelectorAll('.cm-tree details').forEach(each => { each.open = true; })")
    screenshot(page, "endpoints-hostile")
    assert page.evaluate("() => window.stolen === undefined")
    assert outputs(page, 1).locator("iframe, script, img").count() == 0
    assert outputs(page, 2).locator("iframe, script, img").count() == 0
    assert foreign_requests == []
