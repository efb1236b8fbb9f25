"""Several replies side by side in a real JupyterLab: rendered while they grow, never lower, below each other if narrow."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab_page import (
    Lab,
    cell,
    open_notebook,
    outputs,
    run_cell,
    save,
    screenshot,
    shut_down_kernel,
    start_cell,
    use_theme,
    wait_until_idle,
    write_notebook,
)
from tests.paced import go_on

pytestmark = pytest.mark.browser

ONE = """## A **list** or a tuple

A list can **change**, a tuple **cannot**; see [the tutorial](https://docs.python.org/3/tutorial/) for *both* of them.

Step 1

| name | **may change** | `hash` | a long heading | another long heading | and one more of them |
|---|---|---|---|---|---|
| list | **yes** | no | some words of it | some more words of it | 1,234,567,890 |
| tuple | no | **yes** | some words of it | some more words of it | 1,234,567,890 |

Step 2

```python
def area_of_a_circle_with_a_very_long_name(radius_in_metres: float, decimal_places_of_the_result: int = 2) -> float:
    return round(3.14159 * radius_in_metres ** 2, decimal_places_of_the_result)  # **not bold**
```

Step 3
"""
TWO = """**重要：** 列表可以**修改**，元组不可以。😀🎉 これは**重要**です。

Step 1

1. **Lists** may change
2. **Tuples** may not, and $\\\\frac{a}{b} = \\\\sqrt{c}$ is **true**

Step 2

> A **quoted** line with a ~~struck~~ word

Step 3
"""
SETUP = f"""
import os
from pathlib import Path
from tests.paced import paced
from tests.server import Server, failure
folder, server = Path("NAME"), Server()
folder.mkdir()
os.environ["ANTHROPIC_BASE_URL"], os.environ["ANTHROPIC_API_KEY"] = server.url, "test-key-8d1f6a0e2b"
%load_ext claude_magic
server.answers(paced({ONE!r}, folder), paced('''{TWO}''', folder), failure(404, "not_found_error", "no **such** model"))
"""
COMPARE = "%%claude --compare model=claude-opus-5-5,claude-haiku-5-5,claude-sonnet-5-5\nWhat is the difference?"
WATCH = """() => {
    window.seen = [];
    const look = () => {
        const parts = [...document.querySelectorAll('.cm-grid-live .cm-part')];
        const area = document.querySelectorAll('.jp-Cell-outputArea')[1];
        if (parts.length === 3 && parts.every(e => e.style.minHeight)) {
            const prose = parts.map(e => { const c = e.cloneNode(true);
                c.querySelectorAll('pre, .cm-error').forEach(p => p.remove()); return c.textContent; });
            seen.push({heights: [...parts.map(e => e.getBoundingClientRect().height),
                area.getBoundingClientRect().height], raw: prose.filter(t => t.includes('**'))});
        }
        requestAnimationFrame(look);
    };
    look();
}"""


SCROLLS = "e => e.scrollWidth > e.clientWidth + 50"


def rows(grid: Locator) -> set[float]:
    """The tops of the columns."""
    return set(grid.locator(".cm-column").evaluate_all("all => all.map(e => e.getBoundingClientRect().top)"))


def grow(page: Page, lab: Lab, name: str, *, dark: bool = False) -> Locator:
    """Run the comparison, step by step; the live grid."""
    write_notebook(lab, f"{name}.ipynb", SETUP.replace("NAME", name), COMPARE)
    open_notebook(page, lab, f"{name}.ipynb")
    use_theme(page, dark=dark)
    run_cell(page, 0)
    page.evaluate(WATCH)
    start_cell(page, 1)
    grid = outputs(page, 1).locator(".cm-grid-live")
    for step in (1, 2, 3):
        expect(grid.locator(".cm-part").filter(has_text=f"Step {step}")).to_have_count(2)
        screenshot(cell(page, 1), f"{name}-{step}")
        go_on(lab.root / name, step)
    wait_until_idle(page)
    expect(grid.locator(".jupyter-widgets.widget-accordion")).to_have_count(3)
    screenshot(cell(page, 1), f"{name}-end")
    return grid


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (700, True)])
def test_replies_grow_rendered_and_never_become_lower(browser_page: Page, lab: Lab, width: int, dark: bool) -> None:
    page = browser_page
    page.set_viewport_size({"width": width, "height": 1000})
    grid = grow(page, lab, f"compared-{width}", dark=dark)
    expect(grid.locator("mjx-container").first).to_be_visible()
    seen = page.evaluate("window.seen")
    assert [each["raw"] for each in seen if each["raw"]] == []
    for number in range(4):
        heights = [each["heights"][number] for each in seen]
        assert all(after >= before - 0.5 for before, after in pairwise(heights)), (number, heights)
    assert len({each["heights"][3] for each in seen}) > 3
    assert len(rows(grid)) == (3 if width == 700 else 1)
    code = grid.locator(".cm-reply pre:has(code)").first
    assert code.evaluate(SCROLLS)
    assert grid.locator(".cm-reply table").first.evaluate(SCROLLS) is (width == 1400)
    assert code.evaluate("e => e.clientHeight") < 60  # two lines, as written
    assert grid.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_a_narrow_panel_stacks_and_without_a_kernel_the_saved_grid_is_seen(browser_page: Page, lab: Lab) -> None:
    page = browser_page
    page.set_viewport_size({"width": 1400, "height": 1000})
    grid = grow(page, lab, "reopened")
    expect(grid.locator(".cm-reply .cm-copy > button")).to_have_count(1)
    panel = grid.locator(".cm-live").first
    header, button = panel.locator(".jupyter-widget-Collapse-header"), panel.locator(".cm-open-bench")
    room = header.evaluate("e => e.getBoundingClientRect().right - parseFloat(getComputedStyle(e).paddingRight)")
    assert room <= button.evaluate("e => e.getBoundingClientRect().left")  # the title ends before the button
    header.click()
    panel.get_by_role("tab", name="Code").click()
    expect(panel.locator("pre").filter(has_text="curl")).to_be_visible()
    screenshot(cell(page, 1), "reopened-panel")
    assert len(rows(grid)) == 1
    grid.evaluate("e => { e.style.width = '780px'; }")
    assert len(rows(grid)) == 3
    save(page)
    shut_down_kernel(page)
    page.goto("about:blank")
    open_notebook(page, lab, "reopened.ipynb")
    twin = outputs(page, 1).locator(".cm-static-grid")
    expect(twin.locator(".cm-column")).to_have_count(3)
    expect(twin.locator("details.cm-static")).to_have_count(3)
    expect(twin.locator(".cm-copy")).to_have_count(0)
    assert len(rows(twin)) == 1
    twin.locator("details.cm-static > summary").first.click()
    screenshot(cell(page, 1), "reopened-twin")
    assert twin.locator(".cm-reply pre:has(code)").first.evaluate(SCROLLS)
