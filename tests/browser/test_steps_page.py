"""Steps, sources and approval in a real JupyterLab: seen in light and dark, operated, reopened, converted."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

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
    use_theme,
    write_notebook,
)

pytestmark = pytest.mark.browser

SETUP = """from tests.test_steps import *
from tests.test_sources import said, web, page as cited_page
from claude_magic.display.live.page import Page
from claude_magic.display.approval.bundle import approval_widget
from claude_magic.display.reply.conversation import messages_bundle
"""
STEPS = """content = [
    {"type": "thinking", "thinking": "Three tools will do."},
    text("Let me look at the weather, search a little and compute."),
    {**USE, "id": "a"}, {**USE, "id": "b", "input": {"city": "Atlantis"}}, {**USE, "id": "c"}, {**USE, "id": "d"},
    *server("web_search", {"query": "history of tea"}, [
        {"type": "web_search_result", "title": "History of tea", "url": "https://tea.example/history", "page_age": "May 2, 2026"},
        {"type": "web_search_result", "title": "Tea, a plant", "url": "https://plants.example/tea", "page_age": None}]),
    *({**block, "id": "s2", "tool_use_id": "s2"} for block in server("code_execution", {"code": "def area(radius):  # of a circle\\n    return 3.14 * radius ** 2\\n\\nprint(area(2))\\n"},
        {"type": "code_execution_result", "stdout": "12.56\\n", "stderr": "", "return_code": 0, "content": []})),
    said("## Tea\\n\\nTea came from "), said("**China**", web("https://tea.example/history", "History of tea", "Tea was first drunk in China.")),
    said(".\\n\\n| drink | from |\\n|---|---|\\n| tea | China |\\n", cited_page(3)), said("\\n- It spread "), said("along trade routes.", cited_page(7), web("https://tea.example/history", "History of tea", "It spread.")),
]
image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
calls = [call("done", "18 °C, rain", image, id="a", seconds=0.31), call("failed", "ValueError: no such city: Atlantis", id="b", arguments={"city": "Atlantis"}, seconds=0.02),
         call("waiting", id="c"), call("running", id="d")]
page = Page(owns_cell=True, raw=False, panel=False)
whole = exchange(content, stop_reason="end_turn")
page.finish(replace(whole, calls=tuple(calls)))"""
UPDATE = """calls[2:] = [call("refused", "not now", id="c"), call("done", '{"sky": "grey", "wind": [3, 4]}', id="d", seconds=1.2)]
page.update(replace(whole, calls=tuple(calls)))"""
ASK = """decided = []
asked = [call("waiting", id="a"), call("waiting", id="b", name="send_mail", arguments={"to": "ann@example.org", "text": "Hello <b>Ann</b> \\u202e"})]
approval = approval_widget(asked, decided.append)
approval.publish()"""


def opened(page: Page, lab: Lab, name: str, *cells: str) -> None:
    write_notebook(lab, name, SETUP, *cells)
    open_notebook(page, lab, name)
    for number in range(len(cells) + 1):
        run_cell(page, number)


def said_by(page: Page) -> list[str]:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


@pytest.mark.parametrize("dark", [False, True])
def test_steps_and_sources_are_quiet_and_open_to_what_they_hold(
    browser_page: Page, lab: Lab, foreign_requests: list[str], dark: bool
) -> None:
    page, theme = browser_page, "dark" if dark else "light"
    said = said_by(page)
    opened(page, lab, f"steps-{theme}.ipynb", STEPS)
    use_theme(page, dark=dark)
    shown = outputs(page, 1)
    expect(shown.locator(".cm-step")).to_have_count(6)
    expect(shown.locator("details[open]")).to_have_count(0)
    shown.locator(".cm-reply").evaluate("e => e.scrollIntoView()")
    screenshot(page, f"steps-{theme}")
    for number in range(6):
        shown.locator(".cm-step > summary").nth(number).click()
    expect(shown.locator(".cm-step img")).to_be_visible()
    expect(shown.locator(".cm-results a").first).to_have_text("History of tea")
    expect(shown.locator(".cm-step code .k").first).to_have_text("def")
    shown.locator(".cm-reply").evaluate("e => e.scrollIntoView()")
    screenshot(page, f"steps-open-{theme}")
    shown.locator(".cm-sources").evaluate("e => e.scrollIntoView({block: 'end'})")
    shown.locator(".cm-sources summary").first.click()
    screenshot(page, f"steps-sources-{theme}")
    assert said == []
    assert foreign_requests == []


def test_a_mark_leads_to_its_source_and_not_away(browser_page: Page, lab: Lab) -> None:
    page = browser_page
    opened(page, lab, "marks.ipynb", STEPS, STEPS)
    before = page.url.split("#")[0]
    mark = outputs(page, 2).locator("sup.cm-mark a").first
    expect(mark).to_have_attribute(
        "title", "History of tea · https://tea.example/history: Tea was first drunk in China."
    )
    mark.click()
    page.wait_for_timeout(500)
    assert page.url.split("#")[0] == before
    expect(outputs(page, 2).locator(".cm-sources li").first).to_be_in_viewport()
    assert page.evaluate("() => Boolean(window.jupyterapp.shell.currentWidget)")
    identities = page.eval_on_selector_all(".cm-sources li", "all => all.map(e => e.id || e.dataset.jupyterId)")
    assert len(set(identities)) == len(identities) == 6


def test_the_reply_is_drawn_again_in_its_place_by_another_cell(browser_page: Page, lab: Lab) -> None:
    page = browser_page
    opened(page, lab, "update.ipynb", STEPS, "page", UPDATE)
    shown = outputs(page, 1)
    expect(shown.locator(".cm-step > summary").nth(2)).to_contain_text("refused: not now")
    expect(shown.locator(".cm-step > summary").nth(3)).to_contain_text('→ {"sky": "grey"')
    expect(page.locator(".cm-reply")).to_have_count(1)


def test_hostile_steps_do_nothing_in_a_page(browser_page: Page, lab: Lab, foreign_requests: list[str]) -> None:
    page = browser_page
    hostile = """from tests.browser.hostile import SNIPPETS
blocks = []
for number, hostile in enumerate(SNIPPETS):
    blocks += [{**USE, "id": f"t{number}", "name": hostile, "input": {hostile: hostile}},
               *({**block, "id": f"s{number}", "tool_use_id": f"s{number}"} for block in server("web_search", {"query": hostile},
                 [{"type": "web_search_result", "title": hostile, "url": hostile, "page_age": hostile}])),
               said("A", web(hostile, hostile, hostile))]
calls = [call("done", hostile, id=f"t{n}", name=hostile, note=hostile, arguments={hostile: hostile}) for n, hostile in enumerate(SNIPPETS)]
whole = exchange(blocks, stop_reason="end_turn")
page = Page(owns_cell=True, raw=False, panel=False); page.finish(whole); page.update(replace(whole, calls=tuple(calls)))"""
    ask = "approval = approval_widget(calls[:40], print); approval.publish()"
    opened(
        page,
        lab,
        "hostile-steps.ipynb",
        hostile,
        ask,
        "display(messages_bundle([{'role': 'user', 'content': blocks}]), raw=True)",
    )
    page.evaluate("() => document.querySelectorAll('.cm-reply details').forEach(e => { e.open = true; })")
    page.wait_for_timeout(1500)
    assert page.evaluate("() => window.__hacked") is None
    assert page.locator("mjx-container").count() == 0
    assert foreign_requests == []


def test_approval_by_mouse_and_keyboard(browser_page: Page, lab: Lab) -> None:
    page = browser_page
    said = said_by(page)
    opened(page, lab, "approval.ipynb", ASK, "# below", "print(decided)")
    panel = outputs(page, 1).locator(".cm-live-approval")
    expect(panel).to_be_visible()
    expect(page.locator(".cm-static:visible")).to_have_count(0)
    expect(panel).to_contain_text("Hello <b>Ann</b> \\u202e")
    panel.evaluate("e => e.scrollIntoView()")
    screenshot(page, "approval-light")
    use_theme(page, dark=True)
    screenshot(page, "approval-dark")
    use_theme(page, dark=False)

    panel.get_by_role("button", name="Edit arguments").nth(1).click()
    area = panel.locator("textarea")
    expect(area).to_be_visible()
    area.fill('{"to": "bob@example.org",')
    area.press("Shift+Enter")
    area.type("dd")
    panel.get_by_role("button", name="Run with these arguments").click()
    expect(panel.locator(".cm-error")).to_contain_text("not JSON")
    assert area.input_value().startswith('{"to": "bob@example.org",')
    screenshot(page, "approval-error-light")
    area.fill('{"to": "bob@example.org"}')
    expect(page.locator(".jp-Notebook .jp-Cell")).to_have_count(4)

    why = panel.locator("input[type=text]").first
    why.fill("too far away")
    refuse = panel.get_by_role("button", name="Refuse").first
    refuse.focus()
    page.keyboard.press("Enter")
    expect(panel).to_contain_text("will not run")
    run = panel.get_by_role("button", name="Run with these arguments")
    run.focus()
    page.keyboard.press("Space")
    expect(panel).to_contain_text("working…")
    for button in panel.get_by_role("button").all():
        expect(button).to_be_disabled()
    screenshot(page, "approval-working-light")
    run_cell(page, 3)
    printed = outputs(page, 3).inner_text()
    assert "'a': Decision(run=False, arguments=None, why='too far away')" in printed
    assert "'b': Decision(run=True, arguments={'to': 'bob@example.org'}, why='')" in printed
    assert printed.count("Decision(") == 2
    assert said == []


def test_all_at_once_the_next_calls_and_the_end(browser_page: Page, lab: Lab) -> None:
    page = browser_page
    next_ones = """def decide(decisions):
    decided.append(decisions)
    if len(decided) == 1: approval.ask([call("waiting", id="n", name="next_one")])
    else: approval.done("2 calls were run.")
approval._on_decide = decide"""
    opened(page, lab, "approval-next.ipynb", ASK, next_ones, "print(len(decided), decided)")
    panel = outputs(page, 1).locator(".cm-live-approval")
    panel.get_by_role("button", name="Run all").dblclick()
    expect(panel).to_contain_text("next_one")
    expect(panel.get_by_role("button", name="Run all")).to_have_count(0)
    panel.get_by_role("button", name="Run", exact=True).click()
    expect(panel).to_have_text("2 calls were run.")
    run_cell(page, 3)
    expect(outputs(page, 3)).to_contain_text("2 [{'a': Decision(run=True, arguments=None, why=''), 'b'")
    save(page)
    saved = (lab.root / "approval-next.ipynb").read_text()
    assert "2 calls were run." in saved
    assert "asks to run" not in saved


def test_without_its_kernel_the_twin_says_how_to_go_on(new_page: Callable[[], Page], lab: Lab) -> None:
    first = new_page()
    opened(first, lab, "approval-reopened.ipynb", ASK)
    expect(first.locator(".cm-live-approval")).to_be_visible()
    save(first)
    shut_down_kernel(first)
    page = new_page()
    open_notebook(page, lab, "approval-reopened.ipynb")
    twin = page.locator(".cm-static.cm-approval")
    expect(twin).to_be_visible()
    expect(twin).to_contain_text("%claude --approve runs them")
    assert "Error displaying widget" not in page.locator(".jp-Notebook").inner_text()
    screenshot(page, "approval-twin-light")
    use_theme(page, dark=True)
    screenshot(page, "approval-twin-dark")


def test_steps_and_approval_are_read_after_conversion_to_html(new_page: Callable[[], Page], lab: Lab) -> None:
    path = write_notebook(lab, "steps-converted.ipynb", SETUP, STEPS, ASK)
    run = [sys.executable, "-m", "nbconvert", "--log-level=ERROR", "--to", "html", "--execute", str(path)]
    subprocess.run(run, check=True, env=lab.environ, cwd=lab.root)
    page = new_page()
    page.goto(path.with_suffix(".html").as_uri(), wait_until="domcontentloaded")
    expect(page.locator(".cm-step")).to_have_count(6)
    page.locator(".cm-step > summary").first.click()
    expect(page.locator(".cm-step img")).to_be_visible()
    expect(page.locator(".cm-sources")).to_contain_text("Report · page 3")
    page.locator("sup.cm-mark a").first.click()
    assert page.url.startswith(path.with_suffix(".html").as_uri())
    expect(page.locator(".cm-static.cm-approval")).to_be_visible()
    screenshot(page, "steps-nbconvert-light")


def test_the_messages_of_an_exchange_are_seen(browser_page: Page, lab: Lab) -> None:
    page = browser_page
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "Do I need an umbrella in Paris?"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t", "name": "get_weather", "input": {"c": "Paris"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "18 °C, rain"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Yes, it rains."}]},
    ]
    opened(page, lab, "messages.ipynb", f"display(messages_bundle({messages!r}), raw=True)")
    shown = outputs(page, 1)
    expect(shown.locator("details[open]")).to_have_count(4)
    shown.locator(".cm-reply").evaluate("e => e.scrollIntoView()")
    screenshot(page, "messages-light")
    expect(cell(page, 1)).to_contain_text("4 · assistant")
