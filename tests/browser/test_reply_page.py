"""The main job in real JupyterLab: `%%claude` in a cell, a scripted API behind it, and the page a reader sees."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.hostile import BROKEN_IMAGE, REPLY, SNIPPETS, framed
from tests.browser.lab_page import (
    Lab,
    cell,
    command,
    open_notebook,
    outputs,
    restart_kernel,
    run_all,
    run_cell,
    save,
    screenshot,
    shut_down_kernel,
    start_cell,
    use_theme,
    wait_until_idle,
    write_notebook,
)
from tests.panel_exchange import ORGANIZATION_ID, REQUEST_ID, headers
from tests.server import Answer, Server, event, failure, message, reply, text_events

pytestmark = pytest.mark.browser

KEY = "test-key-of-these-pages-c84a1e"  # in no other file's notebooks, which lie in the same folder
LOAD = "%load_ext claude_magic"
ASK = "%%claude\nExplain the difference between a list and a tuple, with a table."
BEGINNING = """## Lists and tuples

A **list** can change, a *tuple* cannot: see the [tutorial](https://docs.python.org/3/tutorial/datastructures.html).
A list costs $5 and $10 with a lid.

| | `list` | `tuple` |
|---|---|---|
| mutable | yes | no |
| hashable | no | if its items are |
"""
REST = """
- Use a list
  - for what grows
    - or shrinks

```python
def moved(point, by=1):
    x, y = point  # a tuple
    return (x + by, y + by)
```

The distance is $\\sqrt{x^2 + y^2}$, and

$$\\int_0^1 x\\,dx = \\tfrac12.$$

![a chart](https://evil.example/chart.png)
"""
PICTURED = """Both hold items in order; a **list** can change after it is made, a **tuple** cannot.

| | `list` | `tuple` |
|---|---|---|
| Written as | `[1, 2]` | `(1, 2)` |
| Can change | yes | no |
| Key of a `dict` | no | yes, if its items can be |
| Made for | items that come and go | the fields of one record |

Choose a tuple for what belongs together and stays as it is, such as a point `(x, y)`.
"""
WIDGET = ".jupyter-widgets.widget-accordion:visible"
HEADER = ".jupyter-widget-Collapse-header"
PANEL = ".cm-panel:visible"
STOP = '.jp-NotebookPanel-toolbar [data-command="notebook:interrupt-kernel"]'
LOOKED_UP = "/api/resolvePath"  # JupyterLab asks its own server about what looks like a path in an error's line
STREAMED = tuple((name, value) for name, value in headers().items() if name.lower() != "transfer-encoding")


@dataclass
class Watched:
    """What a page said and asked for.

    Attributes:
        errors: Of the console, and those that nobody caught.
        dialogs: What `alert` and its like said; each was closed.
        addresses: Everything the page asked for, but for what its own policy refused.
        messages: Of its web sockets, both ways.
    """

    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    messages: list[str | bytes] = field(default_factory=list)


def watched(page: Page) -> Watched:
    seen = Watched()

    def close(dialog: Any) -> None:
        seen.dialogs.append(dialog.message)
        dialog.dismiss()

    def listen(socket: Any) -> None:
        socket.on("framereceived", lambda data: seen.messages.append(data))
        socket.on("framesent", lambda data: seen.messages.append(data))

    page.on("console", lambda said: seen.errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("dialog", close)
    page.on("request", lambda request: seen.addresses.append(request.url))
    page.on("requestfailed", lambda request: seen.addresses.remove(request.url) if request.failure == "csp" else None)
    page.on("websocket", listen)
    return seen


def open_asking(page: Page, lab: Lab, server: Server, name: str, *cells: str) -> Path:
    """Open a new notebook whose kernel has the extension loaded, by its first cell, and asks the scripted API."""
    path = write_notebook(lab, name, LOAD, *cells)
    open_notebook(page, lab, name)
    point_kernel(page, server)
    run_cell(page, 0)
    return path


def point_kernel(page: Page, server: Server) -> None:
    """Give the kernel key and address as if they had been set before it started: neither is on the page."""
    told = Path("environ.json").resolve()
    told.write_text(json.dumps({"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY}))
    page.evaluate(
        """code => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel
            .requestExecute({code, silent: true, store_history: false}).done.then(() => null)""",
        f"import json, os; os.environ.update(json.load(open({str(told)!r})))",
    )


def streamed(pieces: Iterable[str | Callable[[], object]], **options: Any) -> Answer:
    """A reply with headers like real ones; a callable is called where it stands in the stream."""
    pieces = list(pieces)
    texts = [piece for piece in pieces if isinstance(piece, str)]
    events = [event(data) for data in text_events(texts, **options)]
    body: list[Any] = events[:3]
    coming = iter(events[3:])
    body += [next(coming) if isinstance(piece, str) else piece for piece in pieces]
    return Answer(headers=STREAMED, pieces=[*body, *coming])


def cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def pause() -> None:
    """Of the server's thread, so that the page draws in between."""
    threading.Event().wait(0.02)


def summary(page: Page, index: int) -> Locator:
    return outputs(page, index).locator(".cm-summary:visible")


def test_the_reply_appears_while_it_streams_and_ends_as_one_reply_and_one_panel(
    browser_page: Page, lab: Lab, endpoint: Server, foreign_requests: list[str]
) -> None:
    page, go_on = browser_page, threading.Event()
    seen = watched(page)
    endpoint.answers(streamed([*cut(BEGINNING, 12), lambda: go_on.wait(100), *cut(REST, 12)]))
    open_asking(page, lab, endpoint, "main.ipynb", ASK, "1 + 1")

    start_cell(page, 1)
    shown = outputs(page, 1)
    expect(shown.locator(".cm-reply:visible td").last).to_have_text("if its items are")
    expect(shown.locator(".cm-status")).to_contain_text("tokens")
    expect(shown.locator("pre:visible, .cm-summary:visible")).to_have_count(0)
    screenshot(page, "first-streaming")
    go_on.set()
    expect(summary(page, 1)).to_contain_text(f"46 in / {len(cut(BEGINNING, 12) + cut(REST, 12))} out")
    wait_until_idle(page)

    expect(shown.locator(".cm-reply:visible")).to_have_count(1)
    expect(shown.locator(WIDGET)).to_have_count(1)
    expect(shown.locator(".cm-static:visible, .cm-status:visible")).to_have_count(0)
    answer = shown.locator(".cm-reply:visible")
    expect(answer.locator("h2")).to_have_text("Lists and tuples")
    expect(answer.locator("table tbody tr")).to_have_count(2)
    expect(answer.locator("ul ul ul > li")).to_have_text("or shrinks")
    expect(answer.locator("mjx-container")).to_have_count(2)
    expect(answer.locator('mjx-container[display="true"]')).to_have_count(1)
    expect(answer.locator("p", has_text="A list costs $5 and $10 with a lid.")).to_have_count(1)
    expect(answer.locator('a[href="https://docs.python.org/3/tutorial/datastructures.html"]')).to_have_text("tutorial")
    expect(answer.locator('a[href="https://evil.example/chart.png"]')).to_contain_text("a chart")
    expect(answer.locator("img")).to_have_count(0)
    plain, keyword = (colour(answer.locator(f"pre {place}").first) for place in ("code", "code .k"))
    assert plain != keyword
    screenshot(page, "first-light")
    page.locator(HEADER).click()
    page.locator(PANEL).scroll_into_view_if_needed()
    screenshot(page, "first-panel-light")
    use_theme(page, dark=True)
    screenshot(page, "first-panel-dark")
    assert colour(answer.locator("pre code .k").first) != keyword
    answer.scroll_into_view_if_needed()
    cell(page, 1).evaluate("e => e.scrollIntoView()")
    screenshot(page, "first-dark")
    assert seen.errors == []
    assert foreign_requests == []


def colour(place: Locator) -> str:
    found: str = place.evaluate("e => getComputedStyle(e).color")
    return found


def test_the_panel_is_read_by_mouse_and_keyboard_and_after_a_restart_and_the_key_is_nowhere(
    new_page: Callable[[], Page], lab: Lab, endpoint: Server
) -> None:
    first = new_page()
    seen = watched(first)
    endpoint.answers(streamed([BEGINNING, REST]))
    path = open_asking(first, lab, endpoint, "kept.ipynb", ASK, "%claude what is a monad?")
    run_cell(first, 1)
    run_cell(first, 2)
    assert [asked(received.json) for received in endpoint.received] == [ASK.split("\n")[1], "what is a monad?"]
    assert endpoint.last.headers["x-api-key"] == KEY
    expect(summary(first, 2)).to_have_count(1)

    panel = outputs(first, 1).locator(PANEL)
    outputs(first, 1).locator(HEADER).click()
    expect(panel).to_contain_text(ORGANIZATION_ID)
    names = panel.locator("th").all_inner_texts()
    assert names[:2] == ["request-id", "anthropic-organization-id"]
    outputs(first, 1).get_by_role("tab", name="Request").click()
    expect(panel).to_contain_text("$ANTHROPIC_API_KEY")
    by_key = outputs(first, 2).locator(".cm-key > summary")
    by_key.focus()
    first.keyboard.press("Enter")
    expect(outputs(first, 2).locator(PANEL)).to_contain_text(REQUEST_ID)
    assert KEY not in first.content()

    save(first)
    restart_kernel(first)
    shut_down_kernel(first)
    again = new_page()
    seen_again = watched(again)
    open_notebook(again, lab, "kept.ipynb")
    for index in (1, 2):
        expect(outputs(again, index).locator(".cm-reply:visible")).to_have_count(1)
        expect(outputs(again, index).locator("details.cm-static:visible")).to_have_count(1)
    expect(outputs(again, 1).locator("mjx-container")).to_have_count(2)
    read = again.locator(".jp-Notebook").inner_text()
    assert "Error displaying widget" not in read
    assert "model not found" not in read.lower()
    twin = outputs(again, 1).locator("details.cm-static")
    twin.locator("> summary").click()
    twin.locator("> details > summary").first.click()
    expect(outputs(again, 1).locator(".cm-static details > div:visible")).to_contain_text(ORGANIZATION_ID)
    screenshot(again, "first-reopened")

    assert KEY not in again.content()
    assert REQUEST_ID in path.read_text()
    kept = [*lab.root.rglob("*"), *Path(lab.environ["HOME"]).rglob("*")]
    assert [file for file in kept if file.is_file() and KEY.encode() in file.read_bytes()] == []
    sent = [said.encode() if isinstance(said, str) else said for said in [*seen.messages, *seen_again.messages]]
    assert any(REQUEST_ID.encode() in said for said in sent)
    assert not any(KEY.encode() in said for said in sent)
    assert [error for error in seen_again.errors if "widget model not found" not in error] == []


def asked(body: Any) -> str:
    """The one user message, which is text."""
    ((role, content),) = [(turn["role"], turn["content"]) for turn in body["messages"]]
    assert role == "user"
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


def disguised() -> Answer:
    """A reply that is hostile in everything but its text."""
    blocks = [
        {"type": "thinking", "thinking": f"{BROKEN_IMAGE} $\\href{{javascript:alert(1)}}{{x}}$", "signature": "s"},
        {"type": "tool_use", "id": "t", "name": BROKEN_IMAGE, "input": {"</pre>" + BROKEN_IMAGE: BROKEN_IMAGE}},
        {"type": BROKEN_IMAGE, "html": BROKEN_IMAGE},
    ]
    start = message(model=BROKEN_IMAGE, id=BROKEN_IMAGE)
    details = {"category": BROKEN_IMAGE, "explanation": BROKEN_IMAGE}
    end = {"stop_reason": "refusal", "stop_details": details}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for index, block in enumerate(blocks):
        events += [
            {"type": "content_block_start", "index": index, "content_block": block},
            {"type": "content_block_stop", "index": index},
        ]
    events += [{"type": "message_delta", "delta": end, "usage": {"output_tokens": 9}}, {"type": "message_stop"}]
    return Answer(headers=hostile_headers("text/event-stream"), pieces=[event(data) for data in events])


def hostile_headers(content_type: str) -> list[tuple[str, str]]:
    return [
        ("content-type", content_type),
        ("request-id", BROKEN_IMAGE),
        ("anthropic-organization-id", f"</td>{BROKEN_IMAGE}"),
        ("anthropic-ratelimit-tokens-limit", f'9"{BROKEN_IMAGE}'),
        ("anthropic-ratelimit-tokens-remaining", BROKEN_IMAGE),
        ("server", f"</style></details>{BROKEN_IMAGE}"),
    ]


def refused() -> Answer:
    """An error that is hostile."""
    body = {
        "type": "error",
        "error": {"type": BROKEN_IMAGE, "message": f"\x1b]8;;https://evil.example\x07{BROKEN_IMAGE}"},
    }
    pieces = [json.dumps(body).encode()]
    return Answer(status=400, headers=hostile_headers("application/json"), pieces=pieces, framing="length")


def test_nothing_of_hostile_replies_runs_or_is_fetched_live_or_reopened(
    new_page: Callable[[], Page], lab: Lab, endpoint: Server, foreign_requests: list[str]
) -> None:
    assert len(SNIPPETS) > 40
    first, other = new_page(), Server()
    seen = watched(first)
    slowly = [piece for text in cut(REPLY, 120) for piece in (text, pause)]
    endpoint.answers(streamed(slowly), disguised(), refused(), reply(REPLY), reply(framed(other.url)))
    cells = [f"%%claude\n{BROKEN_IMAGE}", *(f"%%claude{option}\nhi" for option in ("", "", " --raw", " --as html"))]
    open_asking(first, lab, endpoint, "hostile.ipynb", *cells)
    for number in range(1, len(cells)):
        run_cell(first, number)
    expect(outputs(first, 1).locator(".cm-reply:visible h3")).to_have_count(len(SNIPPETS) + 1)
    for number in (1, 2, 3):
        open_tabs(outputs(first, number))
    touch(first)
    assert seen.errors == []
    screenshot(first, "hostile-light")
    run_cell(first, len(cells))
    assert_unharmed(first, seen)
    save(first)
    shut_down_kernel(first)

    again = new_page()
    seen_again = watched(again)
    open_notebook(again, lab, "hostile.ipynb")
    expect(outputs(again, 1).locator(".cm-reply:visible h3")).to_have_count(len(SNIPPETS) + 1)
    trusted = "() => [...window.jupyterapp.shell.currentWidget.content.model.cells].every(cell => cell.trusted)"
    assert again.evaluate(trusted)
    touch(again)
    assert_unharmed(again, seen_again)
    assert foreign_requests == []
    assert {received.path for received in endpoint.received} == {"/v1/messages"}
    assert other._connections == 0
    other.close()


def open_tabs(shown: Locator) -> None:
    """Open the panel and each of its tabs."""
    shown.locator(HEADER).click()
    for tab in shown.get_by_role("tab").all():
        tab.click()


def touch(page: Page) -> None:
    """Unfold everything, then do with each element of the replies what a mouse and a keyboard might."""
    page.evaluate(
        """() => {
            for (const folded of document.querySelectorAll('.jp-OutputArea details')) folded.open = true;
            for (const element of document.querySelectorAll('.jp-OutputArea .cm-reply *')) {
                const names = ['pointerenter', 'mouseover', 'mouseenter', 'focus', 'focusin', 'toggle'];
                if (!element.closest('a, summary')) names.push('click');
                for (const name of names) element.dispatchEvent(new Event(name, {bubbles: true}));
            }
        }"""
    )
    page.wait_for_timeout(500)


def assert_unharmed(page: Page, seen: Watched) -> None:
    """No script ran, nothing was fetched, and no link leads to one."""
    assert page.evaluate("typeof window.__hacked") == "undefined"
    assert seen.dialogs == []
    assert [address for address in seen.addresses if "evil" in address and LOOKED_UP not in address] == []
    alive = (
        ":is(script, iframe:not([sandbox]), iframe[sandbox*=script], object, embed, form, link, meta, base, img, image)"
    )
    found = page.locator(f".jp-OutputArea-output {alive}")
    assert found.evaluate_all("all => all.map(element => element.outerHTML.slice(0, 200))") == []
    links = page.locator(".cm-reply a").evaluate_all("all => all.map(a => a.getAttribute('href') ?? 'no href')")
    assert [link for link in links if not re.match(r"https?://\w|mailto:|#(cm-|mjx-|$)", link)] == []
    framed_page = page.locator("iframe[sandbox]").content_frame.locator("iframe").content_frame
    expect(framed_page.get_by_text("hover and click").first).to_be_attached()
    expect(framed_page.locator("[data-ran]")).to_have_count(0)


def test_stop_keeps_what_had_arrived_and_the_next_cell_works(browser_page: Page, lab: Lab, endpoint: Server) -> None:
    page, never = browser_page, threading.Event()
    endpoint.answers(streamed([*cut(BEGINNING, 12), lambda: never.wait(100), REST]), reply("The next **reply**."))
    open_asking(page, lab, endpoint, "stopped.ipynb", ASK, "%%claude\nand then?")
    start_cell(page, 1)
    shown = outputs(page, 1)
    expect(shown.locator(".cm-reply td").last).to_have_text("if its items are")
    page.locator(STOP).click()
    expect(shown.locator(".cm-warning")).to_contain_text("interrupted")
    never.set()
    wait_until_idle(page, 2)
    expect(shown.locator(".cm-reply td").last).to_have_text("if its items are")
    (line,) = error_lines(page, 1)
    assert line.startswith("Interrupted: stopped after")
    run_cell(page, 2)
    expect(outputs(page, 2).locator("strong")).to_have_text("reply")
    screenshot(page, "stopped-light")


def error_lines(page: Page, index: int) -> list[str]:
    """What stands in the cell's error output."""
    error = outputs(page, index).locator('[data-mime-type="application/vnd.jupyter.stderr"]')
    expect(error).to_have_count(1)
    return error.inner_text().strip().splitlines()


def test_an_error_is_one_line_with_its_panel_and_run_all_stops_there(
    browser_page: Page, lab: Lab, endpoint: Server
) -> None:
    page = browser_page
    endpoint.answers(failure(401, "authentication_error", "invalid x-api-key"))
    write_notebook(lab, "error.ipynb", LOAD, ASK, "%%claude\nand then?", "print('went on')")
    open_notebook(page, lab, "error.ipynb")
    point_kernel(page, endpoint)
    run_all(page)
    page.wait_for_timeout(300)
    (line,) = error_lines(page, 1)
    assert line.startswith("APIError: authentication_error: invalid x-api-key (HTTP 401")
    assert "$ANTHROPIC_API_KEY" in line
    assert KEY not in page.content()
    expect(outputs(page, 1).locator(WIDGET)).to_have_count(1)
    page.locator(HEADER).click()
    expect(page.locator(PANEL)).to_contain_text("req_011Test")
    screenshot(page, "error-light")
    assert len(endpoint.received) == 1
    assert [outputs(page, index).count() for index in (2, 3)] == [0, 0]


def test_the_picture_of_the_readme(browser_page: Page, lab: Lab, endpoint: Server) -> None:
    """Without the bars around the notebook, at the size of the picture."""
    page = browser_page
    page.set_viewport_size({"width": 1000, "height": 870})
    thinking_time = [lambda: threading.Event().wait(0.6)]
    endpoint.answers(streamed([*thinking_time, *(piece for text in cut(PICTURED, 5) for piece in (text, pause))]))
    open_asking(page, lab, endpoint, "first-message.ipynb", ASK)
    run_cell(page, 1)
    for side in ("left", "right"):
        command(page, "application:toggle-side-tabbar", {"side": side})
    page.locator(HEADER).click()
    expect(page.locator(PANEL)).to_contain_text(ORGANIZATION_ID)
    page.locator(PANEL).evaluate("e => e.scrollTop = 0")
    cell(page, 0).evaluate("e => e.scrollIntoView()")
    page.mouse.move(0, 0)
    picture = screenshot(page.locator(".jp-NotebookPanel"), "first-message")
    assert picture.stat().st_size < 300_000
