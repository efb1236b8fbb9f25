"""The live reply in a real JupyterLab: it grows and ends without moving what the reader looks at."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lab_page import (
    Lab,
    cell,
    open_notebook,
    outputs,
    run_cell,
    screenshot,
    start_cell,
    use_theme,
    wait_until_idle,
    write_notebook,
)

pytestmark = pytest.mark.browser

SECTION = (
    "## A heading\n\nSome words, *emphasis*, `code` and a [link](https://example.org/) in a paragraph that is long "
    "enough to be broken into two lines of the page, as paragraphs are.\n\n- one\n- two\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\ndef area(radius):\n    return 3.14159 * radius ** 2\n```\n\n"
)
SETUP = f"from tests.replaying import *\nsection = {SECTION!r}"
REPLAY = "_ = replay(section * 60, step=400, every=0.05, real_time=True, panel={panel}, owns_cell={owns_cell})"
SCROLLED = ".jp-WindowedPanel-outer"
WATCH = f"""() => {{
    const scrolled = document.querySelector('{SCROLLED}');
    window.seen = [];
    const look = () => {{
        window.seen.push([Math.round(scrolled.scrollTop), scrolled.scrollHeight]);
        requestAnimationFrame(look);
    }};
    look();
}}"""
THOUGHT = "I should compare *both*, then show a table."
SHOWN = """Lists and tuples differ in one thing: a list can **change**.

| | `list` | `tuple` |
|---|---|---|
| mutable | yes | no |
| hashable | no | if its items are |

1. Use a list for things that come and go.
2. Use a tuple for a record:

   ```python
   point = (3, 4)  # x and y
   ```

The distance is $\\\\sqrt{x^2 + y^2}$, and $$\\\\int_0^1 x\\\\,dx = \\\\tfrac12.$$
"""
FINISHED = f"""
content = [
    {{"type": "thinking", "thinking": {THOUGHT!r}}},
    {{"type": "redacted_thinking", "data": "x"}},
    {{"type": "text", "text": '''{SHOWN}'''}},
    {{"type": "tool_use", "id": "t", "name": "get_weather", "input": {{"city": "Oslo"}}}},
]
Page(owns_cell=True, raw=False, panel=True).finish(
    exchange(content, stop_reason="max_tokens", seconds=2.4, first_token_seconds=0.6, retries=1)
)
"""


def scroll_to(page: Page, top: int) -> None:
    """Put the notebook there; `-1` is where the reply grows."""
    to_its_end = "[...document.querySelectorAll('.cm-status')].at(-1).scrollIntoView({block: 'center'})"
    scrolled = f"document.querySelector('{SCROLLED}')"
    page.evaluate(f"top => {{ if (top < 0) {to_its_end}; else {scrolled}.scrollTop = top; }}", top)


def open_live(page: Page, lab: Lab, name: str, *, panel: bool = True, owns_cell: bool = True) -> None:
    """A notebook whose third cell is streaming a long reply."""
    replay = REPLAY.format(panel=panel, owns_cell=owns_cell)
    write_notebook(lab, name, SETUP, "1 + 1", replay, "# below", "# below that")
    open_notebook(page, lab, name)
    run_cell(page, 0)
    start_cell(page, 2)
    expect(cell(page, 2).locator("h2").nth(12)).to_be_attached()


@pytest.mark.parametrize(("place", "top"), [("above", 20), ("middle", 700), ("end", -1)])
def test_the_reader_stays_where_they_look(browser_page: Page, lab: Lab, place: str, top: int) -> None:
    open_live(browser_page, lab, f"scroll-{place}.ipynb")
    scroll_to(browser_page, top)
    browser_page.wait_for_timeout(100)
    browser_page.evaluate(WATCH)
    wait_until_idle(browser_page)
    browser_page.wait_for_timeout(500)
    seen = browser_page.evaluate("window.seen")
    assert {position for position, _ in seen} == {seen[0][0]}
    heights = [height for _, height in seen]
    assert max(heights) <= heights[-1] + 150
    assert all(after >= before - 150 for before, after in pairwise(heights))


@pytest.mark.parametrize(("panel", "owns_cell"), [(True, False), (False, True)])
def test_at_the_end_the_cell_shows_the_reply_and_the_panel(
    browser_page: Page, lab: Lab, panel: bool, owns_cell: bool
) -> None:
    open_live(browser_page, lab, f"end-{panel}-{owns_cell}.ipynb", panel=panel, owns_cell=owns_cell)
    wait_until_idle(browser_page)
    shown = outputs(browser_page, 2)
    expect(shown.locator(".cm-reply:visible")).to_have_count(1)
    expect(shown.locator(".cm-summary:visible")).to_have_count(1)
    expect(shown.locator(".cm-status:visible")).to_have_count(0)
    expect(shown.locator(".cm-reply h2:visible")).to_have_count(60)
    expect(shown.locator(".jupyter-widgets.widget-accordion:visible")).to_have_count(int(panel))
    expect(shown.locator(".cm-static:visible")).to_have_count(0)


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_is_fit_to_be_seen(browser_page: Page, lab: Lab, dark: bool) -> None:
    name = "dark" if dark else "light"
    write_notebook(lab, f"seen-{name}.ipynb", SETUP, FINISHED, REPLAY.format(panel=True, owns_cell=True))
    open_notebook(browser_page, lab, f"seen-{name}.ipynb")
    use_theme(browser_page, dark=dark)
    run_cell(browser_page, 0)
    run_cell(browser_page, 1)
    reply = outputs(browser_page, 1)
    expect(reply.locator(".cm-warning")).to_contain_text("cut off (max_tokens)")
    expect(reply.locator("mjx-container").first).to_be_visible()
    screenshot(browser_page, f"reply-{name}")
    reply.locator("details.cm-thinking > summary").click()
    expect(reply.locator(".cm-thinking em")).to_be_visible()
    reply.locator("details.cm-block > summary").click()
    expect(reply.locator(".cm-json")).to_contain_text("Oslo")
    screenshot(browser_page, f"reply-unfolded-{name}")
    start_cell(browser_page, 2)
    expect(outputs(browser_page, 2).locator(".cm-status")).to_contain_text("tokens")
    browser_page.evaluate("document.querySelector('.cm-status').scrollIntoView({block: 'center'})")
    screenshot(browser_page, f"reply-live-{name}")
    wait_until_idle(browser_page)
