"""The workbench in real JupyterLab and Notebook 7: run, stopped, taken away, by mouse and by keyboard alone."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.hostile import REPLY as HOSTILE
from tests.browser.lab_page import (
    Lab,
    cell,
    command,
    open_in_notebook_7,
    open_notebook,
    outputs,
    restart_kernel,
    run_all,
    save,
    screenshot,
    shut_down_kernel,
    start_cell,
    use_theme,
    wait_until_idle,
    write_notebook,
)
from tests.server import STREAM, Answer, Server, event, reply, text_events

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

AFTER = "'what stands below'"
REPLY = (
    "A **list** can change, a **tuple** cannot: $x^2$.\n\n"
    "| | list | tuple |\n|---|---|---|\n| mutable | yes | no |\n\n```python\npoint = (3, 4)\n```\n"
)
LONG = "a_very_long_word_without_any_place_to_break_it_" * 12
_SOURCE = "window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.getSource()"
# What is seen beyond the right edge; what is folded or scrolls has its own place.
_WIDE = """(bench) => {
    const edge = bench.getBoundingClientRect().right + 1;
    const inside = 'select, textarea, pre, .cm-panel, .cm-static';
    const seen = [...bench.querySelectorAll('*')].filter(e => e.checkVisibility() && !e.closest(inside));
    return seen.filter(e => e.getBoundingClientRect().right > edge).map(e => e.outerHTML.slice(0, 80));
}"""
Opener = Callable[[Page, Lab, str], None]


@pytest.fixture
def api() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def opened(
    page: Page, lab: Lab, api: Server, prompt: str = "Say hello.", *, opener: Opener = open_notebook, more: str = ""
) -> Locator:
    """A notebook with a workbench, in JupyterLab or Notebook 7."""
    load = (
        f"import os; os.environ['ANTHROPIC_BASE_URL'] = {api.url!r}; os.environ['ANTHROPIC_API_KEY'] = 'key-of-a-test'\n"
        "%load_ext claude_magic\nfrom claude_magic import claude\ncity = 'Lisbon'\n" + more
    )
    write_notebook(lab, "workbench.ipynb", load, f"claude.workbench({prompt!r})", AFTER)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.set_viewport_size({"width": 1100, "height": 1100})
    opener(page, lab, "workbench.ipynb")
    command(page, "notebook:run-all-cells")
    wait_until_idle(page)
    bench = page.locator(".cm-workbench")
    bench.wait_for()
    return bench


def press(bench: Locator, name: str) -> None:
    bench.page.wait_for_timeout(700)  # a second press within a moment is the same one
    bench.get_by_role("button", name=name, exact=True).click()


def told(bench: Locator) -> Locator:
    return bench.locator(".cm-notice")


@pytest.mark.parametrize("opener", [open_notebook, open_in_notebook_7], ids=["lab", "notebook-7"])
def test_a_question_is_run_and_taken_away(
    browser_page: Page, lab: Lab, api: Server, foreign_requests: list[str], opener: Opener
) -> None:
    page = browser_page
    go_on = threading.Event()
    pieces = [event(e) for e in text_events([REPLY[:30], REPLY[30:]])]
    api.answers(Answer(headers=STREAM, pieces=[*pieces[:4], lambda: go_on.wait(100) and None, *pieces[4:]]))
    bench = opened(page, lab, api, "Tell me of {{city}} in {{year}}.", opener=opener)
    expect(bench.get_by_label("city", exact=True)).to_have_value("Lisbon")
    bench.get_by_label("year", exact=True).fill("1755")
    press(bench, "Run")
    expect(bench.locator(".cm-answer strong").first).to_have_text("list")
    expect(told(bench)).to_have_text("Running…")
    go_on.set()
    expect(bench.locator(".cm-answer .cm-summary").first).to_contain_text(
        re.compile(r"46 in / \d+ out tokens · \$0\.\d+")
    )
    expect(bench.locator(".cm-answer table").first).to_contain_text("mutable")
    expect(bench.locator(".cm-answer mjx-container").first).to_be_attached()
    assert api.last.json["messages"] == [{"role": "user", "content": "Tell me of Lisbon in 1755."}]
    screenshot(page, f"workbench-{'lab' if opener is open_notebook else 'notebook-7'}-light")

    bench.get_by_label("Language", exact=True).select_option("curl")
    press(bench, "Copy code")
    expect(told(bench)).to_have_text("Copied: the request as curl.")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied.startswith("curl ")
    assert "Tell me of Lisbon in 1755." in copied
    assert "key-of-a-test" not in copied

    before = page.locator(".jp-Notebook .jp-Cell").count()
    press(bench, "Insert as cell")
    expect(told(bench)).to_have_text("The cell stands below. It was not run.")
    assert page.locator(".jp-Notebook .jp-Cell").count() == before + 1
    assert page.evaluate(f"() => {_SOURCE}") == "%%claude -m claude-opus-5-5 -t 4096\nTell me of {{city}} in 1755."
    assert cell(page, 3).locator(".cm-content").inner_text() == AFTER
    page.wait_for_timeout(7000)  # an order is followed once
    assert page.locator(".jp-Notebook .jp-Cell").count() == before + 1
    command(page, "notebook:run-cell")
    expect(cell(page, 2).locator(".cm-reply")).to_contain_text("A list can change")
    assert api.received[-1].json == api.received[0].json

    command(page, "apputils:change-theme", {"theme": "JupyterLab Dark"})
    page.wait_for_function("() => document.body.dataset.jpThemeLight === 'false'")
    screenshot(page, f"workbench-{'lab' if opener is open_notebook else 'notebook-7'}-dark")
    command(page, "apputils:change-theme", {"theme": "JupyterLab Light"})
    assert foreign_requests == []


def test_stop_works_for_no_cell_is_running(browser_page: Page, lab: Lab, api: Server) -> None:
    begun = [event(e) for e in text_events(["What had arrived."])][:4]
    api.answers(Answer(headers=STREAM, pieces=begun, ending="hang"))
    bench = opened(browser_page, lab, api)
    expect(bench.get_by_role("button", name="Stop", exact=True)).to_be_disabled()
    press(bench, "Run")
    expect(bench.locator(".cm-answer")).to_contain_text("What had arrived.")
    bench.get_by_role("button", name="Stop", exact=True).click()
    expect(told(bench)).to_contain_text("Interrupted: stopped after")
    assert api.dropped.wait(60)
    expect(bench.locator(".cm-answer")).to_contain_text("What had arrived.")


def test_a_reply_streams_on_while_a_cell_runs_and_a_press_waits_for_its_end(
    browser_page: Page, lab: Lab, api: Server
) -> None:
    page = browser_page
    go_on, pieces = threading.Event(), [event(e) for e in text_events(["Before, ", "meanwhile."])]
    api.answers(
        Answer(headers=STREAM, pieces=[*pieces[:4], lambda: go_on.wait(100) and None, *pieces[4:]]),
        reply("Afterwards."),
    )
    bench = opened(page, lab, api)
    press(bench, "Run")
    expect(bench.locator(".cm-answer")).to_contain_text("Before,")
    page.evaluate(
        "(source) => window.jupyterapp.shell.currentWidget.content.model.sharedModel.getCell(2).setSource(source)",
        "import time\ntime.sleep(600)",
    )
    start_cell(page, 2)
    expect(cell(page, 2).locator(".jp-InputPrompt")).to_have_text("[*]:")
    go_on.set()
    expect(bench.locator(".cm-answer")).to_contain_text("Before, meanwhile.")
    press(bench, "Run")
    press(bench, "Run")
    page.wait_for_timeout(1000)
    command(page, "notebook:interrupt-kernel")
    expect(bench.locator(".cm-answer")).to_contain_text("Afterwards.")
    page.wait_for_timeout(1000)
    assert len(api.received) == 2


def test_the_keyboard_alone_does_all_of_it(browser_page: Page, lab: Lab, api: Server) -> None:
    page = browser_page
    api.answers(reply("Done by keys."))
    bench = opened(page, lab, api, "")
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    bench.get_by_label("Model", exact=True).focus()
    order = []
    for _ in range(22):
        order.append(
            page.evaluate("() => (document.activeElement.labels?.[0] || document.activeElement).textContent.trim()")
        )
        page.keyboard.press("Tab")
    assert order[:10] == [
        *(
            "Model",
            "List models",
            "Max tokens",
            "Thinking",
            "Effort",
            "Temperature",
            "Top p",
            "Top k",
            "Stop sequences",
            "Other fields",
        ),
    ]
    assert order[10:16] == ["System", "Turn 1", "Delete turn 1", "User", "Add turn", "Add reply"]
    assert order[16:22] == ["Run", "Preview", "History", "Insert as cell", "Copy code", "Language"]

    bench.get_by_label("Effort", exact=True).focus()
    page.keyboard.press("ArrowDown")  # not to the next cell
    page.keyboard.press("ArrowDown")
    expect(bench.get_by_label("Effort", exact=True)).to_be_focused()
    expect(bench.get_by_label("Effort", exact=True)).to_have_value("medium")
    page.keyboard.press("d")  # not a command of the notebook
    page.keyboard.press("d")
    page.keyboard.press("b")
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells

    bench.get_by_label("User", exact=True).focus()
    page.keyboard.type("dd ab\nx {{place}}")
    page.keyboard.press("Shift+Enter")  # a new line, as in any field of several lines
    page.keyboard.type("Yes.")
    expect(bench.get_by_label("place", exact=True)).to_be_visible()
    bench.get_by_label("place", exact=True).focus()
    page.keyboard.type("here")
    page.keyboard.press("Control+Enter")
    expect(bench.locator(".cm-answer")).to_contain_text("Done by keys.")
    assert api.last.json["messages"][0]["content"] == "dd ab\nx here\nYes."
    assert api.last.json["output_config"] == {"effort": "medium"}
    expect(bench.get_by_label("place", exact=True)).to_be_focused()

    page.wait_for_timeout(700)
    bench.get_by_role("button", name="Copy code", exact=True).focus()
    page.keyboard.press("Enter")
    expect(told(bench)).to_contain_text("Copied: the request as python.")
    page.wait_for_timeout(700)
    bench.get_by_role("button", name="Insert as cell", exact=True).focus()
    page.keyboard.press("Space")
    expect(told(bench)).to_contain_text("The cell stands below.")
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells + 1
    assert page.evaluate(f"() => {_SOURCE}").startswith("%%claude -m claude-opus-5-5 -t 4096 --effort medium\ndd ab\n")


def test_every_control_has_a_name_and_changes_are_announced(browser_page: Page, lab: Lab, api: Server) -> None:
    bench = opened(browser_page, lab, api, "{{city}}")
    expect(bench).to_have_attribute("role", "group")
    expect(bench).to_have_attribute("aria-label", "Claude workbench")
    expect(told(bench)).to_have_attribute("role", "status")
    nameless = bench.locator("input, select, textarea, button").evaluate_all(
        "(all) => all.filter(e => e.offsetParent && !(e.labels?.[0]?.textContent || e.textContent || e.title).trim())"
        ".map(e => e.outerHTML)"
    )
    assert nameless == []


def test_a_hostile_reply_runs_and_fetches_nothing(
    browser_page: Page, lab: Lab, api: Server, foreign_requests: list[str]
) -> None:
    page = browser_page
    asked: list[str] = []
    dialogs: list[str] = []
    bench = opened(page, lab, api)
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    api.answers(reply(*(HOSTILE[i : i + 500] for i in range(0, len(HOSTILE), 500))))
    press(bench, "Run")
    expect(bench.locator(".cm-answer")).to_contain_text("the end")
    expect(told(bench)).not_to_contain_text("Running")
    press(bench, "Add reply")
    expect(bench.get_by_label("Assistant", exact=True)).to_have_value(re.compile("the end"))
    press(bench, "Insert as cell")
    expect(told(bench)).to_contain_text(re.compile("stands below|cannot be written|is empty|is refused"))
    page.wait_for_timeout(1500)
    assert page.evaluate("() => '__hacked' in window") is False
    assert dialogs == []
    assert foreign_requests == []
    assert [url for url in asked if "evil" in url] == []


def test_reopened_without_its_kernel_it_shows_what_was_last_asked_and_the_reply(
    browser_page: Page, new_page: Callable[[], Page], lab: Lab, api: Server
) -> None:
    page = browser_page
    api.answers(reply("Kept **reply**."))
    bench = opened(page, lab, api, "Keep this.")
    expect(outputs(page, 1).locator(".cm-static-workbench")).to_be_hidden()
    press(bench, "Run")
    expect(bench.locator(".cm-answer")).to_contain_text("Kept reply.")
    page.wait_for_timeout(1000)
    save(page)
    saved = (lab.root / "workbench.ipynb").read_text()
    assert "key-of-a-test" not in saved.replace("os.environ['ANTHROPIC_API_KEY'] = 'key-of-a-test'", "")
    shut_down_kernel(page)
    other = new_page()
    open_notebook(other, lab, "workbench.ipynb")
    twin = outputs(other, 1).locator(".cm-static-workbench")
    expect(twin).to_be_visible()
    expect(twin).to_contain_text("Run this cell to open it again.")
    expect(twin).to_contain_text("Keep this.")
    expect(twin).to_contain_text("Kept reply.")
    assert "Error displaying widget" not in cell(other, 1).inner_text()
    screenshot(other, "workbench-reopened")


def test_executed_without_a_page_it_is_its_twin_and_a_restart_brings_that_back(
    browser_page: Page, lab: Lab, api: Server
) -> None:
    page = browser_page
    load = "%load_ext claude_magic\nfrom claude_magic import claude"
    path = write_notebook(lab, "executed-workbench.ipynb", load, "claude.workbench('Keep this.')")
    run = [
        sys.executable,
        "-m",
        "nbconvert",
        "--log-level=ERROR",
        "--to",
        "notebook",
        "--execute",
        "--inplace",
        str(path),
    ]
    subprocess.run(run, check=True, env=lab.environ, cwd=lab.root)
    assert "widget-state" in path.read_text()
    open_notebook(page, lab, path.name)
    twin = outputs(page, 1).locator(".cm-static-workbench")
    expect(twin).to_contain_text("Keep this.")
    expect(twin).to_be_visible()
    expect(page.locator(".cm-workbench:visible")).to_have_count(0)
    run_all(page)
    expect(page.locator(".cm-workbench:visible")).to_have_count(1)
    expect(twin).to_be_hidden()
    restart_kernel(page)
    expect(twin).to_be_visible()
    expect(page.locator(".cm-workbench:visible")).to_have_count(0)


def test_a_page_that_is_loaded_again_has_the_workbench_and_no_second_cell(
    browser_page: Page, lab: Lab, api: Server
) -> None:
    page = browser_page
    api.answers(reply("Again."))
    bench = opened(page, lab, api, "Again?")
    press(bench, "Insert as cell")
    expect(told(bench)).to_contain_text("stands below")
    save(page)
    page.reload()
    bench = page.locator(".cm-workbench")
    bench.wait_for(timeout=30_000)
    page.wait_for_timeout(1500)
    assert page.locator(".jp-Notebook .jp-Cell").count() == 4
    press(bench, "Run")
    expect(bench.locator(".cm-answer")).to_contain_text("Again.")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_long_texts_and_a_narrow_page_stay_inside(browser_page: Page, lab: Lab, api: Server, dark: bool) -> None:
    page = browser_page
    api.answers(reply(f"{LONG}\n\n```\n{LONG}\n```\n"))
    bench = opened(page, lab, api, f"{{{{city}}}} {LONG}", more=f"city = {LONG!r}")
    use_theme(page, dark=dark)
    bench.get_by_label("Max tokens", exact=True).fill("none at all, as many as you want")
    press(bench, "Run")
    expect(told(bench)).to_contain_text("-t is not a whole number")
    screenshot(page, f"workbench-error-{'dark' if dark else 'light'}")
    bench.get_by_label("Max tokens", exact=True).fill("100")
    press(bench, "Run")
    expect(bench.locator(".cm-answer")).to_contain_text("a_very_long_word")
    press(bench, "History")
    expect(bench.locator(".cm-history option").first).to_contain_text("a_very_long_word")
    for width in (1100, 640):
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_timeout(300)
        wide = bench.evaluate(_WIDE)
        assert wide == []
        screenshot(page, f"workbench-long-{width}-{'dark' if dark else 'light'}")
    use_theme(page, dark=False)


def test_a_request_that_was_sent_opens_in_a_workbench_from_its_panel_and_its_row(browser_page: Page, lab: Lab) -> None:
    page = browser_page
    setup = (
        "import os\nfrom tests.server import Server, reply\nserver = Server()\n"
        "os.environ['ANTHROPIC_BASE_URL'], os.environ['ANTHROPIC_API_KEY'] = server.url, 'key-of-a-test'\n"
        "%load_ext claude_magic\nfrom claude_magic import claude\nserver.answers(reply('Two.'))"
    )
    write_notebook(lab, "resend.ipynb", setup, "%%claude -s 'Be brief.' -t 77\nHow many?", "claude.journal.last(1)")
    open_notebook(page, lab, "resend.ipynb")
    run_all(page)
    panel, rows = cell(page, 1), cell(page, 2)

    panel.get_by_role("button", name="Open in workbench").click()
    expect(panel.get_by_label("Max tokens")).to_have_value("77")
    expect(panel.get_by_label("System")).to_have_value("Be brief.")
    screenshot(page, "workbench-of-a-panel-light")
    panel.get_by_role("button", name="Close workbench").click()
    expect(panel.get_by_label("Max tokens")).to_have_count(0)

    button = rows.get_by_role("button", name="Open in workbench: ")
    button.focus()
    page.keyboard.press("Enter")
    expect(rows.get_by_label("Max tokens")).to_have_value("77")
    expect(rows.locator(".cm-static")).to_be_hidden()
    use_theme(page, dark=True)
    screenshot(page, "workbench-of-a-row-dark")
    save(page)
    shut_down_kernel(page)

    open_notebook(page, lab, "resend.ipynb")
    expect(rows.locator("table.cm-rows")).to_be_visible()
    expect(panel.locator("details.cm-static")).to_be_visible()
    expect(page.get_by_role("button", name="Open in workbench")).to_have_count(0)
