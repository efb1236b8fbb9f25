"""A lesson in real JupyterLab, run, restarted and run again from what was recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab_page import (
    Lab,
    cell,
    open_notebook,
    outputs,
    restart_kernel,
    run_all,
    start_cell,
    use_theme,
    wait_until_idle,
    write_notebook,
)
from tests.server import STREAM, Answer, Server, event, reply, text_events, whole

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
    "a recording": ("claude.record('lesson.recording.txt');", "claude.replay('lesson.recording.txt');"),
}

HEADER = ".jupyter-widget-Collapse-header"
PANEL = ".cm-panel:visible"
FAILED = ".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']"  # that of errors, too
WATCH = """() => {
    window.seen = [];
    const area = document.querySelectorAll('.jp-NotebookPanel .jp-Notebook .jp-Cell')[1];
    const look = () => {
        const text = [...area.querySelectorAll('.jp-OutputArea-output')].map(e => e.innerText).join(' ');
        if (text !== window.seen.at(-1)) window.seen.push(text);
    };
    new MutationObserver(look).observe(area, {childList: true, characterData: true, subtree: true});
}"""
CONTRAST = """e => {
    const bytes = colour => {
        const context = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d');
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data];
    };
    const light = colour => {
        const [r, g, b] = bytes(colour).slice(0, 3).map(
            c => c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let behind = e;
    while (behind.parentElement && bytes(getComputedStyle(behind).backgroundColor)[3] === 0)
        behind = behind.parentElement;
    const own = getComputedStyle(e);
    const both = [light(e instanceof SVGElement ? own.fill : own.color), light(getComputedStyle(behind).backgroundColor)];
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
}"""
REPLAYED = "%config Claude.replay = 'only'\n%config Claude.replay_speed = 2"
HOSTILE = (  # a row of the journal shows the first 60 characters
    "<img src=x onerror=top.__hacked=1>",
    "<script>top.__hacked=2</script><img src='//evil.test/x.png'>",
    "<b onpointerenter=top.__hacked=3>$\\href{javascript:top.__hacked=4}{x}$</b>",
)


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
    table = outputs(page, 2).locator("table.cm-rows:visible")
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


def own_journal(name: str) -> str:
    """Keeps a journal of the test's own: the lab's is shared, and its numbers depend on what ran before."""
    return f"%config Claude.journal = {name!r}"


def asking(api: Server, name: str) -> str:
    return first_cell(api, name, own_journal(f"{name}.db"), own_journal(f"{name}.db"))


def console_errors(page: Page) -> list[str]:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    return said


def contrast(place: Locator) -> float:
    """Of a text with what is behind it, from 1 to 21; 4.5 can be read.

    Source: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
    """
    found: float = place.evaluate(CONTRAST)
    return found


def test_a_replayed_cell_ends_without_an_error_and_its_panel_says_that_nothing_was_sent(
    browser_page: Page, lab: Lab, api: Server, foreign_requests: list[str]
) -> None:
    page, name = browser_page, "panel of a replay.ipynb"
    said = console_errors(page)
    api.answers(*ANSWERS)
    kept = own_journal(f"{name}.db")
    write_notebook(lab, name, first_cell(api, name, kept, f"{kept}\n%config Claude.replay = 'only'"), *LESSON)
    open_notebook(page, lab, name)
    run_all(page)
    assert page.get_by_text("replayed, recorded").count() == 0
    restart_kernel(page)
    api.received.clear()
    run_all(page)
    expect(page.locator(".cm-summary:visible", has_text="replayed, recorded 20")).to_have_count(len(LESSON))
    assert page.locator(FAILED).count() == 0
    for number in (1, len(LESSON)):  # one that was streamed, and one that was not
        outputs(page, number).locator(HEADER).click()
        outputs(page, number).get_by_role("tab", name="Usage").click()
        expect(outputs(page, number).locator(PANEL)).to_contain_text(re.compile(r"recorded 20\S+; nothing was sent"))
        outputs(page, number).locator(HEADER).click()
    assert api.received == []
    assert said == []
    assert foreign_requests == []


def test_a_question_that_was_not_recorded_stops_run_all_and_nothing_is_sent(
    browser_page: Page, lab: Lab, api: Server
) -> None:
    page, name = browser_page, "not recorded.ipynb"
    api.answers(reply("Seven."))
    kept = own_journal(f"{name}.db")
    cells = ("%%claude\nGive me a number.", "%config Claude.replay = 'only'", "%%claude\nGive me a word.", "1 + 1")
    write_notebook(lab, name, first_cell(api, name, kept, kept), *cells)
    open_notebook(page, lab, name)
    run_all(page)
    expect(outputs(page, 3).locator(FAILED).first).to_contain_text("'Give me a word.'")
    assert outputs(page, 4).count() == 0
    assert len(api.received) == 1


def test_a_replay_grows_on_the_page_as_the_reply_did(browser_page: Page, lab: Lab, api: Server) -> None:
    page, name = browser_page, "rhythm.ipynb"
    events = text_events(f"Part {number} of it.\n\n" for number in range(12))
    api.answers(Answer(headers=STREAM, pieces=[piece for each in events for piece in (event(each), 0.2)]))
    write_notebook(lab, name, asking(api, name), "%%claude\nTell me slowly.", REPLAYED)
    open_notebook(page, lab, name)
    run_all(page)
    live = shown(page, 1)
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.widgets[1].outputArea.model.clear(); }")
    page.evaluate(WATCH)
    start_cell(page, 1)
    expect(outputs(page, 1).locator(".cm-summary:visible")).to_contain_text("replayed, recorded 20")
    wait_until_idle(page)
    partial = [
        text for text in page.evaluate("window.seen") if "Part 1 of it." in text and "Part 11 of it." not in text
    ]
    assert len(partial) >= 2
    assert shown(page, 1) == live
    assert len(api.received) == 1


def test_what_the_journal_shows_is_read_in_both_themes_and_a_hostile_question_does_nothing(
    browser_page: Page, lab: Lab, api: Server, tmp_path: Path, foreign_requests: list[str]
) -> None:
    page, name = browser_page, "books.ipynb"
    said = console_errors(page)
    api.answers(*ANSWERS[:4], whole("Your name is Ada.", model="claude-sonnet-5-5"))
    looking = ("claude.journal", "claude.journal.exchange(1)", "claude.journal.spend(by='model')", "claude.usage")
    asked = (
        LESSON[0],
        *(f"%%claude\n{text}" for text in HOSTILE),
        "%%claude -c talk -m claude-sonnet-5-5 --no-stream\nWho?",
    )
    write_notebook(lab, name, asking(api, name), *asked, *looking)
    open_notebook(page, lab, name)
    run_all(page)
    rows, exchange, spend, usage = (outputs(page, number) for number in range(6, 10))

    expect(rows.locator("table:visible tbody tr")).to_have_count(5)
    expect(rows.locator("table:visible")).to_contain_text("<img src=x onerror=top.__hacked=1>")
    expect(rows.locator("table:visible")).to_contain_text("<script>top.__hacked=2</script>")
    rows.get_by_text("<b onpointerenter").locator("visible=true").hover()
    outputs(page, 3).locator(HEADER).click()
    outputs(page, 3).get_by_role("tab", name="Request").click()
    expect(outputs(page, 3).locator(PANEL)).to_contain_text("<script>top.__hacked=2</script>")
    expect(exchange.locator(".cm-reply:visible")).to_contain_text("A list can change.")
    exchange.locator(HEADER).click()
    expect(exchange.locator(PANEL)).to_contain_text("req_011Test")
    expect(spend.locator("svg rect")).to_have_count(2)
    expect(usage.locator("table")).to_contain_text("talk")
    made = page.locator(".jp-OutputArea").locator("img, script, b[onpointerenter], mjx-container")
    expect(made).to_have_count(0)
    for dark in (False, True):
        use_theme(page, dark=dark)
        for number, part in enumerate(("journal", "exchange", "spend", "usage"), 6):
            place = cell(page, number)
            place.scroll_into_view_if_needed()
            place.screenshot(path=tmp_path / f"{part}-{'dark' if dark else 'light'}.png")
        texts = (rows.locator("td:visible"), rows.locator("th:visible"), spend.locator("svg text"), spend.locator("td"))
        for place in (*texts, usage.locator("th"), usage.locator("td")):
            expect(place.first).to_be_visible()
            assert contrast(place.first) >= 4.5
    assert page.evaluate("() => window.__hacked === undefined")
    assert said == []
    assert foreign_requests == []
